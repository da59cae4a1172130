#include "proxy/pg/login/goodbyes.h"

#include <gtest/gtest.h>

namespace sluice::proxy::pg {
namespace {

constexpr SteadyTime kNow{std::chrono::hours{1}};

TEST(Goodbyes, AreBoundedAtOneTime) {
  Goodbyes goodbyes;
  for (std::size_t i = 0; i < Goodbyes::kAtOnce; ++i) EXPECT_TRUE(goodbyes.begin(kNow));
  EXPECT_FALSE(goodbyes.begin(kNow));
  EXPECT_FALSE(goodbyes.begin(kNow + std::chrono::hours{1})) << "time alone makes no place";
  goodbyes.end();
  EXPECT_TRUE(goodbyes.begin(kNow));
  EXPECT_FALSE(goodbyes.begin(kNow));
}

TEST(Goodbyes, AreBoundedPerSecond) {
  Goodbyes goodbyes;
  const auto say = [&](SteadyTime now) {
    const bool may = goodbyes.begin(now);
    if (may) goodbyes.end();
    return may;
  };
  for (std::size_t i = 0; i < Goodbyes::kPerSecond; ++i) EXPECT_TRUE(say(kNow));
  EXPECT_FALSE(say(kNow + std::chrono::milliseconds{999}));
  EXPECT_TRUE(say(kNow + std::chrono::seconds{1}));
}

}  // namespace
}  // namespace sluice::proxy::pg
