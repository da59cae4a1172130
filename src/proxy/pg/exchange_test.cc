// Whole conversations: what the gateway sends to the server and tells the client, message by message.
#include "proxy/pg/exchange.h"

#include <gtest/gtest.h>

#include "proxy/pg/testing.h"

namespace sluice::proxy::pg {
namespace {

using namespace testing;
using wire::pg::Format;
using wire::pg::TransactionStatus;

constexpr const char* kPolicy = R"(
rules:
  - name: rag-uses-docs
    match: {principal: {groups: [rag]}, verb: [search, fetch, scroll, write], collection: public.docs}
    allow: true
  - name: rag-reads-notes
    match: {principal: {groups: [rag]}, verb: [search, fetch, scroll], collection: public.notes}
    allow: {max_records: 2}
  - name: rag-connects
    match: {principal: {groups: [rag]}, verb: [metadata, session]}
    allow: true
)";
constexpr const char* kPolicyWithoutDocs = R"(
rules:
  - name: rag-reads-notes
    match: {principal: {groups: [rag]}, verb: [search, fetch, scroll], collection: public.notes}
    allow: {max_records: 2}
  - name: rag-connects
    match: {principal: {groups: [rag]}, verb: [metadata, session]}
    allow: true
)";

constexpr const char* kRefused = "Query sluice_refused_this_statement";
constexpr const char* kWithKey = R"(SELECT "docs"."id" AS "slc_key_1", title FROM docs)";

class ExchangeTest : public ::testing::Test {
 protected:
  Rig rig{kPolicy};
};

// --- refusals
// -----------------------------------------------------------------------------------------------------

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

// --- pipelines
// ----------------------------------------------------------------------------------------------------

TEST_F(ExchangeTest, SkipsToSyncAfterARefusedParse) {
  rig.client(parse("", "SELECT id FROM secrets") + bind("") + execute() + sync());
  EXPECT_EQ(rig.sent(), Transcript({"Parse slc_refused:sluice_refused_this_statement", "Sync"}));
  rig.server(error("42601", "1") + ready());
  EXPECT_EQ(rig.told(), Transcript({"ERROR 42501", "Ready I"}));
  rig.client(parse("", "SELECT id FROM docs") + sync());
  EXPECT_EQ(rig.sent(), Transcript({"Parse :SELECT id FROM docs", "Sync"}));
}

TEST_F(ExchangeTest, TakesBackNamesThatTheServerDidNotMake) {
  rig.client(parse("s", "SELECT id FROM docs") + sync());
  rig.server(error("42601") + ready());
  (void)rig.sent();
  (void)rig.told();
  rig.client(bind("s") + sync());
  EXPECT_EQ(rig.sent(), Transcript({"Parse slc_refused:sluice_refused_this_statement", "Sync"}));
  rig.server(error("42601") + ready());
  EXPECT_EQ(rig.told(), Transcript({"ERROR 26000", "Ready I"}));
}

TEST(ExchangePipeline, IsFlushedWhereTheGatewayMustWait) {
  Rig rig{kPolicy, {.pipeline = 2}};
  std::string parses;
  for (const char* name : {"a", "b", "c"}) parses += parse(name, "SELECT id FROM docs");
  EXPECT_EQ(rig.client(parses), Pause::server);
  const auto sent = rig.sent();
  ASSERT_EQ(sent.size(), 3u) << "two, and what makes the server answer";
  EXPECT_TRUE(sent[1].starts_with("Parse "));
  EXPECT_EQ(sent[2], "Flush");
  EXPECT_EQ(rig.client(""), Pause::server);
  EXPECT_EQ(rig.sent(), Transcript{}) << "asked once";
  rig.server(parse_complete());
  ASSERT_EQ(rig.sent().size(), 1u);
  EXPECT_EQ(rig.told(), Transcript({"ParseComplete"}));
  rig.client(sync());
  EXPECT_EQ(rig.sent(), Transcript({"Flush"}));
  rig.server(parse_complete() + parse_complete());
  EXPECT_EQ(rig.sent(), Transcript({"Sync"}));
}

TEST_F(ExchangeTest, RefusesASyncWithABody) {
  const std::string message{"S\0\0\0\5x", 6};
  EXPECT_EQ(rig.client(message), Pause::close);
  EXPECT_EQ(rig.sent(), Transcript{});
  EXPECT_EQ(rig.told(), Transcript({"FATAL 08P01"}));
}

// --- bounds
// -------------------------------------------------------------------------------------------------------

class BoundedRead : public ExchangeTest {
 protected:
  BoundedRead() {
    rig.client(parse("", "SELECT id, note FROM notes") + bind("") + execute() + sync());
    EXPECT_EQ(rig.sent(),
              Transcript({"Parse :SELECT id, note FROM notes", "Bind  []", "Describe", "Execute 3", "Sync"}));
    rig.server(parse_complete() + bind_complete() + fields({"id", "note"}));
    EXPECT_EQ(rig.told(), Transcript({"ParseComplete", "BindComplete"})) << "the client has not asked for it";
  }
};

