// What can be told of expressions by the tree alone: which are the same, and what a sort item means.
#pragma once

#include "systems/postgres/sql/ast.h"

namespace sluice::postgres::sql {

// The column under any number of casts; nullptr: something else.
const ColumnRef* column_under_casts(const Expr* expr);

// The same expression in all parts, for the kinds that a distance is made of (columns, parameters, constants,
// casts, arrays, operators, plain calls); other kinds are never the same.
bool same_expression(const Expr* a, const Expr* b);

// What a sort item sorts by: its expression, or the output column that it names or counts. nullptr: not known
// (an ordinal after a star).
const Expr* sort_expression(const SortItem& item, const SelectStatement& select);

}  // namespace sluice::postgres::sql
