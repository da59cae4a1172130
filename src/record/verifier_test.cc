// Every way in which a record can be changed has a verdict of its own.
#include "record/verifier.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstring>
#include <fstream>

#include "core/byte_reader.h"
#include "core/byte_writer.h"
#include "core/encoding.h"
#include "record/codec.h"
#include "record/reader.h"
#include "record/testing.h"

namespace sluice::record {
namespace {

namespace fs = std::filesystem;
using namespace testing;

std::string slurp(const fs::path& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}
void spill(const fs::path& path, std::string_view bytes) {
  std::ofstream{path, std::ios::binary | std::ios::trunc}.write(bytes.data(),
                                                                static_cast<std::streamsize>(bytes.size()));
}

// A closed record of several segments and checkpoints.
class Verifier : public ::testing::Test {
 protected:
  Verifier() {
    Scribe scribe{folder.path()};
    scribe.start_session(7);
    for (std::uint64_t n = 0; n < 12; ++n) {
      scribe.run(7, 1 + 50 * n, 50);
      scribe.checkpoint();
    }
    EXPECT_TRUE(scribe.log->session_end(SessionId{7}, {.operations = 600}));
    EXPECT_TRUE(scribe.log->close());
    last = scribe.log->status().segment;
    entries = scribe.log->status().entries;
    scribe.log.reset();
    EXPECT_EQ(verdict(), Verdict::intact);
    EXPECT_GE(last, 3u);
  }

  fs::path segment(std::uint64_t number) { return shard / segment_name(number); }
  VerifyReport report() { return verify(folder.path()); }
  Verdict verdict() { return report().verdict(); }
  Finding finding() {
    auto r = report();
    return r.findings.empty() ? Finding{} : r.findings.front();
  }

  // Frames of a segment: offset and length.
  struct Place {
    std::size_t at;
    std::size_t size;
    std::uint64_t seq;
  };
  static std::vector<Place> frames(std::string_view bytes) {
    std::vector<Place> out;
    for (std::size_t at = kSegmentHeaderBytes; at < bytes.size();) {
      auto frame = read_frame(as_bytes(bytes).subspan(at));
      if (frame.state != FrameState::entry) break;
      out.push_back({at, frame.size, parse_entry(frame.canonical)->header.seq});
      at += frame.size;
    }
    return out;
  }

  // Makes the leaf hash of a frame fit its bytes again, as a forger would.
  static void rehash(std::string& bytes, std::size_t at) {
    ByteReader in{as_bytes(bytes).subspan(at)};
    auto leaf = leaf_hash(as_bytes(bytes).subspan(at + kFrameHeaderBytes, in.u32le()));
    std::memcpy(bytes.data() + at + 4, leaf.data(), leaf.size());
  }

