// In what order rows come, where an index makes it tell about a masked column (RelationMask::order_leaks),
// and what depends on it.
//
// Rows that leave as they are get the primary key as last key to sort by. Groups get what they are grouped
// by: a hash table hands them out in an order that depends on that of its input. Where a sort in the end is
// too late (array_agg, DISTINCT, sums of floating-point numbers, whose last digits depend on the order) the
// relation's rows come sorted. Where something is computed that may fail for one row and not for another
// (row_errors.h), or the order drives a join (sub-selects), nothing is before they are: OFFSET 0 keeps
// PostgreSQL from moving that below the sort.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "systems/postgres/rewrite/checks/row_errors.h"
#include "systems/postgres/rewrite/deparse/deparser.h"
#include "systems/postgres/sql/column_name.h"
#include "systems/postgres/sql/conjuncts.h"
#include "systems/postgres/sql/expressions.h"
#include "systems/postgres/sql/names.h"
#include "systems/postgres/sql/visit.h"

namespace sluice::postgres::rewrite {

using namespace sql;

namespace {

// Looks through an expression of one select level; sub-selects are levels of their own.
template <class Visit>
void each_call(const Expr* expr, Visit visit) {
  if (expr == nullptr) return;
  auto all = [&](Exprs nodes) {
    for (const Expr* node : nodes) each_call(node, visit);
  };
  switch (expr->kind) {
    case ExprKind::call: {
      const auto& it = static_cast<const FunctionCall&>(*expr);
      visit(it);
      return all(it.args);
    }
    case ExprKind::operation: {
      const auto& it = static_cast<const OperatorExpr&>(*expr);
      each_call(it.left, visit);
      return each_call(it.right, visit);
    }
    case ExprKind::boolean: return all(static_cast<const BooleanExpr&>(*expr).args);
    case ExprKind::cast: return each_call(static_cast<const TypeCast&>(*expr).arg, visit);
    case ExprKind::case_: {
      const auto& it = static_cast<const CaseExpr&>(*expr);
      each_call(it.arg, visit);
      for (const CaseWhen& when : it.whens) {
        each_call(when.condition, visit);
        each_call(when.result, visit);
      }
      return each_call(it.otherwise, visit);
    }
    case ExprKind::sub_link: return each_call(static_cast<const SubLink&>(*expr).test, visit);
    case ExprKind::coalesce: return all(static_cast<const CoalesceExpr&>(*expr).args);
    case ExprKind::min_max: return all(static_cast<const MinMaxExpr&>(*expr).args);
    case ExprKind::array: return all(static_cast<const ArrayExpr&>(*expr).elements);
    case ExprKind::row: return all(static_cast<const RowExpr&>(*expr).args);
    case ExprKind::null_test: return each_call(static_cast<const NullTest&>(*expr).arg, visit);
    case ExprKind::boolean_test: return each_call(static_cast<const BooleanTest&>(*expr).arg, visit);
    case ExprKind::collate: return each_call(static_cast<const CollateExpr&>(*expr).arg, visit);
    case ExprKind::indirection: return each_call(static_cast<const IndirectionExpr&>(*expr).arg, visit);
    case ExprKind::xml: {
      const auto& it = static_cast<const XmlExpr&>(*expr);
      for (const Target& target : it.named_args) each_call(target.value, visit);
      return all(it.args);
    }
    case ExprKind::named_argument: return each_call(static_cast<const NamedArgument&>(*expr).arg, visit);
    case ExprKind::list: return all(static_cast<const ExprList&>(*expr).items);
    default: return;
  }
}

template <class Visit>
void each_call_of(const SelectStatement& node, Visit visit) {
  for (const Target& target : node.targets) each_call(target.value, visit);
  each_call(node.having, visit);
  for (const SortItem& item : node.order_by) each_call(item.expr, visit);
}

bool is_one_of(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

// Types whose sums come out the same in whatever order. (Those of money and numeric may be out of range on the way.)
constexpr std::array<std::string_view, 3> kExactNumbers = {"int2", "int4", "int8"};

// Types whose equal values are the same to the byte: of a group's keys it does not matter whose is shown.
// (1.0 and 1.00 are equal numerics, 'a' and 'A' are equal in citext.)
constexpr std::array<std::string_view, 19> kOneValueEach = {
    "bool", "bytea", "char", "cidr", "date", "inet",      "int2",        "int4",    "int8",     "macaddr",
    "name", "oid",   "text", "time", "uuid", "timestamp", "timestamptz", "varchar", "macaddr8",
};

// Functions whose results are such.
constexpr std::array<std::string_view, 9> kOneValueResults = {
    "date_bin", "date_trunc", "left", "length", "lower", "md5", "right", "substr", "upper",
};

// Aggregates (of those that keep no value) that come out the same in whatever order: always, and over exact
// numbers.
constexpr std::array<std::string_view, 5> kNeverInexact = {"bool_and", "bool_or", "count", "every",
                                                           "regr_count"};
constexpr std::array<std::string_view, 8> kExactIfArgumentIs = {
    "avg", "stddev", "stddev_pop", "stddev_samp", "sum", "var_pop", "var_samp", "variance",
};

bool is_builtin_of(const Type* type, std::span<const std::string_view> names) {
  return type != nullptr && type->schema == "pg_catalog" && is_one_of(names, type->name);
}

}  // namespace

namespace {

class OrderTeller : public Visitor {
 public:
  explicit OrderTeller(const Catalogue& catalogue) : catalogue_(catalogue) {}

