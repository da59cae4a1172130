#include "record/log.h"

#include <gtest/gtest.h>

#include <thread>

#include "record/codec.h"
#include "record/context.h"
#include "record/reader.h"
#include "record/testing.h"

namespace sluice::record {
namespace {

using namespace testing;

// Everything in a shard, decoded; fails the test when something does not read.
struct Read {
  std::vector<Header> headers;
  std::vector<Kind> kinds;
};
Read read_all(const std::filesystem::path& folder, std::uint16_t shard = 0) {
  Read out;
  auto reader = ShardReader::open(folder / shard_name(shard));
  EXPECT_TRUE(reader) << reader.error().message();
  for (;;) {
    auto entry = reader->next();
    if (!entry) {
      ADD_FAILURE() << entry.error().message();
      break;
    }
    if (!*entry) break;
    auto payload = decode(**entry);
    EXPECT_TRUE(payload) << payload.error().message();
    out.headers.push_back((*entry)->header);
    out.kinds.push_back((*entry)->header.kind);
  }
  return out;
}

std::size_t count(const Read& read, Kind kind) {
  return static_cast<std::size_t>(std::ranges::count(read.kinds, kind));
}

TEST(Log, WritesASessionThatReadsBackAndVerifies) {
  TemporaryFolder folder;
  {
    Scribe scribe{folder.path()};
    scribe.start_session(7);
    scribe.run(7, 1, 1);
    ASSERT_TRUE(scribe.log->session_end(SessionId{7}, {.operations = 1}));
    ASSERT_TRUE(scribe.log->close());
  }
  auto read = read_all(folder.path());
  EXPECT_EQ(read.kinds,
            (std::vector{Kind::opened, Kind::session_start, Kind::statement, Kind::mask_set, Kind::ruling,
                         Kind::intent, Kind::outcome, Kind::session_end, Kind::closed}));
  for (std::size_t i = 0; i < read.headers.size(); ++i) EXPECT_EQ(read.headers[i].seq, i);
  auto report = verify(folder.path());
  EXPECT_EQ(report.verdict(), Verdict::intact) << format_report(report);
  EXPECT_EQ(report.shards.at(0).checkpointed, read.kinds.size());
  EXPECT_TRUE(report.shards.at(0).closed);
}

TEST(Log, SaysStatementsAndRulingsOncePerSegment) {
  TemporaryFolder folder;
  Scribe scribe{folder.path()};
  scribe.start_session(7);
  scribe.run(7, 1, 50);
  // The same statement parsed again is another object and the same statement.
  scribe.op = example_operation();
  scribe.run(7, 51, 50);
  scribe.op = example_operation("SELECT 1");
  scribe.run(7, 101, 1);
  ASSERT_EQ(scribe.log->status().segment, 1u);
  auto read = read_all(folder.path());
  EXPECT_EQ(count(read, Kind::statement), 2u);
  EXPECT_EQ(count(read, Kind::ruling), 1u);
  EXPECT_EQ(count(read, Kind::mask_set), 1u);
  EXPECT_EQ(count(read, Kind::intent), 101u);
}

TEST(Log, GoesOnInNewSegmentsThatExplainThemselves) {
  TemporaryFolder folder;
  Scribe scribe{folder.path()};
  scribe.start_session(7);
  ASSERT_TRUE(scribe.intent(7, 1));
  scribe.run(7, 2, 1000);
  ASSERT_TRUE(scribe.log->maintain());
  auto status = scribe.log->status();
  EXPECT_GT(status.segment, 3u);
  auto read = read_all(folder.path());
  EXPECT_EQ(count(read, Kind::statement), status.segment);
  EXPECT_EQ(count(read, Kind::carried), status.segment - 1);
  EXPECT_EQ(count(read, Kind::outcome), 1000u);
  EXPECT_EQ(verify(folder.path()).verdict(), Verdict::intact);
  // Finished segments give back what they did not use.
  EXPECT_LT(std::filesystem::file_size(folder.path() / "shard-0000" / segment_name(1)), kMinSegmentBytes);
}

// Whatever falls on the end of a segment: what an intent names must be in its own segment.
TEST(Log, KeepsTogetherWhatBelongsTogether) {
  TemporaryFolder folder;
  Scribe scribe{folder.path()};
  scribe.start_session(7);
  auto masks = std::make_shared<MaskSet>();
  for (int i = 0; i < 700; ++i)
    masks->fields.push_back({.collection = "*", .field = fmt::format("field_{}", i), .rule = "r"});
  scribe.ruling.obligations.masks = masks;
  for (std::uint64_t n = 1; n <= 60; ++n) {
    // Statements of all lengths, some in two parts, and a new ruling each time.
    scribe.op = example_operation(std::string((n * 977) % 40'000, 's') + std::to_string(n));
    scribe.ruling.rules = {fmt::format("rule-{}", n)};
    if (n % 10 == 0) scribe.ruling.obligations.masks = std::make_shared<MaskSet>(*masks);
    ASSERT_NO_FATAL_FAILURE(scribe.run(7, n, 1));
  }
  ASSERT_GT(scribe.log->status().segment, 10u);
  auto reader = ShardReader::open(folder.path() / shard_name(0));
  SegmentContext context;
  int intents = 0;
  for (;;) {
    auto entry = reader->next();
    ASSERT_TRUE(entry) << entry.error().message();
    if (!*entry) break;
    auto payload = context.take(**entry, reader->segment());
    ASSERT_TRUE(payload) << payload.error().message();
    const auto* intent = std::get_if<IntentEntry>(&*payload);
    if (intent == nullptr) continue;
    ++intents;
    auto statement = context.statement(intent->statement);
    ASSERT_TRUE(statement) << statement.error().message();
    EXPECT_TRUE(statement->op->text.ends_with(std::to_string((*entry)->header.operation.value)));
    auto decided = context.ruling(intent->ruling);
    ASSERT_TRUE(decided) << decided.error().message();
    EXPECT_EQ(decided->ruling->obligations.masks->fields.size(), 700u);
  }
  EXPECT_EQ(intents, 60);
}

TEST(Log, RefusesWhatDoesNotBelongTogether) {
  TemporaryFolder folder;
  Scribe scribe{folder.path()};
  EXPECT_EQ(scribe.intent(7, 1).error().code, Errc::invalid_argument);
  scribe.start_session(7);
  EXPECT_EQ(scribe.log->session_start(example_session(7)).error().code, Errc::conflict);
  EXPECT_EQ(scribe.outcome(7, 1).error().code, Errc::invalid_argument);
  EXPECT_EQ(scribe.log->chunk({.session = SessionId{7}, .operation = OperationId{1}}).error().code,
            Errc::invalid_argument);
  ASSERT_TRUE(scribe.intent(7, 1));
  EXPECT_EQ(scribe.intent(7, 1).error().code, Errc::conflict);
  ASSERT_TRUE(scribe.outcome(7, 1));
  EXPECT_EQ(scribe.outcome(7, 1).error().code, Errc::invalid_argument);
  ASSERT_TRUE(scribe.log->session_end(SessionId{7}, {}));
  EXPECT_EQ(scribe.log->session_end(SessionId{7}, {}).error().code, Errc::invalid_argument);
}

TEST(Log, StopsAndResumes) {
  TemporaryFolder folder;
  Scribe scribe{folder.path()};
  scribe.start_session(7);
  scribe.log->stop("maintenance");
  EXPECT_FALSE(scribe.log->accepting());
  auto refused = scribe.intent(7, 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::storage_failed);
  EXPECT_NE(refused.error().detail.find("maintenance"), std::string::npos);
  scribe.log->resume();
  EXPECT_TRUE(scribe.intent(7, 1));
  EXPECT_EQ(scribe.log->status().refused, 1u);
}

TEST(Log, TwoWritersCannotHaveOneShard) {
  TemporaryFolder folder;
  Scribe scribe{folder.path()};
  ManualClock clock;
  auto second = Log::open(small_log(folder.path()), clock);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::conflict);
  EXPECT_TRUE(Log::open(small_log(folder.path(), 1), clock));
}

TEST(Log, KeepsLongStatementsWhole) {
  TemporaryFolder folder;
  Scribe scribe{folder.path()};
  scribe.start_session(7);
  std::string text(45'000, 'x');
  text += " DROP TABLE docs";
  scribe.op = example_operation(text);
  ASSERT_TRUE(scribe.intent(7, 1));
  auto read = read_all(folder.path());
  EXPECT_EQ(count(read, Kind::statement_part), 1u);
  scribe.op = example_operation(std::string((1 << 20) + 1, 'x'));
  EXPECT_EQ(scribe.intent(7, 2).error().code, Errc::too_large);
  EXPECT_TRUE(scribe.log->accepting());
  EXPECT_EQ(scribe.log->status().segment, 1u) << "an entry that can never fit must not use segments up";
}

TEST(Log, RecordsIdsAndRowsBesideLargeOutcomes) {
  TemporaryFolder folder;
  auto options = small_log(folder.path());
  options.segment_bytes = 1 << 20;
  Scribe scribe{options};
  scribe.start_session(7);
  RecordIds ids;
  ReplySample rows;
  rows.set_columns(std::vector<std::string_view>{"id", "title"});
  std::string title(900, 't');
  for (int i = 0; i < 12'000; ++i) {
    auto id = std::to_string(i);
    ids.add("public.docs", id);
    rows.add_row(std::vector{Cell::text(id), Cell::text(title)});
  }
  EXPECT_EQ(ids.state(), IdsState::partial);
  EXPECT_EQ(ids.kept(), kMaxRecordIds);
  EXPECT_FALSE(rows.complete());
  ASSERT_TRUE(scribe.intent(7, 1));
  ASSERT_TRUE(scribe.log->outcome(
      {.session = SessionId{7}, .operation = OperationId{1}, .ids = &ids, .rows = &rows}));
  auto read = read_all(folder.path());
  EXPECT_EQ(count(read, Kind::record_ids), 2u);
  EXPECT_EQ(count(read, Kind::rows), 2u);
}

TEST(Log, NotesAClockThatGoesBack) {
  class SteppingClock final : public Clock {
   public:
    WallTime now() const override { return now_; }
    SteadyTime steady() const override { return {}; }
    WallTime now_{std::chrono::seconds{1767225600}};
  } clock;
  TemporaryFolder folder;
  {
    auto log = Log::open(small_log(folder.path()), clock);
    ASSERT_TRUE(log);
    clock.now_ -= std::chrono::milliseconds{500};
    ASSERT_TRUE((*log)->append(Incident{.code = "small"}));
    clock.now_ -= std::chrono::hours{1};
    ASSERT_TRUE((*log)->append(Incident{.code = "large"}));
  }
  auto read = read_all(folder.path());
  EXPECT_EQ(read.kinds,
            (std::vector{Kind::opened, Kind::incident, Kind::clock_stepped, Kind::incident, Kind::closed}));
  EXPECT_EQ(read.headers[0].time, read.headers[1].time);
  EXPECT_LT(read.headers[3].time, read.headers[1].time);
  EXPECT_EQ(verify(folder.path()).verdict(), Verdict::intact);
}

TEST(Log, SignsCheckpointsWhenAsked) {
  TemporaryFolder folder;
  Scribe scribe{folder.path()};
  scribe.start_session(7);
  scribe.checkpoint();
  EXPECT_EQ(scribe.log->status().checkpointed, scribe.log->status().entries);
  scribe.run(7, 1, 5);
  scribe.log->tick();
  ASSERT_TRUE(scribe.log->maintain());
  EXPECT_LT(scribe.log->status().checkpointed, scribe.log->status().entries) << "not due yet";
  scribe.clock.advance(std::chrono::seconds{11});
  scribe.log->tick();
  ASSERT_TRUE(scribe.log->maintain());
  EXPECT_EQ(scribe.log->status().checkpointed, scribe.log->status().entries);
  auto report = verify(folder.path());
  EXPECT_EQ(report.verdict(), Verdict::intact) << format_report(report);
  EXPECT_EQ(report.shards.at(0).checkpoints, 3u) << "and the one at the start";
}

// One thread writes, another one does the slow upkeep and watches: what the gateway does. For
// ThreadSanitizer.
TEST(Log, UpkeepOnAnotherThread) {
  TemporaryFolder folder;
  {
    Scribe scribe{folder.path()};
    scribe.start_session(7);
    std::atomic<bool> done = false;
    std::uint64_t most = 0;
    std::thread upkeep{[&] {
      while (!done) {
        EXPECT_TRUE(scribe.log->maintain());
        auto status = scribe.log->status();
        EXPECT_TRUE(status.accepting);
        EXPECT_GE(status.entries, most);
        EXPECT_LE(status.checkpointed, scribe.log->status().entries);
        most = status.entries;
        // A reader beside the writer sees whole entries only.
        auto reader = ShardReader::open(folder.path() / shard_name(0));
        ASSERT_TRUE(reader) << reader.error().message();
        auto entry = reader->next();
        while (entry && *entry) entry = reader->next();
        EXPECT_TRUE(entry) << entry.error().message();
      }
    }};
    for (std::uint64_t n = 1; n <= 4000; ++n) {
      scribe.run(7, n, 1);
      if (n % 100 == 0) {
        scribe.log->request_checkpoint();
        scribe.log->tick();
      }
    }
    done = true;
    upkeep.join();
    EXPECT_GT(scribe.log->status().segment, 10u);
  }
  auto report = verify(folder.path());
  EXPECT_EQ(report.verdict(), Verdict::intact) << format_report(report);
}

// Readers at the very tail, over many changes of segments: they see every entry once and in order, and never
// mistake a segment that was filled behind their back for one that ends short. Verifying such a record is no
// different.
TEST(Log, ReadersKeepUpWithTheWriter) {
  TemporaryFolder folder;
  Scribe scribe{folder.path()};
  scribe.start_session(7);
  constexpr std::uint64_t kOperations = 6000;
  std::atomic<std::uint64_t> written = 0;
  std::atomic<bool> done = false;
  const auto follow = [&] {
    auto reader = ShardReader::open(folder.path() / shard_name(0));
    ASSERT_TRUE(reader) << reader.error().message();
    std::uint64_t seen = 0;
    while (!done || seen < written) {
      auto entry = reader->next();
      ASSERT_TRUE(entry) << entry.error().message();
      if (*entry) ASSERT_EQ((*entry)->header.seq, seen++);
    }
    EXPECT_EQ(seen, written);
  };
  std::thread first{follow};
  std::thread second{follow};
  std::thread verifier{[&] {
    while (!done) {
      auto report = verify(folder.path());
      ASSERT_EQ(report.verdict(), Verdict::intact) << format_report(report);
    }
  }};
  for (std::uint64_t n = 1; n <= kOperations; ++n) {
    scribe.run(7, n, 1);
    if (n % 16 == 0) EXPECT_TRUE(scribe.log->maintain());
  }
  EXPECT_GT(scribe.log->status().segment, 20u);
  written = scribe.log->status().entries;
  done = true;
  first.join();
  second.join();
  verifier.join();
}

TEST(Log, StatusHasTheSignedRoot) {
  TemporaryFolder folder;
  Digest root{};
  {
    Scribe scribe{folder.path()};
    EXPECT_EQ(scribe.log->status().root, verify(folder.path()).shards.at(0).root) << "signed at the start";
    scribe.start_session(7);
    scribe.checkpoint();
    root = scribe.log->status().root;
    EXPECT_EQ(root, verify(folder.path()).shards.at(0).root);
    scribe.run(7, 1, 1);
    EXPECT_EQ(scribe.log->status().root, root) << "nothing new is signed yet";
  }
  Scribe again{folder.path()};
  EXPECT_GT(again.log->status().checkpointed, 0u);
  EXPECT_NE(again.log->status().root, root);
}

TEST(Log, WithHostDurabilityIsDurableOnlyAfterSync) {
  TemporaryFolder folder;
  auto options = small_log(folder.path());
  options.durability = Durability::host;
  Scribe scribe{options};
  scribe.start_session(7);
  auto receipt = scribe.intent(7, 1);
  ASSERT_TRUE(receipt);
  EXPECT_FALSE(scribe.log->is_durable(*receipt));
  ASSERT_TRUE(scribe.log->sync());
  EXPECT_TRUE(scribe.log->is_durable(*receipt));
  ASSERT_TRUE(scribe.outcome(7, 1));
  scribe.run(7, 2, 500);  // over several segments
  EXPECT_FALSE(scribe.log->is_durable({.seq = scribe.log->status().entries - 1}));
  ASSERT_TRUE(scribe.log->sync());
  EXPECT_TRUE(scribe.log->is_durable({.seq = scribe.log->status().entries - 1}));
}

}  // namespace
}  // namespace sluice::record
