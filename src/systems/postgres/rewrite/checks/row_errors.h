// Whether computing an expression may fail for some rows and not for others. Then the row that is come upon
// first decides which of two errors a statement ends with, or whether it ends with one at all, and where an
// index over masked columns gives the order of the rows, that tells about them:
//
//   SELECT CASE WHEN id = 7 THEN 1 / (id - 7) WHEN id = 9 THEN ('x' || id)::int END FROM pay WHERE team = 't'
//
//   if (errs_by_row(statement)) ...   // rows must be put in order before anything is computed from them
//
// Deny by default: only expressions that are known to be total pass: comparisons, tests, keys of JSON, texts'
// lengths and cases, aggregates, ranks, distances. A value that is the same for every row may fail, because
// then it does so for whichever row comes first; not below CASE, OR and COALESCE, which choose by row. What
// sub-selects make of a row they hand on to the joins that PostgreSQL turns them into: they never pass.
#pragma once

#include "systems/postgres/sql/ast.h"

namespace sluice::postgres::rewrite {

bool errs_by_row(const sql::Statement& statement);
bool errs_by_row(const sql::Expr* expr);

}  // namespace sluice::postgres::rewrite
