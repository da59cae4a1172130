#include "systems/postgres/rewrite/carried_keys.h"

#include <fmt/format.h>

#include <algorithm>

#include "systems/postgres/sql/names.h"
#include "systems/postgres/sql/tokens.h"
#include "systems/postgres/sql/visit.h"

namespace sluice::postgres::rewrite {
namespace {

using namespace sql;

// A function that may be an aggregate makes the select a grouped one. What is not known not to be one counts.
class AggregateFinder : public Visitor {
 public:
  AggregateFinder(const Catalogue& catalogue, SearchPath path) : catalogue_(catalogue), path_(path) {}

  void on_expr(const Expr& expr) override {
    const auto* call = as<FunctionCall>(&expr);
    if (call == nullptr || call->over != nullptr || call->sql_syntax || call->name.empty()) return;
    if (call->within_group || call->filter != nullptr || call->star || call->distinct ||
        !call->order_by.empty() || call->name.size() > 2) {
      found = true;
      return;
    }
    const std::string_view schema = call->name.size() == 2 ? call->name.front() : std::string_view{};
    const auto choice = catalogue_.find_function(path_, schema, call->name.back());
    switch (choice.facts.cls) {
      case FunctionClass::plain:
      case FunctionClass::set_returning:
      case FunctionClass::catalogue:
      case FunctionClass::session: break;
      case FunctionClass::vector: found |= call->name.back() == "avg" || call->name.back() == "sum"; break;
      default: found = true;
    }
    found |= choice.ambiguous;
  }
  void on_relation(const RangeVar& var, RelationRole, bool is_common_table) override {
    if (is_common_table) common_tables.push_back(&var);
  }

  bool found = false;
  std::vector<const RangeVar*> common_tables;

 private:
  const Catalogue& catalogue_;
  SearchPath path_;
};

bool keeps_its_rows(const SelectStatement& select) {
  return select.set_operation == SetOperation::none && !select.is_values && !select.distinct &&
         select.into == nullptr && select.group_by.empty() && select.having == nullptr &&
         !select.targets.empty();
}

// The tables of a FROM item that expressions can refer to by name.
void gather(const FromItem& item, std::vector<const RangeVar*>& out) {
  if (const auto* var = as<RangeVar>(&item)) {
    // Columns with other names, and relations with three-part names, are left alone.
    if ((var->alias == nullptr || var->alias->columns.empty()) && var->catalog.empty()) out.push_back(var);
  } else if (const auto* join = as<JoinItem>(&item); join != nullptr && join->alias == nullptr) {
    if (join->left != nullptr) gather(*join->left, out);
    if (join->right != nullptr) gather(*join->right, out);
  }
}

std::string_view name_of(const RangeVar& var) {
  return var.alias != nullptr ? var.alias->name : var.name;
}

// Whether the result has the column already: by a star that covers it, or by its name.
bool shows(const SelectStatement& select, const RangeVar& var, std::string_view column, bool alone) {
  return std::ranges::any_of(select.targets, [&](const Target& target) {
    const auto* ref = as<ColumnRef>(target.value);
    if (ref == nullptr) return false;
    const auto& parts = ref->parts;
    if (ref->star) return parts.empty() || (parts.size() == 1 && parts.front() == name_of(var));
    if (parts.empty() || parts.back() != column) return false;
    return parts.size() == 1 ? alone : parts.size() == 2 && parts.front() == name_of(var);
  });
}

bool is_readable(const Relation& relation, std::int16_t attnum, const MaskPlan* masks) {
  const auto* column = relation.column(attnum);
  const auto* masked = masks == nullptr ? nullptr : masks->find(relation.oid);
  return column != nullptr && column->readable && (masked == nullptr || masked->column(attnum) == nullptr);
}

std::uint32_t characters(std::string_view text) {
  return static_cast<std::uint32_t>(std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

const SelectStatement* answering_select(const Statement& statement) {
  if (const auto* declare = as<DeclareCursorStatement>(&statement))
    return as<SelectStatement>(declare->query);
  if (const auto* prepare = as<PrepareStatement>(&statement)) return as<SelectStatement>(prepare->query);
  return as<SelectStatement>(&statement);
}

std::vector<CarriedKey> missing_keys(const SelectStatement& select, const Catalogue& catalogue,
                                     SearchPath path, const MaskPlan* masks) {
  if (!keeps_its_rows(select)) return {};
  std::vector<const RangeVar*> tables;
  for (const auto* item : select.from) gather(*item, tables);
  if (tables.empty()) return {};

  AggregateFinder aggregates(catalogue, path);
  visit(select, aggregates);
  if (aggregates.found) return {};

  std::vector<CarriedKey> keys;
  const bool alone = select.from.size() == 1 && select.from.front()->kind == FromKind::relation;
  for (const auto* var : tables) {
    const auto same_name = [&](const RangeVar* other) { return name_of(*other) == name_of(*var); };
    if (std::ranges::count_if(tables, same_name) > 1) continue;
    if (std::ranges::find(aggregates.common_tables, var) != aggregates.common_tables.end()) continue;
    const auto* relation = catalogue.find_relation(path, var->schema, var->name);
    if (relation == nullptr || relation->system) continue;
    const auto& key = relation->primary_key;
    if (!std::ranges::all_of(key, [&](auto attnum) { return is_readable(*relation, attnum, masks); }))
      continue;
    std::vector<CarriedKey> missing;
    for (const auto attnum : key) {
      const auto& column = relation->column(attnum)->name;
      if (!shows(select, *var, column, alone)) missing.push_back({var, name_of(*var), column, attnum});
    }
    if (keys.size() + missing.size() > kMostCarriedKeys) continue;
    keys.insert(keys.end(), missing.begin(), missing.end());
  }
  return keys;
}

bool is_ordinal(const SortItem& item) {
  const auto* constant = as<Constant>(item.expr);
  return constant != nullptr && constant->value_kind == ConstantKind::integer;
}

std::string carried_item(const CarriedKey& key, std::size_t number) {
  return fmt::format("{}.{} AS \"slc_key_{}\"", quote_identifier(key.alias), quote_identifier(key.column),
                     number);
}

TextWithKeys with_keys(const ParsedStatement& statement, const std::vector<CarriedKey>& keys) {
  const auto* select = answering_select(*statement.body);
  const auto text = statement.text;
  const auto offset = [&](Location location) { return static_cast<std::size_t>(location - statement.begin); };
  TextWithKeys out;
  const auto at = offset(select->targets.front().location);
  out.sql = text.substr(0, at);
  std::string items;
  for (std::size_t i = 0; i < keys.size(); ++i) items.append(carried_item(keys[i], i + 1)).append(", ");
  out.sql.append(items);
  out.insertion = {characters(text.substr(0, at)), characters(items)};

  auto copied = at;
  for (const auto& item : select->order_by) {
    if (!is_ordinal(item)) continue;
    const auto begin = offset(item.expr->location);
    const auto ordinal = static_cast<std::int64_t>(as<Constant>(item.expr)->integer);
    out.sql.append(text.substr(copied, begin - copied));
    out.sql.append(std::to_string(ordinal + static_cast<std::int64_t>(keys.size())));
    copied = token_end(text, begin);
    out.insertion = {};
  }
  out.sql.append(text.substr(copied));
  return out;
}

std::uint32_t Insertion::before(std::uint32_t position) const {
  if (length == 0) return 0;
  if (position <= at) return position;
  return position > at + length ? position - length : 0;
}

}  // namespace sluice::postgres::rewrite
