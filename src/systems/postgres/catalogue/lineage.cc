#include "systems/postgres/catalogue/lineage.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>

#include "systems/postgres/catalogue/node_tree.h"
#include "systems/postgres/catalogue/view.h"

namespace sluice::postgres {
namespace {

// The kinds of nodes that a stored query may have, under the names that they have from 13 to 18. In all of
// them a column is a VAR, and a query a QUERY.
constexpr std::array<std::string_view, 64> kKnownTags = {
    "AGGREF",
    "ALIAS",
    "ARRAY",
    "ARRAYCOERCEEXPR",
    "ARRAYEXPR",
    "BOOLEANTEST",
    "BOOLEXPR",
    "CASE",
    "CASEEXPR",
    "CASETESTEXPR",
    "CASEWHEN",
    "COALESCE",
    "COALESCEEXPR",
    "COERCETODOMAIN",
    "COERCETODOMAINVALUE",
    "COERCEVIAIO",
    "COLLATE",
    "COLLATEEXPR",
    "COMMONTABLEEXPR",
    "CONST",
    "CONVERTROWTYPEEXPR",
    "DISTINCTEXPR",
    "FIELDSELECT",
    "FROMEXPR",
    "FUNCEXPR",
    "GROUPINGFUNC",
    "GROUPINGSET",
    "JOINEXPR",
    "JSONCONSTRUCTOREXPR",
    "JSONFORMAT",
    "JSONISPREDICATE",
    "JSONRETURNING",
    "JSONVALUEEXPR",
    "MINMAX",
    "MINMAXEXPR",
    "NAMEDARGEXPR",
    "NULLIFEXPR",
    "NULLTEST",
    "OPEXPR",
    "PARAM",
    "QUERY",
    "RANGETBLENTRY",
    "RANGETBLFUNCTION",
    "RANGETBLREF",
    "RELABELTYPE",
    "ROW",
    "ROWCOMPARE",
    "ROWCOMPAREEXPR",
    "ROWEXPR",
    "ROWMARKCLAUSE",
    "RTE",
    "RTEPERMISSIONINFO",
    "SCALARARRAYOPEXPR",
    "SETOPERATIONSTMT",
    "SORTGROUPCLAUSE",
    "SQLVALUEFUNCTION",
    "SUBLINK",
    "SUBSCRIPTINGREF",
    "TARGETENTRY",
    "VAR",
    "WHEN",
    "WINDOWCLAUSE",
    "WINDOWFUNC",
    "XMLEXPR",
};

// RTEKind of parsenodes.h.
enum class EntryKind : std::uint8_t {
  relation = 0,
  sub_select = 1,
  join = 2,
  function = 3,
  table_function = 4,
  values = 5,
  common_table = 6,
  named_tuples = 7,
  result = 8,
  group = 9,
};

constexpr int kSelect = 1;  // CmdType
constexpr int kUnion = 1;   // SetOperation
constexpr unsigned kMaxDepth =
    600;  // of following one column through joins and queries that each name the next

const TreeValue& field(const TreeValue& node, std::string_view name) {
  static const TreeValue kNone{.kind = TreeValue::Kind::word, .text = "<>", .items = {}, .names = {}};
  const TreeValue* found = node.field(name);
  return found == nullptr ? kNone : *found;
}

template <class T>
std::optional<T> number(const TreeValue& value) {
  T parsed{};
  const char* end = value.text.data() + value.text.size();
  auto [at, error] = std::from_chars(value.text.data(), end, parsed);
  if (value.kind != TreeValue::Kind::word || error != std::errc{} || at != end) return std::nullopt;
  return parsed;
}

bool is_true(const TreeValue& value) {
  return value.kind == TreeValue::Kind::word && value.text == "true";
}

void add(std::vector<ColumnOrigin>& to, const std::vector<ColumnOrigin>& from) {
  std::vector<ColumnOrigin> both;
  both.reserve(to.size() + from.size());
  std::ranges::set_union(to, from, std::back_inserter(both));
  to = std::move(both);
}

template <class T>
void keep_one_of_each(std::vector<T>& values) {
  std::ranges::sort(values);
  const auto repeated = std::ranges::unique(values);
  values.erase(repeated.begin(), repeated.end());
}

// What a query, at whatever depth, says about its columns and rows.
struct Query {
  const TreeValue* node = nullptr;
  Query* outer = nullptr;
  std::vector<const TreeValue*> entries;  // its range table, from 1
  std::vector<std::size_t> arms;          // of a set operation: their places in it
  enum class State : std::uint8_t { unread, being_read, read } state = State::unread;
  std::vector<ViewColumn> columns;  // without junk
  std::vector<RowOrigin> rows;
  std::vector<ViewColumn> always_read;
};

class LineageReader {
 public:
  ViewLineage read(std::string_view text) {
    ViewLineage lineage;
    auto tree = NodeTree::parse(text);
    if (!tree) {
      lineage.problem = tree.error().detail;
      return lineage;
    }
    const TreeValue& root = tree->root();
    check_kinds(root);
    if (root.kind != TreeValue::Kind::list || root.items.size() != 1 || !root.items[0].is_node("QUERY")) {
      give_up("its definition is not one query");
    }
    if (!problem_.empty()) {
      lineage.problem = std::move(problem_);
      return lineage;
    }
    Query& query = query_of(root.items[0], nullptr);
    read(query);
    lineage.problem = std::move(problem_);
    if (!lineage.problem.empty()) return lineage;
    lineage.columns = std::move(query.columns);
    lineage.rows = std::move(query.rows);
    lineage.always_read = std::move(query.always_read);
    lineage.types = std::move(types_);
    lineage.picks = picks_;
    lineage.repeats = repeats_;
    std::erase_if(lineage.always_read, [](const ViewColumn& column) { return column.origins.empty(); });
    for (auto* columns : {&lineage.columns, &lineage.always_read}) {
      for (ViewColumn& column : *columns) keep_one_of_each(column.functions);
    }
    keep_one_of_each(lineage.rows);
    keep_one_of_each(lineage.types);
    return lineage;
  }

