#include "proxy/pg/exchange/exchange.h"

#include "core/log.h"
#include "proxy/pg/exchange/refusal.h"
#include "wire/pg/sqlstate.h"

namespace sluice::proxy::pg {

using namespace wire::pg;

Exchange::Exchange(gate::Gate& gate, Planner& planner, CatalogueStore& store, const ExchangeLimits& limits)
    : gate_(gate),
      planner_(planner),
      limits_(limits),
      session_text_(to_string(gate.facts().id)),
      catalogue_(planner, store, gateway_),
      reply_(limits.sample_rows, limits.sample_bytes) {
  planner_.share_mask_plans(store.mask_plans());
}

// --- from outside ---

bool Exchange::cancel() {
  if (hold_.waiting()) {
    hold_.end(Hold::End::cancelled);
    return false;
  }
  if (on_errand() && requests_.empty()) {
    cancelled_early_ = true;
    return false;
  }
  if (catalogue_.reading()) {
    // The server works for the gateway now; the statement that waits behind that fails instead of being sent.
    cancelled_early_ = true;
    return false;
  }
  return !requests_.empty();
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
  for (auto& request : requests_) {
    for (auto& run : request.runs) finish_run(run, status, "", std::nullopt);
  }
  requests_.clear();
  // What the server still says answers nobody, and breaks no rule.
  if (status == record::OutcomeStatus::client_lost && !final_) final_ = closing_;
}

// --- the catalogue, by the session's own connection ---

bool Exchange::begin_catalogue_read() {
  if (!catalogue_.begin(state_)) return false;
  requests_.add(Request::Kind::catalogue).hidden = true;
  return true;
}

Pause Exchange::on_catalogue_message(const BackendFrame& frame) {
  const auto answer = catalogue_.on_message(frame, state_);
  if (!answer && answer.error().code == Errc::unavailable) {
    log::error("catalogue read failed",
               {{"connection", gate_.facts().connection}, {"error", answer.error().detail}});
    return close_with(record::SessionEndReason::failed, "58000",
                      "the database's catalogue cannot be read, so statements cannot be understood");
  }
  if (!answer) return server_violation(answer.error().detail);
  if (*answer == CatalogueReader::Answer::goes_on) return Pause::none;
  requests_.pop_front();
  if (*answer == CatalogueReader::Answer::asked_on) requests_.add(Request::Kind::catalogue).hidden = true;
  return Pause::none;
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
  cancel_server_ = !requests_.empty();
  to_client_.clear();  // what is not recorded does not leave
  return close_with(record::SessionEndReason::record_failed, "58030",
                    "the record cannot be written, so nothing may pass");
}

}  // namespace sluice::proxy::pg
