#include "proxy/pg/exchange.h"

#include "core/log.h"
#include "proxy/pg/refusal.h"
#include "wire/pg/sqlstate.h"

namespace sluice::proxy::pg {

using namespace wire::pg;

Exchange::Exchange(gate::Gate& gate, Planner& planner, CatalogueStore& store, const ExchangeLimits& limits)
    : gate_(gate),
      planner_(planner),
      store_(store),
      limits_(limits),
      session_text_(to_string(gate.facts().id)),
      sample_(limits.sample_rows, limits.sample_bytes) {
  planner_.share_mask_plans(store_.mask_plans());
}

// --- from outside ---

bool Exchange::cancel() {
  if (waiting_) {
    end_hold(HoldEnd::cancelled);
    return false;
  }
  if (catalogue_read_) {
    // The server works for the gateway now; the statement that waits behind that fails instead of being sent.
    cancelled_early_ = true;
    return false;
  }
  return !pending_.empty();
}

void Exchange::terminate(record::SessionEndReason reason, std::string_view sqlstate, std::string message) {
  if (final_) return;
  close_with(reason, sqlstate, std::move(message));
}

void Exchange::server_lost(std::string detail) {
  if (final_) return;
  log::warn("upstream lost", {{"session", to_string(gate_.facts().id)}, {"error", detail}});
  abandon(record::OutcomeStatus::upstream_lost);
  close_with(record::SessionEndReason::upstream_closed, "08006", "the database closed the connection");
}

void Exchange::abandon(record::OutcomeStatus status) {
  for (auto& pending : pending_) {
    for (auto& run : pending.runs) finish_run(run, status, "", std::nullopt);
  }
  pending_.clear();
}

bool Exchange::schema_change_pending() const {
  for (const auto& pending : pending_) {
    for (std::size_t i = pending.current; i < pending.runs.size(); ++i) {
      if (pending.runs[i].plan->kind == PlanKind::schema_change) return true;
    }
  }
  return false;
}

// --- errors ---

void Exchange::tell_client(const ErrorFields& error) {
  encode_error_response(to_client_.own(), error);
  to_client_.commit();
}

Pause Exchange::close_with(record::SessionEndReason reason, std::string_view sqlstate, std::string message) {
  if (final_) return Pause::close;
  auto error = render_error(sqlstate, "sluice: " + message);
  error.severity = Severity::fatal;
  // In the middle of a row that goes in pieces the client would take the error for cells.
  if (relay_left_ == 0 || !relay_shown_) tell_client(error);
  closing_ = {reason, std::move(message)};
  final_ = closing_;
  return Pause::close;
}

Pause Exchange::protocol_violation(std::string detail) {
  gate_.incident("client_protocol", detail);
  return close_with(record::SessionEndReason::protocol_violation, sqlstate::kProtocolViolation,
                    std::move(detail));
}

// The server is not trusted either: what it says out of turn is not passed on, and ends the session.
Pause Exchange::server_violation(std::string detail) {
  gate_.incident("server_protocol", detail);
  abandon(record::OutcomeStatus::failed);
  return close_with(record::SessionEndReason::failed, "08P01", "the database broke the protocol: " + detail);
}

Pause Exchange::record_failed(const Error& error) {
  log::error("record failed", {{"session", to_string(gate_.facts().id)}, {"error", error.message()}});
  cancel_server_ = !pending_.empty();
  to_client_.clear();  // what is not recorded does not leave
  return close_with(record::SessionEndReason::record_failed, "58030",
                    "the record cannot be written, so nothing may pass");
}

}  // namespace sluice::proxy::pg
