// A query string whose names move: a statement in it changes the schema, the search_path, or ends a
// transaction that did, and a later one looks names up. Such a string cannot be planned as a whole, so it
// goes to the server statement by statement, each planned, decided and recorded when those before it have
// run.
//
// The client sees one simple query all the same: results in order, the first error ends it, one
// ReadyForQuery. The server sees the extended query: Parse, Bind, Describe, Execute for each statement and
// one Sync behind the last, which makes all of them one transaction, committed there or taken back as a
// whole, except where the string itself says BEGIN or COMMIT. (docs/adr/0016) The messages are made here and
// take the way of a client's own.
#include "proxy/pg/exchange/exchange.h"

#include "proxy/pg/exchange/refusal.h"
#include "wire/pg/sqlstate.h"

namespace sluice::proxy::pg {

using namespace wire::pg;

void Exchange::begin_string(std::vector<QueryPart> parts) {
  // A simple query ends the unnamed statement and portal.
  names_.set_statement("", nullptr);
  names_.set_portal("", nullptr);
  string_ = std::make_unique<QueryString>();
  string_->parts = std::move(parts);
  string_->step =
      state_.transaction == TransactionStatus::idle ? QueryString::Step::open : QueryString::Step::parse;
}

// Pause::none: the string is over, or its COPY wants data of the client.
Pause Exchange::go_on_with_string() {
  using Step = QueryString::Step;
  while (!final_) {
    auto& string = *string_;
    if (skip_to_sync_) string.step = Step::sync;  // something failed: what follows in the string is not run
    const bool after_all =
        string.step == Step::open || string.step == Step::parse || string.step == Step::sync;
    if (after_all && !requests_.empty()) return copying_in_ ? Pause::none : Pause::server;
    if (string.step == Step::open) {
      gateway_.open_transaction();
      requests_.add(Request::Kind::open_transaction).hidden = true;
      note_pipeline(FrontendType::parse);
      string.step = Step::parse;
      continue;
    }
    const auto before = requests_.size();
    if (const auto pause = send_step(); pause != Pause::none) return pause;
    for (auto i = before; i < requests_.size(); ++i) requests_[i].of_string = true;
    hold_.forget_end();
    errands_.forget();
    flushed_ = false;
    if (string.step == Step::sync) {
      names_.set_statement("", nullptr);
      names_.set_portal("", nullptr);
      string_.reset();
      return Pause::none;
    }
    string.step = step_after(string);
  }
  return Pause::close;
}

// One message of the statement at hand. A Pause: it has to be sent again.
Pause Exchange::send_step() {
  using Step = QueryString::Step;
  auto& string = *string_;
  std::string own;
  const std::string* message = &own;
  Result<void> encoded;
  switch (string.step) {
    case Step::open: break;
    case Step::parse:
      string.sent = string.next;
      message_ = string.parts[string.next].parse;  // an errand may need it longer
      message = message_.get();
      break;
    case Step::bind: encoded = encode_bind(own, "", "", {}, {}, {}); break;
    case Step::describe: encoded = encode_describe(own, NamedObject::portal, ""); break;
    case Step::execute: encoded = encode_execute(own, "", 0); break;
    case Step::sync: encode_sync(own); break;
  }
  if (!encoded)
    return refuse_in_pipeline(render_error(sqlstate::kProgramLimitExceeded, encoded.error().detail));
  const auto frame = frame_frontend(as_bytes(*message), kMaxEncodedMessage);
  if (!frame || !frame->complete()) return protocol_violation("a statement that cannot be framed");
  const auto pause = one_client_message(*frame, as_bytes(*message));
  message_.reset();
  if (pause == Pause::none) note_pipeline(frame->type);
  return pause;
}

Exchange::QueryString::Step Exchange::step_after(QueryString& string) {
  using Step = QueryString::Step;
  switch (string.step) {
    case Step::open: return Step::parse;
    case Step::parse: return Step::bind;
    case Step::bind: return Step::describe;
    case Step::describe: return Step::execute;
    case Step::execute: {
      const auto portal = names_.portal("");
      const bool ended =
          portal && (portal->plan->kind == PlanKind::commit || portal->plan->kind == PlanKind::rollback);
      if (++string.next == string.parts.size()) return Step::sync;
      return ended ? Step::open : Step::parse;  // the next transaction begins as the first did
    }
    case Step::sync: break;
  }
  return Step::sync;
}

// While the string waits for data of its COPY, nothing else is expected of the client.
Pause Exchange::on_message_within_string(FrontendType type) {
  switch (type) {
    case FrontendType::flush:
    case FrontendType::sync: return Pause::none;  // the server ignores them during COPY
    default: return protocol_violation(fmt::format("{} during COPY", to_string(type)));
  }
}

Pause Exchange::on_transaction_opened(const BackendFrame& frame) {
  auto& front = requests_.front();
  switch (frame.type) {
    case BackendType::parse_complete:
    case BackendType::bind_complete:
    case BackendType::data_row:
    case BackendType::command_complete: return Pause::none;
    case BackendType::close_complete:
      if (++front.closed == 2) requests_.pop_front();
      return Pause::none;
    case BackendType::error_response: return on_error(frame.payload);
    default:
      return server_violation(
          fmt::format("{} in answer to the gateway's own statement", to_string(frame.type)));
  }
}

}  // namespace sluice::proxy::pg
