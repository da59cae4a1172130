// How many records a query can answer with (records are not rows), and what kind of read it is.
// Counts upwards: what is not known to be bounded is unlimited. README.md beside this folder has the rules.
#pragma once

#include <unordered_set>

#include "systems/postgres/describe/describe.h"
#include "systems/postgres/describe/extent.h"

namespace sluice::postgres {

// Expressions that compute a vector distance (describe/reading.h finds them).
using Distances = std::unordered_set<const sql::Expr*>;

// Of SELECT and VALUES: what the query answers with. Of INSERT, UPDATE, DELETE and MERGE: what RETURNING
// answers with; `cls` then is what the statement reads on its way. Of any other statement: nothing.
reading::Extent extent_of(const sql::Statement& statement, const DescribeContext& context,
                          const Distances& distances);

}  // namespace sluice::postgres
