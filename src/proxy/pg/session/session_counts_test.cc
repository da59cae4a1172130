#include "proxy/pg/session/session_counts.h"

#include <gtest/gtest.h>

#include <vector>

namespace sluice::proxy::pg {
namespace {

TEST(SessionCounts, EachPrincipalHasItsOwnBound) {
  SessionCounts counts;
  auto first = counts.take("ana", 2);
  auto second = counts.take("ana", 2);
  EXPECT_TRUE(first && second);
  EXPECT_FALSE(counts.take("ana", 2));
  EXPECT_TRUE(counts.take("ben", 2));
  second.reset();
  EXPECT_TRUE(counts.take("ana", 2)) << "a place comes back";
}

TEST(SessionCounts, APlaceIsGivenBackOnce) {
  SessionCounts counts;
  SessionCounts::Place kept;
  {
    auto place = counts.take("ana", 1);
    ASSERT_TRUE(place);
    kept = std::move(*place);
  }
  EXPECT_FALSE(counts.take("ana", 1)) << "it moved, and is still held";
  {
    const SessionCounts::Place last{std::move(kept)};
    EXPECT_FALSE(counts.take("ana", 1));
  }
  EXPECT_TRUE(counts.take("ana", 1));
}

TEST(SessionCounts, ALowerBoundHoldsAtTheNextLogin) {
  SessionCounts counts;
  std::vector<SessionCounts::Place> places;
  for (int i = 0; i < 5; ++i) places.push_back(std::move(*counts.take("ana", 5)));
  EXPECT_FALSE(counts.take("ana", 3));
  places.resize(2);
  EXPECT_TRUE(counts.take("ana", 3));
}

}  // namespace
}  // namespace sluice::proxy::pg
