// The extended query in whole conversations: pipelines, and executions that are counted.
#include "proxy/pg/exchange/exchange.h"

#include <gtest/gtest.h>

#include "proxy/pg/exchange/testing.h"

namespace sluice::proxy::pg {
namespace {

using namespace testing;
using wire::pg::NamedObject;
using wire::pg::TransactionStatus;

class PipelineTest : public ::testing::Test {
 protected:
  Rig rig{kPolicy};
};

TEST_F(PipelineTest, SkipsToSyncAfterARefusedParse) {
  rig.client(parse("", "SELECT id FROM secrets") + bind("") + execute() + sync());
  EXPECT_EQ(rig.sent(), Transcript({kRefusedParse, "Sync"}));
  rig.server(error("42601", "1") + ready());
  EXPECT_EQ(rig.told(), Transcript({"ERROR 42501", "Ready I"}));
  rig.client(parse("", "SELECT id FROM docs") + sync());
  EXPECT_EQ(rig.sent(), Transcript({"Parse :SELECT id FROM docs", "Sync"}));
}

TEST_F(PipelineTest, TakesBackNamesThatTheServerDidNotMake) {
  rig.client(parse("s", "SELECT id FROM docs") + sync());
  rig.server(error("42601") + ready());
  (void)rig.sent();
  (void)rig.told();
  rig.client(bind("s") + sync());
  EXPECT_EQ(rig.sent(), Transcript({kRefusedParse, "Sync"}));
  rig.server(error("42601") + ready());
  EXPECT_EQ(rig.told(), Transcript({"ERROR 26000", "Ready I"}));
}

TEST(Pipeline, IsFlushedWhereTheGatewayMustWait) {
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

TEST_F(PipelineTest, RefusesASyncWithABody) {
  const std::string message{"S\0\0\0\5x", 6};
  EXPECT_EQ(rig.client(message), Pause::close);
  EXPECT_EQ(rig.sent(), Transcript{});
  EXPECT_EQ(rig.told(), Transcript({"FATAL 08P01"}));
}

TEST_F(PipelineTest, DescribesForTheKeysOnce) {
  rig.client(parse("s", "SELECT id FROM docs") + bind("s") + execute() + sync());
  EXPECT_EQ(rig.sent(), Transcript({"Parse slc_s1:SELECT id FROM docs", "Bind slc_s1 []", "Describe",
                                    "Execute 0", "Sync"}));
  rig.server(parse_complete() + bind_complete() + fields({"id"}) + row({"1"}) + complete("SELECT 1") +
             ready());
  EXPECT_EQ(rig.told(),
            Transcript({"ParseComplete", "BindComplete", "Row 1", "Complete SELECT 1", "Ready I"}));
  rig.client(bind("s") + execute() + sync());
  EXPECT_EQ(rig.sent(), Transcript({"Bind slc_s1 []", "Execute 0", "Sync"})) << "known from the last time";
}

TEST_F(PipelineTest, ShowsADescriptionThatWasAskedFor) {
  rig.client(parse("s", "SELECT title FROM docs") + describe(NamedObject::statement, "s") + sync());
  EXPECT_EQ(rig.sent().size(), 3u);
  std::string parameters;
  ASSERT_TRUE(wire::pg::encode_parameter_description(parameters, {}));
  rig.server(parse_complete() + parameters + fields({"slc_key_1", "title"}) + ready());
  EXPECT_EQ(rig.told(), Transcript({"ParseComplete", "ParameterDescription", "Fields title", "Ready I"}));
}

TEST_F(PipelineTest, ClosesWhatIsNotThere) {
  rig.client(close(NamedObject::statement, "never") + sync());
  EXPECT_EQ(rig.sent(), Transcript({"Close slc_none", "Sync"}));
  rig.server(close_complete() + ready());
  EXPECT_EQ(rig.told(), Transcript({"CloseComplete", "Ready I"}));
}

TEST_F(PipelineTest, RefusesAnExecuteWithoutAPortal) {
  rig.client(execute() + sync());
  EXPECT_EQ(rig.sent(), Transcript({kRefusedParse, "Sync"}));
  rig.server(error("42601") + ready());
  EXPECT_EQ(rig.told(), Transcript({"ERROR 34000", "Ready I"}));
}

// --- bounds ---

class BoundedRead : public PipelineTest {
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

// In a transaction nothing is said to the server that depends on a counted read before that is over.
TEST_F(PipelineTest, ExecutionsOfOnePortalShareABound) {
  rig.in_transaction();
  rig.client(parse("", "SELECT id, note FROM notes") + bind("", {}, "p") + execute(1, "p") + sync());
  EXPECT_EQ(rig.sent(), Transcript({"Parse :SELECT id, note FROM notes", "Bind slc_p1= []", "Describe",
                                    "Execute slc_p1 1", "Flush"}));
  rig.server(parse_complete() + bind_complete() + fields({"id", "note"}) + row({"1", "a"}) +
             portal_suspended());
  EXPECT_EQ(rig.sent(), Transcript({"Sync"}));
  rig.server(ready(TransactionStatus::in_transaction));
  EXPECT_EQ(rig.told(),
            Transcript({"ParseComplete", "BindComplete", "Row 1|a", "PortalSuspended", "Ready T"}));
  rig.client(execute(0, "p") + sync());
  EXPECT_EQ(rig.sent(), Transcript({"Execute slc_p1 2", "Flush"})) << "one is left, and one more tells";
  rig.server(row({"2", "b"}) + row({"3", "c"}) + portal_suspended());
  EXPECT_EQ(rig.told(), Transcript({"Row 2|b", "ERROR 42501"}));
  EXPECT_EQ(rig.sent(), Transcript({kRefusedParse})) << "the transaction fails on the server, too";
  rig.server(error("42601"));
  EXPECT_EQ(rig.sent(), Transcript({"Sync"}));
  rig.server(ready(TransactionStatus::failed));
  EXPECT_EQ(rig.told(), Transcript({"Ready E"}));
}

// --- clamps ---

constexpr const char* kClamped = R"(
rules:
  - {name: rag, match: {verb: [scroll, session, metadata]}, allow: true}
  - {name: top, match: {verb: scroll}, limit: {max_records: 20, over: clamp}}
)";
constexpr const char* kClampedLower = R"(
rules:
  - {name: rag, match: {verb: [scroll, session, metadata]}, allow: true}
  - {name: top, match: {verb: scroll}, limit: {max_records: 5, over: clamp}}
)";

TEST(Clamp, LowersTheLimitOfWhatIsSent) {
  Rig rig{kClamped};
  rig.client(query("SELECT id FROM docs LIMIT 50"));
  auto sent = rig.sent();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_TRUE(sent[0].ends_with("LIMIT 20")) << sent[0];
  rig.server(fields({"id"}) + row({"1"}) + complete("SELECT 1") + ready());
  EXPECT_EQ(rig.told(), Transcript({"Fields id", "Row 1", "Complete SELECT 1", "Ready I"}));
  rig.client(query("SELECT id FROM docs LIMIT 7"));
  EXPECT_EQ(rig.sent(), Transcript({"Query SELECT id FROM docs LIMIT 7"})) << "within it";
}

TEST(Clamp, OfAPreparedStatementFollowsThePolicy) {
  Rig rig{kClamped};
  rig.client(parse("s", "SELECT id FROM docs") + bind("s", {}, "old") + sync());
  auto sent = rig.sent();
  ASSERT_EQ(sent.size(), 3u);
  EXPECT_TRUE(sent[0].ends_with("LIMIT 20")) << sent[0];
  rig.server(parse_complete() + bind_complete() + ready(TransactionStatus::in_transaction));
  rig.set_policy(kClampedLower);
  rig.client(execute(0, "old") + sync());
  EXPECT_EQ(rig.sent(), Transcript({kRefusedParse, "Sync"})) << "what is open was made under the old rule";
  rig.server(error("42601") + ready(TransactionStatus::failed));
  rig.server("");
  (void)rig.told();
  rig.client(query("ROLLBACK"));
  rig.server(complete("ROLLBACK") + ready());
  (void)rig.sent();
  rig.client(bind("s") + sync());
  sent = rig.sent();
  ASSERT_EQ(sent.size(), 4u);
  EXPECT_EQ(sent[0], "Close slc_s1");
  EXPECT_TRUE(sent[1].starts_with("Parse slc_s") && sent[1].ends_with("LIMIT 5")) << sent[1];
  EXPECT_NE(sent[1].find("slc_s"), std::string::npos);
}

}  // namespace
}  // namespace sluice::proxy::pg
