#include "proxy/pg/exchange/names.h"

#include <gtest/gtest.h>

namespace sluice::proxy::pg {
namespace {

std::shared_ptr<const Plan> plan_of(std::size_t bytes) {
  auto plan = std::make_shared<Plan>();
  plan->source.assign(bytes, 'x');
  return plan;
}

std::shared_ptr<Prepared> statement_of(std::size_t bytes) {
  auto prepared = std::make_shared<Prepared>();
  prepared->plan = plan_of(bytes);
  return prepared;
}

std::shared_ptr<Portal> portal_of(std::size_t bytes, std::size_t parameters, bool hold = false) {
  auto portal = std::make_shared<Portal>();
  portal->plan = plan_of(bytes);
  portal->parameters.assign(parameters, 'p');
  portal->hold = hold;
  return portal;
}

class KeptText : public ::testing::Test {
 protected:
  // Whatever has been put in and taken out again counts for nothing.
  void expect_empty() {
    std::vector<NameChange> changes;
    changes.emplace_back(names.set_statement("probe", statement_of(kMaxKeptText - 1)));
    EXPECT_TRUE(names.has_room_for_statement("s"));
    changes.emplace_back(names.set_statement("one", statement_of(1)));
    EXPECT_FALSE(names.has_room_for_statement("s"));
    names.undo(changes);
    EXPECT_TRUE(names.has_room_for_portal("p"));
  }

  Names names;
};

TEST_F(KeptText, IsBoundedOverStatementsAndPortals) {
  names.set_statement("s", statement_of(kMaxKeptText / 2));
  EXPECT_TRUE(names.has_room_for_portal("p"));
  names.set_portal("p", portal_of(kMaxKeptText / 4, kMaxKeptText / 4));
  EXPECT_FALSE(names.has_room_for_portal("q"));
  EXPECT_FALSE(names.has_room_for_statement("t"));
  EXPECT_TRUE(names.has_room_for_statement("")) << "the unnamed one is always there";
  EXPECT_TRUE(names.has_room_for_portal(""));
}

TEST_F(KeptText, IsGivenBack) {
  names.set_statement("s", statement_of(kMaxKeptText));
  names.set_statement("s", nullptr);
  expect_empty();
  names.set_portal("p", portal_of(1, kMaxKeptText));
  names.set_portal("p", portal_of(1, 1));
  names.end_transaction();
  expect_empty();
  names.set_portal("h", portal_of(kMaxKeptText, 0, true));
  names.end_transaction();
  EXPECT_FALSE(names.has_room_for_portal("p")) << "WITH HOLD";
  std::vector<NameChange> changes;
  names.drop_all_portals(changes);
  expect_empty();
  names.undo(changes);
  EXPECT_FALSE(names.has_room_for_portal("p")) << "what was dropped is there again";
}

// A statement of a text keeps the tree of the whole text.
TEST_F(KeptText, IsThatOfTheWholeText) {
  auto text = postgres::sql::parse("SELECT 1; SELECT '" + std::string(kMaxKeptText / 16, 'x') + "'");
  ASSERT_TRUE(text);
  const auto parsed = std::make_shared<const postgres::sql::ParsedSql>(std::move(*text));
  for (int i = 0; i < 17; ++i) {
    auto prepared = statement_of(8);
    auto plan = std::make_shared<Plan>(*prepared->plan);
    plan->parsed = parsed;
    prepared->plan = plan;
    names.set_statement("s" + std::to_string(i), prepared);
  }
  EXPECT_FALSE(names.has_room_for_statement("s"));
}

TEST_F(KeptText, IsNotTheOnlyBound) {
  for (std::size_t i = 0; i < kMaxStatements; ++i) {
    ASSERT_TRUE(names.has_room_for_statement("s"));
    names.set_statement("s" + std::to_string(i), statement_of(1));
  }
  EXPECT_FALSE(names.has_room_for_statement("s"));
  EXPECT_TRUE(names.has_room_for_portal("p"));
}

}  // namespace
}  // namespace sluice::proxy::pg
