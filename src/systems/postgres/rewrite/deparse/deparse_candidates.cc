// What a search of a masked vector chooses from. An answer out of a million records says little about one of
// them, an answer out of two says which is nearer, and of the one that it leaves out as much. So the database
// tells the candidates with the search, in a column in front of the result's:
//
//   (SELECT concat(count(*), CASE WHEN count(*) <= 20 THEN (keys of the candidates)
//                                 WHEN count(*) < 1000 THEN (keys of the answer) END)
//    FROM (SELECT FROM ... WHERE ... LIMIT 1000) AS c)
//
// with the FROM and WHERE of the level that searches, or the level as a whole, written out by the pass
// before. The second WHEN stands there only where the rows of the reply are not themselves the answer: the
// search then runs once more, over fewer than a thousand records. Whoever sends the statement takes the
// column off the reply again (CarriedCandidates). A search that names one record by its key is refused.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ranges>

#include "systems/postgres/rewrite/deparse/deparser.h"
#include "systems/postgres/sql/conjuncts.h"
#include "systems/postgres/sql/names.h"

namespace sluice::postgres::rewrite {

using namespace sql;

namespace {

// Rows of a join that are looked at for the records in them.
constexpr std::size_t kMostJoinedRows = 5'000;

bool is_value(const Expr* expr) {
  while (const auto* cast = as<TypeCast>(expr)) expr = cast->arg;
  return expr != nullptr && (expr->kind == ExprKind::constant || expr->kind == ExprKind::parameter);
}

template <class Visit>
void each_conjunct_of_joins(const FromItem& item, const Visit& visit) {
  const auto* join = as<JoinItem>(&item);
  if (join == nullptr) return;
  each_conjunct(join->on, visit);
  each_conjunct_of_joins(*join->left, visit);
  each_conjunct_of_joins(*join->right, visit);
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

namespace {

// The columns that name a record: its primary key, of a view that of what it reads; empty: it has none that
// may be told.
std::vector<const Column*> key_columns(const Entry& entry) {
  std::vector<const Column*> key;
  for (const std::string& name : entry.mask->order_key) key.push_back(entry.relation->column(name));
  return key;
}

// Whether its values are written in one way, whatever the session has set: by the others a record would have many
// names. (Dates, intervals, floating-point numbers and bytes have a setting for that.)
bool has_one_spelling(const Type* type) {
  constexpr std::string_view kNames[] = {"bool",    "bpchar", "int2", "int4", "int8",   "name",
                                         "numeric", "oid",    "text", "uuid", "varchar"};
  return type != nullptr && type->schema == "pg_catalog" &&
         std::ranges::find(kNames, type->name) != std::end(kNames);
}

}  // namespace

// Whether a level is confined to one record of a relation by a key.
bool Deparser::names_one_record(const SelectStatement& node, const Entry& entry, const Scope& scope) const {
  std::vector<const Expr*> conditions;
  const auto gather = [&](const Expr* each) { conditions.push_back(each); };
  each_conjunct(node.where, gather);
  for (const FromItem* item : node.from) each_conjunct_of_joins(*item, gather);
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
  std::vector<std::int16_t> key;
  for (const Column* column : key_columns(entry)) key.push_back(column->attnum);
  return names_one(entry.relation->primary_key) || names_one(key) ||
         std::ranges::any_of(entry.relation->indexes,
                             [&](const Index& index) { return index.unique && names_one(index.key); });
}

// Whether some condition of a level looks at a part of the key: then it may be about one record, whatever it says.
bool Deparser::narrows_by_key(const SelectStatement& node, const Entry& entry, const Scope& scope) const {
  if (names_one_record(node, entry, scope)) return true;
  bool found = false;
  const auto look = [&](const Expr* each) {
    const auto* test = as<OperatorExpr>(each);
    if (test == nullptr || test->symbol() == "<>") return;
    for (const Expr* side : {test->left, test->right}) {
      const auto* ref = as<ColumnRef>(side);
      if (ref == nullptr || ref->star) continue;
      const Meaning meaning = resolve(*ref, scope);
      found |=
          meaning.kind == Meaning::Kind::column && meaning.entry == &entry &&
          std::ranges::find(entry.relation->primary_key, entry.relation->columns[meaning.index].attnum) !=
              entry.relation->primary_key.end();
    }
  };
  each_conjunct(node.where, look);
  for (const FromItem* item : node.from) each_conjunct_of_joins(*item, look);
  return found;
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

bool Deparser::is_nameable(const Entry& entry) const {
  const auto key = key_columns(entry);
  return !key.empty() && std::ranges::all_of(key, [&](const Column* column) {
    return has_one_spelling(catalogue_.base_type(column->type));
  });
}

// How many records the level's answer has at most.
void Deparser::note_depth(const SelectStatement& node, Candidates& level) {
  level.depth.reset();
  level.depth_text.clear();
  const Expr* limit = node.limit;
  while (const auto* cast = as<TypeCast>(limit)) limit = cast->arg;
  if (const auto* number = as<Constant>(limit);
      number != nullptr && number->value_kind == ConstantKind::integer) {
    level.depth = static_cast<std::uint64_t>(std::max(number->integer, 0));
  } else if (const auto* parameter = as<ParamRef>(limit)) {
    level.depth_text = fmt::format("CAST(${} AS pg_catalog.int8)", parameter->number);
  }
}

// The key of a record as a text, as the wire writes its columns; empty: it has none that can be told.
std::string Deparser::record_key(const Entry& entry) {
  if (!entry.visible || entry.alias.empty()) return "";
  if (!is_nameable(entry)) return "";
  std::string key;
  for (const Column* column : key_columns(entry)) {
    const auto index = static_cast<std::size_t>(column - entry.relation->columns.data());
    use(entry, index);
    key +=
        fmt::format(", {}.{}", quote_identifier(entry.alias), quote_identifier(entry.columns.names[index]));
  }
  return key.empty() ? "" : fmt::format("pg_catalog.concat_ws(','{})", key);
}

void Deparser::begin_watching(const SelectStatement& node, const Scope& scope) {
  Watched& level = watched_.emplace_back();
  level.scope = &scope;
  level.outermost = &node == outermost_;
  level.begin = out_.size();
  const auto entry = std::ranges::find(scope.entries, scope.knn->var, &Entry::var);
  Candidates& made = candidates_[&node];
  made.relation = entry->relation;
  const bool whole = node.where == nullptr && node.from.size() == 1 &&
                     node.from[0]->kind == FromKind::relation && entry->relation->kind != RelationKind::view;
  made.joins = node.from.size() > 1 || node.from[0]->kind != FromKind::relation;
  // A function in the list that returns rows makes none of a record, if it likes.
  made.named_by_rows = !computes(node).sets && !entry->relation->is_view() && is_nameable(*entry) &&
                       std::ranges::count(scope.entries, entry->relation, &Entry::relation) == 1;
  // Of a table that nobody has analysed nothing is known, nor how many rows a policy leaves to whom.
  made.many = whole && !entry->relation->row_security &&
              entry->relation->row_estimate >= static_cast<std::int64_t>(kMostCandidates);
  note_depth(node, made);
  (void)tells_order();  // is_distrusted() asks for it
  if (!made.many) made.key = record_key(*entry);
}

// Its FROM comes.
void Deparser::begin_rows(const Scope& scope) {
  for (const Entry& entry : scope.entries) {
    if (entry.var != nullptr && common_table(*entry.var) != nullptr) note_common_table();
  }
  Watched& level = watched_.back();
  level.rows_reach_out = std::exchange(level.reaches_out, false);
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
void Deparser::note_candidates(const SelectStatement& node, std::size_t from) {
  Candidates& made = candidates_[&node];
  Watched& level = watched_.back();
  made.rows.clear();
  if (!made.many && !level.reaches_out) {
    const auto text = std::string_view(out_);
    made.rows = fmt::format("{} WHERE ", text.substr(from, level.where - from));
    // Records without a vector do not compete.
    hidden_reference(made.rows, *level.scope->knn->var, level.scope->knn->attnum);
    made.rows += " IS NOT NULL";
    if (node.where != nullptr) {
      made.rows += fmt::format(" AND ({})", text.substr(level.where + std::string_view(" WHERE ").size()));
    }
  }
  level.reaches_out |= level.rows_reach_out;
}

// The level has been written, up to its LIMIT. What stands in front of the client's columns is left out.
void Deparser::end_watching(const SelectStatement& node, std::size_t from) {
  Candidates& made = candidates_[&node];
  const Watched level = watched_.back();
  watched_.pop_back();
  made.answer.clear();
  if (made.rows.empty() || made.key.empty() || level.reaches_out) return;
  if (&node == outermost_ && made.named_by_rows) return;
  const auto text = std::string_view(out_);
  auto list = text.substr(level.begin, from - level.begin);
  if (is_outermost(node)) {
    // Its ordinals count what is left out here.
    if (!node.distinct_on.empty() || std::ranges::any_of(node.order_by, is_ordinal)) return;
    list = text.substr(level.list, from - level.list);
    if (list.starts_with(',')) list.remove_prefix(1);
    made.answer = "SELECT";
  }
  made.answer += fmt::format("{}, {} AS \"slc_key\"{}", list, made.key, text.substr(from));
}

namespace {

// The selects that a set operation unites.
bool unites(const SelectStatement& set, const SelectStatement& node) {
  const auto is = [&](const SelectStatement* arm) {
    return arm != nullptr &&
           (arm == &node || (arm->set_operation != SetOperation::none && unites(*arm, node)));
  };
  return set.set_operation != SetOperation::none && (is(set.left) || is(set.right));
}

// More columns can stand in front of the others.
bool takes_columns(const SelectStatement* node) {
  if (node == nullptr || node->is_values) return false;
  if (node->set_operation != SetOperation::none)
    return takes_columns(node->left) && takes_columns(node->right);
  return !node->targets.empty();
}

}  // namespace

bool Deparser::is_outermost(const SelectStatement& node) const {
  return outermost_ != nullptr && (&node == outermost_ || unites(*outermost_, node));
}

bool Deparser::can_carry_candidates() const {
  return reply_ == Reply::rows && takes_columns(outermost_) && !has_grouping_sets(*outermost_);
}

// What is counted beside the search is not what it chooses from: functions answer something else at each call, and
// rows that other sessions hold may be skipped.
bool Deparser::is_distrusted() const {
  return tells_order_.value_or(true) || locks_rows_;
}

bool Deparser::is_answer() const {
  return !is_distrusted() && reply_ == Reply::rows && candidates_.size() == 1 &&
         candidates_.begin()->first == outermost_ && candidates_.begin()->second.named_by_rows;
}

std::string Deparser::candidates_of_level(const SelectStatement& node, std::size_t number) const {
  const Candidates& level = candidates_.at(&node);
  const std::string depth =
      is_answer() || level.depth_text.empty() ? "" : fmt::format("'/', {}", level.depth_text);
  if (is_distrusted()) return "'-'";
  if (level.many)
    return depth.empty() ? fmt::format("'{}'", kMostCandidates)
                         : fmt::format("pg_catalog.concat('{}', {})", kMostCandidates, depth);
  if (level.rows.empty()) return "'-'";
  const auto keys = [&](std::string_view from, char letter) {
    return fmt::format(
        "(SELECT pg_catalog.string_agg(pg_catalog.concat(':', "
        "pg_catalog.encode(pg_catalog.textsend(\"slc_key\"), "
        "'hex')), '') FROM ({}) AS \"{}_{}{}\")",
        from, prefix_, letter, number);
  };
  if (level.joins && level.key.empty()) return "'-'";
  const std::string key = level.key.empty() ? "" : level.key + " AS \"slc_key\"";
  // A join has a record as often as it fits.
  const std::string_view count =
      level.joins ? "pg_catalog.count(DISTINCT \"slc_key\")" : "pg_catalog.count(*)";
  std::string named;
  if (!key.empty()) {
    const std::string few = fmt::format("SELECT {}{}{} LIMIT {}", level.joins ? "DISTINCT " : "", key,
                                        level.rows, kFewCandidates);
    named = fmt::format(", CASE WHEN {} <= {} THEN {}", count, kFewCandidates, keys(few, 'k'));
    if (!is_answer() && !level.answer.empty())
      named += fmt::format(" WHEN {} < {} THEN {}", count, kMostCandidates, keys(level.answer, 'a'));
    named += " END";
  }
  return fmt::format("(SELECT pg_catalog.concat({}{}{}) FROM (SELECT{}{} LIMIT {}) AS \"{}_c{}\")", count,
                     depth.empty() ? "" : ", " + depth, named, level.joins ? " " + key : "", level.rows,
                     level.joins ? kMostJoinedRows : kMostCandidates, prefix_, number);
}

// As an item of the outermost list; empty: there is nothing to tell, or it cannot be.
std::string Deparser::candidates_item() const {
  if (is_distrusted()) return "";
  const auto is_unknown = [&](const auto& each) {
    return !each.second.many || (!is_answer() && !each.second.depth_text.empty());
  };
  if (!can_carry_candidates() || std::ranges::none_of(candidates_, is_unknown)) return "";
  std::string levels;
  std::size_t number = 0;
  for (const auto& [node, level] : candidates_) levels += ", " + candidates_of_level(*node, ++number);
  return fmt::format("pg_catalog.concat_ws(';'{}) AS \"{}_of\"", levels, prefix_);
}

std::optional<MaskedSearch> Deparser::search() const {
  if (candidates_.empty()) return std::nullopt;
  MaskedSearch made;
  made.counted = counts_candidates_;
  made.rows_are_its_answer = is_answer();
  for (const auto& [node, each] : candidates_) {
    const Relation* stored = each.relation;
    if (stored->is_view() && stored->reads.size() == 1) stored = catalogue_.relation(*stored->reads.begin());
    // Records of a partition are those of the whole.
    for (std::size_t steps = 0; stored->parents.size() == 1 && steps < catalogue_.contents().relations.size();
         ++steps) {
      const Relation* parent = catalogue_.relation(stored->parents.front());
      if (parent == nullptr) break;
      stored = parent;
    }
    // A depth that the reply says is not known before.
    const auto depth = each.depth.value_or(each.depth_text.empty() ? kMostCandidates : 0);
    made.levels.push_back(
        {each.relation->qualified_name(), stored->qualified_name(), each.many && !is_distrusted(), depth});
  }
  return made;
}

namespace {

std::optional<std::size_t> number_in(std::string_view word) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return number;
}

}  // namespace

std::vector<CarriedCandidates> CarriedCandidates::parse(std::string_view text) {
  std::vector<CarriedCandidates> levels;
  for (const auto level : std::views::split(text, ';')) {
    CarriedCandidates& made = levels.emplace_back();
    bool first = true;
    for (const auto part : std::views::split(level, ':')) {
      const std::string_view word(part.begin(), part.end());
      if (!std::exchange(first, false)) {
        made.keys.emplace_back(word);
        continue;
      }
      const auto slash = std::min(word.find('/'), word.size());
      made.count = number_in(word.substr(0, slash));
      if (slash < word.size()) made.depth = number_in(word.substr(slash + 1));
    }
  }
  return levels;
}

}  // namespace sluice::postgres::rewrite