  std::optional<ExpressionParts> read_expression(std::string_view text) {
    auto tree = NodeTree::parse(text);
    if (!tree) return std::nullopt;
    check_kinds(tree->root());
    Query none;
    ViewColumn found;
    gather(tree->root(), none, found);
    if (given_up()) return std::nullopt;
    return ExpressionParts{std::move(found.functions), std::move(types_)};
  }

 private:
  // ---- What is known

  void give_up(std::string why) {
    if (problem_.empty()) problem_ = std::move(why);
  }
  bool given_up() const { return !problem_.empty(); }

  bool count(std::size_t steps) {
    steps_ += steps;
    if (steps_ > kMaxLineageSteps) give_up("its definition has too many columns in reach");
    return !given_up();
  }

  void check_kinds(const TreeValue& value) {
    if (value.kind == TreeValue::Kind::node) {
      if (!std::ranges::binary_search(kKnownTags, value.text)) {
        return give_up(fmt::format("its definition has {}", value.text));
      }
      if (value.text == "COERCETODOMAIN" || value.text == "COERCEVIAIO" || value.text == "ARRAYCOERCEEXPR") {
        if (auto type = number<std::uint32_t>(field(value, "resulttype"))) types_.push_back(*type);
      }
      // Some build a value of the type that they are asked for: jsonb_populate_record(NULL::checked, ...).
      if (value.text == "FUNCEXPR") {
        const auto type = number<std::uint32_t>(field(value, "funcresulttype"));
        if (type && *type >= kFirstNormalOid) types_.push_back(*type);
      }
    }
    if (value.is_node("QUERY")) picks_ = picks_ || picks_rows(value);
    for (const TreeValue& item : value.items) check_kinds(item);
  }

  static bool picks_rows(const TreeValue& query) {
    const auto is_node = [&](std::string_view name) {
      return field(query, name).kind == TreeValue::Kind::node;
    };
    return is_node("limitOffset") || is_node("limitCount") || is_true(field(query, "hasDistinctOn")) ||
           !field(query, "windowClause").items.empty();
  }

  Query& query_of(const TreeValue& node, Query* outer) {
    auto& made = queries_[&node];
    if (made) return *made;
    made = std::make_unique<Query>();
    made->node = &node;
    made->outer = outer;
    for (const TreeValue& entry : field(node, "rtable").items) made->entries.push_back(&entry);
    find_arms(field(node, "setOperations"), made->arms);
    if (number<int>(field(node, "commandType")) != kSelect || is_true(field(node, "hasModifyingCTE"))) {
      give_up("its definition is not a SELECT");
    }
    return *made;
  }

  static void find_arms(const TreeValue& node, std::vector<std::size_t>& arms) {
    if (node.is_node("RANGETBLREF")) {
      arms.push_back(number<std::size_t>(field(node, "rtindex")).value_or(0));
    } else if (node.is_node("SETOPERATIONSTMT")) {
      find_arms(field(node, "larg"), arms);
      find_arms(field(node, "rarg"), arms);
    }
  }

