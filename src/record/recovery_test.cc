// What a killed writer leaves, at every moment at which it can be killed, and what a new one makes of it.
#include "record/recovery.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "record/codec.h"
#include "record/reader.h"
#include "record/testing.h"

namespace sluice::record {
namespace {

namespace fs = std::filesystem;
using namespace testing;

std::vector<Payload> payloads(const fs::path& folder, ByteVector& memory) {
  std::vector<Payload> out;
  auto reader = ShardReader::open(folder / shard_name(0));
  EXPECT_TRUE(reader) << reader.error().message();
  memory.clear();
  memory.reserve(16 << 20);  // views into it stay
  while (reader) {
    auto entry = reader->next();
    EXPECT_TRUE(entry) << entry.error().message();
    if (!entry || !*entry) break;
    auto at = memory.size();
    memory.insert(memory.end(), (*entry)->canonical.begin(), (*entry)->canonical.end());
    auto copy = parse_entry(Bytes{memory}.subspan(at));
    auto payload = decode(*copy);
    EXPECT_TRUE(payload) << payload.error().message();
    out.push_back(std::move(*payload));
  }
  return out;
}

template <class T>
std::vector<T> all(const std::vector<Payload>& payloads) {
  std::vector<T> out;
  for (const auto& payload : payloads) {
    if (const auto* value = std::get_if<T>(&payload)) out.push_back(*value);
  }
  return out;
}

// The folder as it is now, without the lock: what the next process finds after a kill.
void copy_folder(const fs::path& from, const fs::path& to) {
  fs::remove_all(to);
  fs::copy(from, to, fs::copy_options::recursive);
}

TEST(Recovery, ClosesWhatAKilledWriterLeftOpen) {
  TemporaryFolder folder;
  TemporaryFolder left;
  Scribe scribe{folder.path()};
  scribe.start_session(7);
  scribe.start_session(8);
  scribe.run(7, 1, 3);
  ASSERT_TRUE(scribe.intent(7, 4));
  ASSERT_TRUE(scribe.intent(8, 1));
  copy_folder(folder.path(), left.path());

  {
    Scribe next{left.path()};
  }
  ByteVector memory;
  auto entries = payloads(left.path(), memory);
  auto opened = all<Opened>(entries).at(1);
  EXPECT_TRUE(opened.after_crash);
  EXPECT_EQ(opened.epoch, 2u);
  EXPECT_EQ(opened.unfinished, 2u);
  EXPECT_EQ(opened.open_sessions, 2u);
  EXPECT_EQ(opened.lost_entries, 0u);
  EXPECT_EQ(all<Unfinished>(entries).size(), 2u);
  auto ends = all<SessionEnd>(entries);
  ASSERT_EQ(ends.size(), 2u);
  EXPECT_EQ(ends[0].reason, SessionEndReason::gateway_lost);
  EXPECT_EQ(ends[0].entries, 1 + 6 + 1 + 1 + 1u);  // start, three operations, an intent, unfinished, this
  EXPECT_EQ(verify(left.path()).verdict(), Verdict::intact);
}

TEST(Recovery, FindsNothingAfterAGoodClose) {
  TemporaryFolder folder;
  {
    Scribe scribe{folder.path()};
    scribe.start_session(7);
    ASSERT_TRUE(scribe.log->session_end(SessionId{7}, {}));
  }
  {
    Scribe next{folder.path()};
  }
  ByteVector memory;
  auto opened = all<Opened>(payloads(folder.path(), memory)).at(1);
  EXPECT_FALSE(opened.after_crash);
  EXPECT_EQ(opened.torn_bytes + opened.lost_entries + opened.unfinished + opened.open_sessions, 0u);
}

TEST(Recovery, FindsSessionsThatBeganManySegmentsAgo) {
  TemporaryFolder folder;
  TemporaryFolder left;
  Scribe scribe{folder.path()};
  scribe.start_session(7);
  scribe.start_session(8);
  ASSERT_TRUE(scribe.intent(7, 1));
  scribe.run(8, 1, 600);
  ASSERT_GT(scribe.log->status().segment, 2u);
  copy_folder(folder.path(), left.path());
  {
    Scribe next{left.path()};
  }
  ByteVector memory;
  auto entries = payloads(left.path(), memory);
  EXPECT_EQ(all<Unfinished>(entries).size(), 1u);
  EXPECT_EQ(all<SessionEnd>(entries).size(), 2u);
  EXPECT_EQ(all<SessionEnd>(entries).at(1).entries, 1 + 1200 + 1u);
}

// The bytes of the last entry arrive in every possible prefix; its commit word never does. Nothing of it may
// show.
TEST(Recovery, NothingOfAHalfWrittenEntryShows) {
  TemporaryFolder folder;
  TemporaryFolder left;
  Scribe scribe{folder.path()};
  scribe.start_session(7);
  auto before = scribe.log->status();
  ASSERT_TRUE(scribe.intent(7, 1));
  auto after = scribe.log->status();
  auto segment = fs::path{"shard-0000"} / segment_name(1);
  // From the statement that came first on, cut at every 19th byte.
  for (auto cut = before.segment_used + kCommitBytes; cut < after.segment_used; cut += 19) {
    copy_folder(folder.path(), left.path());
    std::fstream file{left.path() / segment, std::ios::in | std::ios::out | std::ios::binary};
    // The entry whose end lies behind `cut` is the torn one: its commit word goes, and all after the cut.
    std::string bytes(after.segment_used, '\0');
    file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    std::size_t at = before.segment_used;
    std::uint64_t whole = before.entries;
    for (;;) {
      auto frame = read_frame(as_bytes(bytes).subspan(at));
      if (frame.state != FrameState::entry || at + frame.size > cut) break;
      at += frame.size;
      ++whole;
    }
    std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(at),
              bytes.begin() + static_cast<std::ptrdiff_t>(at + 4), '\0');
    std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(cut), bytes.end(), '\0');
    file.seekp(0);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    std::uint64_t known = whole;  // the head counts after the commit, so it cannot know more
    std::fstream head{left.path() / "shard-0000" / "head", std::ios::in | std::ios::out | std::ios::binary};
    head.seekp(40);
    head.write(reinterpret_cast<const char*>(&known), 8);
    head.close();
    file.close();

