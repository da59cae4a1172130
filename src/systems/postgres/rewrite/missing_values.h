// pg_attribute.attmissingval holds a value of a column: what ADD COLUMN ... DEFAULT gave to the rows that
// were there, and what those that were not written since still hold, also after the default has been changed
// (heaptuple.c, getmissingattr). The rest of pg_attribute tells about the schema, and clients cannot do
// without.
//
//   if (auto why = refuse_missing_values(statement)) ...    // while masks are in force
//
// So a statement must not name that column, nor take a whole row of pg_attribute: `*`, `a.*`, `a`, a list of
// names for all columns, COPY. Pure.
#pragma once

#include <optional>

#include "model/decision.h"
#include "systems/postgres/sql/ast.h"

namespace sluice::postgres::rewrite {

std::optional<Denial> refuse_missing_values(const sql::Statement& statement);

}  // namespace sluice::postgres::rewrite
