#include "record/named_shards.h"

#include <gtest/gtest.h>

#include "record/testing.h"

namespace sluice::record {
namespace {

namespace fs = std::filesystem;
using namespace testing;

class NamedShards : public ::testing::Test {
 protected:
  NamedShards() { EXPECT_TRUE(start()); }
  // As the gateway does it.
  Result<void> start() {
    CHECK_OK(require_control_shard(folder.path()));
    Scribe control{small_log(folder.path())};
    CHECK_OK(require_named_shards(folder.path()));
    for (const std::uint16_t shard : {std::uint16_t{1}, std::uint16_t{2}}) {
      Scribe worker{small_log(folder.path(), shard)};
      TRY(auto receipt, control.log->append(ShardAdded{.shard = shard, .log_id = worker.log->log_id()}));
      (void)receipt;
    }
    return {};
  }
  TemporaryFolder folder;
};

TEST_F(NamedShards, ANewRecordAndOneThatIsWhole) {
  EXPECT_TRUE(start());
  EXPECT_TRUE(require_control_shard(folder.path() / "absent"));
  TemporaryFolder empty;
  EXPECT_TRUE(require_control_shard(empty.path()));
}

TEST_F(NamedShards, AMissingShardIsNotReplaced) {
  fs::remove_all(folder.path() / "shard-0002");
  for (int i = 0; i < 2; ++i) {
    const auto again = start();
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Errc::malformed);
    EXPECT_NE(again.error().detail.find("shard 2"), std::string::npos) << again.error().detail;
  }
  EXPECT_FALSE(fs::exists(folder.path() / "shard-0002"));
}

TEST_F(NamedShards, AnotherLogInItsPlace) {
  TemporaryFolder elsewhere;
  {
    Scribe other{small_log(elsewhere.path(), 1)};
  }
  fs::remove_all(folder.path() / "shard-0001");
  fs::copy(elsewhere.path() / "shard-0001", folder.path() / "shard-0001");
  const auto again = start();
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Errc::malformed);
}

TEST_F(NamedShards, TheControlShardIsNotReplacedEither) {
  fs::remove_all(folder.path() / "shard-0000");
  const auto again = start();
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Errc::malformed);
  EXPECT_FALSE(fs::exists(folder.path() / "shard-0000"));
}

}  // namespace
}  // namespace sluice::record
