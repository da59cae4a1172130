// Whole conversations: what the gateway sends to the server and tells the client, message by message. What is
// allowed and what is not, and what comes from outside: cancels, the end of the session, a server that goes.
#include "proxy/pg/exchange.h"

#include <gtest/gtest.h>

#include "proxy/pg/testing.h"

namespace sluice::proxy::pg {
namespace {

using namespace testing;
using wire::pg::TransactionStatus;

class ExchangeTest : public ::testing::Test {
 protected:
  Rig rig{kPolicy};
};

TEST_F(ExchangeTest, PassesWhatIsAllowed) {
  rig.client(query("SELECT id FROM docs"));
  EXPECT_EQ(rig.sent(), Transcript({"Query SELECT id FROM docs"}));
  rig.server(fields({"id"}) + row({"7"}) + complete("SELECT 1") + ready());
  EXPECT_EQ(rig.told(), Transcript({"Fields id", "Row 7", "Complete SELECT 1", "Ready I"}));
  EXPECT_EQ(rig.exchange().records_sent(), 1u);
}

TEST_F(ExchangeTest, AnswersARefusedQueryByItself) {
  rig.client(query("SELECT id FROM secrets"));
  EXPECT_EQ(rig.sent(), Transcript{});
  EXPECT_EQ(rig.told(), Transcript({"ERROR 42501", "Ready I"}));
  EXPECT_TRUE(rig.exchange().idle());
}

TEST_F(ExchangeTest, MakesTheServerFailInATransaction) {
  rig.in_transaction();
  rig.client(query("SELECT id FROM secrets"));
  EXPECT_EQ(rig.sent(), Transcript({kRefused}));
  EXPECT_EQ(rig.told(), Transcript{}) << "the server's state is not known yet";
  rig.server(error("42601", "1") + ready(TransactionStatus::failed));
  EXPECT_EQ(rig.told(), Transcript({"ERROR 42501", "Ready E"})) << "the refusal, not the syntax error";
}

TEST_F(ExchangeTest, RefusesNamesThatMoveWithinAQueryString) {
  rig.client(query("SET search_path TO other; SELECT id FROM docs"));
  EXPECT_EQ(rig.sent(), Transcript{});
  const auto told = rig.told();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_TRUE(told[0].starts_with("ERROR ")) << told[0];
  EXPECT_EQ(told[1], "Ready I");
  rig.client(query("SELECT id FROM docs; SET search_path TO other"));
  EXPECT_EQ(rig.sent().size(), 1u) << "here the names are looked up before";
}

TEST_F(ExchangeTest, KeepsPinnedSettings) {
  rig.client(query("SET standard_conforming_strings = off"));
  EXPECT_EQ(rig.sent(), Transcript{});
  EXPECT_EQ(rig.told(), Transcript({"ERROR 0A000", "Ready I"}));
  rig.client(query("SET standard_conforming_strings = on"));
  EXPECT_EQ(rig.sent(), Transcript({"Query SET standard_conforming_strings = on"}));
}

TEST_F(ExchangeTest, EndsASessionWhosePinnedSettingHasChanged) {
  std::string status;
  ASSERT_TRUE(wire::pg::encode_parameter_status(status, "standard_conforming_strings", "on"));
  EXPECT_EQ(rig.server(status), Pause::none);
  EXPECT_EQ(rig.told(), Transcript({"ParameterStatus"}));
  status.clear();
  ASSERT_TRUE(wire::pg::encode_parameter_status(status, "standard_conforming_strings", "off"));
  EXPECT_EQ(rig.server(status), Pause::close);
  EXPECT_EQ(rig.told(), Transcript({"FATAL 57P01"}));
}

// --- cancel ---

TEST_F(ExchangeTest, PassesACancelOfWhatRuns) {
  EXPECT_FALSE(rig.exchange().cancel()) << "nothing runs";
  rig.client(query("SELECT id FROM docs"));
  EXPECT_TRUE(rig.exchange().cancel());
  rig.server(fields({"id"}) + row({"1"}) + error("57014") + ready());
  EXPECT_EQ(rig.told(), Transcript({"Fields id", "Row 1", "ERROR 57014", "Ready I"}));
  EXPECT_EQ(rig.exchange().records_sent(), 1u);
  EXPECT_FALSE(rig.exchange().cancel());
}

// The server works for the gateway then: a cancel would hit that, and the statement would run all the same.
TEST_F(ExchangeTest, FailsAStatementThatIsCancelledBeforeItIsSent) {
  rig.client(query("SET search_path TO public"));
  rig.server(complete("SET") + ready());
  (void)rig.sent();
  (void)rig.told();
  rig.while_reading = [this] { EXPECT_FALSE(rig.exchange().cancel()); };
  rig.client(query("SELECT id FROM docs"));
  EXPECT_EQ(rig.told(), Transcript({"ERROR 57014", "Ready I"}));
  EXPECT_EQ(rig.sent(), Transcript{});
  rig.client(query("SELECT id FROM docs"));
  EXPECT_EQ(rig.sent(), Transcript({"Query SELECT id FROM docs"})) << "only that one";
}

// --- a server that goes ---

TEST_F(ExchangeTest, SaysThatTheServerHasGoneInTheMiddleOfAReply) {
  rig.client(query("SELECT id FROM docs"));
  rig.server(fields({"id"}) + row({"1"}));
  (void)rig.told();
  rig.exchange().server_lost("reset by peer");
  EXPECT_EQ(rig.client(query("SELECT 1")), Pause::close);
  EXPECT_EQ(rig.told(), Transcript({"FATAL 08006"}));
  EXPECT_EQ(rig.exchange().closing().reason, record::SessionEndReason::upstream_closed);
  EXPECT_EQ(rig.exchange().records_sent(), 1u) << "the outcome says what has left";
  EXPECT_TRUE(rig.exchange().idle());
}

TEST_F(ExchangeTest, SaysThatTheServerHasGoneWhileNothingRuns) {
  rig.exchange().server_lost("reset by peer");
  rig.exchange().server_lost("again");
  EXPECT_EQ(rig.client(query("SELECT 1")), Pause::close);
  EXPECT_EQ(rig.told(), Transcript({"FATAL 08006"})) << "once";
  EXPECT_EQ(rig.sent(), Transcript{});
}

TEST_F(ExchangeTest, PassesOnWhyTheServerEndsTheSession) {
  EXPECT_EQ(rig.server(error("57P01")), Pause::close);
  EXPECT_EQ(rig.told(), Transcript({"ERROR 57P01"}));
  EXPECT_EQ(rig.exchange().closing().reason, record::SessionEndReason::upstream_closed);
}

TEST_F(ExchangeTest, EndsWithTheClientsGoodbye) {
  EXPECT_EQ(rig.client({"X\0\0\0\4", 5}), Pause::close);
  EXPECT_EQ(rig.told(), Transcript{});
  EXPECT_EQ(rig.exchange().closing().reason, record::SessionEndReason::client_closed);
}

TEST_F(ExchangeTest, EndsWhatIsRevoked) {
  rig.client(query("SELECT id FROM docs"));
  rig.exchange().terminate(record::SessionEndReason::revoked, "57P01", "revoked");
  EXPECT_EQ(rig.server(fields({"id"}) + row({"1"})), Pause::close);
  EXPECT_EQ(rig.client(""), Pause::close);
  EXPECT_EQ(rig.told(), Transcript({"FATAL 57P01"})) << "and nothing of the reply";
}

}  // namespace
}  // namespace sluice::proxy::pg