  static bool compares_rows(const TreeValue& node) {
    if (!node.is_node("SETOPERATIONSTMT")) return false;
    bool all_of_both = number<int>(field(node, "op")) == kUnion && is_true(field(node, "all"));
    return !all_of_both || compares_rows(field(node, "larg")) || compares_rows(field(node, "rarg"));
  }

  const TreeValue* entry(const Query& query, std::size_t place) {
    if (place >= 1 && place <= query.entries.size()) return query.entries[place - 1];
    give_up("its definition names a relation that it does not have");
    return nullptr;
  }

  // ---- What a column is

  // A VAR as seen from `at`.
  ViewColumn column(const TreeValue& var, Query& at) {
    auto place = number<std::size_t>(field(var, "varno"));
    auto attnum = number<std::int16_t>(field(var, "varattno"));
    auto levels = number<std::size_t>(field(var, "varlevelsup"));
    if (!place || !attnum || !levels) {
      give_up("its definition has a column that is not understood");
      return {};
    }
    Query* query = &at;
    for (std::size_t i = 0; i < *levels && query != nullptr; ++i) query = query->outer;
    if (query == nullptr) {
      give_up("its definition names a query that it does not have");
      return {};
    }
    return column(*place, *attnum, *query);
  }

  ViewColumn column(std::size_t place, std::int16_t attnum, Query& query) {
    ViewColumn found;
    if (++depth_ > kMaxDepth) give_up("its definition is nested too deep");
    if (!given_up()) {
      if (std::ranges::find(query.arms, place) != query.arms.end()) {
        found = column_of_arms(attnum, query);
      } else if (const TreeValue* from = entry(query, place)) {
        found = column_of_entry(*from, attnum, query);
      }
    }
    --depth_;
    count(found.origins.size());
    return found;
  }

  ViewColumn column_of_arms(std::int16_t attnum, Query& query) {
    ViewColumn all;
    all.bare = true;
    for (std::size_t arm : query.arms) {
      if (const TreeValue* from = entry(query, arm)) merge(all, column_of_entry(*from, attnum, query));
    }
    return all;
  }

  static void merge(ViewColumn& into, const ViewColumn& other) {
    add(into.origins, other.origins);
    into.bare = into.bare && other.bare;
    into.functions.insert(into.functions.end(), other.functions.begin(), other.functions.end());
  }

  ViewColumn column_of_entry(const TreeValue& from, std::int16_t attnum, Query& query) {
    auto kind = number<int>(field(from, "rtekind"));
    switch (static_cast<EntryKind>(kind.value_or(-1))) {
      case EntryKind::relation: {
        auto relation = number<std::uint32_t>(field(from, "relid"));
        if (!relation) break;
        return {.origins = {{*relation, attnum}}, .bare = attnum > 0, .functions = {}};
      }
      case EntryKind::sub_select: return column_of_query(field(from, "subquery"), attnum, query);
      case EntryKind::common_table: return column_of_common_table(from, attnum, query);
      case EntryKind::join: return column_of_list(field(from, "joinaliasvars"), attnum, query);
      case EntryKind::group: return column_of_list(field(from, "groupexprs"), attnum, query);
      // What they are made of is in `rows`.
      case EntryKind::function:
      case EntryKind::values:
      case EntryKind::result: return {};
      case EntryKind::table_function:
      case EntryKind::named_tuples: break;
    }
    give_up("its definition has a source that is not understood");
    return {};
  }

  // A column of a query below this one; its whole row is computed from all of them.
  ViewColumn column_of_query(const TreeValue& node, std::int16_t attnum, Query& outer) {
    if (!node.is_node("QUERY")) {
      give_up("its definition has a query that is not understood");
      return {};
    }
    Query& below = query_of(node, &outer);
    read(below);
    if (given_up()) return {};
    return column_among(below.columns, attnum);
  }

  ViewColumn column_among(const std::vector<ViewColumn>& columns, std::int16_t attnum) {
    ViewColumn all;
    if (attnum == 0) {
      for (const ViewColumn& each : columns) merge(all, each);
      return all;
    }
    if (attnum > 0 && static_cast<std::size_t>(attnum) <= columns.size()) {
      return columns[static_cast<std::size_t>(attnum) - 1];
    }
    give_up("its definition names a column that it does not have");
    return {};
  }

