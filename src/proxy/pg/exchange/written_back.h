// A mask's own output that comes back as the value of a parameter (rewrite/masks/own_output.h).
#pragma once

#include <optional>
#include <span>

#include "model/decision.h"
#include "proxy/pg/planning/planner.h"
#include "systems/postgres/rewrite/masks/own_output.h"
#include "systems/postgres/sql/ast.h"

namespace sluice::proxy::pg {

// `written`: the plan's; `values`: what Bind gives, in its order. nullopt: nothing is written back.
std::optional<Denial> refuse_written_back(std::span<const postgres::rewrite::WrittenParameter> written,
                                          std::span<const BoundValue> values);
// The same for the arguments of EXECUTE.
std::optional<Denial> refuse_written_back(std::span<const postgres::rewrite::WrittenParameter> written,
                                          postgres::sql::Exprs arguments);

}  // namespace sluice::proxy::pg
