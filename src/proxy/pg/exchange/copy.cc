// COPY in both directions. Data of the client goes to the COPY that the server has asked for; data of the
// server is counted row by row like any other reply.
#include "proxy/pg/exchange/exchange.h"

namespace sluice::proxy::pg {

using namespace wire::pg;

namespace {

bool is_binary_copy_trailer(Bytes payload) {
  return payload.size() == 2 && payload[0] == 0xFF && payload[1] == 0xFF;
}

}  // namespace

// --- FROM STDIN ---

// Data belongs to the COPY that the server has asked for; the server ignores it at any other time, and so
// does this.
Pause Exchange::on_copy_message(const FrontendFrame& frame, Bytes raw) {
  if (!copying_in_ && requests_.copy_in_ahead()) return Pause::server;  // some clients do not wait for it
  stop_overdue();
  if (!copying_in_) return Pause::none;
  if (frame.type != FrontendType::copy_data) copying_in_ = false;
  forward_copy(raw);
  return Pause::none;
}

void Exchange::forward_copy(Bytes raw) {
  auto* run = requests_.current_run();
  if (run == nullptr || !run->permit) return;
  to_server_.send(*run->permit, raw);
}

// --- TO STDOUT ---

Pause Exchange::on_copy_response(BackendType type, Bytes payload, Bytes raw) {
  auto* run = requests_.current_run();
  auto response = CopyResponse::parse(payload);
  if (!response) return server_violation(response.error().detail);
  const bool in = type == BackendType::copy_in_response;
  if (run == nullptr || run->plan->kind != (in ? PlanKind::copy_in : PlanKind::copy_out)) {
    return server_violation(fmt::format("{} out of turn", to_string(type)));
  }
  copying_in_ = in;
  if (in && requests_.front().kind == Request::Kind::execute) requests_.drop_ignored_syncs();
  if (!run->stopped && count_probe_without_rows(*run)) pass(run, raw);
  return Pause::none;
}

Pause Exchange::on_copy_out_data(const BackendFrame& frame, Bytes raw) {
  auto* run = requests_.current_run();
  if (run == nullptr || run->plan->kind != PlanKind::copy_out)
    return server_violation("CopyData out of turn");
  if (run->stopped) return Pause::none;
  // The server sends one row per message; the trailer of the binary form is none.
  if (!is_binary_copy_trailer(frame.payload)) {
    if (const auto pause = count_record(*run); pause != Pause::none || run->stopped) return pause;
  }
  if (!run->observed) {
    begin_observation(*run);
  }
  reply_.skip_row();
  pass(run, raw);
  return Pause::none;
}

}  // namespace sluice::proxy::pg
