// What a statement does to settings (SET, RESET, set_config, SET in a definition), held against the list of
// those that a session may change (session_settings.h).
#pragma once

#include <string_view>

#include "proxy/pg/planning/plan.h"
#include "proxy/pg/planning/plan_context.h"

namespace sluice::proxy::pg {

// A change that is not the client's to make becomes the plan's denial; application_name is written anew
// behind the gateway's attribution; `Plan::setting` says what is followed. `own_pg_settings`: `pg_settings`
// means the server's own view.
void check_settings(Plan& plan, const PlanContext& context, bool own_pg_settings);

// Whether a masked statement may change it by a function.
bool may_set(std::string_view setting);

}  // namespace sluice::proxy::pg