    {
      Scribe next{left.path()};
    }
    ByteVector memory;
    auto entries = payloads(left.path(), memory);
    auto opened = all<Opened>(entries).at(1);
    EXPECT_EQ(opened.lost_entries, 0u);
    EXPECT_TRUE(all<IntentEntry>(entries).empty());
    EXPECT_EQ(entries.size(), whole + 3) << "opened, session_end, closed";
    auto report = verify(left.path());
    ASSERT_EQ(report.verdict(), Verdict::intact) << cut << "\n" << format_report(report);
  }
}

TEST(Recovery, CountsWhatACrashOfTheHostTook) {
  TemporaryFolder folder;
  TemporaryFolder left;
  Scribe scribe{folder.path()};
  scribe.start_session(7);
  scribe.checkpoint();
  auto kept = scribe.log->status();
  scribe.run(7, 1, 4);
  copy_folder(folder.path(), left.path());
  // The head page came to disk, the segment's last pages did not.
  fs::resize_file(left.path() / "shard-0000" / segment_name(1), kept.segment_used);
  EXPECT_EQ(verify(left.path()).verdict(), Verdict::truncated);
  {
    Scribe next{left.path()};
  }
  ByteVector memory;
  auto opened = all<Opened>(payloads(left.path(), memory)).at(1);
  EXPECT_EQ(opened.lost_entries, scribe.log->status().entries - kept.entries);
  auto report = verify(left.path());
  EXPECT_EQ(report.verdict(), Verdict::intact);
  EXPECT_EQ(report.shards.at(0).lost_entries, opened.lost_entries);
}

TEST(Recovery, RefusesALogShorterThanItsCheckpoint) {
  TemporaryFolder folder;
  TemporaryFolder left;
  Scribe scribe{folder.path()};
  scribe.start_session(7);
  auto before = scribe.log->status();
  scribe.run(7, 1, 4);
  scribe.checkpoint();
  copy_folder(folder.path(), left.path());
  fs::resize_file(left.path() / "shard-0000" / segment_name(1), before.segment_used);
  ManualClock clock;
  auto next = Log::open(small_log(left.path()), clock);
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().code, Errc::malformed);
  EXPECT_EQ(fs::file_size(left.path() / "shard-0000" / segment_name(1)), kMinSegmentBytes)
      << "allocated again";
}

