// For tests: an Exchange between a client and a server that both are the test. What comes out on either side
// is read as a transcript, one short text a message, so that a test shows whole conversations:
//
//   Rig rig{kPolicy};
//   rig.client(query("SELECT id FROM docs"));
//   EXPECT_EQ(rig.sent(), Transcript({"Query SELECT id FROM docs"}));
//   rig.server(fields({"id"}) + row({"7"}) + complete("SELECT 1") + ready());
//   EXPECT_EQ(rig.told(), Transcript({"Fields id", "Row 7", "Complete SELECT 1", "Ready I"}));
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "policy/testing.h"
#include "proxy/pg/exchange.h"
#include "record/testing.h"
#include "systems/postgres/catalogue/testing.h"
#include "wire/pg/encode.h"

namespace sluice::proxy::pg::testing {

using Transcript = std::vector<std::string>;

// --- what the client says
// -----------------------------------------------------------------------------------------

inline std::string query(std::string_view sql) {
  std::string out;
  EXPECT_TRUE(wire::pg::encode_query(out, sql));
  return out;
}
inline std::string parse(std::string_view name, std::string_view sql) {
  std::string out;
  EXPECT_TRUE(wire::pg::encode_parse(out, name, sql));
  return out;
}
inline std::string bind(std::string_view statement, std::vector<wire::pg::Format> formats = {}) {
  std::string out;
  EXPECT_TRUE(wire::pg::encode_bind(out, "", statement, {}, {}, formats));
  return out;
}
inline std::string execute(std::int32_t max_rows = 0) {
  std::string out;
  EXPECT_TRUE(wire::pg::encode_execute(out, "", max_rows));
  return out;
}
inline std::string sync() {
  std::string out;
  wire::pg::encode_sync(out);
  return out;
}
inline std::string copy_data(std::string_view bytes) {
  std::string out;
  EXPECT_TRUE(wire::pg::encode_copy_data(out, as_bytes(bytes)));
  return out;
}

// --- what the server says
// -----------------------------------------------------------------------------------------

inline std::string fields(const std::vector<std::string>& names) {
  std::vector<wire::pg::FieldDescription> list;
  for (const auto& name : names) list.push_back({.name = name, .type_oid = 25});
  std::string out;
  EXPECT_TRUE(wire::pg::encode_row_description(out, list));
  return out;
}
inline std::string row(const std::vector<std::string>& cells) {
  std::vector<wire::pg::Value> values;
  for (const auto& cell : cells) values.emplace_back(as_bytes(cell));
  std::string out;
  EXPECT_TRUE(wire::pg::encode_data_row(out, values));
  return out;
}
inline std::string complete(std::string_view tag) {
  std::string out;
  EXPECT_TRUE(wire::pg::encode_command_complete(out, tag));
  return out;
}
inline std::string ready(wire::pg::TransactionStatus status = wire::pg::TransactionStatus::idle) {
  std::string out;
  wire::pg::encode_ready_for_query(out, status);
  return out;
}
inline std::string error(std::string_view sqlstate, std::string_view position = {}) {
  std::string out;
  wire::pg::ErrorFields failure;
  failure.sqlstate = sqlstate;
  failure.message = "the server says no";
  failure.position = position;
  wire::pg::encode_error_response(out, failure);
  return out;
}
inline std::string parse_complete() {
  std::string out;
  wire::pg::encode_parse_complete(out);
  return out;
}
inline std::string bind_complete() {
  std::string out;
  wire::pg::encode_bind_complete(out);
  return out;
}
inline std::string close_complete() {
  std::string out;
  wire::pg::encode_close_complete(out);
  return out;
}
inline std::string portal_suspended() {
  std::string out;
  wire::pg::encode_portal_suspended(out);
  return out;
}
inline std::string copy_in_response() {  // of text, with one column
  return {"G\0\0\0\x09\0\0\1\0\0", 10};
}

// --- transcripts
// --------------------------------------------------------------------------------------------------

inline std::string line_of(const wire::pg::FrontendFrame& frame) {
  using namespace wire::pg;
  switch (frame.type) {
    case FrontendType::query: return fmt::format("Query {}", Query::parse(frame.payload)->sql);
    case FrontendType::parse: {
      const auto message = Parse::parse(frame.payload);
      return fmt::format("Parse {}:{}", message->statement, message->sql);
    }
    case FrontendType::bind: {
      const auto message = Bind::parse(frame.payload);
      std::vector<int> formats;
      for (std::size_t i = 0; i < message->result_formats.size(); ++i)
        formats.push_back(static_cast<int>(message->result_formats[i]));
      return fmt::format("Bind {} [{}]", message->statement, fmt::join(formats, ","));
    }
    case FrontendType::execute: return fmt::format("Execute {}", Execute::parse(frame.payload)->max_rows);
    case FrontendType::copy_data: return fmt::format("CopyData {}", as_text(frame.payload));
    default: return std::string{to_string(frame.type)};
  }
}

inline std::string line_of(const wire::pg::BackendFrame& frame) {
  using namespace wire::pg;
  switch (frame.type) {
    case BackendType::row_description: {
      const auto message = RowDescription::parse(frame.payload);
      std::vector<std::string> names;
      for (const auto& field : message->fields) names.emplace_back(field.name);
      return fmt::format("Fields {}", fmt::join(names, "|"));
    }
    case BackendType::data_row: {
      const auto message = DataRow::parse(frame.payload);
      std::vector<std::string> cells;
      for (const auto& cell : message->columns) cells.emplace_back(cell ? as_text(*cell) : "(null)");
      return fmt::format("Row {}", fmt::join(cells, "|"));
    }
    case BackendType::command_complete:
      return fmt::format("Complete {}", CommandComplete::parse(frame.payload)->tag);
    case BackendType::ready_for_query: return fmt::format("Ready {}", as_text(frame.payload));
    case BackendType::error_response: {
      const auto message = Diagnostics::parse(frame.payload);
      const auto position = message->find('P');
      return fmt::format("{} {}{}", message->find('V').value_or("?"), message->find('C').value_or("?"),
                         position ? fmt::format(" at {}", *position) : "");
    }
    default: return std::string{to_string(frame.type)};
  }
}

// `bytes` must be whole messages.
template <auto frame_next>
Transcript transcript_of(std::string_view bytes) {
  Transcript lines;
  while (!bytes.empty()) {
    const auto frame = frame_next(as_bytes(bytes), 1 << 30);
    if (!frame || !frame->complete()) {
      lines.push_back(fmt::format("{} bytes of no message", bytes.size()));
      break;
    }
    lines.push_back(line_of(*frame));
    bytes.remove_prefix(static_cast<std::size_t>(frame->size));
  }
  return lines;
}

// --- the rig
// ------------------------------------------------------------------------------------------------------

class NoReviews : public review::ReviewRepository {
 public:
  Result<void> save(const review::Review&) override { return fail(Errc::unavailable, "no reviews"); }
  Result<std::vector<review::Review>> unfinished(WallTime) override { return std::vector<review::Review>{}; }
  Result<review::Review> review(const ReviewId&) override { return fail(Errc::not_found, "no reviews"); }
  Result<std::vector<review::Review>> reviews(const Filter&) override {
    return std::vector<review::Review>{};
  }
};

// The session of `ana`, of group `rag`, in a database with the tables below. It has logged in, knows the
// catalogue, and has asked for the search path.
class Rig {
 public:
  explicit Rig(const std::string& policy, ExchangeLimits limits = {}) {
    policies_.replace(policy::policy_from(policy, 1));
    auto facts = policy::session_of({.name = "ana", .groups = {"rag"}});
    facts.id = SessionId{1};
    gate_.emplace(services_, facts);
    EXPECT_TRUE(gate_->open());
    store_.publish(postgres::testing::catalogue(kTables));
    exchange_.emplace(*gate_, planner_, store_, limits);
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
        exchange_->to_server().consumed(exchange_->to_server().pending().size());
        answer(parse_complete() + bind_complete() + row({"public"}) + complete("SELECT 1") +
               close_complete() + close_complete() + ready(transaction_));
      }
    }
  }

  // The server says this, in one piece or in pieces of `piece` bytes; then what the client has said is looked
  // at again.
  Pause server(std::string_view bytes, std::size_t piece = std::string::npos) {
    std::string left;
    auto pause = Pause::none;
    while (!bytes.empty() && pause == Pause::none) {
      left.append(bytes.substr(0, piece));
      bytes.remove_prefix(std::min(piece, bytes.size()));
      const auto step = exchange_->on_server(as_bytes(left));
      take_sent();
      take_told();
      left.erase(0, step.consumed);
      pause = step.pause;
    }
    if (pause == Pause::none && !unread_.empty()) client("");
    return pause;
  }

  // What has come out since the last time.
  Transcript sent() { return transcript_of<wire::pg::frame_frontend>(std::exchange(sent_, {})); }
  Transcript told() { return transcript_of<wire::pg::frame_backend>(std::exchange(told_, {})); }
  std::string sent_bytes() { return std::exchange(sent_, {}); }
  std::string told_bytes() { return std::exchange(told_, {}); }

  void set_policy(const std::string& text) {
    policies_.replace(policy::policy_from(text, ++version_));
    exchange_->policy_changed();
    take_sent();
    take_told();
  }
  Exchange& exchange() { return *exchange_; }
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

  record::testing::TemporaryFolder folder_;
  record::testing::Scribe scribe_{folder_.path()};
  Published<policy::PolicySet> policies_{nullptr};
  std::uint64_t version_ = 1;
  budget::Ledger budgets_;
  NoReviews repository_;
  review::Reviews reviews_{scribe_.clock, repository_,
                           [](std::string_view) { return std::shared_ptr<const Principal>{}; }, nullptr};
  gate::Services services_{scribe_.clock, *scribe_.log, policies_, budgets_, reviews_};
  std::optional<gate::Gate> gate_;
  Planner planner_;
  CatalogueStore store_;
  std::optional<Exchange> exchange_;
  wire::pg::TransactionStatus transaction_ = wire::pg::TransactionStatus::idle;
  std::string unread_;
  std::string sent_;
  std::string told_;
};

}  // namespace sluice::proxy::pg::testing
