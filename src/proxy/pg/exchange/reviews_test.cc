// Reviews in whole conversations: a client that is held, and what becomes of it.
#include <gtest/gtest.h>

#include "proxy/pg/exchange/exchange.h"
#include "proxy/pg/exchange/testing.h"

namespace sluice::proxy::pg {
namespace {

using namespace std::chrono_literals;
using namespace testing;
using wire::pg::TransactionStatus;
using HoldEnd = Exchange::HoldEnd;

constexpr const char* kReviewed = R"(
rules:
  - name: rag
    match: {principal: {groups: [rag]}, verb: [search, fetch, scroll, write, session, metadata]}
    allow: true
  - name: secrets-need-a-second-person
    match: {verb: [search, fetch, scroll], collection: public.secrets}
    review: {by: ["group:data-security"], uses: 1, valid_for: 30m, hold: 60s}
  - name: bulk-needs-a-second-person
    match: {verb: scroll, collection: public.notes, records: {over: 2}}
    review: {by: ["group:data-security"], uses: 1, valid_for: 30m, hold: 60s}
)";

constexpr const char* kSecrets = "SELECT id FROM secrets";

class ReviewTest : public ::testing::Test {
 protected:
  ReviewTest() { rig.gate().add_person({.name = "eve", .groups = {"data-security"}}); }

  // The newest review is decided by somebody who may.
  void decide(bool approve) {
    const auto live = rig.gate().reviews.live();
    ASSERT_FALSE(live.empty());
    const auto decided = rig.gate().decide_review(live.back().id, "eve", approve);
    ASSERT_TRUE(decided) << decided.error().message();
  }
  // kSecrets was asked for and is held.
  void hold() {
    ASSERT_EQ(rig.client(query(kSecrets)), Pause::review);
    const auto told = rig.told();
    ASSERT_EQ(told.size(), 1u);
    ASSERT_TRUE(told[0].starts_with("Notice sluice: review rv_")) << told[0];
    ASSERT_EQ(rig.sent(), Transcript{});
  }
  void expect_passes(const char* sql) {
    EXPECT_EQ(rig.sent(), Transcript({fmt::format("Query {}", sql)}));
    rig.server(fields({"id"}) + row({"7"}) + complete("SELECT 1") + ready());
    EXPECT_EQ(rig.told(), Transcript({"Fields id", "Row 7", "Complete SELECT 1", "Ready I"}));
  }

