// The name that PostgreSQL gives to an output column without AS (parse_target.c, FigureColname): a rewrite
// changes expressions, and must not change the names that clients see.
#pragma once

#include <string>
#include <string_view>

#include "systems/postgres/sql/ast.h"

namespace sluice::postgres::sql {

// "?column?" where the expression suggests none.
std::string_view figure_column_name(const Expr& expr);

// The written name, or the figured one. Empty for `*`, which has no one name, and for a sub-select of a star.
std::string_view output_name(const Target& target);

// `*`, `t.*` or `(row).*`.
bool is_star(const Target& target);

}  // namespace sluice::postgres::sql
