// COPY in whole conversations.
#include "proxy/pg/exchange/exchange.h"

#include <gtest/gtest.h>

#include "proxy/pg/exchange/testing.h"

namespace sluice::proxy::pg {
namespace {

using namespace testing;

constexpr const char* kNobodyWrites = R"(
rules:
  - {name: connect, match: {verb: [session, metadata]}, allow: true}
)";

class CopyTest : public ::testing::Test {
 protected:
  Rig rig{kPolicy};
};

// --- FROM STDIN ---

TEST_F(CopyTest, FillsACopyDataThatNobodyWantsAnyMore) {
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

TEST_F(CopyTest, PassesACopyDataInPieces) {
  rig.client(query("COPY docs FROM STDIN"));
  rig.server(copy_in_response());
  (void)rig.sent();
  std::string done;
  wire::pg::encode_copy_done(done);
  const auto all = copy_data(std::string(100, 'x')) + copy_data("end") + done;
  for (const char c : all) rig.client({&c, 1});
  EXPECT_EQ(rig.sent(), Transcript({"CopyData " + std::string(100, 'x'), "CopyData end", "CopyDone"}));
}

// Some clients do not wait for CopyInResponse.
TEST_F(CopyTest, KeepsDataThatComesBeforeTheServerAsksForIt) {
  EXPECT_EQ(rig.client(query("COPY docs FROM STDIN") + copy_data("1\n") + copy_done()), Pause::server);
  EXPECT_EQ(rig.sent(), Transcript({"Query COPY docs FROM STDIN"}));
  rig.server(copy_in_response());
  EXPECT_EQ(rig.sent(), Transcript({"CopyData 1\n", "CopyDone"}));
  rig.server(complete("COPY 1") + ready());
  EXPECT_EQ(rig.told(), Transcript({"CopyInResponse", "Complete COPY 1", "Ready I"}));
}

TEST_F(CopyTest, EndsWhereThePolicyEnds) {
  rig.client(query("COPY docs FROM STDIN"));
  rig.server(copy_in_response());
  rig.client(copy_data("1\n"));
  (void)rig.sent();
  (void)rig.told();
  rig.set_policy(kNobodyWrites);
  EXPECT_EQ(rig.told(), Transcript({"ERROR 42501"}));
  EXPECT_EQ(rig.sent(), Transcript({"CopyFail"})) << "the server would wait for ever";
  rig.client(copy_data("2\n") + copy_done());
  EXPECT_EQ(rig.sent(), Transcript{}) << "data for nobody";
  rig.server(error("57014") + ready());
  EXPECT_EQ(rig.told(), Transcript({"Ready I"}));
}

// --- TO STDOUT ---

constexpr const char* kExports = R"(
rules:
  - {name: exports, match: {verb: export, collection: public.docs}, allow: true}
  - {name: few, match: {verb: export, collection: public.notes}, allow: {max_records: 2}}
  - {name: connect, match: {verb: [session, metadata]}, allow: true}
)";

TEST(CopyOut, PassesRowsAndCountsThem) {
  Rig rig{kExports};
  rig.client(query("COPY docs TO STDOUT"));
  EXPECT_EQ(rig.sent(), Transcript({"Query COPY docs TO STDOUT"}));
  rig.server(copy_out_response() + copy_data("1\ta\n") + copy_data("2\tb\n") + copy_data("3\tc\n") +
             copy_done() + complete("COPY 3") + ready());
  EXPECT_EQ(rig.told(), Transcript({"CopyOutResponse", "CopyData 1\ta\n", "CopyData 2\tb\n",
                                    "CopyData 3\tc\n", "CopyDone", "Complete COPY 3", "Ready I"}));
  EXPECT_EQ(rig.exchange().records_sent(), 3u);
}

TEST(CopyOut, IsStoppedAtItsBound) {
  Rig rig{kExports};
  rig.client(query("COPY notes TO STDOUT"));
  ASSERT_EQ(rig.sent().size(), 1u);
  rig.server(copy_out_response() + copy_data("1\ta\n") + copy_data("2\tb\n") + copy_data("3\tc\n"));
  EXPECT_EQ(rig.told(), Transcript({"CopyOutResponse", "CopyData 1\ta\n", "CopyData 2\tb\n", "ERROR 42501"}));
  EXPECT_TRUE(rig.exchange().take_cancel_request());
  rig.server(copy_data("4\td\n") + error("57014") + ready());
  EXPECT_EQ(rig.told(), Transcript({"Ready I"}));
  EXPECT_EQ(rig.exchange().records_sent(), 2u);
}

TEST(CopyOut, IsRefusedWithoutARuleForExports) {
  Rig rig{kPolicy};
  rig.client(query("COPY docs TO STDOUT"));
  EXPECT_EQ(rig.sent(), Transcript{});
  EXPECT_EQ(rig.told(), Transcript({"ERROR 42501", "Ready I"}));
}

}  // namespace
}  // namespace sluice::proxy::pg