  Rig rig{kReviewed};
};

// --- held before it runs ---

TEST_F(ReviewTest, HoldsWithANoticeThatSaysHowToApprove) {
  EXPECT_EQ(rig.client(query(kSecrets)), Pause::review);
  ASSERT_TRUE(rig.exchange().is_waiting());
  const auto id = rig.exchange().waiting().review.value;
  const auto told = rig.last_message();
  EXPECT_NE(told.find(fmt::format("review {} is needed by rule \"secrets-need-a-second-person\"", id)),
            std::string::npos)
      << told;
  EXPECT_NE(told.find("sluice review approve " + id), std::string::npos) << told;
  EXPECT_EQ(rig.client(query("SELECT id FROM docs")), Pause::review) << "what follows waits, too";
  EXPECT_EQ(rig.told(), Transcript{}) << "told once";
  EXPECT_EQ(rig.sent(), Transcript{});
}

TEST_F(ReviewTest, GoesOnWhenItIsApproved) {
  hold();
  decide(true);
  EXPECT_EQ(rig.end_hold(HoldEnd::decided), Pause::none);
  expect_passes(kSecrets);
  EXPECT_EQ(rig.client(query(kSecrets)), Pause::review) << "one use";
}

TEST_F(ReviewTest, EndsWhenItIsRejected) {
  hold();
  decide(false);
  EXPECT_EQ(rig.end_hold(HoldEnd::decided), Pause::none);
  EXPECT_EQ(rig.sent(), Transcript{});
  EXPECT_EQ(rig.told(), Transcript({"ERROR 42501", "Ready I"}));
  rig.client(query(kSecrets));
  EXPECT_EQ(rig.told(), Transcript({"ERROR 42501", "Ready I"})) << "a rejection stands";
}

TEST_F(ReviewTest, PassesOnceWhenItIsApprovedLater) {
  hold();
  const auto id = rig.exchange().waiting().review.value;
  EXPECT_EQ(rig.end_hold(HoldEnd::timed_out), Pause::none);
  EXPECT_EQ(rig.sent(), Transcript{});
  const auto told = rig.last_message();
  EXPECT_NE(told.find("review " + id + " is needed and not given yet"), std::string::npos) << told;
  decide(true);
  EXPECT_EQ(rig.client(query("SELECT secret FROM secrets")), Pause::review)
      << "another statement is not approved";
  rig.end_hold(HoldEnd::timed_out);
  (void)rig.told();
  EXPECT_EQ(rig.client(query(kSecrets)), Pause::none);
  expect_passes(kSecrets);
  EXPECT_EQ(rig.client(query(kSecrets)), Pause::review) << "one use";
}

TEST_F(ReviewTest, IsAskedAgainWhenTheApprovalHasExpired) {
  hold();
  rig.end_hold(HoldEnd::timed_out);
  (void)rig.told();
  decide(true);
  rig.gate().scribe.clock.advance(31min);
  EXPECT_EQ(rig.client(query(kSecrets)), Pause::review);
  EXPECT_EQ(rig.sent(), Transcript{});
}

TEST_F(ReviewTest, EndsWithACancel) {
  hold();
  EXPECT_FALSE(rig.exchange().cancel()) << "nothing runs on the server";
  EXPECT_EQ(rig.client(""), Pause::none);
  EXPECT_EQ(rig.sent(), Transcript{});
  EXPECT_EQ(rig.told(), Transcript({"ERROR 57014", "Ready I"}));
}

TEST_F(ReviewTest, OfSeveralStatementsPassAllOrNone) {
  const char* both = "SELECT id FROM secrets; SELECT secret AS id FROM secrets";
  EXPECT_EQ(rig.client(query(both)), Pause::review);
  decide(true);
  EXPECT_EQ(rig.end_hold(HoldEnd::decided), Pause::review) << "the second needs one, too";
  EXPECT_EQ(rig.sent(), Transcript{});
  for (const auto& review : rig.gate().reviews.live()) {
    if (review.state == review::ReviewState::pending) {
      ASSERT_TRUE(rig.gate().decide_review(review.id, "eve", true));
    }
  }
  EXPECT_EQ(rig.end_hold(HoldEnd::decided), Pause::none);
  EXPECT_EQ(rig.sent().size(), 1u);
}

// --- in a transaction ---

TEST_F(ReviewTest, HoldsInATransactionThatHasOnlyRead) {
  rig.in_transaction();
  rig.client(query("SELECT id FROM docs"));
  rig.server(fields({"id"}) + complete("SELECT 0") + ready(TransactionStatus::in_transaction));
  EXPECT_EQ(rig.client(query(kSecrets)), Pause::review);
}

// It holds locks, which others would wait for.
TEST_F(ReviewTest, DoesNotHoldATransactionThatHasWritten) {
  rig.in_transaction();
  rig.client(query("INSERT INTO docs VALUES (1, 'a', 'b')"));
  rig.server(complete("INSERT 0 1") + ready(TransactionStatus::in_transaction));
  (void)rig.sent();
  (void)rig.told();
  EXPECT_EQ(rig.client(query(kSecrets)), Pause::none);
  EXPECT_EQ(rig.sent(), Transcript({kRefused}));
  rig.server(error("42601") + ready(TransactionStatus::failed));
  EXPECT_EQ(rig.told(), Transcript({"ERROR 42501", "Ready E"}));
}

// What has been written in a pipeline is not committed before its Sync.
TEST_F(ReviewTest, DoesNotHoldAPipelineThatHasWritten) {
  rig.client(parse("", "INSERT INTO docs VALUES (1, 'a', 'b')") + bind("") + execute());
  (void)rig.sent();
  EXPECT_EQ(rig.client(parse("", kSecrets) + bind("") + execute() + sync()), Pause::server)
      << "only then is it known what the server has done";
  rig.server(parse_complete() + bind_complete() + complete("INSERT 0 1") + parse_complete() +
             bind_complete());
  EXPECT_FALSE(rig.exchange().is_waiting());
  const auto sent = rig.sent();
  ASSERT_GE(sent.size(), 2u);
  EXPECT_EQ(sent[sent.size() - 2], kRefusedParse);
  rig.server(error("42601") + ready());
  const auto told = rig.told();
  ASSERT_GE(told.size(), 2u);
  EXPECT_EQ(told[told.size() - 2], "ERROR 42501");
}

TEST_F(ReviewTest, DoesNotHoldATransactionWhoseWriteIsStillOnItsWay) {
  rig.client(query("BEGIN") + query("INSERT INTO docs VALUES (1, 'a', 'b')"));
  EXPECT_EQ(rig.client(query(kSecrets)), Pause::server);
  rig.server(complete("BEGIN") + ready(TransactionStatus::in_transaction) + complete("INSERT 0 1") +
             ready(TransactionStatus::in_transaction));
  EXPECT_FALSE(rig.exchange().is_waiting());
  EXPECT_EQ(rig.sent().back(), kRefused);
}

// --- by the extended query ---

TEST_F(ReviewTest, HoldsAnExecute) {
  EXPECT_EQ(rig.client(parse("", kSecrets) + bind("") + execute() + sync()), Pause::review);
  EXPECT_EQ(rig.sent(), Transcript({"Parse :SELECT id FROM secrets", "Bind  []"}));
  (void)rig.told();
  decide(true);
  EXPECT_EQ(rig.end_hold(HoldEnd::decided), Pause::none);
  EXPECT_EQ(rig.sent(), Transcript({"Describe", "Execute 0", "Sync"}));
}

TEST_F(ReviewTest, FailsThePipelineOfAnExecuteThatIsNotApproved) {
  rig.client(parse("", kSecrets) + bind("") + execute() + sync());
  (void)rig.sent();
  (void)rig.told();
  EXPECT_EQ(rig.end_hold(HoldEnd::timed_out), Pause::none);
  EXPECT_EQ(rig.sent(), Transcript({kRefusedParse, "Sync"}));
  rig.server(parse_complete() + bind_complete() + error("42601") + ready());
  EXPECT_EQ(rig.told(), Transcript({"ParseComplete", "BindComplete", "ERROR 42501", "Ready I"}));
}

// --- the rest of a reply ---

class ReviewOfTheRest : public ReviewTest {
 protected:
  ReviewOfTheRest() {
    rig.client(query(kNotes));
    EXPECT_EQ(rig.sent(), Transcript({fmt::format("Query {}", kNotes)}));
    EXPECT_EQ(rig.server(fields({"id"}) + row({"1"}) + row({"2"}) + row({"3"}) + row({"4"})), Pause::review);
    const auto told = rig.told();
    EXPECT_EQ(told.size(), 4u);
    EXPECT_EQ(told[2], "Row 2");
    EXPECT_TRUE(told[3].starts_with("Notice sluice: review rv_")) << told[3];
  }
  static constexpr const char* kNotes = "SELECT id FROM notes";
};

TEST_F(ReviewOfTheRest, GoesOnWhenItIsApproved) {
  decide(true);
  EXPECT_EQ(rig.end_hold(HoldEnd::decided), Pause::none);
  rig.server(row({"5"}) + complete("SELECT 5") + ready());
  EXPECT_EQ(rig.told(), Transcript({"Row 3", "Row 4", "Row 5", "Complete SELECT 5", "Ready I"}));
  EXPECT_EQ(rig.exchange().records_sent(), 5u);
}

TEST_F(ReviewOfTheRest, StopsTheReplyWhenItIsNot) {
  EXPECT_EQ(rig.end_hold(HoldEnd::timed_out), Pause::none);
  EXPECT_EQ(rig.told(), Transcript({"ERROR 42501"}));
  EXPECT_TRUE(rig.exchange().take_cancel_request());
  rig.server(row({"5"}) + error("57014") + ready());
  EXPECT_EQ(rig.told(), Transcript({"Ready I"}));
  decide(true);
  rig.client(query(kNotes));
  rig.server(fields({"id"}) + row({"1"}) + row({"2"}) + row({"3"}) + complete("SELECT 3") + ready());
  EXPECT_EQ(rig.told(), Transcript({"Fields id", "Row 1", "Row 2", "Row 3", "Complete SELECT 3", "Ready I"}))
      << "the same again, whole, now that it is approved";
}

TEST_F(ReviewOfTheRest, EndsWithACancel) {
  EXPECT_FALSE(rig.exchange().cancel());
  EXPECT_EQ(rig.server(""), Pause::none);
  EXPECT_EQ(rig.told(), Transcript({"ERROR 57014"}));
  EXPECT_TRUE(rig.exchange().take_cancel_request()) << "the server is still busy with it";
}

}  // namespace
}  // namespace sluice::proxy::pg
