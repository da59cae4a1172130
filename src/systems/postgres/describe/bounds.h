// How many records a query can answer with (DESIGN §1: "records are not rows"). Counts upwards: what is not
// known to be bounded is unlimited.
#pragma once

#include "systems/postgres/describe/describe.h"
#include "systems/postgres/describe/extent.h"

namespace sluice::postgres {

struct Bound {
  reading::Count records;       // distinct records whose values the reply can carry
  bool rows_hold_many = false;  // one row can carry any number of them, so counting rows tells nothing
};

Bound record_bound(const sql::SelectStatement& query, const DescribeContext& context);

// Whether `where` pins a whole unique key of `relation` to constants or parameters: then at most so many rows
// match.
reading::Count rows_by_key(const sql::Expr* where, const Relation& relation, std::string_view alias);

}  // namespace sluice::postgres
