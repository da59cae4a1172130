// Counting: which replies have to be counted while they pass, and how many rows the server is asked for.
//
// A LIMIT within the bound keeps a reply within it; such a reply is not counted. Every other read is, record
// by record, and what depends on its success waits for its end. Pure functions.
#pragma once

#include "model/decision.h"
#include "proxy/pg/planning/plan.h"

namespace sluice::proxy::pg {

// The reply carries stored records that nobody has sent: search, fetch, scroll, export.
bool is_read(const Operation& operation);

// The reply may carry stored records, if only by RETURNING.
bool returns_records(const Operation& operation);

// Its answer holds no record, though its operation is that of the statement which it names.
bool only_names(const Plan& plan);

// The reply has to be counted: nothing in the request keeps it within its bound. The parts of a cursor that
// FETCH asks for add up, so it is the cursor's own statement that has to keep within it. `operation` is the
// plan's, or the one of this binding.
bool must_count(const Plan& plan, const Operation& operation, const Obligations& obligations);

// max_rows of an Execute that may still send `left` rows: one more, so that "exactly the bound" and "more"
// differ; not more than the client asks for. `client_max`: 0 for all.
std::int32_t rows_to_ask(std::uint64_t left, std::int32_t client_max);

}  // namespace sluice::proxy::pg
