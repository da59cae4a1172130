// Whether computing something may fail for some rows and not for others. Then the row that is come upon first
// decides which of two errors a statement ends with, or whether it ends with one at all, and where an index over
// masked columns gives the order of the rows, that tells about them:
//
//   SELECT CASE WHEN id = 7 THEN 1 / (id - 7) WHEN id = 9 THEN ('x' || id)::int END FROM pay WHERE team = 't'
//
//   if (errs_by_row(statement) || errs_by_row(level, types)) ...   // rows must be in order before anything is
//                                                                  // computed from them
//
// Deny by default: what passes is known to be total for its types. Columns, literals and parameters as they are;
// comparisons of a column of a plain type with those, or with a column of the same type (an implicit conversion
// could fail); tests for null; keys of jsonb; some functions of texts and dates; aggregates; ranks; distances. A
// value that is the same for every row may fail, because then it does so for whichever row comes first; not below
// CASE, OR and COALESCE, which choose by row. Sub-selects never pass: they become joins, whose order shows.
#pragma once

#include <functional>

#include "systems/postgres/catalogue/view.h"
#include "systems/postgres/sql/ast.h"

namespace sluice::postgres::rewrite {

// The type under domains of a column of this level; nullptr: not known.
using TypeOf = std::function<const Type*(const sql::ColumnRef&)>;

// By what the statement is: it writes, recurses, or asks for a number of rows that is computed from others.
bool errs_by_row(const sql::Statement& statement);
// By what this level computes, without those below it. `for_each_row`: it is gone through for each row of what is
// beside it (LATERAL), so that its conditions choose as CASE does.
bool errs_by_row(const sql::SelectStatement& level, const TypeOf& types, bool for_each_row);
// A condition.
bool errs_by_row(const sql::Expr& condition, const TypeOf& types);

}  // namespace sluice::postgres::rewrite
