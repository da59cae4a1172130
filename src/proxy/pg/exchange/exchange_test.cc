// Whole conversations: what the gateway sends to the server and tells the client, message by message. What is
// allowed and what is not, and what comes from outside: cancels, the end of the session, a server that goes.
#include "proxy/pg/exchange/exchange.h"

#include <gtest/gtest.h>

#include "proxy/pg/exchange/testing.h"

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

// --- query strings whose names move --------------------------------------------------------------

constexpr const char* kOpening = "Parse slc_catalogue:SHOW server_version_num";

std::string opened() {
  return parse_complete() + bind_complete() + row({"170000"}) + complete("SHOW") + close_complete() +
         close_complete();
}
std::string done(std::string_view tag) {
  std::string no_data;
  wire::pg::encode_no_data(no_data);
  return parse_complete() + bind_complete() + no_data + complete(tag);
}

TEST_F(ExchangeTest, SendsAStringWhoseNamesMoveStatementByStatement) {
  EXPECT_EQ(rig.client(query("SET search_path TO public; SELECT title FROM docs")), Pause::server);
  auto sent = rig.sent();
  ASSERT_FALSE(sent.empty());
  EXPECT_EQ(sent.front(), kOpening);
  EXPECT_EQ(sent.back(), "Flush");
  rig.server(opened());
  EXPECT_EQ(rig.told(), Transcript{}) << "the gateway's own statement is not the client's";
  EXPECT_EQ(rig.sent(),
            Transcript({"Parse :SET search_path TO public", "Bind  []", "Describe", "Execute 0", "Flush"}));
  rig.server(done("SET"));
  EXPECT_EQ(rig.told(), Transcript({"Complete SET"}))
      << "a client of the simple query hears no acknowledgements";
  sent = rig.sent();  // behind the path, which is read first
  ASSERT_GE(sent.size(), 5u);
  EXPECT_EQ(sent[sent.size() - 5].substr(0, 7), "Parse :");
  rig.server(parse_complete() + bind_complete() + fields({"slc_key_1", "title"}) + row({"7", "seven"}) +
             complete("SELECT 1"));
  EXPECT_EQ(rig.told(), Transcript({"Fields title", "Row seven", "Complete SELECT 1"}));
  EXPECT_EQ(rig.sent(), Transcript({"Sync"}));
  rig.server(ready());
  EXPECT_EQ(rig.told(), Transcript({"Ready I"}));
  EXPECT_TRUE(rig.exchange().idle());
  rig.client(query("SELECT title FROM docs; SET search_path TO other"));
  EXPECT_EQ(rig.sent().size(), 1u) << "here the names are looked up before";
}

TEST_F(ExchangeTest, EndsAStringAtTheFirstRefusal) {
  rig.client(query("SET search_path TO public; SELECT secret FROM secrets; SELECT id FROM docs"));
  rig.server(opened());
  (void)rig.sent();
  rig.server(done("SET"));
  EXPECT_EQ(rig.told(), Transcript({"Complete SET"}));
  const auto sent = rig.sent();
  ASSERT_FALSE(sent.empty());
  EXPECT_EQ(sent[sent.size() - 2], "Parse slc_refused:sluice_refused_this_statement") << sent.back();
  rig.server(error("42601", "1"));
  EXPECT_EQ(rig.told(), Transcript({"ERROR 42501"}));
  EXPECT_EQ(rig.sent(), Transcript({"Sync"})) << "nothing behind it is sent";
  rig.server(ready());
  EXPECT_EQ(rig.told(), Transcript({"Ready I"}));
}

TEST_F(ExchangeTest, CountsPositionsInTheWholeString) {
  rig.client(query("SET search_path TO public;  SELECT id, wrong FROM docs"));
  rig.server(opened());
  rig.server(done("SET"));
  (void)rig.told();
  rig.server(error("42703", "12"));
  EXPECT_EQ(rig.told(), Transcript({"ERROR 42703 at 40"}));
  (void)rig.sent();
  rig.server(ready());
  EXPECT_EQ(rig.told(), Transcript({"Ready I"}));
}

TEST_F(ExchangeTest, TakesCopyDataWithinAString) {
  rig.client(query("SET search_path TO public; COPY docs FROM STDIN"));
  rig.server(opened());
  rig.server(done("SET"));
  (void)rig.told();
  (void)rig.sent();
  std::string no_data;
  wire::pg::encode_no_data(no_data);
  rig.server(parse_complete() + bind_complete() + no_data + copy_in_response());
  EXPECT_EQ(rig.told(), Transcript({"CopyInResponse"}));
  std::string copy_done;
  wire::pg::encode_copy_done(copy_done);
  rig.client(copy_data("7\n") + copy_done);
  EXPECT_EQ(rig.sent(), Transcript({"CopyData 7\n", "CopyDone", "Flush"}));
  rig.server(complete("COPY 1"));
  EXPECT_EQ(rig.told(), Transcript({"Complete COPY 1"}));
  EXPECT_EQ(rig.sent(), Transcript({"Sync"}));
  rig.server(ready());
  EXPECT_EQ(rig.told(), Transcript({"Ready I"}));
}

// What is on its way may change what the names of the next message mean.
TEST_F(ExchangeTest, WaitsForAPathThatIsOnItsWay) {
  EXPECT_EQ(rig.client(query("SET search_path TO other") + query("SELECT id FROM docs")), Pause::server);
  EXPECT_EQ(rig.sent(), Transcript({"Query SET search_path TO other"}));
  rig.server(complete("SET") + ready());
  EXPECT_EQ(rig.told(), Transcript({"Complete SET", "Ready I"}));
  EXPECT_EQ(rig.sent(), Transcript({"Query SELECT id FROM docs"})) << "after the path was read";
}

TEST_F(ExchangeTest, TellsOfACommitThatFails) {
  rig.client(parse("", "SELECT id FROM docs") + bind("") + execute() + sync());
  rig.server(parse_complete() + bind_complete() + fields({"id"}) + complete("SELECT 0") + error("23503") +
             ready());
  EXPECT_EQ(rig.told(),
            Transcript({"ParseComplete", "BindComplete", "Complete SELECT 0", "ERROR 23503", "Ready I"}));
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

TEST_F(ExchangeTest, JudgesNothingThatIsSaidToAClientThatLeft) {
  rig.client(query("SELECT id FROM docs"));
  rig.exchange().abandon(record::OutcomeStatus::client_lost);
  EXPECT_EQ(rig.server(fields({"id"}) + row({"1"})), Pause::close);
  EXPECT_EQ(rig.told(), Transcript{});
  EXPECT_EQ(rig.exchange().closing().reason, record::SessionEndReason::client_closed) << "no broken protocol";
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