  TemporaryFolder folder;
  fs::path shard = folder.path() / shard_name(0);
  std::uint64_t last = 0;
  std::uint64_t entries = 0;
};

TEST_F(Verifier, FlippedBitAnywhereInASegment) {
  auto whole = slurp(segment(2));
  auto places = frames(whole);
  for (std::size_t at :
       {std::size_t{9}, std::size_t{100}, places[3].at + 6, places[3].at + kFrameHeaderBytes + 1,
        places[3].at + kFrameHeaderBytes + 60, places[9].at + 38, places.back().at + 60}) {
    auto bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 4);
    spill(segment(2), bytes);
    auto found = finding();
    EXPECT_EQ(found.verdict, Verdict::altered) << at;
    EXPECT_EQ(found.segment, 2u);
    if (at == places[3].at + 6) EXPECT_EQ(found.entry, places[3].seq);
  }
}

TEST_F(Verifier, EveryPlaceInASegmentMatters) {
  auto whole = slurp(segment(1));
  for (std::size_t at = 0; at < whole.size(); at += 503) {
    if (at >= 2112 && at < kSegmentHeaderBytes - 32)
      continue;  // covered by the header's hash, as the first ones show
    auto bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    spill(segment(1), bytes);
    EXPECT_NE(verdict(), Verdict::intact) << at;
  }
}

TEST_F(Verifier, EntryForgedWithAFittingHash) {
  auto bytes = slurp(segment(1));
  auto place = frames(bytes)[20];
  bytes[place.at + kFrameHeaderBytes + 20] ^= 1;  // the session
  rehash(bytes, place.at);
  spill(segment(1), bytes);
  auto found = finding();
  EXPECT_EQ(found.verdict, Verdict::altered);
  EXPECT_NE(found.detail.find("signed"), std::string::npos) << found.detail;
}

TEST_F(Verifier, DeletedEntry) {
  auto bytes = slurp(segment(2));
  auto place = frames(bytes)[5];
  bytes.erase(place.at, place.size);
  spill(segment(2), bytes);
  auto found = finding();
  EXPECT_EQ(found.verdict, Verdict::out_of_order);
  EXPECT_EQ(found.entry, place.seq);
}

TEST_F(Verifier, ReorderedEntries) {
  auto bytes = slurp(segment(2));
  auto places = frames(bytes);
  auto a = bytes.substr(places[5].at, places[5].size);
  auto b = bytes.substr(places[6].at, places[6].size);
  bytes.replace(places[5].at, a.size() + b.size(), b + a);
  spill(segment(2), bytes);
  EXPECT_EQ(finding().verdict, Verdict::out_of_order);
  EXPECT_EQ(finding().entry, places[5].seq);
}

TEST_F(Verifier, DuplicatedEntry) {
  auto bytes = slurp(segment(2));
  auto place = frames(bytes)[5];
  bytes.insert(place.at, bytes.substr(place.at, place.size));
  spill(segment(2), bytes);
  EXPECT_EQ(finding().verdict, Verdict::out_of_order);
  EXPECT_EQ(finding().entry, place.seq + 1);
}

TEST_F(Verifier, InsertedEntry) {
  auto bytes = slurp(segment(2));
  auto place = frames(bytes)[5];
  auto forged = bytes.substr(place.at, place.size);
  forged[kFrameHeaderBytes + 12] ^= 1;  // its time
  rehash(forged, 0);
  bytes.insert(place.at, forged);
  spill(segment(2), bytes);
  EXPECT_EQ(finding().verdict, Verdict::out_of_order);
}

// What is said about a shard that is not in order is what was seen of it, not zeros.
TEST_F(Verifier, ReportsHowFarItGot) {
  auto bytes = slurp(segment(2));
  auto place = frames(bytes)[5];
  bytes[place.at + kFrameHeaderBytes + 20] ^= 1;
  spill(segment(2), bytes);
  const auto got = verify(folder.path());
  ASSERT_EQ(got.shards.size(), 1u);
  EXPECT_FALSE(got.shards[0].whole);
  EXPECT_EQ(got.shards[0].segments, 2u);
  EXPECT_EQ(got.shards[0].entries, place.seq);
  EXPECT_NE(format_report(got).find(fmt::format("checked up to entry {} in segment 2", place.seq)),
            std::string::npos)
      << format_report(got);
}

TEST_F(Verifier, DeletedSegment) {
  fs::remove(segment(2));
  EXPECT_EQ(finding().verdict, Verdict::missing_segment);
}

TEST_F(Verifier, DeletedLastSegment) {
  fs::remove(segment(last));
  EXPECT_EQ(finding().verdict, Verdict::missing_segment);
}

TEST_F(Verifier, DeletedFirstSegment) {
  fs::remove(segment(1));
  EXPECT_EQ(finding().verdict, Verdict::missing_segment);
}

TEST_F(Verifier, AllSegmentsDeleted) {
  for (std::uint64_t n = 1; n <= last; ++n) fs::remove(segment(n));
  EXPECT_EQ(finding().verdict, Verdict::truncated);
}

TEST_F(Verifier, ExchangedSegments) {
  fs::rename(segment(2), shard / "x");
  fs::rename(segment(3), segment(2));
  fs::rename(shard / "x", segment(3));
  EXPECT_EQ(finding().verdict, Verdict::out_of_order);
  EXPECT_EQ(finding().segment, 2u);
}

TEST_F(Verifier, OldSegmentReplayedUnderANewNumber) {
  fs::copy_file(segment(2), segment(last + 1));
  EXPECT_EQ(finding().verdict, Verdict::out_of_order);
}

TEST_F(Verifier, SegmentOfAnotherLog) {
  TemporaryFolder other;
  {
    Scribe scribe{other.path()};
    scribe.start_session(7);
    scribe.run(7, 1, 600);
  }
  fs::copy_file(other.path() / shard_name(0) / segment_name(2), segment(2),
                fs::copy_options::overwrite_existing);
  EXPECT_EQ(finding().verdict, Verdict::out_of_order);
}

TEST_F(Verifier, TruncatedTail) {
  auto bytes = slurp(segment(last));
  auto places = frames(bytes);
  spill(segment(last), bytes.substr(0, places[places.size() - 2].at));
  auto found = finding();
  EXPECT_EQ(found.verdict, Verdict::truncated);
  EXPECT_EQ(found.entry, entries - 2);
}

TEST_F(Verifier, TailOverwrittenWithZeros) {
  auto bytes = slurp(segment(last));
  auto place = frames(bytes).back();
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(place.at), place.size, '\0');
  spill(segment(last), bytes);
  EXPECT_EQ(verdict(), Verdict::truncated);
}

