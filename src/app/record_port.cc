#include "app/record_port.h"

#include <charconv>

#include "core/encoding.h"
#include "record/bundle.h"
#include "record/events.h"
#include "record/replay.h"
#include "record/verifier.h"

namespace sluice::app {
namespace {

constexpr auto kSignWait =
    std::chrono::seconds{5};  // a shard signs within a second or two when it is asked to

std::optional<std::string> unless_empty(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional{text};
}

Result<SessionId> session_from(const std::string& text) {
  SessionId id;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id.value, 16);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return fail(Errc::invalid_argument, "\"{}\" is not a session id (16 hexadecimal digits)", text);
  }
  return id;
}

// A cursor that is a number; 0: from the start.
Result<std::uint64_t> number_from(const std::string& cursor) {
  std::uint64_t number = 0;
  if (cursor.empty()) return number;
  const auto [end, error] = std::from_chars(cursor.data(), cursor.data() + cursor.size(), number);
  if (error != std::errc{} || end != cursor.data() + cursor.size()) {
    return fail(Errc::invalid_argument, "this cursor is not one of ours");
  }
  return number;
}

record::SessionPlace place_of(const record::FoundSession& session) {
  return {session.shard, session.position.segment};
}

}  // namespace

Result<admin::RecordPage> RecordPort::search(const admin::RecordFilter& filter) {
  record::SearchQuery query;
  query.principal = unless_empty(filter.principal);
  query.connection = unless_empty(filter.connection);
  query.relation = unless_empty(filter.collection);
  query.text = unless_empty(filter.text);
  query.record_id = unless_empty(filter.record_id);
  query.from = filter.from;
  query.to = filter.to;
  query.limit = filter.limit;
  query.cursor = filter.cursor;
  if (!filter.verb.empty()) {
    query.verb = verb_from(filter.verb);
    if (!query.verb) return fail(Errc::invalid_argument, "\"{}\" is not a verb", filter.verb);
  }
  if (!filter.decision.empty()) {
    query.decision = record::decision_from(filter.decision);
    if (!query.decision) return fail(Errc::invalid_argument, "\"{}\" is not a decision", filter.decision);
  }
  if (!filter.session.empty()) {
    TRY(query.session, session_from(filter.session));
  }
  CHECK_OK(catch_up_());
  TRY(const auto page, index_.search(query));
  admin::RecordPage out;
  for (const auto& operation : page.operations) out.items.push_back(record::to_json(operation));
  out.next_cursor = page.cursor;
  return out;
}

Result<admin::RecordPage> RecordPort::sessions(const admin::RecordFilter& filter) {
  CHECK_OK(catch_up_());
  TRY(const auto page, index_.sessions({.principal = unless_empty(filter.principal),
                                        .connection = unless_empty(filter.connection),
                                        .from = filter.from,
                                        .to = filter.to,
                                        .limit = filter.limit,
                                        .cursor = filter.cursor}));
  admin::RecordPage out;
  for (const auto& session : page.sessions) out.items.push_back(record::to_json(session));
  out.next_cursor = page.cursor;
  return out;
}

Result<std::string> RecordPort::session(SessionId id) {
  CHECK_OK(catch_up_());
  TRY(const auto found, index_.session(id));
  return record::to_json(found);
}

Result<admin::RecordPage> RecordPort::replay(SessionId id, const std::string& cursor, std::size_t limit) {
  CHECK_OK(catch_up_());
  TRY(const auto found, index_.session(id));
  TRY(const auto skip, number_from(cursor));
  admin::RecordPage out;
  std::uint64_t at = 0;
  CHECK_OK(record::replay_session(folder_, place_of(found), id, [&](const record::Event& event) {
    if (at++ < skip) return true;
    if (out.items.size() == limit) {
      out.next_cursor = std::to_string(at - 1);
      return false;
    }
    out.items.push_back(record::to_json(event));
    return true;
  }));
  return out;
}

Result<admin::RecordPage> RecordPort::events(const std::string& kind, const std::string& cursor,
                                             std::size_t limit) {
  record::EventQuery query;
  if (!kind.empty()) {
    query.kind = record::kind_from_name(kind);
    if (!query.kind) return fail(Errc::invalid_argument, "\"{}\" is not a kind of entry", kind);
  }
  TRY(const auto before, number_from(cursor));
  if (before > 0) query.before = before;
  TRY(const auto found, record::read_events(folder_, 0, query, limit));
  admin::RecordPage out;
  for (const auto& event : found.events) out.items.push_back(record::to_json(event));
  if (found.next > 0) out.next_cursor = std::to_string(found.next);
  return out;
}

Result<std::string> RecordPort::export_session(SessionId id) {
  CHECK_OK(catch_up_());
  TRY(const auto found, index_.session(id));
  // What has just happened is in it too, signed. Without that, the bundle ends with the last checkpoint.
  record_.wait_until_signed(found.shard, kSignWait);
  return record::export_session(folder_, place_of(found), id, key_);
}

Result<admin::VerifyReport> RecordPort::verify() {
  const auto report = record::verify_record(folder_, {&key_, 1});
  admin::VerifyReport out;
  out.intact = report.verdict() == record::Verdict::intact;
  for (const auto& shard : report.shards) {
    out.segments += shard.segments;
    out.entries += shard.entries;
    out.unfinished += shard.open_operations;
  }
  for (const auto& finding : report.findings) {
    out.problems.push_back(fmt::format("shard {} segment {} entry {}: {}: {}", finding.shard, finding.segment,
                                       finding.entry, record::to_string(finding.verdict), finding.detail));
  }
  return out;
}

admin::RecordStatus RecordPort::status() {
  admin::RecordStatus out;
  out.problem = record_.problem();
  out.writable = out.problem.empty();
  out.dir = folder_.string();
  out.durability = durability_;
  std::uint16_t number = 0;
  for (const auto& shard : record_.status()) {
    out.segments += shard.segment;  // numbered from 1
    out.entries += shard.entries;
    out.bytes += shard.segment_used;
    out.shards.push_back({.shard = number,
                          .log_id = to_hex(record_.log_id(number)),
                          .segments = shard.segment,
                          .entries = shard.entries,
                          .signed_entries = shard.checkpointed,
                          .signed_root = shard.checkpointed == 0 ? "" : to_base64(shard.root)});
    ++number;
  }
  out.public_key = record::format_verifier_key(key_);
  return out;
}

}  // namespace sluice::app
