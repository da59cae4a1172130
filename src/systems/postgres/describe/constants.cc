#include "systems/postgres/describe/constants.h"

#include <charconv>
#include <vector>

#include "core/byte_reader.h"
#include "systems/postgres/sql/expr_parts.h"

namespace sluice::postgres {
namespace {

using reading::Count;

// Type oids of pg_type.dat: fixed for all versions.
constexpr Oid kInt8 = 20;
constexpr Oid kInt2 = 21;
constexpr Oid kInt4 = 23;
constexpr Oid kFloat4 = 700;
constexpr Oid kFloat8 = 701;

constexpr std::int32_t kMaxArrayDimensions = 6;  // MAXDIM of the server

bool is_integer(Oid type) {
  return type == kInt2 || type == kInt4 || type == kInt8;
}

const Type* type_of(const sql::TypeName& name, const DescribeContext& context) {
  if (name.names.empty() || name.names.size() > 2 || name.percent_type || name.setof) return nullptr;
  const auto schema = name.names.size() == 2 ? name.names.front() : std::string_view{};
  return context.catalogue.find_type(context.search_path, schema, name.names.back());
}

// Below casts to integer types, which keep a number as it is (or fail).
const sql::Expr* without_integer_casts(const sql::Expr* expr, const DescribeContext& context) {
  while (const auto* cast = sql::as<sql::TypeCast>(expr)) {
    if (!cast->type->array_bounds.empty() || !cast->type->typmods.empty()) return expr;
    const auto* type = type_of(*cast->type, context);
    if (type == nullptr || !is_integer(type->oid)) return expr;
    expr = cast->arg;
  }
  return expr;
}

const Parameter* parameter_of(const sql::ParamRef& reference, const DescribeContext& context) {
  const auto number = static_cast<std::size_t>(reference.number);
  return reference.number < 1 || number > context.parameters.size() ? nullptr
                                                                    : &context.parameters[number - 1];
}

// `cast`: it is written with a cast, which for some types does not keep the number ('5'::"char"::int4 is 53).
// 0 means that the server infers the type, from that cast.
Count parameter_count(const Parameter& parameter, bool cast) {
  if (cast && parameter.type != 0 && !is_integer(parameter.type)) return Count::unlimited();
  switch (parameter.state) {
    case Parameter::State::unbound: return Count::pending();
    case Parameter::State::null: return Count::unlimited();  // LIMIT NULL is none
    case Parameter::State::text: {
      std::int64_t value = 0;
      const auto* begin = parameter.bytes.data();
      const auto* end = begin + parameter.bytes.size();
      const auto [stop, error] = std::from_chars(begin, end, value);
      return error == std::errc{} && stop == end && value >= 0 ? Count(static_cast<std::uint64_t>(value))
                                                               : Count::unlimited();
    }
    case Parameter::State::binary: {
      if (parameter.type != 0 && !is_integer(parameter.type)) return Count::unlimited();
      ByteReader in{as_bytes(parameter.bytes)};
      std::int64_t value = -1;
      switch (parameter.bytes.size()) {
        case 2: value = in.i16(); break;
        case 4: value = in.i32(); break;
        case 8: value = in.i64(); break;
        default: break;
      }
      return value >= 0 ? Count(static_cast<std::uint64_t>(value)) : Count::unlimited();
    }
  }
  return Count::unlimited();
}

// --- keys

bool is_float(const Type& type) {
  return type.oid == kFloat4 || type.oid == kFloat8 || type.element == kFloat4 || type.element == kFloat8;
}

// A literal or parameter, perhaps cast. Not as a float: many integers equal one float.
const sql::Expr* as_value(const sql::Expr* expr, const DescribeContext& context) {
  while (const auto* cast = sql::as<sql::TypeCast>(expr)) {
    const auto* type = type_of(*cast->type, context);
    if (type == nullptr || is_float(*type)) return nullptr;
    expr = cast->arg;
  }
  if (const auto* reference = sql::as<sql::ParamRef>(expr)) {
    const auto* parameter = parameter_of(*reference, context);
    const auto* type = parameter == nullptr ? nullptr : context.catalogue.type(parameter->type);
    return type != nullptr && is_float(*type) ? nullptr : expr;
  }
  return sql::as<sql::Constant>(expr);
}

// An array as text has at most one element more than separators.
Count elements_of_text(std::string_view text) {
  return {
      static_cast<std::uint64_t>(std::ranges::count_if(text, [](char c) { return c == ',' || c == ';'; })) +
      1};
}

// array_send: dimensions, has-null, element type, then length and lower bound of each dimension.
Count elements_of_binary(Bytes bytes) {
  ByteReader in{bytes};
  const auto dimensions = in.i32();
  in.i32();
  in.u32();
  if (dimensions < 0 || dimensions > kMaxArrayDimensions) return Count::unlimited();
  Count elements(dimensions == 0 ? 0 : 1);
  for (std::int32_t i = 0; i < dimensions; ++i) {
    const auto length = in.i32();
    in.i32();
    if (length < 0) return Count::unlimited();
    elements = elements * Count(static_cast<std::uint64_t>(length));
  }
  return in.ok() ? elements : Count::unlimited();
}

// `= ANY (array)`
Count elements(const sql::Expr* array, const DescribeContext& context) {
  const auto all_values = [&](sql::Exprs items) {
    return std::ranges::all_of(items, [&](const auto* item) { return as_value(item, context) != nullptr; });
  };
  const auto* bare = without_casts(array);
  if (const auto* list = sql::as<sql::ArrayExpr>(bare)) {
    return all_values(list->elements) ? Count(list->elements.size()) : Count::unlimited();
  }
  const auto* value = as_value(array, context);
  if (const auto* constant = sql::as<sql::Constant>(value)) return elements_of_text(constant->text);
  const auto* reference = sql::as<sql::ParamRef>(value);
  if (reference == nullptr) return Count::unlimited();
  const auto* parameter = parameter_of(*reference, context);
  if (parameter == nullptr) return Count::pending();
  switch (parameter->state) {
    case Parameter::State::unbound: return Count::pending();
    case Parameter::State::null: return {0};
    case Parameter::State::text: return elements_of_text(parameter->bytes);
    case Parameter::State::binary: return elements_of_binary(as_bytes(parameter->bytes));
  }
  return Count::unlimited();
}

struct Pinned {
  std::int16_t attnum = 0;
  Count values;
};

class Equalities {
 public:
  Equalities(const Relation& relation, std::string_view alias, const DescribeContext& context)
      : relation_(relation), alias_(alias), context_(context) {}

