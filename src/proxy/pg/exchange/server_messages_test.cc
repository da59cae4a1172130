// A server that is not to be trusted: what fits no request, or no state, ends the session.
#include "proxy/pg/exchange/exchange.h"

#include <gtest/gtest.h>

#include "proxy/pg/exchange/testing.h"

namespace sluice::proxy::pg {
namespace {

using namespace testing;

class UntrustedServer : public ::testing::Test {
 protected:
  Rig rig{kPolicy};
};

constexpr const char* kBroken = "FATAL 08P01";

TEST_F(UntrustedServer, EndsAtARowOutOfTurn) {
  EXPECT_EQ(rig.server(row({"7"})), Pause::close);
  EXPECT_EQ(rig.told(), Transcript({kBroken}));
}

TEST_F(UntrustedServer, EndsAtARowInAnswerToParse) {
  rig.client(parse("", "SELECT id FROM docs") + bind("") + sync());
  EXPECT_EQ(rig.server(row({"7"})), Pause::close);
  EXPECT_EQ(rig.told(), Transcript({kBroken}));
}

TEST_F(UntrustedServer, EndsAtASecondDescription) {
  rig.client(query("SELECT id FROM docs"));
  EXPECT_EQ(rig.server(fields({"id"}) + fields({"id"})), Pause::close);
  EXPECT_EQ(rig.told(), Transcript({"Fields id", kBroken}));
}

TEST_F(UntrustedServer, EndsAtARowThatDoesNotFitItsDescription) {
  rig.client(query("SELECT id FROM docs"));
  EXPECT_EQ(rig.server(fields({"id"}) + row({"7"}) + row({"7", "8"})), Pause::close);
  EXPECT_EQ(rig.told(), Transcript({"Fields id", "Row 7", kBroken}));
}

TEST_F(UntrustedServer, EndsAtAReadyThatComesTooEarly) {
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

TEST_F(UntrustedServer, EndsWhereAReplyLacksItsKeys) {
  rig.client(query("SELECT title FROM docs"));
  EXPECT_EQ(rig.server(fields({}) + row({})), Pause::close);
  EXPECT_EQ(rig.told(), Transcript({kBroken}));
}

TEST_F(UntrustedServer, SaysNothingMoreAfterTheEnd) {
  rig.server(row({"7"}));
  (void)rig.told();
  EXPECT_EQ(rig.client(query("SELECT id FROM docs")), Pause::close);
  EXPECT_EQ(rig.sent(), Transcript{});
  EXPECT_EQ(rig.told(), Transcript{});
}

TEST_F(UntrustedServer, EndsAtACopyThatNobodyAskedFor) {
  rig.client(query("SELECT id FROM docs"));
  EXPECT_EQ(rig.server(copy_in_response()), Pause::close);
  EXPECT_EQ(rig.told(), Transcript({kBroken}));
  Rig other{kPolicy};
  other.client(query("SELECT id FROM docs"));
  EXPECT_EQ(other.server(copy_data("1\n")), Pause::close);
  EXPECT_EQ(other.told(), Transcript({kBroken}));
}

}  // namespace
}  // namespace sluice::proxy::pg
