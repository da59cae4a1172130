// What a search of a masked vector chooses from. An answer out of a million records says little about one of
// them, an answer out of two says which is nearer. So the candidates are counted with the search, up to
// kMostCandidates, by the database itself: in front of the result's columns stands
//
//   (SELECT count(*) FROM (SELECT FROM ... WHERE ... LIMIT 1000) AS c)
//
// with the FROM and WHERE of the level that searches, written out by the pass before. Whoever sends the
// statement takes the column off the reply again (MaskedSearch). A search that names one record by its key is
// refused.
#include <fmt/format.h>

#include <algorithm>

#include "systems/postgres/rewrite/deparser.h"
#include "systems/postgres/sql/names.h"

namespace sluice::postgres::rewrite {

using namespace sql;

namespace {

bool is_value(const Expr* expr) {
  while (const auto* cast = as<TypeCast>(expr)) expr = cast->arg;
  return expr != nullptr && (expr->kind == ExprKind::constant || expr->kind == ExprKind::parameter);
}

// The conditions that must all hold.
void conjuncts(const Expr* expr, std::vector<const Expr*>& all) {
  if (expr == nullptr) return;
  const auto* boolean = as<BooleanExpr>(expr);
  if (boolean == nullptr || boolean->op != BooleanOperator::and_) {
    all.push_back(expr);
    return;
  }
  for (const Expr* arg : boolean->args) conjuncts(arg, all);
}

void conjuncts_of_joins(const FromItem& item, std::vector<const Expr*>& all) {
  const auto* join = as<JoinItem>(&item);
  if (join == nullptr) return;
  conjuncts(join->on, all);
  conjuncts_of_joins(*join->left, all);
  conjuncts_of_joins(*join->right, all);
}

// The column that a condition compares with one value: `a = 1`, `$1 = a`, `a IN (1)`.
const ColumnRef* set_equal(const Expr& condition) {
  const auto* operation = as<OperatorExpr>(&condition);
  if (operation == nullptr || operation->symbol() != "=") return nullptr;
  if (operation->form == OperatorKind::in) {
    const auto* list = as<ExprList>(operation->right);
    if (list == nullptr || list->items.size() != 1 || !is_value(list->items[0])) return nullptr;
    return as<ColumnRef>(operation->left);
  }
  if (operation->form != OperatorKind::plain) return nullptr;
  if (is_value(operation->right)) return as<ColumnRef>(operation->left);
  if (is_value(operation->left)) return as<ColumnRef>(operation->right);
  return nullptr;
}

}  // namespace

// Whether a level is confined to one record of a relation by a key.
bool Deparser::names_one_record(const SelectStatement& node, const Entry& entry, const Scope& scope) const {
  std::vector<const Expr*> conditions;
  conjuncts(node.where, conditions);
  for (const FromItem* item : node.from) conjuncts_of_joins(*item, conditions);
  std::set<std::int16_t> fixed;
  for (const Expr* condition : conditions) {
    const ColumnRef* column = set_equal(*condition);
    if (column == nullptr || column->star) continue;
    const Meaning meaning = resolve(*column, scope);
    if (meaning.kind != Meaning::Kind::column || meaning.entry != &entry) continue;
    const auto attnum = entry.relation->columns[meaning.index].attnum;
    const ColumnMask* mask = entry.mask == nullptr ? nullptr : entry.mask->column(attnum);
    // A masked column compares alike in every record, unless its own value answers.
    if (mask == nullptr || (scope.knn && mask->answers_equality)) fixed.insert(attnum);
  }
  auto is_fixed = [&](std::int16_t attnum) { return fixed.contains(attnum); };
  auto names_one = [&](const std::vector<std::int16_t>& key) {
    return !key.empty() && std::ranges::all_of(key, is_fixed);
  };
  return names_one(entry.relation->primary_key) ||
         std::ranges::any_of(entry.relation->indexes,
                             [&](const Index& index) { return index.unique && names_one(index.key); });
}

// Refuses such a search.
void Deparser::refuse_one_record(const SelectStatement& node, const Scope& scope) {
  const auto entry = std::ranges::find(scope.entries, scope.knn->var, &Entry::var);
  if (entry == scope.entries.end() || !names_one_record(node, *entry, scope)) return;
  refuse(
      fmt::format("{} is masked: a search within one record, named by its key, could only tell where it lies",
                  scope.knn->column_name),
      "Search among all records that you look for, and leave the key out.");
}

void Deparser::begin_watching(const SelectStatement& node, const Scope& scope) {
  Watched& level = watched_.emplace_back();
  level.scope = &scope;
  level.outermost = &node == outermost_;
  for (const Entry& entry : scope.entries) {
    if (entry.var != nullptr && common_table(*entry.var) != nullptr) note_common_table();
  }
}

// References from within a level that is counted to what is outside of it: the count could not stand
// elsewhere.
void Deparser::note_reach(const Meaning& meaning) {
  for (Watched& level : watched_) {
    bool outside = meaning.kind == Meaning::Kind::nothing && level.scope->outer != nullptr;
    for (const Scope* outer = level.scope->outer; outer != nullptr; outer = outer->outer) {
      outside |= meaning.scope == outer;
    }
    level.reaches_out |= outside;
  }
}

// WITH queries are in reach of the outermost list only where they are the outermost query's own.
void Deparser::note_common_table() {
  for (Watched& level : watched_) level.reaches_out |= !level.outermost;
}

// `from` is where in the text this level's FROM begins; its WHERE has just been written.
void Deparser::note_candidates(const SelectStatement& node, const Scope& scope, std::size_t from,
                               bool reaches_out) {
  Candidates& made = candidates_[&node];
  const auto entry = std::ranges::find(scope.entries, scope.knn->var, &Entry::var);
  made.relation = entry->relation;
  const bool whole = node.where == nullptr && node.from.size() == 1 &&
                     node.from[0]->kind == FromKind::relation && entry->relation->kind != RelationKind::view;
  made.query = whole ? "" : out_.substr(from);
  made.countable = !reaches_out;
  if (!whole) return;
  // Of a table that nobody has analysed, or that was empty when somebody did, nothing is known.
  const auto rows = entry->relation->row_estimate;
  made.estimate = rows > 0 ? static_cast<std::uint64_t>(rows) : kMostCandidates;
}

// What the outermost query can carry a count beside: rows that are each their own.
bool Deparser::can_count_candidates() const {
  const SelectStatement* node = outermost_;
  if (reply_ != Reply::rows || node == nullptr || node->is_values ||
      node->set_operation != SetOperation::none) {
    return false;
  }
  const bool own_rows = !node->distinct && node->distinct_on.empty() && node->group_by.empty() &&
                        node->having == nullptr && !computes(*node).aggregates;
  return own_rows && std::ranges::all_of(candidates_, [](const auto& each) {
           return each.second.estimate || each.second.countable;
         });
}

// The count as an item of the outermost list; empty: there is nothing to count, or it cannot be.
std::string Deparser::candidate_count() const {
  if (!can_count_candidates()) return "";
  std::string counts;
  std::size_t counted = 0;
  for (const auto& [node, each] : candidates_) {
    if (!counts.empty()) counts += ", ";
    if (each.estimate) {
      counts += std::to_string(std::min(*each.estimate, kMostCandidates));
      continue;
    }
    ++counted;
    counts += fmt::format("(SELECT pg_catalog.count(*) FROM (SELECT{} LIMIT {}) AS \"{}_c{}\")", each.query,
                          kMostCandidates, prefix_, counted);
  }
  if (counted == 0) return "";
  return candidates_.size() == 1 ? counts : "LEAST(" + counts + ")";
}

std::optional<MaskedSearch> Deparser::search() const {
  if (candidates_.empty()) return std::nullopt;
  MaskedSearch made;
  made.counted = counts_candidates_;
  bool known = true;
  for (const auto& [node, each] : candidates_) {
    std::string name = each.relation->qualified_name();
    if (std::ranges::find(made.collections, name) == made.collections.end())
      made.collections.push_back(std::move(name));
    known &= each.estimate.has_value();
    if (each.estimate) made.candidates = std::min(made.candidates.value_or(kMostCandidates), *each.estimate);
  }
  if (!known) made.candidates.reset();
  return made;
}

}  // namespace sluice::postgres::rewrite
