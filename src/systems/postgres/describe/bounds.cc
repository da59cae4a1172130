#include "systems/postgres/describe/bounds.h"

#include <charconv>
#include <map>
#include <string>

#include "core/byte_reader.h"
#include "systems/postgres/rewrite/visit.h"

namespace sluice::postgres {
namespace {

using reading::Count;
using reading::Extent;

const sql::Expr* without_casts(const sql::Expr* expr) {
  while (const auto* cast = sql::as<sql::TypeCast>(expr)) expr = cast->arg;
  return expr;
}

bool is_value(const sql::Expr* expr) {
  expr = without_casts(expr);
  return sql::as<sql::Constant>(expr) != nullptr || sql::as<sql::ParamRef>(expr) != nullptr;
}

Count parameter_count(std::int32_t number, Parameters parameters) {
  if (number < 1 || static_cast<std::size_t>(number) > parameters.size()) return Count::pending();
  const auto& parameter = parameters[static_cast<std::size_t>(number) - 1];
  switch (parameter.state) {
    case Parameter::State::unbound: return Count::pending();
    case Parameter::State::null: return Count::unlimited();  // LIMIT NULL is none
    case Parameter::State::text: {
      std::int64_t value = 0;
      const auto* end = parameter.bytes.data() + parameter.bytes.size();
      const auto [stop, error] = std::from_chars(parameter.bytes.data(), end, value);
      return error == std::errc{} && stop == end && value >= 0 ? Count(static_cast<std::uint64_t>(value))
                                                               : Count::unlimited();
    }
    case Parameter::State::binary: {
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

Count limit_count(const sql::SelectStatement& query, Parameters parameters) {
  if (query.limit == nullptr || query.with_ties) return Count::unlimited();
  const auto* limit = without_casts(query.limit);
  if (const auto* constant = sql::as<sql::Constant>(limit)) {
    if (constant->value_kind == sql::ConstantKind::integer && constant->integer >= 0) {
      return Count(static_cast<std::uint64_t>(constant->integer));
    }
    return Count::unlimited();
  }
  if (const auto* parameter = sql::as<sql::ParamRef>(limit))
    return parameter_count(parameter->number, parameters);
  return Count::unlimited();
}

// What one query level does to the records that its sources offer; sub-queries of FROM and WITH have a level
// each.
class LevelTraits final : public rewrite::Visitor {
 public:
  LevelTraits(const DescribeContext& context, const sql::SelectStatement& level) : context_(context) {
    // Only what this level puts out: no condition carries a value away, and what has a bound of its own is
    // counted there.
    auto own = level;
    own.where = nullptr;
    own.having = nullptr;
    own.order_by = {};
    own.limit = nullptr;
    own.offset = nullptr;
    own.from = {};
    own.with = nullptr;
    own.left = nullptr;
    own.right = nullptr;
    own.set_operation = sql::SetOperation::none;
    rewrite::visit(own, *this);
  }

  bool gathers = false;  // a row can carry any number of records
  bool aggregated = false;
  std::uint64_t extra = 0;  // records that each row carries beside those of FROM

 private:
  void on_expr(const sql::Expr& expr) override {
    if (const auto* link = sql::as<sql::SubLink>(&expr)) {
      // A scalar sub-select brings a row of every relation in it; ARRAY (SELECT …) any number.
      if (link->form == sql::SubLinkKind::array) gathers = true;
      return;
    }
    const auto* call = sql::as<sql::FunctionCall>(&expr);
    if (call == nullptr || call->name.empty()) return;
    const auto schema = call->name.size() > 1 ? call->name[call->name.size() - 2] : std::string_view{};
    const auto name = call->name.back();
    switch (context_.catalogue.find_function(context_.search_path, schema, name).facts.cls) {
      case FunctionClass::aggregate: aggregated = true; break;
      case FunctionClass::value_aggregate:
        aggregated = true;
        if (name == "min" || name == "max") {
          ++extra;
        } else {
          gathers = true;
        }
        break;
      case FunctionClass::value_window: ++extra; break;
      case FunctionClass::unvouched:
      case FunctionClass::dangerous: gathers = true; break;
      default: break;
    }
  }
  void on_relation(const sql::RangeVar&, rewrite::RelationRole, bool) override { ++extra; }  // in sub-selects

  const DescribeContext& context_;
};

class Bounds {
 public:
  explicit Bounds(const DescribeContext& context) : context_(context) {}

  Extent of(const sql::SelectStatement& query) {
    const auto outer = tables_;
    if (query.with != nullptr) {
      for (const auto& table : query.with->tables) {
        const auto* select = sql::as<sql::SelectStatement>(table.query);
        Extent extent{Count::unlimited(), Count::unlimited(), Count::unlimited()};
        if (select != nullptr && !query.with->recursive) extent = of(*select);
        if (query.with->recursive) rows_hold_many_ = true;  // values can pile up from round to round
        tables_.insert_or_assign(std::string{table.name}, extent);
      }
    }
    auto extent = query.set_operation != sql::SetOperation::none ? of_set_operation(query) : of_level(query);
    extent.rows = lesser(extent.rows, limit_count(query, context_.parameters));
    extent.total = lesser(extent.total, extent.rows * extent.per_row);
    tables_ = outer;
    return extent;
  }
  bool rows_hold_many() const { return rows_hold_many_; }

 private:
  Extent of_set_operation(const sql::SelectStatement& query) {
    const auto left = of(*query.left);
    const auto right = of(*query.right);
    return {left.rows + right.rows, greater(left.per_row, right.per_row), left.total + right.total};
  }

  Extent of_level(const sql::SelectStatement& query) {
    if (query.is_values) return {Count(query.values.size()), Count(0), Count(0)};
    Extent all{Count(1), Count(0), Count(0)};
    for (const auto* item : query.from) {
      const auto one = of_from(*item, query.where, query.from.size() == 1);
      all.rows = all.rows * one.rows;
      all.per_row = all.per_row + one.per_row;
      all.total = all.total + one.total;
    }
    const LevelTraits traits{context_, query};
    if (traits.gathers) {
      // One row can hold all that the sources offer.
      if (!all.total.is_known()) rows_hold_many_ = true;
      all.per_row = all.total;
    }
    if (traits.extra > 0) {
      all.per_row = all.per_row + Count(traits.extra);
      all.total = all.total + all.rows * Count(traits.extra);
    }
    if (traits.aggregated && query.group_by.empty()) all.rows = Count(1);
    return all;
  }

  Extent of_from(const sql::FromItem& item, const sql::Expr* where, bool alone) {
    switch (item.kind) {
      case sql::FromKind::relation: return of_relation(static_cast<const sql::RangeVar&>(item), where, alone);
      case sql::FromKind::sub_select: {
        const auto* query = static_cast<const sql::SubSelectItem&>(item).query;
        return query == nullptr ? Extent{} : of(*query);
      }
      case sql::FromKind::join: {
        const auto& join = static_cast<const sql::JoinItem&>(item);
        const auto left = of_from(*join.left, nullptr, false);
        const auto right = of_from(*join.right, nullptr, false);
        return {left.rows * right.rows + left.rows + right.rows, left.per_row + right.per_row,
                left.total + right.total};
      }
      case sql::FromKind::sample: {
        const auto* relation = static_cast<const sql::SampleItem&>(item).relation;
        return relation == nullptr ? Extent{} : of_from(*relation, where, alone);
      }
      case sql::FromKind::function:
      case sql::FromKind::table_func:
        return {Count::unlimited(), Count(0), Count(0)};  // of its arguments: no records
      case sql::FromKind::unknown: break;
    }
    return {Count::unlimited(), Count::unlimited(), Count::unlimited()};
  }

  Extent of_relation(const sql::RangeVar& name, const sql::Expr* where, bool alone) {
    if (name.schema.empty()) {
      if (const auto table = tables_.find(name.name); table != tables_.end()) return table->second;
    }
    const auto* relation = context_.catalogue.find_relation(context_.search_path, name.schema, name.name);
    if (relation != nullptr && relation->system) return {Count::unlimited(), Count(0), Count(0)};
    Extent extent{Count::unlimited(), Count(1), Count::unlimited()};
    if (relation != nullptr && alone) {
      extent.rows = rows_by_key(where, *relation, name.alias != nullptr ? name.alias->name : name.name);
      extent.total = extent.rows;
    }
    return extent;
  }

  const DescribeContext& context_;
  std::map<std::string, Extent, std::less<>> tables_;  // WITH queries in sight
  bool rows_hold_many_ = false;
};

// The columns that a conjunction pins to values, with the number of values.
void collect_equalities(const sql::Expr* where, const Relation& relation, std::string_view alias,
                        std::map<std::int16_t, Count>& pinned) {
  if (const auto* both = sql::as<sql::BooleanExpr>(where)) {
    if (both->op != sql::BooleanOperator::and_) return;
    for (const auto* arg : both->args) collect_equalities(arg, relation, alias, pinned);
    return;
  }
  const auto* operation = sql::as<sql::OperatorExpr>(where);
  if (operation == nullptr || operation->symbol() != "=" || operation->name.size() != 1) return;
  const auto* column = sql::as<sql::ColumnRef>(operation->left);
  const auto* value = operation->right;
  if (column == nullptr && operation->form == sql::OperatorKind::plain) {
    column = sql::as<sql::ColumnRef>(operation->right);
    value = operation->left;
  }
  if (column == nullptr || column->star || column->parts.empty() || column->parts.size() > 2) return;
  if (column->parts.size() == 2 && column->parts.front() != alias) return;
  const auto* known = relation.column(column->parts.back());
  if (known == nullptr) return;
  if (operation->form == sql::OperatorKind::plain && is_value(value)) {
    pinned[known->attnum] = Count(1);
  } else if (operation->form == sql::OperatorKind::in) {
    const auto* list = sql::as<sql::ExprList>(value);
    if (list != nullptr && std::ranges::all_of(list->items, is_value))
      pinned[known->attnum] = Count(list->items.size());
  }
}

}  // namespace

reading::Count rows_by_key(const sql::Expr* where, const Relation& relation, std::string_view alias) {
  std::map<std::int16_t, Count> pinned;
  collect_equalities(where, relation, alias, pinned);
  auto best = Count::unlimited();
  for (const auto& index : relation.indexes) {
    if (!index.unique || index.key.empty()) continue;
    Count rows(1);
    bool whole = true;
    for (const auto attnum : index.key) {
      const auto at = pinned.find(attnum);
      if (at == pinned.end()) {
        whole = false;
        break;
      }
      rows = rows * at->second;
    }
    if (whole) best = lesser(best, rows);
  }
  // Rows of partitions and children have keys of their own.
  return relation.children.empty() ? best : Count::unlimited();
}

Bound record_bound(const sql::SelectStatement& query, const DescribeContext& context) {
  Bounds bounds{context};
  const auto extent = bounds.of(query);
  return {extent.total, bounds.rows_hold_many()};
}

}  // namespace sluice::postgres
