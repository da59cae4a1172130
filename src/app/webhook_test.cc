#include "app/webhook.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/crypto.h"

namespace sluice::app {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class WebhookTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { initialise_crypto(); }

  // Answers with the statuses in turn, the last one for ever.
  Webhook::Send answering(std::vector<int> statuses) {
    return [this, statuses](const HttpCall& call) -> Result<HttpAnswer> {
      std::lock_guard lock(mutex_);
      const int status = statuses[std::min(calls_.size(), statuses.size() - 1)];
      calls_.push_back(call);
      if (status == 0) return fail(Errc::unavailable, "connection refused");
      return HttpAnswer{.status = status};
    };
  }
  Webhook::Options options() {
    return {.url = "https://example.com/hook", .key = Secret{"key"}, .attempts = 3, .first_pause = 1ms};
  }
  std::vector<HttpCall> calls() {
    std::lock_guard lock(mutex_);
    return calls_;
  }
  static review::Review sample() {
    review::Review review;
    review.id = ReviewId{"rv_1"};
    review.request.principal = "eve";
    review.request.statement = "SELECT \"x\"";
    review.request.estimated_records = 5000;
    return review;
  }

  ManualClock clock_;
  std::mutex mutex_;
  std::vector<HttpCall> calls_;
};

TEST_F(WebhookTest, DeliversSignedJson) {
  Webhook hook{options(), clock_, answering({204})};
  hook.review_changed(sample());
  ASSERT_TRUE(hook.flush(20s));
  auto sent = calls();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].method, "POST");
  EXPECT_THAT(sent[0].body, HasSubstr(R"("event":"review.pending")"));
  EXPECT_THAT(sent[0].body, HasSubstr(R"("statement":"SELECT \"x\"")"));
  EXPECT_THAT(sent[0].body, HasSubstr(R"("max_records":null,"estimated_records":5000)"));
  EXPECT_THAT(sent[0].headers, ::testing::Contains("Sluice-Event: review.pending"));
  EXPECT_THAT(sent[0].headers,
              ::testing::Contains("Sluice-Signature: " + webhook_signature("key", 1767225600, sent[0].body)));
}

// A known answer, computed with another implementation of HMAC-SHA256 over "1767225600.{}".
TEST_F(WebhookTest, SignatureIsStable) {
  EXPECT_EQ(webhook_signature("key", 1767225600, "{}"),
            "t=1767225600,v1=df344de429b8ee672e1863e0008fdbd0080000536fbccdf0e4f89846acbbe872");
}

TEST_F(WebhookTest, TriesAgainAndThenGivesUp) {
  {
    Webhook hook{options(), clock_, answering({0, 500, 200})};
    hook.review_changed(sample());
    ASSERT_TRUE(hook.flush(20s));
    EXPECT_EQ(calls().size(), 3u);
  }
  calls_.clear();
  Webhook hook{options(), clock_, answering({500})};
  hook.review_changed(sample());
  ASSERT_TRUE(hook.flush(20s));
  EXPECT_EQ(calls().size(), 3u) << "attempts are bounded";
}

TEST_F(WebhookTest, EndsWhileItWaits) {
  auto slow = options();
  slow.first_pause = 10min;
  Webhook hook{std::move(slow), clock_, answering({500})};
  hook.review_changed(sample());
  // The destructor must not wait for the pause; the test's own time-out would say so.
}

}  // namespace
}  // namespace sluice::app