TEST_F(Verifier, TruncatedMiddleSegment) {
  auto bytes = slurp(segment(2));
  auto places = frames(bytes);
  spill(segment(2), bytes.substr(0, places.back().at));
  EXPECT_EQ(finding().verdict, Verdict::truncated);
  EXPECT_EQ(finding().entry, places.back().seq);
}

TEST_F(Verifier, SegmentCutInsideAnEntry) {
  auto bytes = slurp(segment(2));
  spill(segment(2), bytes.substr(0, frames(bytes).back().at + 50));
  EXPECT_EQ(finding().verdict, Verdict::altered);
}

TEST_F(Verifier, TailCutTogetherWithHeadAndCheckpoints) {
  // A rollback of everything: from the folder alone it cannot be seen, with a checkpoint kept elsewhere it
  // can.
  auto notes_text = slurp(shard / "checkpoints");
  auto notes = split_notes(notes_text);
  auto witness = std::string{notes.notes.back()};
  auto earlier = open_checkpoint(notes.notes[0], test_verifier_key());
  auto bytes = slurp(segment(1));
  for (auto place : frames(bytes)) {
    if (place.seq == earlier->size) bytes.resize(place.at);
  }
  spill(segment(1), bytes);
  for (std::uint64_t n = 2; n <= last; ++n) fs::remove(segment(n));
  spill(shard / "checkpoints", notes.notes[0]);
  auto head = slurp(shard / "head");
  std::string numbers;
  ByteWriter{numbers}.u32le(static_cast<std::uint32_t>(earlier->size)).u32le(0);
  ByteWriter{numbers}.u32le(static_cast<std::uint32_t>(notes.notes[0].size())).u32le(0);
  head.replace(40, 16, numbers);
  spill(shard / "head", head);
  EXPECT_EQ(verdict(), Verdict::intact);
  EXPECT_EQ(verify(folder.path(), {witness}).verdict(), Verdict::truncated);
}

TEST_F(Verifier, CheckpointsCut) {
  auto text = slurp(shard / "checkpoints");
  spill(shard / "checkpoints", text.substr(0, text.size() - 10));
  EXPECT_EQ(verdict(), Verdict::truncated);
  fs::remove(shard / "checkpoints");
  EXPECT_EQ(verdict(), Verdict::truncated);
}

TEST_F(Verifier, CheckpointAltered) {
  auto text = slurp(shard / "checkpoints");
  auto altered = text;
  altered[text.find("time 2026") + 5] = '3';
  spill(shard / "checkpoints", altered);
  EXPECT_EQ(verdict(), Verdict::bad_checkpoint);
}

TEST_F(Verifier, CheckpointOfAnotherKey) {
  auto other = verifier_key("sluice", make_signing_key().public_key);
  EXPECT_EQ(verify_record(folder.path(), std::span{&other, 1}).verdict(), Verdict::bad_checkpoint);
  std::vector<VerifierKey> both{other, test_verifier_key()};
  EXPECT_EQ(verify_record(folder.path(), both).verdict(), Verdict::intact) << "after a change of keys";
}

TEST_F(Verifier, ForkWithAValidKey) {
  auto text = slurp(shard / "checkpoints");
  auto notes = split_notes(text);
  auto checkpoint = *open_checkpoint(notes.notes.back(), test_verifier_key());
  checkpoint.root[0] ^= 1;
  auto fork = sign_checkpoint(checkpoint, "sluice", test_key());
  // Seen by a witness: the log that is here is not the one that was shown there.
  EXPECT_EQ(verify(folder.path(), {fork}).verdict(), Verdict::forked);
  spill(shard / "checkpoints", text + fork);
  EXPECT_EQ(verdict(), Verdict::forked);
}

TEST_F(Verifier, LogSignedAnewNeedsAWitness) {
  // Whoever has the key can write another history. Only a checkpoint kept elsewhere contradicts it.
  auto text = slurp(shard / "checkpoints");
  auto witness = std::string{split_notes(text).notes.back()};
  fs::remove_all(shard);
  {
    Scribe scribe{folder.path()};
    scribe.start_session(9);
    scribe.checkpoint();
  }
  EXPECT_EQ(verdict(), Verdict::intact);
  EXPECT_EQ(verify(folder.path(), {witness}).verdict(), Verdict::missing_shard);
}

