// What the server says, message by message: each answers the oldest request that is outstanding. The server
// is untrusted input like the client: what fits no request, or no state, ends the session. Rows are in
// results.cc, replies that end early in stopped_replies.cc, errors and notices in diagnostics.cc.
#include "proxy/pg/exchange/exchange.h"

namespace sluice::proxy::pg {

using namespace wire::pg;

// --- framing ---

Step Exchange::on_server(Bytes received) {
  Step step;
  while (step.consumed < received.size()) {
    if (final_) return {step.consumed, Pause::close};
    if (hold_.waiting()) return {step.consumed, Pause::review};
    const auto rest = received.subspan(step.consumed);
    if (relay_left_ > 0) {
      const auto piece =
          rest.first(static_cast<std::size_t>(std::min<std::uint64_t>(relay_left_, rest.size())));
      if (relay_shown_) pass(requests_.current_run(), piece);
      relay_left_ -= piece.size();
      step.consumed += piece.size();
      continue;
    }
    auto frame = frame_backend(rest);
    if (!frame) return {step.consumed, server_violation(frame.error().detail)};
    if (!frame->has_header()) break;
    const bool data = frame->type == BackendType::data_row || frame->type == BackendType::copy_data;
    // A huge row is passed on in pieces: its beginning now, the rest as it comes. Not before as much of it is
    // there as would be held of a smaller one: the number of its cells and the keys in front must be read.
    const bool in_pieces =
        data && frame->size > limits_.held_row_bytes && rest.size() >= limits_.held_row_bytes;
    if (!frame->complete() && !in_pieces) break;
    const auto raw = frame->complete() ? rest.first(static_cast<std::size_t>(frame->size)) : rest;
    const auto pause = one_server_message(*frame, raw);
    if (pause == Pause::review) {
      if (const auto recorded = end_of_part(); recorded != Pause::none) return {step.consumed, recorded};
      return {step.consumed, pause};
    }
    if (!frame->complete()) {
      relay_left_ = frame->size - raw.size();
      relay_shown_ =
          pause == Pause::none && requests_.current_run() != nullptr && !requests_.current_run()->stopped;
    }
    step.consumed += raw.size();
    if (pause == Pause::close) return {step.consumed, pause};
  }
  step.pause = final_ ? Pause::close : end_of_part();
  return step;
}

// Before a part of an unfinished reply leaves, its count and digest are recorded.
Pause Exchange::end_of_part() {
  auto* run = requests_.current_run();
  if (run == nullptr || !run->meter || run->finished) return Pause::none;
  if (auto recorded = run->meter->chunk(); !recorded) return record_failed(recorded.error());
  return Pause::none;
}

Pause Exchange::one_server_message(const BackendFrame& frame, Bytes raw) {
  stop_overdue();
  if (!requests_.empty() && requests_.front().kind == Request::Kind::catalogue &&
      frame.type != BackendType::parameter_status && frame.type != BackendType::notice_response) {
    return on_catalogue_message(frame);
  }
  if (!requests_.empty() && requests_.front().kind == Request::Kind::open_transaction &&
      frame.type != BackendType::parameter_status && frame.type != BackendType::notice_response) {
    return on_transaction_opened(frame);
  }
  switch (frame.type) {
    case BackendType::data_row: return on_data_row(frame, raw);
    case BackendType::row_description: return on_row_description(frame.payload, raw);
    case BackendType::command_complete: return on_command_complete(frame.payload, raw);
    case BackendType::empty_query_response: return on_command_complete(Bytes{}, raw);
    case BackendType::portal_suspended: return on_portal_suspended(raw);
    case BackendType::error_response: return on_error(frame.payload);
    case BackendType::notice_response: return on_notice(frame.payload);
    case BackendType::parameter_status: return on_parameter_status(frame.payload);
    case BackendType::notification_response: return on_notification(raw);
    case BackendType::ready_for_query: return on_ready(frame.payload, raw);
    case BackendType::copy_in_response:
    case BackendType::copy_out_response: return on_copy_response(frame.type, frame.payload, raw);
    case BackendType::copy_data: return on_copy_out_data(frame, raw);
    case BackendType::copy_done:
      if (auto* run = requests_.current_run(); run != nullptr && !run->stopped) pass(run, raw);
      return Pause::none;
    case BackendType::parse_complete:
    case BackendType::bind_complete:
    case BackendType::close_complete:
    case BackendType::no_data:
    case BackendType::parameter_description: return on_completion(frame.type, raw);
    case BackendType::authentication:
    case BackendType::backend_key_data:
    case BackendType::copy_both_response:
    case BackendType::function_call_response:
    case BackendType::negotiate_protocol_version: break;
  }
  return server_violation(fmt::format("{} out of turn", to_string(frame.type)));
}

// --- passing on ---

void Exchange::pass(Run* run, Bytes raw) {
  to_client_.relay(raw);
  if (run != nullptr && run->meter && !run->finished) run->meter->sent(raw);
}

void Exchange::pass_own(Run* run, const std::string& message) {
  to_client_.own().append(message);
  to_client_.commit();
  if (run != nullptr && run->meter && !run->finished) run->meter->sent_own(message);
}

// --- acknowledgements ---

Pause Exchange::on_completion(BackendType type, Bytes raw) {
  if (requests_.empty()) return server_violation(fmt::format("{} out of turn", to_string(type)));
  auto& front = requests_.front();
  const auto kind = front.kind;
  bool fits = false;
  bool last = true;
  switch (type) {
    case BackendType::parse_complete: fits = kind == Request::Kind::parse; break;
    case BackendType::bind_complete: fits = kind == Request::Kind::bind; break;
    case BackendType::close_complete: fits = kind == Request::Kind::close; break;
    case BackendType::no_data:
      fits = kind == Request::Kind::describe_statement || kind == Request::Kind::describe_portal;
      break;
    case BackendType::parameter_description:
      fits = kind == Request::Kind::describe_statement;
      last = false;
      break;
    default: break;
  }
  if (!fits) return server_violation(fmt::format("{} out of turn", to_string(type)));
  if (!front.hidden && !front.of_string) pass(nullptr, raw);
  if (last) requests_.pop_front();
  return Pause::none;
}

Pause Exchange::on_ready(Bytes payload, Bytes raw) {
  auto ready = ReadyForQuery::parse(payload);
  if (!ready) return server_violation(ready.error().detail);
  if (requests_.empty()) return server_violation("ReadyForQuery out of turn");
  auto& front = requests_.front();
  switch (front.kind) {
    case Request::Kind::query:
    case Request::Kind::fail_query:
    case Request::Kind::sync: break;
    default: return server_violation("ReadyForQuery before the answers that are due");
  }
  if (front.current < front.runs.size())
    return server_violation("ReadyForQuery before the last statement's end");
  if (front.kind == Request::Kind::query && ready->status == TransactionStatus::in_transaction &&
      std::ranges::any_of(front.runs, &Run::stopped)) {
    // The client was told of an error that the server knows nothing of: its transaction fails all the same.
    gateway_.fail_in_query();
    front = Request{};
    front.kind = Request::Kind::fail_query;
    front.silent = true;
    return Pause::none;
  }
  if (!front.hidden) pass(nullptr, raw);
  requests_.pop_front();
  state_.transaction = ready->status;
  if (state_.transaction == TransactionStatus::idle) effects_.end_transaction();
  return Pause::none;
}

}  // namespace sluice::proxy::pg
