// What literals and parameters say about numbers of rows: LIMIT, and conditions that pin a unique key.
#pragma once

#include <span>

#include "systems/postgres/describe/describe.h"
#include "systems/postgres/describe/extent.h"

namespace sluice::postgres {

// The type "unknown" of pg_type.dat: of a parameter whose declared type cannot be told.
inline constexpr Oid kUnknownType = 705;

// At most so many rows by LIMIT or FETCH FIRST. Unlimited: none, LIMIT ALL, WITH TIES, or what is no plain
// number (casts other than to integer types count as that: `1::bit(1)::bit(31)::int4` is 1,073,741,824).
reading::Count limit_count(const sql::SelectStatement& query, const DescribeContext& context);

// Conditions that all hold for the rows that are wanted.
using Conditions = std::span<const sql::Expr* const>;

// How many rows of `relation` can meet the conditions: a number, or pending, when they pin a whole unique key
// to literals or parameters (`=`, IN, `= ANY (array)`); unlimited otherwise. `name` is how the query names
// it.
reading::Count rows_by_key(Conditions conditions, const Relation& relation, const sql::RangeVar& name,
                           const DescribeContext& context);

}  // namespace sluice::postgres
