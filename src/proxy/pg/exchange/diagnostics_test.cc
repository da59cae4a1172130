// Errors, notices and notifications of the server, of statements on masked relations and of others.
#include "proxy/pg/exchange/exchange.h"

#include <gtest/gtest.h>

#include "proxy/pg/exchange/testing.h"

namespace sluice::proxy::pg {
namespace {

using namespace testing;

constexpr const char* kWithKey = R"(SELECT "docs"."id" AS "slc_key_1", title FROM docs)";

std::string error_saying(std::string_view sqlstate, std::string_view message) {
  std::string out;
  wire::pg::ErrorFields failure;
  failure.sqlstate = sqlstate;
  failure.message = message;
  wire::pg::encode_error_response(out, failure);
  return out;
}

class DiagnosticsTest : public ::testing::Test {
 protected:
  Rig rig{kPolicy};
};

TEST_F(DiagnosticsTest, MovesPositionsOfErrorsBack) {
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

// --- masks ---

constexpr const char* kMasked = R"(
rules:
  - {name: rag, match: {verb: [search, fetch, scroll, session, metadata]}, allow: true}
  - {name: hide, match: {collection: public.notes}, mask: [{fields: [note], with: redact}]}
)";

class MaskedDiagnostics : public ::testing::Test {
 protected:
  Rig rig{kMasked};
};

TEST_F(MaskedDiagnostics, OfAMaskedRelationQuoteNothing) {
  rig.client(query("SELECT id, note::int4 FROM notes"));
  ASSERT_EQ(rig.sent().size(), 1u);
  rig.server(notice("about Hidden Value", "Hidden Value"));
  const auto told = rig.last_message();
  EXPECT_EQ(told.find("Hidden"), std::string::npos) << told;
  rig.server(error_saying("22P02", "invalid input syntax for type integer: \"Hidden Value\"") + ready());
  const auto failed = rig.last_message();
  EXPECT_EQ(failed.find("Hidden"), std::string::npos) << failed;
}

TEST_F(MaskedDiagnostics, OfOtherRelationsAreTheServersOwn) {
  rig.client(query("SELECT id FROM docs"));
  ASSERT_EQ(rig.sent().size(), 1u);
  rig.server(notice("about that"));
  EXPECT_EQ(rig.told(), Transcript({"Notice about that"}));
  rig.server(error_saying("22P02", "invalid input: \"x\"") + ready());
  EXPECT_EQ(rig.last_message(), "invalid input: \"x\"");
}

// Whose they are nobody knows: of a trigger of somebody else, a notification.
TEST_F(MaskedDiagnostics, OutOfTurnQuoteNothing) {
  rig.server(notice("about Hidden Value"));
  const auto told = rig.last_message();
  EXPECT_EQ(told.find("Hidden"), std::string::npos) << told;
  rig.server(notification("Hidden Value"));
  EXPECT_EQ(rig.told(), Transcript{});
}

TEST_F(DiagnosticsTest, WithoutMasksPassAsTheyAre) {
  rig.server(notice("about that", "more"));
  EXPECT_EQ(rig.told(), Transcript({"Notice about that | more"}));
  rig.server(notification("payload"));
  EXPECT_EQ(rig.told(), Transcript({"NotificationResponse"}));
}

TEST_F(MaskedDiagnostics, SayThatAConditionComparesMaskedValues) {
  rig.client(query("SELECT id FROM notes WHERE note = 'x'"));
  const auto told = rig.told();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0], "Notice sluice: a condition compares masked values of public.notes.note");
}

}  // namespace
}  // namespace sluice::proxy::pg
