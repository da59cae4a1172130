// All handlers, by resource; each group is in the file of its name. Called through the route table only,
// after authorization.
#pragma once

#include "admin/control.h"
#include "admin/routes.h"

namespace sluice::admin::handlers {

using Answer = Result<Response>;

// api_health.cc
Answer healthz(Control&, const Call&);
Answer readyz(Control&, const Call&);
Answer metrics(Control&, const Call&);
Answer openapi(Control&, const Call&);
Answer status(Control&, const Call&);
Answer show_config(Control&, const Call&);
Answer show_me(Control&, const Call&);

// api_principals.cc
Answer list_principals(Control&, const Call&);
Answer create_principal(Control&, const Call&);
Answer show_principal(Control&, const Call&);
Answer update_principal(Control&, const Call&);
Answer disable_principal(Control&, const Call&);
Answer enable_principal(Control&, const Call&);
Answer delete_principal(Control&, const Call&);

// api_tokens.cc
Answer list_tokens(Control&, const Call&);
Answer create_token(Control&, const Call&);
Answer show_token(Control&, const Call&);
Answer revoke_token(Control&, const Call&);

// api_connections.cc
Answer list_connections(Control&, const Call&);
Answer create_connection(Control&, const Call&);
Answer show_connection(Control&, const Call&);
Answer update_connection(Control&, const Call&);
Answer test_connection(Control&, const Call&);
Answer list_functions(Control&, const Call&);
Answer list_former_names(Control&, const Call&);
Answer forget_names(Control&, const Call&);
Answer advise_roles(Control&, const Call&);
Answer rotate_credential(Control&, const Call&);
Answer disable_connection(Control&, const Call&);
Answer enable_connection(Control&, const Call&);
Answer delete_connection(Control&, const Call&);

// api_policy.cc
Answer show_policy(Control&, const Call&);
Answer validate_policy(Control&, const Call&);
Answer reload_policy(Control&, const Call&);
Answer explain_policy(Control&, const Call&);
Answer policy_schema(Control&, const Call&);

// api_reviews.cc
Answer list_reviews(Control&, const Call&);
Answer show_review(Control&, const Call&);
Answer approve_review(Control&, const Call&);
Answer reject_review(Control&, const Call&);

// api_sessions.cc
Answer list_live_sessions(Control&, const Call&);
Answer kill_session(Control&, const Call&);
Answer list_sessions(Control&, const Call&);
Answer show_session(Control&, const Call&);
Answer replay_session(Control&, const Call&);
Answer export_session(Control&, const Call&);
Answer search_operations(Control&, const Call&);

// api_record.cc
Answer record_status(Control&, const Call&);
Answer list_events(Control&, const Call&);
Answer verify_record(Control&, const Call&);

}  // namespace sluice::admin::handlers