TEST_F(Verifier, CheckpointsExchanged) {
  auto text = slurp(shard / "checkpoints");
  auto notes = split_notes(text);
  std::string swapped;
  for (auto note = notes.notes.rbegin(); note != notes.notes.rend(); ++note) swapped.append(*note);
  spill(shard / "checkpoints", swapped);
  EXPECT_EQ(verdict(), Verdict::out_of_order);
}

TEST_F(Verifier, EntriesAddedByHand) {
  auto bytes = slurp(segment(last));
  auto place = frames(bytes).back();
  auto forged = bytes.substr(place.at, place.size);
  auto end = place.at + place.size;
  for (std::uint64_t n = 0; n < 2; ++n) {
    auto seq = static_cast<std::uint32_t>(entries + n);
    std::string number;
    ByteWriter{number}.u32le(seq);
    forged.replace(kFrameHeaderBytes + 4, 4, number);
    rehash(forged, 0);
    bytes.replace(end, forged.size(), forged);
    end += forged.size();
  }
  spill(segment(last), bytes);
  EXPECT_EQ(verdict(), Verdict::unsettled);
}

TEST_F(Verifier, HeadMissingOrOfAnotherLog) {
  auto head = slurp(shard / "head");
  head[16] ^= 1;
  spill(shard / "head", head);
  EXPECT_EQ(verdict(), Verdict::out_of_order);
  fs::remove(shard / "head");
  EXPECT_EQ(verdict(), Verdict::unsettled);
}

TEST_F(Verifier, ClockRolledBackInAForgedEntry) {
  auto bytes = slurp(segment(last));
  auto place = frames(bytes).back();
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(place.at + kFrameHeaderBytes + 12), 8, '\0');
  rehash(bytes, place.at);
  spill(segment(last), bytes);
  EXPECT_EQ(verdict(), Verdict::out_of_order);
}

TEST_F(Verifier, MissingShards) {
  {
    Scribe control{small_log(folder.path())};
    Scribe worker{small_log(folder.path(), 1)};
    ASSERT_TRUE(control.log->append(ShardAdded{.shard = 1, .log_id = worker.log->log_id()}));
  }
  EXPECT_EQ(verdict(), Verdict::intact);
  fs::remove_all(folder.path() / shard_name(1));
  EXPECT_EQ(verdict(), Verdict::missing_shard);
  {
    Scribe replaced{small_log(folder.path(), 1)};
  }
  EXPECT_EQ(verdict(), Verdict::missing_shard);
  fs::remove_all(folder.path() / shard_name(0));
  EXPECT_EQ(verdict(), Verdict::missing_shard);
}

TEST_F(Verifier, AShardThatAnotherOneReplaces) {
  TemporaryFolder other;
  LogId first{};
  const auto start = [&] {  // as the gateway does it: all logs, then their names
    Scribe control{small_log(other.path())};
    Scribe worker{small_log(other.path(), 1)};
    first = worker.log->log_id();
    ASSERT_TRUE(control.log->append(ShardAdded{.shard = 1, .log_id = first}));
  };
  start();
  start();
  EXPECT_EQ(verify(other.path()).verdict(), Verdict::intact);
  const auto removed = to_hex(first);
  fs::remove_all(other.path() / shard_name(1));
  start();
  const auto report = verify(other.path());
  EXPECT_EQ(report.verdict(), Verdict::missing_shard);
  EXPECT_NE(report.findings.at(0).detail.find(removed), std::string::npos);
}

TEST_F(Verifier, AControlShardThatAnotherOneReplaces) {
  TemporaryFolder other;
  {
    Scribe worker{small_log(other.path(), 1)};
    Scribe control{small_log(other.path())};
    control.clock.advance(std::chrono::hours{1});
    ASSERT_TRUE(control.log->append(ShardAdded{.shard = 1, .log_id = worker.log->log_id()}));
  }
  EXPECT_EQ(verify(other.path()).verdict(), Verdict::intact) << "named later, and as old";
  const auto log_id = Scribe{small_log(other.path(), 1)}.log->log_id();
  fs::remove_all(other.path() / shard_name(0));
  ManualClock later;
  later.advance(std::chrono::hours{2});
  auto control = Log::open(small_log(other.path()), later);
  ASSERT_TRUE(control);
  ASSERT_TRUE((*control)->append(ShardAdded{.shard = 1, .log_id = log_id}));
  ASSERT_TRUE((*control)->close());
  EXPECT_EQ(verify(other.path()).verdict(), Verdict::missing_shard);
}

