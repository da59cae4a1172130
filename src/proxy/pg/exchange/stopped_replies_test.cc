// Replies that end before the server's: at a bound, at the end of a budget, and where the policy has changed.
#include "proxy/pg/exchange/exchange.h"

#include <gtest/gtest.h>

#include "proxy/pg/exchange/testing.h"

namespace sluice::proxy::pg {
namespace {

using namespace testing;
using wire::pg::TransactionStatus;

class StoppedReplies : public ::testing::Test {
 protected:
  Rig rig{kPolicy};
};

// The client is told of an error that the server knows nothing of.
TEST_F(StoppedReplies, FailsTheTransactionOfAReadThatWasStopped) {
  rig.in_transaction();
  rig.client(query("SELECT id, note FROM notes"));
  EXPECT_EQ(rig.sent(), Transcript({"Query SELECT id, note FROM notes"}));
  rig.server(fields({"id", "note"}) + row({"1", "a"}) + row({"2", "b"}) + row({"3", "c"}));
  EXPECT_EQ(rig.told(), Transcript({"Fields id|note", "Row 1|a", "Row 2|b", "ERROR 42501"}));
  EXPECT_TRUE(rig.exchange().take_cancel_request());
  rig.server(row({"4", "d"}) + complete("SELECT 4") + ready(TransactionStatus::in_transaction));
  EXPECT_EQ(rig.told(), Transcript{}) << "not ready before the transaction has failed";
  EXPECT_EQ(rig.sent(), Transcript({kRefused}));
  rig.server(error("42601") + ready(TransactionStatus::failed));
  EXPECT_EQ(rig.told(), Transcript({"Ready E"}));
}

TEST_F(StoppedReplies, CutsRunningRepliesEachAtItsTurn) {
  rig.client(query("SELECT id FROM docs") + query("SELECT id, title FROM docs") +
             query("SELECT id FROM notes LIMIT 1"));
  ASSERT_EQ(rig.sent().size(), 3u);
  rig.server(fields({"id"}) + row({"1"}));
  EXPECT_EQ(rig.told(), Transcript({"Fields id", "Row 1"}));
  rig.set_policy(kPolicyWithoutDocs);
  EXPECT_EQ(rig.told(), Transcript({"ERROR 42501"})) << "only of the reply that is on its way";
  EXPECT_TRUE(rig.exchange().take_cancel_request());
  rig.server(row({"2"}) + error("57014") + ready());
  EXPECT_EQ(rig.told(), Transcript({"Ready I"}));
  EXPECT_FALSE(rig.exchange().take_cancel_request()) << "the second is not running yet";
  rig.server(fields({"id", "title"}) + row({"1", "x"}));
  EXPECT_EQ(rig.told(), Transcript({"ERROR 42501"}));
  EXPECT_TRUE(rig.exchange().take_cancel_request());
  rig.server(error("57014") + ready());
  rig.server(fields({"id"}) + row({"9"}) + complete("SELECT 1") + ready());
  EXPECT_EQ(rig.told(), Transcript({"Ready I", "Fields id", "Row 9", "Complete SELECT 1", "Ready I"}));
  EXPECT_TRUE(rig.exchange().idle());
}

TEST_F(StoppedReplies, EndWithTheirPrincipalsRights) {
  rig.client(query("SELECT id FROM docs"));
  rig.server(fields({"id"}) + row({"1"}));
  (void)rig.told();
  auto outsider = std::make_shared<Principal>();
  outsider->name = "ana";
  rig.gate().gate->replace_principal(outsider);
  rig.set_policy(kPolicy);
  EXPECT_EQ(rig.told(), Transcript({"ERROR 42501"}));
  EXPECT_TRUE(rig.exchange().take_cancel_request());
}

// --- budgets ---

constexpr const char* kBudget = R"(
rules:
  - {name: rag, match: {verb: [scroll, session, metadata]}, allow: true}
  - {name: a-day, match: {verb: scroll}, budget: {records: 3, per: 1d}}
)";

TEST(Budget, EndsAReplyInItsMiddle) {
  Rig rig{kBudget};
  rig.client(query("SELECT id FROM docs"));
  rig.server(fields({"id"}) + row({"1"}) + row({"2"}) + row({"3"}) + row({"4"}));
  EXPECT_EQ(rig.told(), Transcript({"Fields id", "Row 1", "Row 2", "Row 3", "ERROR 42501"}));
  EXPECT_TRUE(rig.exchange().take_cancel_request());
  rig.server(row({"5"}) + error("57014") + ready());
  EXPECT_EQ(rig.told(), Transcript({"Ready I"}));
  EXPECT_EQ(rig.exchange().records_sent(), 3u);
  (void)rig.sent();
  rig.client(query("SELECT id FROM docs"));
  EXPECT_EQ(rig.sent(), Transcript{}) << "nothing is left";
  EXPECT_EQ(rig.told(), Transcript({"ERROR 42501", "Ready I"}));
}

TEST(Budget, EndsAnExecuteThatTheServerWouldGoOnWith) {
  Rig rig{kBudget};
  rig.client(parse("", "SELECT id FROM docs") + bind("") + execute() + sync());
  rig.server(parse_complete() + bind_complete() + fields({"id"}) + row({"1"}) + row({"2"}) + row({"3"}));
  (void)rig.told();
  rig.server(row({"4"}));
  EXPECT_EQ(rig.told(), Transcript({"ERROR 42501"}));
  EXPECT_TRUE(rig.exchange().take_cancel_request());
  rig.server(error("57014") + ready());
  EXPECT_EQ(rig.told(), Transcript({"Ready I"}));
}

// Nobody has told the server yet that the pipeline ends here: what follows must fail there, too.
TEST(Budget, FailsTheRestOfAPipelineWithoutASync) {
  Rig rig{kBudget};
  const std::string flush{"H\0\0\0\4", 5};
  rig.client(parse("", "SELECT id FROM docs") + bind("") + execute() + flush);
  (void)rig.sent();
  rig.server(parse_complete() + bind_complete() + fields({"id"}) + row({"1"}) + row({"2"}) + row({"3"}) +
             row({"4"}));
  EXPECT_EQ(rig.sent(), Transcript({kRefusedParse}));
  (void)rig.told();
  rig.client(bind("") + execute());
  EXPECT_EQ(rig.sent(), Transcript{}) << "dropped up to the Sync";
  rig.client(sync());
  EXPECT_EQ(rig.sent(), Transcript({"Sync"}));
  rig.server(complete("SELECT 4") + error("42601") + ready());
  EXPECT_EQ(rig.told(), Transcript({"Ready I"})) << "one error";
}

}  // namespace
}  // namespace sluice::proxy::pg
