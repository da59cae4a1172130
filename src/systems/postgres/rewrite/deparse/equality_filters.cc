// `filters: equality`: `email = $1` and `email IN (...)` are answered from the value itself, where a mask's
// rule says so. The condition moves into the derived table, and `true` stays in its place:
//
//   SELECT id FROM people WHERE email = $1 AND tenant = 'x'
//   ... FROM (SELECT t.id, t.tenant FROM public.people t WHERE t.email = $1) AS people
//       WHERE true AND tenant = 'x'
//
// Each value that is tried says something about a record, so values are counted as probes (budget/probes.h).
// Everything else about such a column sees its masked value.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "systems/postgres/rewrite/deparse/deparser.h"
#include "systems/postgres/rewrite/masks/wanted_mask.h"
#include "systems/postgres/sql/names.h"

namespace sluice::postgres::rewrite {

using namespace sql;

namespace {

// Each is a guess; a longer list is a search through a dictionary.
constexpr std::size_t kMaxTriedValues = 20;

bool is_own_operator(const OperatorExpr& node, OperatorKind form) {
  return node.form == form && node.symbol() == "=" &&
         (node.name.size() == 1 || (node.name.size() == 2 && node.name.front() == "pg_catalog"));
}

// A literal or parameter, perhaps cast to the column's type.
bool is_tried_value(const Expr* expr, const Type& type) {
  if (const auto* cast = as<TypeCast>(expr)) {
    Names names = cast->type->names;
    const bool plain = (names.size() == 1 || (names.size() == 2 && names.front() == "pg_catalog")) &&
                       !cast->type->setof && !cast->type->percent_type && cast->type->array_bounds.empty();
    return plain && names.back() == type.name && cast->arg->kind != ExprKind::cast &&
           is_tried_value(cast->arg, type);
  }
  if (expr->kind == ExprKind::parameter) return true;
  const auto* constant = as<Constant>(expr);
  return constant != nullptr &&
         (constant->value_kind == ConstantKind::text || constant->value_kind == ConstantKind::integer ||
          constant->value_kind == ConstantKind::number);
}

// An outer join adds rows that the derived table does not have.
bool joins_inner_only(const FromItem& item) {
  const auto* join = as<JoinItem>(&item);
  return join == nullptr ||
         (join->join == JoinKind::inner && joins_inner_only(*join->left) && joins_inner_only(*join->right));
}

// What `column = value` and `column IN (value, ...)` consist of.
struct Tried {
  const ColumnRef* column = nullptr;
  std::vector<const Expr*> values;
};

Tried tried_by(const OperatorExpr& test) {
  if (is_own_operator(test, OperatorKind::plain)) {
    if (const auto* left = as<ColumnRef>(test.left)) return {left, {test.right}};
    return {as<ColumnRef>(test.right), {test.left}};
  }
  const auto* list = as<ExprList>(test.right);
  if (!is_own_operator(test, OperatorKind::in) || list == nullptr) return {};
  return {as<ColumnRef>(test.left), {list->items.begin(), list->items.end()}};
}

}  // namespace

// Types whose `=` is PostgreSQL's own and compares what a person would call the same value.
bool has_plain_equality(const Type& type) {
  static constexpr std::array<std::string_view, 12> kTypes = {"text", "varchar",   "bpchar",      "int2",
                                                              "int4", "int8",      "numeric",     "uuid",
                                                              "date", "timestamp", "timestamptz", "inet"};
  return type.schema == "pg_catalog" && std::ranges::find(kTypes, type.name) != kTypes.end();
}

bool Deparser::answer_equality(const SelectStatement& node, const Expr* condition, Scope& scope) {
  const auto* test = as<OperatorExpr>(condition);
  if (test == nullptr || reads_ != Reads::masked) return false;
  const Tried tried = tried_by(*test);
  if (tried.column == nullptr || tried.column->star) return false;
  const Meaning meaning = resolve(*tried.column, scope);
  if (meaning.kind != Meaning::Kind::column || !meaning.certain || meaning.scope != &scope ||
      meaning.entry->mask == nullptr) {
    return false;
  }
  const Relation& relation = *meaning.entry->relation;
  const Column& column = relation.columns[meaning.index];
  const ColumnMask* mask = meaning.entry->mask->column(column.attnum);
  if (mask == nullptr || !mask->answers_equality) return false;
  const Type* type = catalogue_.base_type(column.type);
  const bool all_values =
      std::ranges::all_of(tried.values, [&](const Expr* value) { return is_tried_value(value, *type); });
  const bool inner_only =
      std::ranges::all_of(node.from, [](const FromItem* item) { return joins_inner_only(*item); });
  std::size_t before = 0;
  for (const auto& [other, test_of] : value_tests_) before += other == condition ? 0 : test_of.values;
  if (!all_values || !inner_only || before + tried.values.size() > kMaxTriedValues) return false;

  std::string list;
  for (const Expr* value : tried.values) {
    const std::size_t begin = out_.size();
    expr(value, scope);
    list += (list.empty() ? "" : ", ") + out_.substr(begin);
    out_.resize(begin);
  }
  const std::string stored = fmt::format("{}.{}", inner_alias(), quote_identifier(column.name));
  usages_[meaning.entry->var].stored_conditions.push_back(
      tried.values.size() == 1 ? fmt::format("({} OPERATOR(pg_catalog.=) {})", stored, list)
                               : fmt::format("({} IN ({}))", stored, list));
  use(*meaning.entry, meaning.index);
  tests_stored_values_ = true;
  value_tests_[condition] = {relation.qualified_name(), tried.values.size(),
                             narrows_by_key(node, *meaning.entry, scope)};
  return true;
}

std::vector<ValueTest> Deparser::value_tests() const {
  std::vector<ValueTest> all;
  for (const auto& [condition, test] : value_tests_) all.push_back(test);
  return all;
}

}  // namespace sluice::postgres::rewrite
