// A Denial in PostgreSQL's own words: ErrorResponse with SQLSTATE 42501, the operator's message, the rule and
// the operation's id in DETAIL, and what to do in HINT. The connection stays usable.
#pragma once

#include <string>

#include "model/decision.h"
#include "model/ids.h"
#include "model/operation.h"
#include "wire/pg/encode.h"

namespace sluice::proxy::pg {

wire::pg::ErrorFields render_denial(const Denial& denial, const Operation* operation, SessionId session,
                                    OperationId id);

// What Sluice refuses before there is an operation: a syntax error, a message that it does not let through.
wire::pg::ErrorFields render_error(std::string_view sqlstate, std::string message, std::string detail = {},
                                   std::string hint = {});

// A relation that the gateway does not know, whether or not the database does.
wire::pg::ErrorFields undefined_table(std::string_view name);

// The session keeps as many as it may (names.h), by number or by their text.
wire::pg::ErrorFields too_many(std::string_view objects);

// Goes with a reply that is not what it seems.
wire::pg::ErrorFields render_warning(std::string message);

// The NOTICE that a held client gets.
wire::pg::ErrorFields render_hold(const ReviewId& review, const ReviewTerms& terms);

}  // namespace sluice::proxy::pg