  ViewColumn column_of_common_table(const TreeValue& from, std::int16_t attnum, Query& query) {
    auto levels = number<std::size_t>(field(from, "ctelevelsup"));
    Query* owner = &query;
    for (std::size_t i = 0; levels && i < *levels && owner != nullptr; ++i) owner = owner->outer;
    if (!levels || owner == nullptr) {
      give_up("its definition names a query that it does not have");
      return {};
    }
    const std::string_view name = field(from, "ctename").text;
    for (const TreeValue& table : field(*owner->node, "cteList").items) {
      if (!count(1)) return {};
      if (field(table, "ctename").text != name) continue;
      if (is_true(field(table, "cterecursive"))) return {};  // all of it is in `rows`
      return column_of_query(field(table, "ctequery"), attnum, *owner);
    }
    give_up("its definition names a query that it does not have");
    return {};
  }

  ViewColumn column_of_list(const TreeValue& list, std::int16_t attnum, Query& query) {
    ViewColumn all;
    if (attnum == 0) {
      for (const TreeValue& item : list.items) merge(all, value(item, query));
      all.bare = false;
      return all;
    }
    if (attnum > 0 && static_cast<std::size_t>(attnum) <= list.items.size()) {
      return value(list.items[static_cast<std::size_t>(attnum) - 1], query);
    }
    give_up("its definition names a column that it does not have");
    return {};
  }

  // ---- What an expression is computed from

  ViewColumn value(const TreeValue& expr, Query& query) {
    if (expr.is_node("VAR")) return column(expr, query);
    ViewColumn computed;
    gather(expr, query, computed);
    return computed;
  }

  // All columns in an expression or a part of a query, those of queries inside of it too.
  void gather(const TreeValue& part, Query& query, ViewColumn& into) {
    if (!count(1)) return;
    if (part.is_node("VAR")) {
      ViewColumn found = column(part, query);
      add(into.origins, found.origins);
      into.functions.insert(into.functions.end(), found.functions.begin(), found.functions.end());
      count(into.origins.size());
      return;
    }
    Query* at = part.is_node("QUERY") ? &query_of(part, &query) : &query;
    for (std::string_view name : {"funcid", "opfuncid", "aggfnoid", "winfnoid"}) {
      if (auto function = number<std::uint32_t>(field(part, name))) into.functions.push_back(*function);
    }
    for (std::size_t i = 0; i < part.items.size(); ++i) {
      // What a join or group calls its columns is looked up when a VAR names one.
      bool only_names = part.kind == TreeValue::Kind::node &&
                        (part.names[i] == "joinaliasvars" || part.names[i] == "groupexprs");
      if (!only_names) gather(part.items[i], *at, into);
    }
  }

  // ---- What a query's rows depend on

  void depend(Query& query, const TreeValue& part, RowUse use) {
    ViewColumn found;
    gather(part, query, found);
    depend(query, found, use);
  }
  static void depend(Query& query, const ViewColumn& found, RowUse use) {
    for (const ColumnOrigin& origin : found.origins) query.rows.push_back({origin, use});
  }

  // By the SORTGROUPCLAUSEs of a list: the targets that they sort or group by.
  void depend_on_targets(Query& query, const TreeValue& clauses, RowUse use) {
    for (const TreeValue& clause : clauses.items) {
      const auto& wanted = field(clause, "tleSortGroupRef");
      for (const TreeValue& target : field(*query.node, "targetList").items) {
        if (!count(1)) return;
        if (field(target, "ressortgroupref").text == wanted.text) depend(query, field(target, "expr"), use);
      }
    }
  }

  void read(Query& query) {
    if (query.state == Query::State::being_read) give_up("its definition has a query that reads itself");
    if (++depth_ > kMaxDepth) give_up("its definition is nested too deep");
    if (query.state == Query::State::unread && !given_up()) {
      query.state = Query::State::being_read;
      read_common_tables(query);
      read_entries(query);
      read_targets(query);
      read_clauses(query);
      query.state = Query::State::read;
    }
    --depth_;
  }

  void take_over(Query& query, const Query& below) {
    if (!count(below.rows.size() + below.always_read.size())) return;
    query.rows.insert(query.rows.end(), below.rows.begin(), below.rows.end());
    query.always_read.insert(query.always_read.end(), below.always_read.begin(), below.always_read.end());
  }
  static void read_always(Query& query, const Query& below) {
    query.always_read.insert(query.always_read.end(), below.columns.begin(), below.columns.end());
  }

