// For tests: an Exchange between a client and a server that both are the test. What comes out on either side
// is read as a transcript (testing_messages.h), so that a test shows whole conversations:
//
//   Rig rig{kPolicy};
//   rig.client(query("SELECT id FROM docs"));
//   EXPECT_EQ(rig.sent(), Transcript({"Query SELECT id FROM docs"}));
//   rig.server(fields({"id"}) + row({"7"}) + complete("SELECT 1") + ready());
//   EXPECT_EQ(rig.told(), Transcript({"Fields id", "Row 7", "Complete SELECT 1", "Ready I"}));
#pragma once

#include <gtest/gtest.h>

#include <functional>

#include "gate/testing.h"
#include "proxy/pg/exchange/exchange.h"
#include "proxy/pg/exchange/testing_messages.h"
#include "systems/postgres/catalogue/testing.h"

namespace sluice::proxy::pg::testing {

// What ana may do: two records of notes, nothing of docs and secrets.
inline const std::string kPolicyWithoutDocs = R"(
rules:
  - name: rag-reads-notes
    match: {principal: {groups: [rag]}, verb: [search, fetch, scroll], collection: public.notes}
    allow: {max_records: 2}
  - name: rag-connects
    match: {principal: {groups: [rag]}, verb: [metadata, session]}
    allow: true
)";
// The same, and all of docs: unless a test says otherwise.
inline const std::string kPolicy = kPolicyWithoutDocs + R"(
  - name: rag-uses-docs
    match: {principal: {groups: [rag]}, verb: [search, fetch, scroll, write], collection: public.docs}
    allow: true
)";

constexpr const char* kRefused = "Query sluice_refused_this_statement";  // towards the server
constexpr const char* kRefusedParse = "Parse slc_refused:sluice_refused_this_statement";

// The session of `ana`, of group `rag`, in a database with the tables below. It has logged in, knows the
// catalogue, and has asked for the search path.
class Rig {
 public:
  explicit Rig(const std::string& policy, ExchangeLimits limits = {}) : gate_(policy) {
    store_.publish(postgres::testing::catalogue(kTables));
    exchange_.emplace(*gate_.gate, planner_, store_, limits);
    client(query("BEGIN"));
    server(complete("BEGIN") + ready());  // of a server that is content with anything
    (void)sent();
    (void)told();
  }

  static constexpr const char* kTables = R"(
    public.docs(id int4 pk, title text, body text)
    public.notes(id int4 pk, note text)
    public.secrets(id int4 pk, secret text)
  )";

  // The client says this, after what of it has not been taken yet.
  Pause client(std::string_view bytes) {
    unread_.append(bytes);
    for (;;) {
      const auto step = exchange_->on_client(as_bytes(unread_));
      take_sent();
      take_told();
      unread_.erase(0, step.consumed);
      if (step.pause != Pause::catalogue) return step.pause;
      if (exchange_->begin_catalogue_read()) {
        if (while_reading) std::exchange(while_reading, nullptr)();
        const auto& asked = exchange_->to_server().pending();
        const bool synced = asked.ends_with(sync());  // within a pipeline the server is not ready afterwards
        exchange_->to_server().consumed(asked.size());
        answer(parse_complete() + bind_complete() + row({"public"}) + complete("SELECT 1") +
               close_complete() + close_complete() + (synced ? ready(transaction_) : std::string{}));
      }
    }
  }

  // The server says this, in one piece or in pieces of `piece` bytes, after what of it has not been taken
  // yet; then what the client has said is looked at again.
  Pause server(std::string_view bytes, std::size_t piece = std::string::npos) {
    auto pause = Pause::none;
    while ((!bytes.empty() || !unread_reply_.empty()) && pause == Pause::none) {
      unread_reply_.append(bytes.substr(0, piece));
      bytes.remove_prefix(std::min(piece, bytes.size()));
      const auto step = exchange_->on_server(as_bytes(unread_reply_));
      take_sent();
      take_told();
      unread_reply_.erase(0, step.consumed);
      pause = step.pause;
      if (bytes.empty()) break;
    }
    unread_reply_.append(bytes);
    if (pause == Pause::none && (!unread_.empty() || exchange_->goes_on_alone())) client("");
    return pause;
  }

  // What has come out since the last time.
  Transcript sent() { return transcript_of<wire::pg::frame_frontend>(std::exchange(sent_, {})); }
  Transcript told() { return transcript_of<wire::pg::frame_backend>(std::exchange(told_, {})); }
  std::string sent_bytes() { return std::exchange(sent_, {}); }
  std::string told_bytes() { return std::exchange(told_, {}); }

  // What an error or a notice says to people, of the last that came out. Takes what told() would give.
  std::string last_message() {
    std::string last;
    std::string_view rest = told_;
    while (!rest.empty()) {
      const auto frame = wire::pg::frame_backend(as_bytes(rest));
      if (!frame || !frame->complete()) break;
      if (frame->type == wire::pg::BackendType::error_response ||
          frame->type == wire::pg::BackendType::notice_response) {
        last = message_of(frame->payload);
      }
      rest.remove_prefix(static_cast<std::size_t>(frame->size));
    }
    told_.clear();
    return last;
  }

  void set_policy(const std::string& text) {
    gate_.set_policy(text);
    exchange_->policy_changed();
    take_sent();
    take_told();
  }
  Exchange& exchange() { return *exchange_; }
  gate::testing::GateRig& gate() { return gate_; }

  // Happens once, while the gateway itself asks the server about the catalogue.
  std::function<void()> while_reading;

  // The hold ends: the message of the client, or of the server, that waited is looked at again.
  Pause end_hold(Exchange::HoldEnd end) {
    exchange_->end_hold(end);
    return unread_reply_.empty() ? client("") : server("");
  }
  void in_transaction() {
    transaction_ = wire::pg::TransactionStatus::in_transaction;
    client(query("BEGIN"));
    server(complete("BEGIN") + ready(transaction_));
    (void)sent();
    (void)told();
  }

 private:
  void answer(const std::string& bytes) {
    const auto step = exchange_->on_server(as_bytes(bytes));
    EXPECT_EQ(step.consumed, bytes.size());
    take_told();
  }
  void take_sent() {
    auto& out = exchange_->to_server();
    sent_.append(out.pending());
    out.consumed(out.pending().size());
  }
  void take_told() {
    auto& out = exchange_->to_client();
    std::array<iovec, 16> pieces;
    std::size_t skip = 0;
    while (skip < out.size()) {
      const auto n = out.gather(skip, pieces.data(), pieces.size());
      for (std::size_t i = 0; i < n; ++i) {
        told_.append(static_cast<const char*>(pieces[i].iov_base), pieces[i].iov_len);
        skip += pieces[i].iov_len;
      }
    }
    out.clear();
  }

  gate::testing::GateRig gate_;
  Planner planner_;
  CatalogueStore store_;
  std::optional<Exchange> exchange_;
  wire::pg::TransactionStatus transaction_ = wire::pg::TransactionStatus::idle;
  std::string unread_;        // of the client
  std::string unread_reply_;  // of the server, not taken yet
  std::string sent_;
  std::string told_;
};

}  // namespace sluice::proxy::pg::testing
