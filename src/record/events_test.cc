#include "record/events.h"

#include <gtest/gtest.h>

#include "record/testing.h"

namespace sluice::record {
namespace {

using namespace testing;

// A shard of several segments with 600 admin actions and a policy every hundred of them.
class Events : public ::testing::Test {
 protected:
  Events() {
    for (int n = 0; n < 600; ++n) {
      const auto subject = "principal:p" + std::to_string(n);
      EXPECT_TRUE(scribe.log->append(AdminAction{.actor = "root",
                                                 .action = "principal.create",
                                                 .subject = subject,
                                                 .detail = std::string(300, 'x')}));
      if (n % 100 == 99)
        EXPECT_TRUE(scribe.log->append(PolicyLoaded{.version = static_cast<std::uint64_t>(n)}));
    }
    EXPECT_GT(scribe.log->status().segment, 3u);
  }
  EventPage read(const EventQuery& query, std::size_t limit) {
    auto page = read_events(folder.path(), 0, query, limit);
    EXPECT_TRUE(page) << page.error().message();
    return page ? std::move(*page) : EventPage{};
  }

  TemporaryFolder folder;
  Scribe scribe{folder.path()};
};

TEST_F(Events, PagesGoBackThroughAllSegmentsWithoutGaps) {
  auto expected = scribe.log->status().entries;
  EventQuery query;
  for (;;) {
    const auto page = read(query, 37);
    for (const auto& event : page.events) ASSERT_EQ(event.header.seq, --expected);
    if (page.next == 0) break;
    query.before = page.next;
  }
  EXPECT_EQ(expected, 0u);
}

TEST_F(Events, OfOneKind) {
  const auto page = read({.kind = Kind::policy_loaded}, 4);
  ASSERT_EQ(page.events.size(), 4u);
  EXPECT_NE(to_json(page.events[0]).find("\"version\":599"), std::string::npos) << to_json(page.events[0]);
  const auto rest = read({.kind = Kind::policy_loaded, .before = page.next}, 4);
  EXPECT_EQ(rest.events.size(), 2u);
  EXPECT_EQ(rest.next, 0u);
  EXPECT_TRUE(read({.kind = Kind::token_revoked}, 4).events.empty());
}

TEST_F(Events, AShardThatIsNotThereIsAnError) {
  EXPECT_EQ(read_events(folder.path(), 9, {}, 10).error().code, Errc::not_found);
}

}  // namespace
}  // namespace sluice::record