TEST_F(BoundedRead, IsStoppedAtOneMore) {
  rig.server(row({"1", "a"}) + row({"2", "b"}) + row({"3", "c"}) + portal_suspended() + ready());
  EXPECT_EQ(rig.told(), Transcript({"Row 1|a", "Row 2|b", "ERROR 42501", "Ready I"}));
  EXPECT_EQ(rig.exchange().records_sent(), 2u);
  EXPECT_FALSE(rig.exchange().take_cancel_request()) << "the server has stopped by itself";
}

TEST_F(BoundedRead, OfJustAsManyIsWhole) {
  rig.server(row({"1", "a"}) + row({"2", "b"}) + complete("SELECT 2") + ready());
  EXPECT_EQ(rig.told(), Transcript({"Row 1|a", "Row 2|b", "Complete SELECT 2", "Ready I"}));
}

// The client is told of an error that the server knows nothing of.
TEST_F(ExchangeTest, FailsTheTransactionOfAReadThatWasStopped) {
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

// --- carried keys
// -------------------------------------------------------------------------------------------------

TEST_F(ExchangeTest, TakesCarriedKeysOffTheReply) {
  rig.client(query("SELECT title FROM docs"));
  EXPECT_EQ(rig.sent(), Transcript({std::string{"Query "} + kWithKey}));
  rig.server(fields({"slc_key_1", "title"}) + row({"7", "first"}) + row({"8", ""}) + complete("SELECT 2") +
             ready());
  EXPECT_EQ(rig.told(), Transcript({"Fields title", "Row first", "Row ", "Complete SELECT 2", "Ready I"}));
}

TEST_F(ExchangeTest, GivesACarriedKeyAFormat) {
  rig.client(parse("", "SELECT title, body FROM docs") + bind("", {Format::binary, Format::text}) + sync());
  auto sent = rig.sent();
  ASSERT_EQ(sent.size(), 3u);
  EXPECT_EQ(sent[1], "Bind  [0,1,0]");
  rig.server(parse_complete() + bind_complete() + ready());
  rig.client(bind("", {Format::binary}) + sync());
  EXPECT_EQ(rig.sent(), Transcript({"Bind  [1]", "Sync"})) << "one for all is one for the key, too";
}

TEST_F(ExchangeTest, MovesPositionsOfErrorsBack) {
  const std::string source = "SELECT title FROM docs";
  const auto position_of = [](std::string_view text, std::string_view word) {
    return std::to_string(text.find(word) + 1);
  };
  for (const char* word : {"title", "FROM", "SELECT"}) {
    rig.client(query(source));
    ASSERT_EQ(rig.sent(), Transcript({std::string{"Query "} + kWithKey}));
    rig.server(error("42703", position_of(kWithKey, word)) + ready());
    EXPECT_EQ(rig.told(), Transcript({"ERROR 42703 at " + position_of(source, word), "Ready I"}));
  }
  rig.client(query(source));
  rig.server(error("22000", position_of(kWithKey, "slc_key_1")) + ready());
  EXPECT_EQ(rig.told(), Transcript({"ERROR 22000", "Ready I"})) << "the client has not written that";
}

// --- long messages
// ------------------------------------------------------------------------------------------------

TEST(ExchangeLongRows, ArriveWholeInPiecesOfAnySize) {
  const std::string value(1000, 'x');
  const auto answer = fields({"slc_key_1", "title"}) + row({"7", value}) + row({"8", "short"}) +
                      row({"9", value}) + complete("SELECT 3") + ready();
  for (const std::size_t piece : {1, 5, 6, 7, 13, 70, 900, 5000}) {
    Rig rig{kPolicy, {.held_row_bytes = 64}};
    rig.client(query("SELECT title FROM docs"));
    EXPECT_EQ(rig.server(answer, piece), Pause::none) << piece;
    EXPECT_EQ(rig.told(), Transcript({"Fields title", "Row " + value, "Row short", "Row " + value,
                                      "Complete SELECT 3", "Ready I"}))
        << piece;
  }
}

// The client would take for cells what the gateway says in the middle of a row.
TEST(ExchangeLongRows, AreNotFollowedByAnError) {
  Rig rig{kPolicy, {.held_row_bytes = 64}};
  rig.client(query("SELECT id, title FROM docs"));
  const auto long_row = row({"7", std::string(1000, 'x')});
  rig.server(fields({"id", "title"}));
  (void)rig.told();
  rig.server(long_row.substr(0, 500));
  rig.exchange().terminate(record::SessionEndReason::revoked, "57P01", "no more");
  EXPECT_EQ(rig.client(query("SELECT 1")), Pause::close);
  EXPECT_EQ(rig.told_bytes(), long_row.substr(0, 500));
}

// Once a row has begun to arrive at the client, nothing may come before its end.
TEST(ExchangeLongRows, AreFinishedBeforeAReplyIsCut) {
  const std::string value(1000, 'x');
  Rig rig{kPolicy, {.held_row_bytes = 64}};
  rig.client(query("SELECT title FROM docs"));
  const auto long_row = row({"7", value});
  rig.server(fields({"slc_key_1", "title"}) + long_row.substr(0, 500));
  rig.set_policy(kPolicyWithoutDocs);
  rig.server(long_row.substr(500) + row({"8", "y"}) + complete("SELECT 2") + ready());
  EXPECT_EQ(rig.told(), Transcript({"Fields title", "Row " + value, "ERROR 42501", "Ready I"}));
}

TEST_F(ExchangeTest, FillsACopyDataThatNobodyWantsAnyMore) {
  rig.client(query("COPY docs FROM STDIN"));
  rig.server(copy_in_response());
  EXPECT_EQ(rig.told(), Transcript({"CopyInResponse"}));
  EXPECT_EQ(rig.sent(), Transcript({"Query COPY docs FROM STDIN"}));
  const auto data = copy_data(std::string(100, 'x'));
  rig.client(data.substr(0, 45));
  EXPECT_EQ(rig.sent_bytes(), data.substr(0, 45)) << "passed on as it comes";
  rig.server(error("22P02") + ready());
  EXPECT_EQ(rig.told(), Transcript({"ERROR 22P02", "Ready I"}));
  rig.client(data.substr(45) + copy_data("late") + query("SELECT id FROM docs"));
  EXPECT_EQ(rig.sent_bytes(), std::string(60, '\0') + query("SELECT id FROM docs"));
}

TEST_F(ExchangeTest, PassesACopyDataInPieces) {
  rig.client(query("COPY docs FROM STDIN"));
  rig.server(copy_in_response());
  (void)rig.sent();
  std::string done;
  wire::pg::encode_copy_done(done);
  const auto all = copy_data(std::string(100, 'x')) + copy_data("end") + done;
  for (const char c : all) rig.client({&c, 1});
  EXPECT_EQ(rig.sent(), Transcript({"CopyData " + std::string(100, 'x'), "CopyData end", "CopyDone"}));
}

// --- a server that is not to be trusted
// ---------------------------------------------------------------------------

constexpr const char* kBroken = "FATAL 08P01";

TEST_F(ExchangeTest, EndsAtARowOutOfTurn) {
  EXPECT_EQ(rig.server(row({"7"})), Pause::close);
  EXPECT_EQ(rig.told(), Transcript({kBroken}));
}

TEST_F(ExchangeTest, EndsAtARowInAnswerToParse) {
  rig.client(parse("", "SELECT id FROM docs") + bind("") + sync());
  EXPECT_EQ(rig.server(row({"7"})), Pause::close);
  EXPECT_EQ(rig.told(), Transcript({kBroken}));
}

TEST_F(ExchangeTest, EndsAtASecondDescription) {
  rig.client(query("SELECT id FROM docs"));
  EXPECT_EQ(rig.server(fields({"id"}) + fields({"id"})), Pause::close);
  EXPECT_EQ(rig.told(), Transcript({"Fields id", kBroken}));
}

TEST_F(ExchangeTest, EndsAtARowThatDoesNotFitItsDescription) {
  rig.client(query("SELECT id FROM docs"));
  EXPECT_EQ(rig.server(fields({"id"}) + row({"7"}) + row({"7", "8"})), Pause::close);
  EXPECT_EQ(rig.told(), Transcript({"Fields id", "Row 7", kBroken}));
}

TEST_F(ExchangeTest, EndsAtAReadyThatComesTooEarly) {
  rig.client(query("SELECT id FROM docs"));
  EXPECT_EQ(rig.server(fields({"id"}) + ready()), Pause::close);
  EXPECT_EQ(rig.told(), Transcript({"Fields id", kBroken}));
  Rig other{kPolicy};
  other.client(parse("", "SELECT id FROM docs") + sync());
  EXPECT_EQ(other.server(ready()), Pause::close);
  EXPECT_EQ(other.told(), Transcript({kBroken}));
  Rig third{kPolicy};
  EXPECT_EQ(third.server(ready()), Pause::close) << "nobody has asked";
}

TEST_F(ExchangeTest, EndsWhereAReplyLacksItsKeys) {
  rig.client(query("SELECT title FROM docs"));
  EXPECT_EQ(rig.server(fields({}) + row({})), Pause::close);
  EXPECT_EQ(rig.told(), Transcript({kBroken}));
}

TEST_F(ExchangeTest, SaysNothingMoreAfterTheEnd) {
  rig.server(row({"7"}));
  (void)rig.told();
  EXPECT_EQ(rig.client(query("SELECT id FROM docs")), Pause::close);
  EXPECT_EQ(rig.sent(), Transcript{});
  EXPECT_EQ(rig.told(), Transcript{});
}

// --- live policy
// --------------------------------------------------------------------------------------------------

TEST_F(ExchangeTest, CutsRunningRepliesEachAtItsTurn) {
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

}  // namespace
}  // namespace sluice::proxy::pg
