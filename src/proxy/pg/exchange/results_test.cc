// Results in whole conversations: the keys that the gateway asks for, and rows of any length.
#include "proxy/pg/exchange/exchange.h"

#include <gtest/gtest.h>

#include "proxy/pg/exchange/testing.h"

namespace sluice::proxy::pg {
namespace {

using namespace testing;
using wire::pg::Format;

constexpr const char* kWithKey = R"(SELECT "docs"."id" AS "slc_key_1", title FROM docs)";

class ResultsTest : public ::testing::Test {
 protected:
  Rig rig{kPolicy};
};

TEST_F(ResultsTest, TakesCarriedKeysOffTheReply) {
  rig.client(query("SELECT title FROM docs"));
  EXPECT_EQ(rig.sent(), Transcript({std::string{"Query "} + kWithKey}));
  rig.server(fields({"slc_key_1", "title"}) + row({"7", "first"}) + row({"8", ""}) + complete("SELECT 2") +
             ready());
  EXPECT_EQ(rig.told(), Transcript({"Fields title", "Row first", "Row ", "Complete SELECT 2", "Ready I"}));
}

TEST_F(ResultsTest, GivesACarriedKeyAFormat) {
  rig.client(parse("", "SELECT title, body FROM docs") + bind("", {Format::binary, Format::text}) + sync());
  auto sent = rig.sent();
  ASSERT_EQ(sent.size(), 3u);
  EXPECT_EQ(sent[1], "Bind  [0,1,0]");
  rig.server(parse_complete() + bind_complete() + ready());
  rig.client(bind("", {Format::binary}) + sync());
  EXPECT_EQ(rig.sent(), Transcript({"Bind  [1]", "Sync"})) << "one for all is one for the key, too";
}

// --- long rows ---

TEST(LongRows, ArriveWholeInPiecesOfAnySize) {
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

// A reply has come as far as that; what the client has of its row.
std::string half_of_a_long_row(Rig& rig) {
  rig.client(query("SELECT id, title FROM docs"));
  rig.server(fields({"id", "title"}));
  (void)rig.told();
  auto half = row({"7", std::string(1000, 'x')}).substr(0, 500);
  rig.server(half);
  return half;
}

// The client would take for cells what the gateway says in the middle of a row.
TEST(LongRows, AreNotFollowedByAnError) {
  Rig rig{kPolicy, {.held_row_bytes = 64}};
  const auto half = half_of_a_long_row(rig);
  rig.exchange().terminate(record::SessionEndReason::revoked, "57P01", "no more");
  EXPECT_EQ(rig.client(query("SELECT 1")), Pause::close);
  EXPECT_EQ(rig.told_bytes(), half);
}

// Once a row has begun to arrive at the client, nothing may come before its end.
TEST(LongRows, AreFinishedBeforeAReplyIsCut) {
  const std::string value(1000, 'x');
  Rig rig{kPolicy, {.held_row_bytes = 64}};
  rig.client(query("SELECT title FROM docs"));
  const auto long_row = row({"7", value});
  rig.server(fields({"slc_key_1", "title"}) + long_row.substr(0, 500));
  rig.set_policy(kPolicyWithoutDocs);
  rig.server(long_row.substr(500) + row({"8", "y"}) + complete("SELECT 2") + ready());
  EXPECT_EQ(rig.told(), Transcript({"Fields title", "Row " + value, "ERROR 42501", "Ready I"}));
}

// The client counts on the bytes that the row's header has announced.
TEST(LongRows, AreFollowedByNothingWhenTheServerGoes) {
  Rig rig{kPolicy, {.held_row_bytes = 64}};
  const auto half = half_of_a_long_row(rig);
  rig.exchange().server_lost("reset by peer");
  EXPECT_EQ(rig.client(query("SELECT 1")), Pause::close);
  EXPECT_EQ(rig.told_bytes(), half);
}

}  // namespace
}  // namespace sluice::proxy::pg
