// A walk over every node of a statement, for checks that must not overlook one: which relations it names,
// which functions, operators and types it uses. Depth is bounded by the parser (sql/parse.h), so the walk may
// recurse.
//
// The walk keeps track of the names of common table expressions, because `FROM x` means the expression `x`
// where one is in scope (PostgreSQL's parse_relation.c, scanNameSpaceForCTE).
#pragma once

#include <string_view>
#include <vector>

#include "systems/postgres/sql/ast.h"

namespace sluice::postgres::sql {

enum class RelationRole : std::uint8_t {
  read,     // in FROM, USING and the like
  written,  // the target of INSERT, UPDATE, DELETE, MERGE, COPY FROM
  defined,  // created, altered, dropped, locked, truncated, granted
};

class Visitor {
 public:
  virtual ~Visitor() = default;
  // Called for each node before its parts.
  virtual void on_expr(const Expr&) {}
  virtual void on_from(const FromItem&) {}
  virtual void on_select(const SelectStatement&) {}
  virtual void on_statement(const Statement&) {}  // any statement, also inside others
  virtual void on_type(const TypeName&) {}
  virtual void on_sort(const SortItem&) {}
  // Any RangeVar. `is_common_table`: it means a WITH query and no relation.
  virtual void on_relation(const RangeVar&, RelationRole, bool is_common_table) {
    static_cast<void>(is_common_table);
  }
};

void visit(const Statement& statement, Visitor& visitor);

}  // namespace sluice::postgres::sql
