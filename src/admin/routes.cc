#include "admin/routes.h"

#include <array>

#include "admin/handlers.h"

namespace sluice::admin {
namespace {

using enum Method;
namespace h = handlers;

#define SLUICE_RECORD_FILTER \
  "principal,connection,collection,verb,decision,text,record_id,session,from,to,limit,cursor"

// clang-format off
constexpr std::array kRoutes = {
  // method, path, who, handler, summary, query, body, answer, blocking
  Route{get,    "/healthz", Who::open, h::healthz, "The process is alive", "", "", "Health"},
  Route{get,    "/readyz",  Who::open, h::readyz,  "Clients can be served (503: not, with the reasons)", "", "", "Readiness"},
  Route{get,    "/metrics", Who::metrics, h::metrics, "Metrics in Prometheus' text format", "", "", ""},
  Route{get,    "/api/v1/openapi.json", Who::open, h::openapi, "This description", "", "", ""},
  Route{get,    "/api/v1/status", Who::member, h::status, "The gateway in one object", "", "", "Status"},
  Route{get,    "/api/v1/config", Who::reader, h::show_config, "The settings in force, without secrets", "", "", ""},
  Route{get,    "/api/v1/me", Who::member, h::show_me, "Who the token speaks for, and which connections they may use", "", "", "Me"},

  Route{get,    "/api/v1/principals", Who::reader, h::list_principals, "All principals by name", "group,limit,cursor", "", "PrincipalPage"},
  Route{post,   "/api/v1/principals", Who::admin, h::create_principal, "Create a principal", "", "NewPrincipal", "Principal"},
  Route{get,    "/api/v1/principals/{name}", Who::reader, h::show_principal, "One principal", "", "", "Principal"},
  Route{patch,  "/api/v1/principals/{name}", Who::admin, h::update_principal, "Change what is given; lists replace", "", "PrincipalChange", "Principal"},
  Route{post,   "/api/v1/principals/{name}/disable", Who::admin, h::disable_principal, "End all sessions and accept no token", "", "", "Principal"},
  Route{post,   "/api/v1/principals/{name}/enable", Who::admin, h::enable_principal, "Accept tokens again", "", "", "Principal"},
  Route{remove, "/api/v1/principals/{name}", Who::admin, h::delete_principal, "Delete a principal and its tokens", "", "", ""},

  Route{get,    "/api/v1/tokens", Who::reader, h::list_tokens, "All tokens by id; never their secrets", "principal,limit,cursor", "", "TokenPage"},
  Route{post,   "/api/v1/tokens", Who::admin, h::create_token, "Issue a token; shown this once", "", "NewToken", "IssuedToken"},
  Route{get,    "/api/v1/tokens/{id}", Who::reader, h::show_token, "One token", "", "", "Token"},
  Route{remove, "/api/v1/tokens/{id}", Who::admin, h::revoke_token, "Revoke a token and end its sessions", "", "", "Token"},

  Route{get,    "/api/v1/connections", Who::reader, h::list_connections, "All connections by name", "limit,cursor", "", "ConnectionPage"},
  Route{post,   "/api/v1/connections", Who::admin, h::create_connection, "Register a connection", "", "NewConnection", "Connection"},
  Route{get,    "/api/v1/connections/{name}", Who::reader, h::show_connection, "One connection", "", "", "Connection"},
  Route{patch,  "/api/v1/connections/{name}", Who::admin, h::update_connection, "Change what is given; If-Match guards against others' changes", "", "ConnectionChange", "Connection"},
  Route{remove, "/api/v1/connections/{name}", Who::admin, h::delete_connection, "Delete a connection and end its sessions", "", "", ""},
  Route{post,   "/api/v1/connections/{name}/test", Who::admin, h::test_connection, "Dial and log in with each role", "", "", "ConnectionTest", true},
  Route{post,   "/api/v1/connections/{name}/advise", Who::admin, h::advise_roles, "Log in with each role, and say which statements would leave it no more rights in the database than a client needs", "", "", "RoleAdvice", true},
  Route{get,    "/api/v1/connections/{name}/functions", Who::reader, h::list_functions, "Functions of its database that are not the server's own, their definitions' hashes, and whether the policy vouches for them", "limit,cursor", "", "FunctionPage"},
  Route{get,    "/api/v1/connections/{name}/names", Who::reader, h::list_former_names, "Relations and columns of its databases that were called otherwise, and are masked under those names too", "limit,cursor", "", "FormerNamePage"},
  Route{post,   "/api/v1/connections/{name}/names/forget", Who::admin, h::forget_names, "Let go of what a relation or column was called before: masks hold for its present name only", "", "NameForgotten", ""},
  Route{post,   "/api/v1/connections/{name}/rotate", Who::admin, h::rotate_credential, "Take a role's credential from elsewhere, or read it again; open sessions go on unless end_sessions says otherwise", "", "Rotation", "Connection"},
  Route{post,   "/api/v1/connections/{name}/disable", Who::admin, h::disable_connection, "End its sessions and accept none", "", "", "Connection"},
  Route{post,   "/api/v1/connections/{name}/enable", Who::admin, h::enable_connection, "Accept sessions again", "", "", "Connection"},

  Route{get,    "/api/v1/policy", Who::reader, h::show_policy, "The policy in force, and the problems of the last load", "", "", "Policy"},
  Route{get,    "/api/v1/policy/schema", Who::open, h::policy_schema, "JSON Schema of policy files", "", "", ""},
  Route{post,   "/api/v1/policy/validate", Who::reader, h::validate_policy, "Check a policy file's text without loading it", "", "PolicyText", "PolicyValidation"},
  Route{post,   "/api/v1/policy/reload", Who::admin, h::reload_policy, "Read the policy folder again", "", "", "Policy"},
  Route{post,   "/api/v1/policy/explain", Who::reader, h::explain_policy, "What would be decided, and why", "", "ExplainRequest", "Explanation"},

  Route{get,    "/api/v1/reviews", Who::member, h::list_reviews, "Reviews, newest first: one's own and those that one may decide; admin and auditor see all", "state,principal,connection,limit,cursor", "", "ReviewPage"},
  Route{get,    "/api/v1/reviews/{id}", Who::member, h::show_review, "One review", "", "", "Review"},
  Route{post,   "/api/v1/reviews/{id}/approve", Who::member, h::approve_review, "Approve; only whom the rule names, never the requester", "", "Decision", "Review"},
  Route{post,   "/api/v1/reviews/{id}/reject", Who::member, h::reject_review, "Reject; only whom the rule names, never the requester", "", "Decision", "Review"},

  Route{get,    "/api/v1/sessions/live", Who::reader, h::list_live_sessions, "Who is connected now", "principal,connection,limit,cursor", "", "LiveSessionPage"},
  Route{post,   "/api/v1/sessions/{id}/kill", Who::admin, h::kill_session, "End a live session and cancel its upstream query", "", "Kill", ""},
  Route{get,    "/api/v1/sessions", Who::reader, h::list_sessions, "Recorded sessions, newest first", "principal,connection,from,to,limit,cursor", "", "RecordPage", true},
  Route{get,    "/api/v1/sessions/{id}", Who::reader, h::show_session, "One recorded session", "", "", "RecordItem", true},
  Route{get,    "/api/v1/sessions/{id}/replay", Who::reader, h::replay_session, "Every entry of a session in order; reported", "limit,cursor", "", "RecordPage", true},
  Route{get,    "/api/v1/sessions/{id}/export", Who::reader, h::export_session, "A bundle that proves itself; reported", "", "", "RecordItem", true},
  Route{get,    "/api/v1/operations", Who::reader, h::search_operations, "Recorded operations, newest first", SLUICE_RECORD_FILTER, "", "RecordPage", true},

  Route{get,    "/api/v1/record", Who::reader, h::record_status, "State of the record", "", "", "RecordStatus"},
  Route{get,    "/api/v1/record/events", Who::reader, h::list_events, "What the control plane recorded, newest first: policies, tokens, reviews, changes", "kind,limit,cursor", "", "RecordPage", true},
  Route{post,   "/api/v1/record/verify", Who::reader, h::verify_record, "Check every entry, signature and checkpoint", "", "", "VerifyReport", true},
};
// clang-format on

// The part before the next slash; `rest` moves behind it.
std::string_view next_part(std::string_view& rest) {
  const auto slash = rest.find('/');
  const auto part = rest.substr(0, slash);
  rest.remove_prefix(slash == std::string_view::npos ? rest.size() : slash + 1);
  return part;
}

bool matches(std::string_view pattern, std::string_view path,
             std::map<std::string, std::string, std::less<>>& parts) {
  parts.clear();
  while (!pattern.empty() && !path.empty()) {
    const auto wanted = next_part(pattern);
    const auto given = next_part(path);
    if (wanted.starts_with('{')) {
      if (given.empty()) return false;
      parts.emplace(wanted.substr(1, wanted.size() - 2), given);
    } else if (wanted != given) {
      return false;
    }
  }
  return pattern.empty() && path.empty();
}

}  // namespace

std::span<const Route> routes() {
  return kRoutes;
}

// First in the table wins: "/sessions/live" stands before "/sessions/{id}".
Match find_route(Method method, std::string_view path) {
  Match out;
  if (path.empty() || path.front() != '/' || path.back() == '/') return out;
  for (const auto& route : kRoutes) {
    if (!matches(route.path, path, out.path)) continue;
    out.path_exists = true;
    if (route.method == method) {
      out.route = &route;
      return out;
    }
  }
  out.path.clear();
  return out;
}

}  // namespace sluice::admin
