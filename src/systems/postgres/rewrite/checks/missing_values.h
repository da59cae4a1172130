// pg_attribute.attmissingval holds a value of a column: what ADD COLUMN ... DEFAULT gave to the rows that
// were there, and what those that were not written since still hold, also after the default has been changed
// (heaptuple.c, getmissingattr). The rest of pg_attribute tells about the schema, and clients cannot do
// without.
//
//   if (auto why = refuse_missing_values(statement)) ...    // while masks are in force
//   if (names_missing_values(statement)) ...                // then the rewrite yields NULL in their place
//
// So a statement must not take a whole row of pg_attribute: `*`, `a.*`, `a`, a list of names for all columns,
// COPY. A query may name the column, as pg_dump does: it sees NULL. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "model/decision.h"
#include "systems/postgres/sql/ast.h"

namespace sluice::postgres::rewrite {

std::optional<Denial> refuse_missing_values(const sql::Statement& statement);

// The column is named in a query that may pass once NULL stands in its place.
bool names_missing_values(const sql::Statement& statement);

// What that column is: pg_catalog.pg_attribute.attmissingval.
inline constexpr std::string_view kMissingValues = "attmissingval";

}  // namespace sluice::postgres::rewrite
