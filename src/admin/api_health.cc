// Health, metrics, the description of the API, and what the gateway says about itself.
#include "admin/handlers.h"
#include "admin/openapi.h"
#include "admin/page.h"
#include "core/metrics.h"

namespace sluice::admin::handlers {

// Alive: the control thread answers.
Answer healthz(Control&, const Call&) {
  return json_response(json::object{{"status", "ok"}});
}

// Ready: clients can be served.
Answer readyz(Control& control, const Call&) {
  const auto readiness = control.parts().health.readiness();
  return json_response(json::object{{"ready", readiness.ready}, {"problems", to_json(readiness.problems)}},
                       readiness.ready ? 200 : 503);
}

Answer metrics(Control&, const Call&) {
  Response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = sluice::metrics::render();
  return response;
}

Answer openapi(Control&, const Call&) {
  Response response;
  response.body = openapi_document();
  return response;
}

Answer status(Control& control, const Call&) {
  auto& parts = control.parts();
  const auto readiness = parts.health.readiness();
  const auto policy = parts.policy.current();
  const auto record = parts.record.status();
  const auto connections = parts.connections.current();
  return json_response(json::object{{"version", parts.version},
                                    {"started", format_time(control.started())},
                                    {"now", format_time(control.now())},
                                    {"ready", readiness.ready},
                                    {"problems", to_json(readiness.problems)},
                                    {"sessions", parts.sessions.list().size()},
                                    {"pending_reviews", parts.reviews.pending_count()},
                                    {"connections", connections->size()},
                                    {"policy", json::object{{"version", policy.version},
                                                            {"digest", policy.digest},
                                                            {"rules", policy.rules.size()},
                                                            {"problems", policy.problems.size()}}},
                                    {"record", json::object{{"writable", record.writable},
                                                            {"problem", record.problem},
                                                            {"entries", record.entries}}}});
}

Answer show_config(Control& control, const Call&) {
  Response response;
  response.body = control.parts().settings.effective_json();
  return response;
}

Answer show_me(Control& control, const Call& call) {
  const auto& me = call.actor();
  json::array connections;
  for (const auto& [name, connection] : control.parts().connections.current()->all()) {
    if (connection->disabled) continue;
    json::array roles;
    for (const auto& role : connection->roles) {
      if (identity::may_use_role(me, *connection, role.alias)) roles.emplace_back(role.alias);
    }
    if (roles.empty()) continue;
    connections.push_back(
        json::object{{"name", name}, {"system", connection->system}, {"roles", std::move(roles)}});
  }
  return json_response(json::object{{"name", me.name},
                                    {"kind", me.kind == PrincipalKind::machine ? "machine" : "human"},
                                    {"groups", to_json(me.groups)},
                                    {"roles", to_json(me.roles)},
                                    {"token", call.caller.token.value},
                                    {"token_expires", to_json(call.caller.expires)},
                                    {"connections", std::move(connections)}});
}

}  // namespace sluice::admin::handlers
