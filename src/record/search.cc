#include "record/search.h"

#include <algorithm>
#include <array>

namespace sluice::record {
namespace {

constexpr std::array<std::string_view, 4> kDecisionNames = {"", "permit", "deny", "review"};
constexpr std::size_t kEntriesPerCommit = 2000;

bool waits_for_review(Reason reason) {
  return reason == Reason::review_required || reason == Reason::review_rejected ||
         reason == Reason::review_expired;
}

}  // namespace

std::string_view to_string(Decision decision) {
  return kDecisionNames[static_cast<std::size_t>(decision)];
}

std::optional<Decision> decision_from(std::string_view name) {
  for (std::size_t i = 1; i < kDecisionNames.size(); ++i) {
    if (kDecisionNames[i] == name) return static_cast<Decision>(i);
  }
  return std::nullopt;
}

Result<void> Indexer::rebuild() {
  shards_.clear();
  positions_.reset();
  return sink_.clear();
}

// Takes up shards that have appeared, where the index stands.
Result<void> Indexer::find_shards() {
  if (!positions_) {
    TRY(positions_, sink_.positions());
  }
  TRY(auto numbers, list_shards(folder_));
  for (auto number : numbers) {
    if (std::ranges::any_of(shards_, [&](const Shard& s) { return s.number == number; })) continue;
    Result<ShardReader> reader = ShardReader::open(folder_ / shard_name(number));
    if (!reader && reader.error().code == Errc::not_found) continue;
    if (!reader) return std::unexpected(std::move(reader).error());
    Shard shard{.number = number};
    auto known = std::ranges::find(*positions_, number, &IndexedPosition::shard);
    if (known != positions_->end()) {
      if (known->log_id != reader->header().log_id) {
        return fail(Errc::conflict, "the index is of another record: rebuild it");
      }
      // From the start of that segment, because its entries refer to earlier ones of it.
      TRY(reader, ShardReader::open_at(folder_ / shard_name(number), known->position.segment));
      shard.done = known->position.seq;
    }
    shard.reader = std::move(*reader);
    shards_.push_back(std::move(shard));
  }
  return {};
}

Result<bool> Indexer::run(std::chrono::milliseconds budget, const Clock& clock) {
  auto end = clock.steady() + budget;
  CHECK_OK(find_shards());
  std::optional<Error> first_failure;
  bool more = true;
  while (more) {
    more = false;
    for (auto shard = shards_.begin(); shard != shards_.end();) {
      auto behind = advance(*shard, kEntriesPerCommit);
      if (behind) {
        more = more || *behind;
        ++shard;
        continue;
      }
      // What was read of it and not committed is read again next time, from where the index says that it
      // stands.
      sink_.roll_back();
      if (!first_failure) first_failure = behind.error();
      shard = shards_.erase(shard);
      positions_.reset();
    }
    if (more && clock.steady() >= end) break;
  }
  if (first_failure) return std::unexpected(std::move(*first_failure));
  return more;
}

// Indexes up to `entries` entries in one step; true: there may be more.
Result<bool> Indexer::advance(Shard& shard, std::size_t entries) {
  TRY(auto entry, shard.reader->next());
  if (!entry) return false;
  CHECK_OK(sink_.begin());
  std::size_t n = 0;
  while (entry) {
    CHECK_OK(index(shard, *entry));
    if (++n == entries) break;
    TRY(entry, shard.reader->next());
  }
  auto position = shard.reader->position();
  if (position.seq > shard.done) {
    shard.done = position.seq;
    CHECK_OK(sink_.set_position(
        {.shard = shard.number, .log_id = shard.reader->header().log_id, .position = position}));
  }
  CHECK_OK(sink_.commit());
  return n == entries;
}

Result<void> Indexer::index(Shard& shard, const Entry& entry) {
  TRY(auto payload, shard.context.take(entry, shard.reader->segment()));
  const auto& header = entry.header;
  if (header.seq < shard.done) return {};
  Result<void> done;
  auto add_ids = [&](std::string_view section) {
    auto read = read_ids(section, [&](std::string_view collection, std::string_view id) {
      if (done) done = sink_.record_id(header, collection, id);
    });
    if (done && !read) done = read;
  };
  if (const auto* start = std::get_if<SessionStart>(&payload)) {
    const auto& segment = shard.reader->header();
    return sink_.session_started(
        header, start->facts,
        {.segment = segment.number, .offset = kSegmentHeaderBytes, .seq = segment.first_seq()});
  }
  if (const auto* end = std::get_if<SessionEnd>(&payload)) return sink_.session_ended(header, *end);
  if (const auto* intent = std::get_if<IntentEntry>(&payload)) {
    TRY(auto statement, shard.context.statement(intent->statement));
    TRY(auto decided, shard.context.ruling(intent->ruling));
    const auto& rules = decided.ruling->rules;
    return sink_.operation({.header = header,
                            .op = statement.op.get(),
                            .text = statement.op->text,
                            .text_digest = statement.text_digest,
                            .decision = Decision::permit,
                            .rule = rules.empty() ? std::string_view{} : std::string_view{rules.front()},
                            .review = intent->review});
  }
  if (const auto* denial = std::get_if<DenialEntry>(&payload)) {
    SegmentContext::Statement statement;
    if (denial->statement) {
      TRY(statement, shard.context.statement(*denial->statement));
    }
    auto text = statement.op ? std::string_view{statement.op->text} : denial->text;
    return sink_.operation({.header = header,
                            .op = statement.op.get(),
                            .text = text,
                            .text_digest = statement.op ? statement.text_digest : sha256(as_bytes(text)),
                            .decision = waits_for_review(denial->reason) ? Decision::review : Decision::deny,
                            .rule = denial->rule,
                            .reason = to_string(denial->reason)});
  }
  if (const auto* outcome = std::get_if<OutcomeEntry>(&payload)) {
    CHECK_OK(sink_.outcome(header, *outcome));
    add_ids(outcome->ids);
  }
  if (const auto* ids = std::get_if<RecordIdsEntry>(&payload)) add_ids(ids->section);
  if (std::holds_alternative<Unfinished>(payload)) return sink_.unfinished(header);
  return done;
}

}  // namespace sluice::record
