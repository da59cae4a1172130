#include "app/live_sessions_port.h"

namespace sluice::app {

std::vector<admin::LiveSession> LiveSessionsPort::list() {
  std::vector<admin::LiveSession> all;
  for (const auto& session : postgres_.list()) {
    const auto& facts = session.facts;
    all.push_back({.id = facts.id,
                   .principal = facts.principal->name,
                   .connection = facts.connection,
                   .system = facts.system,
                   .role = facts.role,
                   .upstream_user = facts.upstream_user,
                   .client_address = fmt::format("{}:{}", facts.client_address, facts.client_port),
                   .client_name = facts.client_name,
                   .token_id = facts.token_id,
                   .tls = facts.tls,
                   .started = facts.started,
                   .operations = session.operations,
                   .records = session.records,
                   .state = std::string{proxy::pg::to_string(session.state)},
                   .review = session.review});
  }
  return all;
}

Result<void> LiveSessionsPort::kill(SessionId id, const std::string& reason) {
  const auto why =
      reason.empty() ? std::string{"ended by an administrator"} : "ended by an administrator: " + reason;
  if (!postgres_.end_session(id, record::SessionEndReason::revoked, why)) {
    return fail(Errc::not_found, "there is no live session {}", to_string(id));
  }
  return {};
}

}  // namespace sluice::app