TEST(Recovery, RefusesAFolderWhoseSegmentsAreGone) {
  TemporaryFolder folder;
  TemporaryFolder left;
  Scribe scribe{folder.path()};
  copy_folder(folder.path(), left.path());
  fs::remove(left.path() / "shard-0000" / segment_name(1));
  ManualClock clock;
  auto next = Log::open(small_log(left.path()), clock);
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().code, Errc::malformed);
}

// A kill between any two steps of the change from one segment to the next.

class StoppingDisk final : public Disk {
 public:
  Result<void> rename(const fs::path& from, const fs::path& to) override {
    if (stop_before_rename) return fail(Errc::storage_failed, "killed before the new segment had its name");
    auto done = Disk::rename(from, to);
    if (snapshot_after_rename) snapshot_after_rename();
    return done;
  }
  bool stop_before_rename = false;
  std::function<void()> snapshot_after_rename;
};

TEST(Recovery, AfterAKillBetweenTheSegments) {
  for (bool named : {false, true}) {
    TemporaryFolder folder;
    TemporaryFolder left;
    ManualClock clock;
    StoppingDisk disk;
    auto log = Log::open(small_log(folder.path()), clock, disk);
    ASSERT_TRUE(log);
    bool switched = false;
    disk.stop_before_rename = !named;
    disk.snapshot_after_rename = [&] {
      copy_folder(folder.path(),
                  left.path());  // named, but the old segment does not say that the log goes on
      switched = true;
    };
    ASSERT_TRUE((*log)->session_start(example_session(7)));
    std::uint64_t written = 0;
    while (!switched) {
      auto receipt = (*log)->append(Incident{.code = "filler", .detail = "x"});
      if (!receipt) break;
      written = receipt->seq + 1;
    }
    if (!named) copy_folder(folder.path(), left.path());
    {
      Scribe next{left.path()};
    }
    ByteVector memory;
    auto entries = payloads(left.path(), memory);
    EXPECT_EQ(all<SessionEnd>(entries).size(), 1u) << "the session that only the first segment knows";
    EXPECT_GE(entries.size(), written);
    auto report = verify(left.path());
    EXPECT_EQ(report.verdict(), Verdict::intact) << format_report(report);
  }
}

// The real thing: a process that writes and is killed, again and again. Whatever it said it had written is
// there.
TEST(Recovery, SurvivesSigkill) {
  TemporaryFolder folder;
  test_key();
  std::uint64_t promised = 0;
  for (int round = 0; round < 8; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    auto child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(pipe_ends[0]);
      Scribe scribe{folder.path()};
      if (!scribe.log) ::_exit(1);
      if (!scribe.log->session_start(example_session(static_cast<std::uint64_t>(round) + 1))) ::_exit(1);
      for (std::uint64_t n = 1;; ++n) {
        auto began = scribe.intent(static_cast<std::uint64_t>(round) + 1, n);
        if (!began || ::write(pipe_ends[1], &began->seq, 8) != 8) ::_exit(1);
        auto ended = scribe.outcome(static_cast<std::uint64_t>(round) + 1, n);
        if (!ended || ::write(pipe_ends[1], &ended->seq, 8) != 8) ::_exit(1);
        if (n % 64 == 0) {
          scribe.log->request_checkpoint();
          scribe.log->tick();
          if (!scribe.log->maintain()) ::_exit(1);
        }
      }
    }
    ::close(pipe_ends[1]);
    std::uint64_t seq = 0;
    for (int n = 0; n < 200 + 311 * round && ::read(pipe_ends[0], &seq, 8) == 8; ++n) promised = seq + 1;
    ::kill(child, SIGKILL);
    while (::read(pipe_ends[0], &seq, 8) == 8) promised = seq + 1;
    ::close(pipe_ends[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the writer ended by itself";
    auto report = verify(folder.path());
    ASSERT_EQ(report.verdict(), Verdict::intact) << format_report(report);
    ASSERT_GE(report.shards.at(0).entries, promised);
  }
  {
    Scribe last{folder.path()};
  }
  auto report = verify(folder.path());
  EXPECT_EQ(report.verdict(), Verdict::intact) << format_report(report);
  EXPECT_EQ(report.shards.at(0).crashes, 8u);
  EXPECT_EQ(report.shards.at(0).lost_entries, 0u);
  EXPECT_EQ(report.shards.at(0).open_operations, 0u);
}

}  // namespace
}  // namespace sluice::record