  void on_expr(const Expr& expr) override {
    const auto* call = as<FunctionCall>(&expr);
    found = found || (call != nullptr && !call->name.empty() && catalogue_.tells_order(call->name.back()));
  }
  bool found = false;

 private:
  const Catalogue& catalogue_;
};

}  // namespace

bool Deparser::tells_order() {
  if (!tells_order_) {
    OrderTeller teller(catalogue_);
    visit(statement_, teller);
    tells_order_ = teller.found;
  }
  return *tells_order_;
}

bool Deparser::errs() {
  if (!errs_) errs_ = errs_by_row(statement_);
  return *errs_;
}

// In the first pass, so that the others know of all levels.
void Deparser::note_errors(const SelectStatement& node, const Scope& scope) {
  if (!gathers_ || !plan_.order_matters() || errs()) return;
  errs_ = errs_by_row(
      node, [&](const ColumnRef& ref) { return known_type(&ref, scope); }, scope.outer != nullptr);
}

void Deparser::order_others(const Scope& scope) {
  for (const Entry& entry : scope.entries) {
    if (entry.target || entry.mask == nullptr || !entry.mask->order_leaks) continue;
    usages_[entry.var].ordered = usages_[entry.var].fenced = true;
  }
}

// The rows of the relation itself are come upon in an index's order, whatever is done.
void Deparser::refuse_order_of_writes(const Scope& scope, const Expr* where) {
  const Entry& target = scope.entries.front();
  if (target.mask == nullptr || !target.mask->order_leaks || !tells_order() || is_one_row(where, scope))
    return;
  refuse(
      fmt::format("a function that answers something else at each call would tell in which order rows of {} "
                  "are changed, and so about a masked column",
                  target.relation->qualified_name()),
      "Name one row by its primary key, or leave the function out.");
}

// A condition by which rows are found that are written. Where an index tells, rows would be written, and
// locked, in its order, which other sessions and the place of the new rows show. PostgreSQL does not find
// COALESCE(column, column) in any index: so only those serve that hold none of the columns of such an index,
// and beyond them all rows are gone through as they lie. One row that is named by its key is found as ever,
// also where another relation names it: there is one for each.
void Deparser::condition_of_writes(std::string_view word, const Expr* node, Scope& scope) {
  const Entry& target = scope.entries.front();
  hides_order_ =
      node != nullptr && target.mask != nullptr && target.mask->order_leaks && !is_one_row(node, scope);
  if (hides_order_) {
    keys_of_writes_.clear();
    std::vector<const Expr*> all;
    conjuncts(node, all);
    for (const Expr* each : all) {
      const auto* equal = as<OperatorExpr>(each);
      if (equal == nullptr || equal->form != OperatorKind::plain || equal->symbol() != "=") continue;
      for (auto [one, other] : {std::pair{equal->left, equal->right}, std::pair{equal->right, equal->left}}) {
        const auto* ref = as<ColumnRef>(one);
        if (ref != nullptr && is_key_of_other(*ref, other, scope)) keys_of_writes_.insert(ref);
      }
    }
  }
  condition(word, node, scope);
  hides_order_ = false;
}

// The target's primary key of one column, beside a column of another relation. Of a key of several, a join
// by one of them alone may be chosen.
bool Deparser::is_key_of_other(const ColumnRef& ref, const Expr* other, const Scope& scope) const {
  const auto* given = as<ColumnRef>(other);
  if (ref.star || given == nullptr || given->star) return false;
  const Entry& target = scope.entries.front();
  const Meaning key = resolve(ref, scope);
  const Meaning source = resolve(*given, scope);
  return key.kind == Meaning::Kind::column && key.certain && key.entry == &target &&
         source.kind == Meaning::Kind::column && source.certain && !source.entry->target &&
         target.relation->primary_key == std::vector{target.relation->columns[key.index].attnum};
}

bool Deparser::orders_writes(const Entry& entry, std::size_t index) const {
  return entry.target && entry.mask != nullptr &&
         std::ranges::binary_search(entry.mask->order_columns, entry.relation->columns[index].name);
}

bool Deparser::hides_from_indexes(const ColumnRef& ref, const Scope& scope) const {
  if (!hides_order_ || ref.star || ref.parts.empty() || keys_of_writes_.contains(&ref)) return false;
  return std::ranges::any_of(resolve(ref, scope).candidates, [&](const auto& candidate) {
    return orders_writes(*candidate.first, candidate.second);
  });
}

// In parentheses, because a subscript may follow.
std::string Deparser::hidden_from_indexes(std::string_view column) {
  return fmt::format("(COALESCE({0}, {0}))", column);
}

// DEFAULT may be a sequence, or the clock.
void Deparser::refuse_defaults_in_order(List<Target> assignments, const Scope& scope, const Expr* where) {
  const Entry& target = scope.entries.front();
  if (target.mask == nullptr || !target.mask->order_leaks) return;
  for (const Target& item : assignments) {
    const Expr* value = item.value;
    if (const auto* shared = as<MultiAssign>(value)) {
      const auto* row = as<RowExpr>(shared->source);
      const auto place = static_cast<std::size_t>(shared->column);
      value = row != nullptr && place >= 1 && place <= row->args.size() ? row->args[place - 1] : nullptr;
    }
    if (value == nullptr || value->kind != ExprKind::default_) continue;
    const Column* column = target.relation->column(item.name);
    if (column == nullptr || (!column->identity && !column->has_default) || is_one_row(where, scope))
      continue;
    refuse(fmt::format("the default of {}.{} could tell in which order its rows are changed, and so about a "
                       "masked column",
                       target.relation->qualified_name(), column->name),
           "Write the value, or name one row by its primary key.");
  }
}

bool Deparser::reads_stored_json() const {
  return std::ranges::any_of(usages_, [](const auto& each) {
    const Usage& usage = each.second;
    return std::ranges::any_of(usage.mask->columns, [&](const ColumnMask& column) {
      return !column.json_keys.empty() && (usage.all_columns || usage.columns.contains(column.attnum));
    });
  });
}

bool Deparser::order_leaks() const {
  return std::ranges::any_of(usages_, [](const auto& each) { return each.second.mask->order_leaks; });
}

bool Deparser::has_grouping_sets(const SelectStatement& node) {
  return std::ranges::any_of(node.group_by,
                             [](const Expr* item) { return item->kind == ExprKind::grouping_set; });
}

Deparser::Computes Deparser::computes(const SelectStatement& node) const {
  Computes found;
  auto look = [&](const FunctionCall& call) {
    auto cls = function_class(call.name);
    found.sets = found.sets || cls == FunctionClass::set_returning;
    found.values = found.values || call.over != nullptr || cls == FunctionClass::value_aggregate ||
                   cls == FunctionClass::unvouched;
    found.aggregates = found.aggregates || cls == FunctionClass::aggregate ||
                       cls == FunctionClass::value_aggregate || call.within_group;
  };
  each_call_of(node, look);
  return found;
}

bool Deparser::is_exact_number(const Expr* node, const Scope& scope) const {
  if (node == nullptr) return false;
  if (const auto* it = as<OperatorExpr>(node)) {
    constexpr std::string_view kExact = "+-*/%";
    return it->form == OperatorKind::plain && it->name.size() == 1 && it->symbol().size() == 1 &&
           kExact.contains(it->symbol().front()) &&
           (it->left == nullptr || is_exact_number(it->left, scope)) && is_exact_number(it->right, scope);
  }
  if (const auto* it = as<CaseExpr>(node)) {
    return (it->otherwise == nullptr || is_exact_number(it->otherwise, scope)) &&
           std::ranges::all_of(it->whens,
                               [&](const CaseWhen& when) { return is_exact_number(when.result, scope); });
  }
  if (const auto* it = as<CoalesceExpr>(node)) {
    return std::ranges::all_of(it->args, [&](const Expr* arg) { return is_exact_number(arg, scope); });
  }
  return is_builtin_of(known_type(node, scope), kExactNumbers);
}

// Whether an aggregate that keeps no value still depends on the order of its input.
bool Deparser::computes_inexactly(const SelectStatement& node, const Scope& scope) const {
  bool found = false;
  each_call_of(node, [&](const FunctionCall& call) {
    if (function_class(call.name) != FunctionClass::aggregate || is_one_of(kNeverInexact, call.name.back()))
      return;
    found = found || !is_one_of(kExactIfArgumentIs, call.name.back()) || call.args.size() != 1 ||
            !is_exact_number(call.args[0], scope);
  });
  return found;
}

// What to sort groups by so that their order tells nothing: what they are grouped by. nullopt: that would not
// do, because a key's equal values may look different, or the keys do not tell groups apart.
std::optional<std::vector<std::string>> Deparser::group_keys(const SelectStatement& node, Scope& scope) {
  if (node.distinct || !node.distinct_on.empty() || node.with_ties || has_grouping_sets(node))
    return std::nullopt;
  std::vector<std::string> keys;
  for (const Expr* item : node.group_by) {
    SortItem as_item;
    as_item.expr = item;
    const bool ordinal = is_ordinal(as_item);
    const auto* ref = as<ColumnRef>(item);
    const Meaning meaning = ref == nullptr ? Meaning{} : resolve(*ref, scope);
    const bool output = ref != nullptr && ref->parts.size() == 1 && meaning.kind == Meaning::Kind::nothing;
    const Expr* value = ordinal || output ? sort_expression(as_item, node) : item;
    const auto* call = as<FunctionCall>(value);
    const bool one_value_each = call != nullptr ? is_one_of(kOneValueResults, call->name.back()) &&
                                                      function_class(call->name) == FunctionClass::plain
                                                : is_builtin_of(known_type(value, scope), kOneValueEach);
    if (!one_value_each) return std::nullopt;
    if (ordinal) {
      const auto before = static_cast<std::int64_t>(is_outermost(node) ? carried() : 0);
      keys.push_back(std::to_string(as<Constant>(item)->integer + before));
      continue;
    }
    if (output) {
      keys.push_back(quote_identifier(ref->parts[0]));
      continue;
    }
    if (ref != nullptr) {
      // In GROUP BY a bare name is a column first, in ORDER BY an output: the column's full name is the same
      // in both.
      if (meaning.scope != &scope || !meaning.entry->visible) return std::nullopt;
      use(*meaning.entry, meaning.index);
      keys.push_back(fmt::format("{}.{}", quote_identifier(meaning.entry->alias),
                                 quote_identifier(meaning.entry->columns.names[meaning.index])));
      continue;
    }
    const std::size_t begin = out_.size();
    expr(value, scope);
    keys.push_back(out_.substr(begin));
    out_.resize(begin);
  }
  return keys;
}

// Keys that leave nothing to the order in which a join came upon its rows: of all that is joined, not only of
// what leaks. nullopt: there are none, for example because a relation has no primary key.
std::optional<std::vector<std::string>> Deparser::total_order(Scope& scope) {
  std::vector<std::string> keys;
  for (const Entry& entry : scope.entries) {
    if (!entry.visible || entry.alias.empty()) return std::nullopt;
    if (entry.relation == nullptr) {  // a function, a sub-select: rows that look the same are the same
      keys.push_back(fmt::format("CAST({}.* AS \"pg_catalog\".\"text\")", quote_identifier(entry.alias)));
      continue;
    }
    if (entry.relation->primary_key.empty()) return std::nullopt;
    for (std::int16_t attnum : entry.relation->primary_key) {
      const Column* column = entry.relation->column(attnum);
      if (column == nullptr || !column->readable) return std::nullopt;
      if (entry.mask != nullptr && entry.mask->column(attnum) != nullptr) return std::nullopt;
      const auto index = static_cast<std::size_t>(column - entry.relation->columns.data());
      use(entry, index);
      keys.push_back(
          fmt::format("{}.{}", quote_identifier(entry.alias), quote_identifier(entry.columns.names[index])));
    }
  }
  return keys;
}

std::vector<std::string> Deparser::order_keys(const SelectStatement& node, Scope& scope, bool order_matters) {
  std::vector<std::string> keys;
  auto leaks = [](const Entry& entry) { return entry.mask != nullptr && entry.mask->order_leaks; };
  if (std::ranges::none_of(scope.entries, leaks)) return keys;
  if (tells_order() || errs()) {
    if (scope.knn && tells_order()) {
      refuse(
          "a search cannot be combined with a function that answers something else at each call, because an "
          "index makes the order of the rows tell about a masked column");
      return keys;
    }
    for (const Entry& entry : scope.entries) {
      if (!leaks(entry)) continue;
      usages_[entry.var].ordered = usages_[entry.var].fenced = true;
      each_conjunct(node.where, [&](const Expr* each) { condition_within(each, entry, scope); });
    }
    return keys;
  }
  if (scope.knn) {
    // A table as a whole is gone through as it lies, or by its vector index.
    if (node.where == nullptr && node.from.size() == 1 && node.from.front()->kind == FromKind::relation)
      return keys;
    // Of records that are as far away (without a vector, or with the same one) the key decides, and not who comes
    // first. A place that a window gives is given by its own order.
    const auto has_place = [](const Target& target) {
      const auto* call = as<FunctionCall>(target.value);
      return call != nullptr && call->over != nullptr;
    };
    const auto* first = as<FunctionCall>(node.order_by.front().expr);
    const bool by_place = first != nullptr && first->over != nullptr;
    if (!by_place && std::ranges::none_of(node.targets, has_place)) {
      if (auto found = total_order(scope)) return *std::move(found);
    }
    for (const Entry& entry : scope.entries) {
      if (leaks(entry)) usages_[entry.var].ordered = usages_[entry.var].fenced = true;
    }
    return keys;
  }
  Computes level = computes(node);
  bool grouped = level.aggregates || !node.group_by.empty() || node.having != nullptr;
  bool limited = node.limit != nullptr || node.offset != nullptr;
  bool sorted_first = level.values;
  if (grouped && !level.values) {
    sorted_first = computes_inexactly(node, scope);
    if (!sorted_first && !node.group_by.empty() && (order_matters || limited)) {
      if (auto found = group_keys(node, scope)) return *std::move(found);
      sorted_first = true;
    }
    if (!sorted_first) return keys;
  }
  const bool at_end = !grouped && !sorted_first && !node.distinct && !node.with_ties;
  if (at_end && !order_matters && !limited) return keys;
  if (at_end) {
    if (auto found = total_order(scope)) return *std::move(found);
  }
  for (const Entry& entry : scope.entries) {
    if (leaks(entry)) usages_[entry.var].ordered = true;
  }
  return keys;
}

}  // namespace sluice::postgres::rewrite