TEST_F(Verifier, AShardThatNobodyAdded) {
  {
    Scribe planted{small_log(folder.path(), 1)};
  }
  EXPECT_EQ(verdict(), Verdict::intact) << "a gateway killed at its first start, before it named it";
  {
    Scribe planted{small_log(folder.path(), 1)};
    planted.start_session(9);
  }
  EXPECT_EQ(verdict(), Verdict::out_of_order);
}

// Without the key nobody can sign, so the forger leaves no signature at all, or an old one.
TEST_F(Verifier, AHistoryThatNobodySigned) {
  spill(shard / "checkpoints", "");
  auto head = slurp(shard / "head");
  std::fill_n(head.begin() + 48, 16, '\0');  // no checkpoints, not closed
  spill(shard / "head", head);
  EXPECT_EQ(verdict(), Verdict::intact)
      << "a second's worth: the gateway may have been killed before it signed";

  TemporaryFolder other;
  {
    Scribe scribe{other.path()};
    scribe.start_session(7);
    for (int hour = 0; hour < 3; ++hour) {
      scribe.run(7, 1 + static_cast<std::uint64_t>(hour), 1);
      scribe.clock.advance(std::chrono::hours{1});
    }
  }
  const auto forged = other.path() / shard_name(0);
  EXPECT_EQ(verify(other.path()).verdict(), Verdict::intact);
  head = slurp(forged / "head");
  std::fill_n(head.begin() + 48, 16, '\0');
  spill(forged / "head", head);
  spill(forged / "checkpoints", "");
  EXPECT_EQ(verify(other.path()).verdict(), Verdict::bad_checkpoint);

  ManualClock clock;
  const auto next = Log::open(small_log(other.path()), clock);
  ASSERT_FALSE(next) << "it would be signed now";
  EXPECT_EQ(next.error().code, Errc::malformed);
}

TEST_F(Verifier, AClosedLogIsSignedToItsEnd) {
  const auto text = slurp(shard / "checkpoints");
  const auto notes = split_notes(text).notes;
  const auto kept = text.substr(0, text.size() - notes.back().size());
  spill(shard / "checkpoints", kept);
  auto head = slurp(shard / "head");
  std::string length;
  ByteWriter{length}.u32le(static_cast<std::uint32_t>(kept.size())).u32le(0);
  head.replace(48, 8, length);
  spill(shard / "head", head);
  EXPECT_EQ(verdict(), Verdict::bad_checkpoint);
}

// A pipe would hold the verifier, and the gateway's start, for ever.
TEST_F(Verifier, APipeInThePlaceOfAFile) {
  for (const auto& name :
       {std::string{"head"}, std::string{"checkpoints"}, segment_name(1), segment_name(last)}) {
    const auto path = shard / name;
    fs::rename(path, folder.path() / "aside");
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    EXPECT_EQ(verdict(), Verdict::unreadable) << name;
    ManualClock clock;
    EXPECT_EQ(Log::open(small_log(folder.path()), clock).has_value(), name == segment_name(1))
        << "not read then";
    fs::remove(path);
    fs::rename(folder.path() / "aside", path);
  }
}

TEST_F(Verifier, NamesThatAreNotTheRecords) {
  fs::copy(segment(1), shard / "000000001.segment");
  fs::copy(segment(1), shard / "18446744073709551616.segment");
  fs::copy(shard, folder.path() / "shard-00000");
  EXPECT_EQ(verdict(), Verdict::intact);
  EXPECT_EQ(report().shards.size(), 1u);
}

TEST_F(Verifier, NothingThere) {
  EXPECT_EQ(verify(folder.path() / "absent").verdict(), Verdict::unreadable);
  TemporaryFolder empty;
  EXPECT_EQ(verify(empty.path()).verdict(), Verdict::unreadable);
}

TEST(VerifierLive, ARecordInUse) {
  TemporaryFolder folder;
  Scribe scribe{folder.path()};
  scribe.start_session(7);
  scribe.run(7, 1, 10);
  EXPECT_EQ(verify(folder.path()).verdict(), Verdict::intact);
  scribe.run(7, 11, 10);
  scribe.checkpoint();
  auto report = verify(folder.path());
  EXPECT_EQ(report.verdict(), Verdict::intact);
  EXPECT_FALSE(report.shards.at(0).closed);
}

}  // namespace
}  // namespace sluice::record
