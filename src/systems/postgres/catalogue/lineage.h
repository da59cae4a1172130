// Lineage: where the columns of a view come from, and what its set of rows depends on, read from the tree
// that the server itself stores of the definition (pg_rewrite.ev_action). There every name is an oid and
// every column a number already, whatever the search path of whoever reads it and whatever has been renamed
// since.
//
//   ViewLineage lineage = read_lineage(ev_action);
//   if (!lineage.problem.empty()) ...      // not understood: "its definition has TABLESAMPLECLAUSE"
//   lineage.columns[attnum - 1].origins    // through joins, sub-selects, WITH and set operations, down to
//                                          // relations; those of other views are for the caller to follow
//
// Deny by default: a kind of node that is not known, in whatever place, makes the whole definition not
// understood. Every column that the definition names is in `columns` or in `rows`, and rather in both. Facts:
// nodes/parsenodes.h and nodes/primnodes.h of PostgreSQL 13 to 18.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::postgres {

// A column of a table or view. `attnum` 0: the whole row; below: a system column.
struct ColumnOrigin {
  std::uint32_t relation = 0;
  std::int16_t attnum = 0;
  auto operator<=>(const ColumnOrigin&) const = default;
};

// What makes the set of rows, or their order, depend on a column.
enum class RowUse : std::uint8_t {
  condition,      // WHERE, ON, USING, HAVING
  grouping,       // GROUP BY
  distinct,       // DISTINCT
  set_operation,  // UNION, INTERSECT, EXCEPT: all that compare rows
  ordering,       // ORDER BY, LIMIT, OFFSET
  window,         // PARTITION BY and ORDER BY of a window
  function,       // an argument of a function in FROM, or of one in SELECT that returns rows
  recursion,      // anything in a recursive WITH query
};
std::string_view explain(RowUse use);  // "a condition"

struct ViewColumn {
  std::vector<ColumnOrigin> origins;  // sorted
  // It hands on a value of one of them as it is; else it is computed from all.
  bool bare = false;
  // Of a computed column: functions, also behind operators and casts, that compute it.
  std::vector<std::uint32_t> functions;
};

struct RowOrigin {
  ColumnOrigin origin;
  RowUse use = RowUse::condition;
  auto operator<=>(const RowOrigin&) const = default;
};

struct ViewLineage {
  std::string problem;              // why it is not understood; empty: it is, and the rest is complete
  std::vector<ViewColumn> columns;  // by attnum - 1
  std::vector<RowOrigin> rows;
  // Columns that are read for every row, also where the reader of the view does not ask for them: in WITH
  // queries, below set operations and DISTINCT.
  std::vector<ViewColumn> always_read;
  std::vector<std::uint32_t> types;  // to which something is converted by running code of theirs
  // LIMIT, DISTINCT ON, a window: the order in which rows are come upon bears on what it yields.
  bool picks = false;
  bool repeats =
      false;  // a relation stands in it more than once: a key and a value may come from different rows
};

// Nodes looked at and origins gathered for one definition: bounds time (some tens of milliseconds) and memory
// against one that multiplies. Sixteen hundred columns that are each computed from some hundreds fit.
inline constexpr std::size_t kMaxLineageSteps = 2'000'000;

// What an expression that stands alone (the check of a domain) runs; nullopt: it is not understood.
struct ExpressionParts {
  std::vector<std::uint32_t> functions;
  std::vector<std::uint32_t> types;  // as ViewLineage::types
};
std::optional<ExpressionParts> read_expression(std::string_view tree);

// A definition that is not understood has a `problem` and nothing else.
ViewLineage read_lineage(std::string_view tree);

}  // namespace sluice::postgres
