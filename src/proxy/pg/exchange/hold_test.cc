#include "proxy/pg/exchange/hold.h"

#include <gtest/gtest.h>

namespace sluice::proxy::pg {
namespace {

using namespace std::chrono_literals;
using Answer = Hold::Answer;

gate::Wait wait_for(std::chrono::seconds hold) {
  gate::Wait wait;
  wait.review = ReviewId{"rv_1"};
  wait.terms.hold = hold;
  return wait;
}

TEST(Hold, KeepsTheClientUntilItEnds) {
  Hold hold;
  EXPECT_FALSE(hold.waiting());
  EXPECT_EQ(hold.ask(wait_for(60s), false), Answer::wait);
  ASSERT_TRUE(hold.waiting());
  EXPECT_EQ(hold.what().review, ReviewId{"rv_1"});
  hold.end(Hold::End::decided);
  EXPECT_FALSE(hold.waiting());
  EXPECT_EQ(hold.ask(wait_for(60s), false), Answer::wait) << "one approval of two: the next is waited for";
}

TEST(Hold, IsNotBegunAgainAfterItsTime) {
  Hold hold;
  (void)hold.ask(wait_for(60s), false);
  hold.end(Hold::End::timed_out);
  EXPECT_EQ(hold.ask(wait_for(60s), false), Answer::not_now);
  EXPECT_FALSE(hold.waiting());
  hold.forget_end();
  EXPECT_EQ(hold.ask(wait_for(60s), false), Answer::wait) << "of the next message";
}

TEST(Hold, EndsWithACancel) {
  Hold hold;
  (void)hold.ask(wait_for(60s), false);
  hold.end(Hold::End::cancelled);
  EXPECT_EQ(hold.ask(wait_for(60s), true), Answer::cancelled);
}

TEST(Hold, IsNotForRulesWithoutOneNorForLocks) {
  Hold hold;
  EXPECT_EQ(hold.ask(wait_for(0s), false), Answer::not_now);
  EXPECT_EQ(hold.ask(wait_for(60s), true), Answer::has_written);
  EXPECT_FALSE(hold.waiting());
}

TEST(Hold, IsAnnouncedOncePerReview) {
  Hold hold;
  EXPECT_TRUE(hold.is_news(ReviewId{"rv_1"}));
  EXPECT_FALSE(hold.is_news(ReviewId{"rv_1"}));
  EXPECT_TRUE(hold.is_news(ReviewId{"rv_2"}));
}

}  // namespace
}  // namespace sluice::proxy::pg
