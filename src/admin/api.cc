#include "admin/api.h"

#include "core/log.h"
#include "core/metrics.h"

namespace sluice::admin {
namespace {

bool is_loopback(std::string_view address) {
  return address.starts_with("127.") || address == "::1" || address.starts_with("::ffff:127.");
}

// A name for loopback itself. Another name that leads there may be a web page's own (DNS rebinding), whose
// script would read the answer in the name of whoever looks at it.
bool is_loopback_host(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']')) == "[::1";
  host = host.substr(0, host.find(':'));
  return host == "localhost" || (is_loopback(host) && host.find_first_not_of("0123456789.") == host.npos);
}

// Each key must be in the comma-separated list.
Result<void> check_query(const Route& route, const Request& request) {
  for (const auto& [key, value] : request.query) {
    std::string_view rest = route.query;
    bool known = false;
    while (!rest.empty() && !known) {
      const auto comma = rest.find(',');
      known = rest.substr(0, comma) == key;
      rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    }
    if (!known) return fail(Errc::invalid_argument, "unknown query parameter \"{}\"", key);
  }
  return {};
}

Result<void> check_body(const Route& route, const Request& request) {
  if (route.body.empty()) {
    if (!request.body.empty()) return fail(Errc::invalid_argument, "this route takes no body");
    return {};
  }
  if (!request.body.empty() && request.content_type != "application/json") {
    return fail(Errc::unsupported, "the body must be application/json");
  }
  return {};
}

}  // namespace

Result<identity::Authenticated> Api::authorize(const Route& route, const Request& request) const {
  auto& parts = control_.parts();
  if (route.who == Who::open) return identity::Authenticated{};
  const bool open_here = route.who == Who::metrics && parts.metrics_without_token &&
                         is_loopback(request.client_address) && is_loopback_host(request.host);
  if (open_here && request.token.empty()) return identity::Authenticated{};
  if (request.token.empty()) return fail(Errc::unauthenticated, "a bearer token is needed");
  auto caller =
      parts.authenticator.authenticate({.token = request.token, .certificate_der = {}}, control_.now());
  if (!caller) {
    static auto& failures = metrics::counter("sluice_admin_authentication_failures_total",
                                             "Calls of the admin API with a token that is not valid");
    failures.increment();
    log::warn("admin authentication failed", {{"cause", std::string(to_string(caller.error().cause))},
                                              {"token", caller.error().token.value},
                                              {"principal", caller.error().principal},
                                              {"client", request.client_address}});
    return std::unexpected(caller.error().error());
  }
  const auto& principal = *caller->principal;
  const bool admin = identity::has_role(principal, identity::kRoleAdmin);
  const bool reader = admin || identity::has_role(principal, identity::kRoleAuditor);
  switch (route.who) {
    case Who::open:
    case Who::member: return std::move(*caller);
    case Who::metrics:
    case Who::reader:
      if (reader || open_here) return std::move(*caller);
      return fail(Errc::forbidden, "this needs role admin or auditor");
    case Who::admin:
      if (admin) return std::move(*caller);
      return fail(Errc::forbidden, "this needs role admin");
  }
  return fail(Errc::internal, "a route without authorization");
}

std::variant<Call, Response> Api::admit(const Request& request, const Route** route) {
  auto match = find_route(request.method, request.path);
  *route = match.route;
  if (match.route == nullptr) {
    if (!match.path_exists) return problem({Errc::not_found, "there is nothing at this path"});
    auto response = problem({Errc::invalid_argument, "this path does not take this method"});
    response.status = 405;
    return response;
  }
  // Who comes before what: a stranger learns nothing about bodies and parameters.
  auto caller = authorize(*match.route, request);
  if (!caller) return problem(caller.error());
  if (auto query = check_query(*match.route, request); !query) return problem(query.error());
  if (auto body = check_body(*match.route, request); !body) return problem(body.error());
  return Call{request, std::move(match.path), std::move(*caller)};
}

Response Api::run(const Route& route, const Call& call) {
  auto response = route.handler(control_, call);
  if (response) return std::move(*response);
  if (status_of(response.error().code) >= 500) {
    log::error("admin call failed",
               {{"path", std::string(route.path)}, {"error", response.error().message()}});
  }
  return problem(response.error());
}

Response Api::answer(const Request& request) {
  const Route* route = nullptr;
  auto admitted = admit(request, &route);
  if (auto* refusal = std::get_if<Response>(&admitted)) return std::move(*refusal);
  return run(*route, std::get<Call>(admitted));
}

}  // namespace sluice::admin
