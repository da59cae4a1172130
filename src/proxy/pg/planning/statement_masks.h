// What masks make of one statement: the plan's text is rewritten so that it reads masked values at the
// source, or the plan gets a denial that says why it cannot be.
#pragma once

#include <optional>

#include "proxy/pg/planning/plan.h"
#include "systems/postgres/rewrite/rewrite.h"
#include "wire/pg/encode.h"

namespace sluice::proxy::pg {

// Rewrites, and says in the plan what came of it. The error: a name that the catalogue does not know, or what
// is_too_large() knows.
std::optional<wire::pg::ErrorFields> apply_masks(Plan& plan, const postgres::rewrite::RewriteInput& input);

// The statement has more names than `input.max_names`.
bool is_too_large(const wire::pg::ErrorFields& error);

// Puts a rewritten text into the plan, with what has to be done to its reply. `plan.carried` counts the keys
// before, and the column with the candidates of its searches afterwards.
void take_over(Plan& plan, postgres::rewrite::Rewritten rewritten);

}  // namespace sluice::proxy::pg
