// What the client says, message by message: framing, the order in which messages may reach the server, and
// what becomes of a refused one. What each message means is in simple_query.cc, prepared_statements.cc,
// portals.cc and copy.cc. A handler that has to wait answers with a Pause and leaves nothing behind: the same
// message is handed to it again.
#include "proxy/pg/exchange/exchange.h"

#include "proxy/pg/exchange/refusal.h"
#include "systems/postgres/describe/recorded_text.h"
#include "wire/pg/sqlstate.h"

namespace sluice::proxy::pg {

using namespace wire::pg;

namespace {

bool is_copy_message(FrontendType type) {
  return type == FrontendType::copy_data || type == FrontendType::copy_done ||
         type == FrontendType::copy_fail;
}

}  // namespace

// --- framing ---

Step Exchange::on_client(Bytes received) {
  Step step;
  while (step.consumed < received.size() || goes_on_alone()) {
    if (final_) return {step.consumed, Pause::close};
    if (hold_.waiting()) return {step.consumed, Pause::review};
    if (on_errand()) return {step.consumed, Pause::errand};
    if (catalogue_.reading()) return {step.consumed, Pause::server};
    if (requests_.size() >= limits_.pipeline) {
      flush_for_answers();
      return {step.consumed, Pause::server};
    }
    if (goes_on_alone()) {
      const auto pause = go_on_with_string();
      if (pause == Pause::server) flush_for_answers();
      if (pause != Pause::none) return {step.consumed, pause};
      continue;
    }
    const auto rest = received.subspan(step.consumed);

    if (copy_left_ > 0) {  // the rest of a CopyData whose header went before
      const auto piece =
          rest.first(static_cast<std::size_t>(std::min<std::uint64_t>(copy_left_, rest.size())));
      // The server has the header: it must get as many bytes as that says, whatever has become of the COPY.
      if (copying_in_) {
        forward_copy(piece);
      } else {
        gateway_.fill_copy(piece.size());
      }
      copy_left_ -= piece.size();
      step.consumed += piece.size();
      continue;
    }
    auto frame = frame_frontend(rest, limits_.message_bytes);
    if (!frame) return {step.consumed, protocol_violation(frame.error().detail)};
    if (!frame->has_header()) return step;
    if (!frame->complete()) {
      if (frame->type != FrontendType::copy_data || !copying_in_) {
        step.awaited = frame->size;
        return step;
      }
      forward_copy(rest);  // passed on in pieces: a COPY may be of any size
      copy_left_ = frame->size - rest.size();
      step.consumed += rest.size();
      continue;
    }
    const auto raw = rest.first(static_cast<std::size_t>(frame->size));
    const auto pause = one_client_message(*frame, raw);
    if (pause == Pause::server) {
      flush_for_answers();
    } else if (pause == Pause::none) {
      flushed_ = false;
      note_pipeline(frame->type);
    }
    if (pause == Pause::server || pause == Pause::catalogue || pause == Pause::review ||
        pause == Pause::errand) {
      return {step.consumed, pause};
    }
    hold_.forget_end();
    errands_.forget();
    step.consumed += raw.size();
    if (pause == Pause::close) return {step.consumed, pause};
  }
  if (final_) step.pause = Pause::close;
  return step;
}

Pause Exchange::one_client_message(const FrontendFrame& frame, Bytes raw) {
  if (frame.type == FrontendType::terminate) {
    closing_ = {record::SessionEndReason::client_closed, ""};
    final_ = closing_;
    return Pause::close;
  }
  if (string_ && copying_in_ && !is_copy_message(frame.type)) return on_message_within_string(frame.type);
  if (skip_to_sync_ && frame.type != FrontendType::sync) return Pause::none;
  if (const auto pause = at_barrier(frame.type); pause != Pause::none) return pause;
  if (cancelled_early_) {
    cancelled_early_ = false;
    auto error = render_error(sqlstate::kQueryCanceled, "canceling statement due to user request");
    if (frame.type == FrontendType::query) return refuse_query(std::move(error));
    if (frame.type == FrontendType::parse || frame.type == FrontendType::bind) {
      return refuse_in_pipeline(std::move(error));
    }
  }
  switch (frame.type) {
    case FrontendType::query: return on_query(frame.payload, raw);
    case FrontendType::parse: return on_parse(frame.payload, raw);
    case FrontendType::bind: return on_bind(frame.payload, raw);
    case FrontendType::describe: return on_describe(frame.payload);
    case FrontendType::execute: return on_execute(frame.payload, raw);
    case FrontendType::close: return on_close(frame.payload);
    case FrontendType::sync:
      if (!frame.payload.empty()) return protocol_violation("a Sync with a body");
      return on_sync();
    case FrontendType::flush:
      if (!frame.payload.empty()) return protocol_violation("a Flush with a body");
      gateway_.flush();
      return Pause::none;
    case FrontendType::copy_data:
    case FrontendType::copy_done:
    case FrontendType::copy_fail: return on_copy_message(frame, raw);
    case FrontendType::function_call: {
      const Denial denial{Reason::protocol, "", "function calls by the fast path are not allowed",
                          "Call the function in a statement."};
      return refuse_query(render(gate_.refuse_unread(denial, "FunctionCall")));
    }
    case FrontendType::password: return protocol_violation("a password out of turn");
    case FrontendType::terminate: break;
  }
  return Pause::none;
}

// --- order ---

void Exchange::note_pipeline(FrontendType type) {
  switch (type) {
    case FrontendType::parse:
    case FrontendType::bind:
    case FrontendType::describe:
    case FrontendType::execute:
    case FrontendType::close: state_.in_pipeline = true; break;
    case FrontendType::query:
    case FrontendType::sync: state_.in_pipeline = false; break;
    default: break;
  }
}

// A counted read must be over before the server hears anything that depends on its success.
Pause Exchange::at_barrier(FrontendType next) {
  if (!barrier_) return Pause::none;
  if (requests_.empty()) {
    barrier_ = false;
    return Pause::none;
  }
  const bool sync_is_harmless = next == FrontendType::sync && state_.transaction == TransactionStatus::idle &&
                                !effects_.written_since_sync();
  return sync_is_harmless ? Pause::none : Pause::server;
}

// The server keeps the answers of a pipeline back until it hears Sync or Flush, and the client may send
// neither before it is read on.
void Exchange::flush_for_answers() {
  if (flushed_ || !requests_.answers_held_back()) return;
  gateway_.flush();
  flushed_ = true;
}

Pause Exchange::on_sync() {
  if (copying_in_) return Pause::none;  // the server would ignore it
  skip_to_sync_ = false;
  effects_.sync();
  gateway_.sync();
  requests_.add(Request::Kind::sync);
  return Pause::none;
}

// --- the catalogue ---

// Statements are planned against what the database looks like now. What is on its way may change that.
Pause Exchange::need_catalogue(std::string_view sql) {
  if (names_may_move()) return Pause::server;
  if (!catalogue_.is_needed(sql, state_)) return Pause::none;
  return requests_.empty() ? Pause::catalogue : Pause::server;
}

// What the open transaction has moved may be taken back by an error too. Within a pipeline the server then
// skips what follows; not so behind a ReadyForQuery.
bool Exchange::names_may_move() const {
  const bool moved = catalogue_.moved_in_transaction();
  if (moved && requests_.ready_ahead()) return true;
  return requests_.names_may_move(moved || state_.transaction == TransactionStatus::failed);
}

PlanContext Exchange::plan_context() {
  return {names_,
          gate_.masks(),
          gate_.vouched_functions(),
          gate_.facts().principal->name,
          session_text_,
          catalogue_.moved_in_transaction()};
}

// --- refusals ---

ErrorFields Exchange::render(const gate::Refusal& refusal) const {
  return render_denial(refusal.denial, refusal.operation.get(), gate_.facts().id, refusal.id);
}

Pause Exchange::refuse_query(ErrorFields error) {
  if (requests_.empty() && state_.transaction != TransactionStatus::in_transaction) {
    tell_client(error);
    encode_ready_for_query(to_client_.own(), state_.transaction);
    to_client_.commit();
    return Pause::none;
  }
  gateway_.fail_in_query();
  auto& pending = requests_.add(Request::Kind::fail_query);
  pending.error = std::make_unique<ErrorFields>(std::move(error));
  return Pause::none;
}

Pause Exchange::refuse_in_pipeline(ErrorFields error) {
  gateway_.fail_in_pipeline();
  auto& pending = requests_.add(Request::Kind::fail_pipeline);
  pending.error = std::make_unique<ErrorFields>(std::move(error));
  skip_to_sync_ = true;
  return Pause::none;
}

// What nobody could read may speak of masked fields.
std::string Exchange::unread_text(std::string_view sql) const {
  using postgres::Literals;
  return postgres::recorded_text(sql, gate_.masks()->empty() ? Literals::shown : Literals::hidden);
}

}  // namespace sluice::proxy::pg