  // The columns that a conjunction pins to values, with the number of values.
  void collect(const sql::Expr* condition) {
    if (const auto* both = sql::as<sql::BooleanExpr>(condition)) {
      if (both->op != sql::BooleanOperator::and_) return;
      for (const auto* arg : both->args) collect(arg);
      return;
    }
    const auto* operation = sql::as<sql::OperatorExpr>(condition);
    if (operation == nullptr || operation->symbol() != "=") return;
    switch (operation->form) {
      case sql::OperatorKind::plain:
        if (as_value(operation->right, context_) != nullptr) pin(operation->left, Count(1));
        if (as_value(operation->left, context_) != nullptr) pin(operation->right, Count(1));
        return;
      case sql::OperatorKind::in: {
        const auto* list = sql::as<sql::ExprList>(operation->right);
        const auto is_value = [&](const auto* item) { return as_value(item, context_) != nullptr; };
        if (list != nullptr && std::ranges::all_of(list->items, is_value))
          pin(operation->left, Count(list->items.size()));
        return;
      }
      case sql::OperatorKind::any: return pin(operation->left, elements(operation->right, context_));
      default: return;
    }
  }

  Count rows() const {
    auto best = Count::unlimited();
    for (const auto& index : relation_.indexes) {
      if (!index.unique || index.key.empty()) continue;
      Count rows(1);
      for (const auto attnum : index.key) {
        const auto at = std::ranges::find(pinned_, attnum, &Pinned::attnum);
        rows = at == pinned_.end() ? Count::unlimited() : rows * at->values;
        if (rows.is_unlimited()) break;
      }
      best = lesser(best, rows);
    }
    return best;
  }

 private:
  void pin(const sql::Expr* expr, Count values) {
    const auto* column = sql::as<sql::ColumnRef>(expr);
    if (column == nullptr || column->star || column->parts.empty() || column->parts.size() > 2) return;
    if (column->parts.size() == 2 && column->parts.front() != alias_) return;
    const auto* known = relation_.column(column->parts.back());
    if (known == nullptr) return;
    const auto at = std::ranges::find(pinned_, known->attnum, &Pinned::attnum);
    if (at == pinned_.end()) {
      pinned_.push_back({known->attnum, values});
    } else {
      at->values = lesser(at->values, values);
    }
  }

  const Relation& relation_;
  std::string_view alias_;
  const DescribeContext& context_;
  std::vector<Pinned> pinned_;
};

}  // namespace

Count limit_count(const sql::SelectStatement& query, const DescribeContext& context) {
  if (query.limit == nullptr || query.with_ties) return Count::unlimited();
  const auto* limit = without_integer_casts(query.limit, context);
  if (const auto* constant = sql::as<sql::Constant>(limit)) {
    const bool number = constant->value_kind == sql::ConstantKind::integer && constant->integer >= 0;
    return number ? Count(static_cast<std::uint64_t>(constant->integer)) : Count::unlimited();
  }
  const auto* reference = sql::as<sql::ParamRef>(limit);
  if (reference == nullptr) return Count::unlimited();
  const auto* parameter = parameter_of(*reference, context);
  return parameter == nullptr ? Count::pending() : parameter_count(*parameter, limit != query.limit);
}

Count rows_by_key(Conditions conditions, const Relation& relation, const sql::RangeVar& name,
                  const DescribeContext& context) {
  // An alias with columns gives them new names; rows of partitions and children have keys of their own.
  if (name.alias != nullptr && !name.alias->columns.empty()) return Count::unlimited();
  if (!relation.children.empty() && name.inherit) return Count::unlimited();
  Equalities equalities{relation, name.alias != nullptr ? name.alias->name : name.name, context};
  for (const auto* condition : conditions) equalities.collect(condition);
  return equalities.rows();
}

}  // namespace sluice::postgres