  void read_common_tables(Query& query) {
    for (const TreeValue& table : field(*query.node, "cteList").items) {
      const TreeValue& node = field(table, "ctequery");
      if (!node.is_node("QUERY")) return give_up("its definition has a query that is not understood");
      Query& below = query_of(node, &query);
      if (is_true(field(table, "cterecursive"))) {
        depend(query, node, RowUse::recursion);
        continue;
      }
      read(below);
      if (given_up()) return;
      take_over(query, below);
      read_always(query, below);
    }
  }

  void read_entries(Query& query) {
    const bool set_operation = !query.arms.empty();
    for (const TreeValue* from : query.entries) {
      if (given_up()) return;
      auto kind = static_cast<EntryKind>(number<int>(field(*from, "rtekind")).value_or(-1));
      // (Up to PostgreSQL 15 OLD and NEW stand there too, and not in FROM.)
      if (kind == EntryKind::relation && is_true(field(*from, "inFromCl"))) {
        const auto relation = number<std::uint32_t>(field(*from, "relid"));
        repeats_ = !relation || !relations_.insert(*relation).second || repeats_;
      }
      if (kind == EntryKind::sub_select) {
        const TreeValue& node = field(*from, "subquery");
        if (!node.is_node("QUERY")) return give_up("its definition has a query that is not understood");
        Query& below = query_of(node, &query);
        read(below);
        if (given_up()) return;
        take_over(query, below);
        if (set_operation) read_always(query, below);
      } else if (kind == EntryKind::function || kind == EntryKind::values) {
        depend(query, *from, RowUse::function);
      }
    }
    depend(query, field(*query.node, "jointree"), RowUse::condition);
    if (!compares_rows(field(*query.node, "setOperations"))) return;
    for (std::size_t arm : query.arms) {
      const TreeValue* from = entry(query, arm);
      if (from != nullptr) depend(query, column_of_entry(*from, 0, query), RowUse::set_operation);
    }
  }

  void read_targets(Query& query) {
    const bool returns_rows = is_true(field(*query.node, "hasTargetSRFs"));
    for (const TreeValue& target : field(*query.node, "targetList").items) {
      const TreeValue& expr = field(target, "expr");
      ViewColumn found = value(expr, query);
      if (given_up()) return;
      if (returns_rows && !expr.is_node("VAR")) depend(query, found, RowUse::function);
      if (is_true(field(target, "resjunk"))) continue;
      if (number<std::size_t>(field(target, "resno")) != query.columns.size() + 1) {
        return give_up("its definition has columns out of order");
      }
      query.columns.push_back(std::move(found));
    }
  }

  void read_clauses(Query& query) {
    const TreeValue& node = *query.node;
    depend_on_targets(query, field(node, "groupClause"), RowUse::grouping);
    depend(query, field(node, "havingQual"), RowUse::condition);
    depend_on_targets(query, field(node, "distinctClause"), RowUse::distinct);
    if (!field(node, "distinctClause").items.empty()) read_always(query, query);
    depend_on_targets(query, field(node, "sortClause"), RowUse::ordering);
    depend(query, field(node, "limitOffset"), RowUse::ordering);
    depend(query, field(node, "limitCount"), RowUse::ordering);
    for (const TreeValue& window : field(node, "windowClause").items) {
      depend_on_targets(query, field(window, "partitionClause"), RowUse::window);
      depend_on_targets(query, field(window, "orderClause"), RowUse::window);
      depend(query, field(window, "startOffset"), RowUse::window);
      depend(query, field(window, "endOffset"), RowUse::window);
    }
  }

  std::string problem_;
  bool picks_ = false;
  std::set<std::uint32_t> relations_;
  bool repeats_ = false;
  std::vector<std::uint32_t> types_;
  std::unordered_map<const TreeValue*, std::unique_ptr<Query>> queries_;
  std::size_t steps_ = 0;
  unsigned depth_ = 0;
};

}  // namespace

std::string_view explain(RowUse use) {
  switch (use) {
    case RowUse::condition: return "a condition";
    case RowUse::grouping: return "GROUP BY";
    case RowUse::distinct: return "DISTINCT";
    case RowUse::set_operation: return "a set operation that compares rows";
    case RowUse::ordering: return "ORDER BY or LIMIT";
    case RowUse::window: return "a window";
    case RowUse::function: return "a function that returns rows";
    case RowUse::recursion: return "a recursive query";
  }
  return "a part that is not understood";
}

std::optional<ExpressionParts> read_expression(std::string_view tree) {
  return LineageReader().read_expression(tree);
}

ViewLineage read_lineage(std::string_view tree) {
  return LineageReader().read(tree);
}

}  // namespace sluice::postgres
