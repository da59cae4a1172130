// fingerprint(): 64 bits that name a statement's shape. Two statements have the same fingerprint when they
// differ only in literals and parameters, in the length of lists that hold nothing else (IN, ARRAY, VALUES
// rows), in the names of prepared statements, cursors and savepoints, in comments, layout and the case of
// keywords.
//
// Stable within one release of Sluice and one PostgreSQL major; not cryptographic: for grouping, never for
// deciding.
#pragma once

#include <cstdint>

#include "systems/postgres/sql/ast.h"

namespace sluice::postgres::sql {

std::uint64_t fingerprint(const Statement& statement);

}  // namespace sluice::postgres::sql
