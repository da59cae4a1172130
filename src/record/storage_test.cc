// Disks that are full, broken or pulled away: an error that says so, nothing written, no signal.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "record/disk.h"
#include "record/reader.h"
#include "record/testing.h"

namespace sluice::record {
namespace {

namespace fs = std::filesystem;
using namespace testing;

class FailingDisk final : public Disk {
 public:
  Result<File> open_allocated(const fs::path& path, std::uint64_t size) override {
    ++allocations;
    if (full && size > 4096)
      return fail(Errc::storage_failed, "cannot allocate {}: no space left", path.native());
    return Disk::open_allocated(path, size);
  }
  Result<void> sync(const File& file) override {
    if (sync_fails) return fail(Errc::storage_failed, "input/output error");
    return Disk::sync(file);
  }
  bool full = false;
  bool sync_fails = false;
  int allocations = 0;
};

struct OnFailingDisk {
  explicit OnFailingDisk(Durability durability = Durability::process) {
    auto options = small_log(folder.path());
    options.durability = durability;
    auto opened = Log::open(options, clock, disk);
    EXPECT_TRUE(opened) << opened.error().message();
    log = std::move(*opened);
  }
  Result<Receipt> intent(std::uint64_t n) {
    return log->intent({.session = SessionId{7}, .operation = OperationId{n}, .op = op, .ruling = &ruling});
  }
  Result<Receipt> outcome(std::uint64_t n) {
    return log->outcome({.session = SessionId{7}, .operation = OperationId{n}});
  }

  TemporaryFolder folder;
  ManualClock clock;
  FailingDisk disk;
  std::unique_ptr<Log> log;
  std::shared_ptr<const Operation> op = example_operation();
  Ruling ruling = example_ruling();
};

TEST(Storage, AFullDiskIsAnErrorAndThenOverWhenThereIsSpace) {
  OnFailingDisk on;
  ASSERT_TRUE(on.log->session_start(example_session(7)));
  on.disk.full = true;
  std::uint64_t n = 1;
  Result<Receipt> last = Receipt{};
  for (; (last = on.intent(n)); ++n) {
    ASSERT_TRUE(on.outcome(n)) << "what has begun can end: room for it was kept";
  }
  EXPECT_EQ(last.error().code, Errc::storage_failed);
  EXPECT_FALSE(on.log->status().accepting);
  auto entries = on.log->status().entries;
  auto attempts = on.disk.allocations;
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(on.intent(n));
  EXPECT_EQ(on.disk.allocations, attempts) << "the disk is not asked each time";
  EXPECT_EQ(on.log->status().entries, entries) << "nothing of a refused entry is written";

  on.disk.full = false;
  on.clock.advance(kRetryAfter);
  ASSERT_TRUE(on.intent(n));
  ASSERT_TRUE(on.outcome(n));
  EXPECT_TRUE(on.log->status().accepting);
  EXPECT_EQ(verify(on.folder.path()).verdict(), Verdict::intact);
}

TEST(Storage, ManyThatHaveBegunCanEndOnAFullDisk) {
  OnFailingDisk on;
  ASSERT_TRUE(on.log->session_start(example_session(7)));
  on.disk.full = true;
  std::uint64_t n = 1;
  while (on.intent(n)) ++n;
  ASSERT_GT(n, 30u);
  // The reserve is at most a quarter of a segment: here for the latest operations.
  std::uint64_t ended = 0;
  for (std::uint64_t i = n - 1; i > 0 && on.outcome(i); --i) ++ended;
  EXPECT_GE(ended, (kMinSegmentBytes / 4) / 320);
}

TEST(Storage, MaintenanceReportsAFullDisk) {
  OnFailingDisk on;
  on.disk.full = true;
  auto done = on.log->maintain();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::storage_failed);
  EXPECT_FALSE(fs::exists(on.folder.path() / shard_name(0) / "next"));
  on.disk.full = false;
  EXPECT_TRUE(on.log->maintain());
  EXPECT_TRUE(on.log->status().next_ready);
}

TEST(Storage, AFailedSyncIsFinal) {
  OnFailingDisk on{Durability::host};
  ASSERT_TRUE(on.log->session_start(example_session(7)));
  on.disk.sync_fails = true;
  EXPECT_EQ(on.log->sync().error().code, Errc::storage_failed);
  on.disk.sync_fails = false;
  auto refused = on.intent(1);
  ASSERT_FALSE(refused) << "the kernel may have dropped the pages: a second sync would prove nothing";
  EXPECT_EQ(refused.error().code, Errc::storage_failed);
  EXPECT_FALSE(on.log->accepting());
}

TEST(Storage, AFileThatIsRemovedOrCutStopsTheLog) {
  for (bool cut : {false, true}) {
    OnFailingDisk on;
    ASSERT_TRUE(on.log->session_start(example_session(7)));
    auto segment = on.folder.path() / shard_name(0) / segment_name(1);
    if (cut) {
      fs::resize_file(segment, kMinSegmentBytes / 2);
    } else {
      fs::remove(segment);
    }
    (void)on.log->maintain();
    EXPECT_FALSE(on.log->accepting());
    EXPECT_EQ(on.intent(1).error().code, Errc::storage_failed);
  }
}

// A real limit instead of a pretended one: the kernel refuses to make the file longer.
TEST(Storage, ARealLimitOfTheFileSystem) {
  TemporaryFolder folder;
  auto child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    Scribe scribe{folder.path()};
    if (!scribe.log->session_start(example_session(7))) ::_exit(2);
    rlimit limit{.rlim_cur = kMinSegmentBytes / 2, .rlim_max = kMinSegmentBytes / 2};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(3);
    for (std::uint64_t n = 1; n < 10'000; ++n) {
      auto began = scribe.intent(7, n);
      if (!began) ::_exit(began.error().code == Errc::storage_failed ? 0 : 4);
      if (!scribe.outcome(7, n)) ::_exit(5);
    }
    ::_exit(6);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status)) << "a signal instead of an error";
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(verify(folder.path()).verdict(), Verdict::intact);
}

TEST(Storage, OpeningOnAFullDiskFailsWithoutALog) {
  TemporaryFolder folder;
  ManualClock clock;
  FailingDisk disk;
  disk.full = true;
  auto opened = Log::open(small_log(folder.path()), clock, disk);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::storage_failed);
  disk.full = false;
  EXPECT_TRUE(Log::open(small_log(folder.path()), clock, disk));
}

}  // namespace
}  // namespace sluice::record
