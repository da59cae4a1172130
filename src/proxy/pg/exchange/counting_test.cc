#include "proxy/pg/exchange/counting.h"

#include <gtest/gtest.h>

namespace sluice::proxy::pg {
namespace {

Obligations at_most(std::uint64_t records) {
  Obligations obligations;
  obligations.max_records = records;
  return obligations;
}

Plan plan_of(Verb verb, std::optional<std::uint64_t> most, PlanKind kind = PlanKind::statement) {
  auto operation = std::make_shared<Operation>();
  operation->verb = verb;
  operation->records.max = most;
  Plan plan;
  plan.kind = kind;
  plan.operation = std::move(operation);
  return plan;
}

bool counted(const Plan& plan, const Obligations& obligations) {
  return must_count(plan, *plan.operation, obligations);
}

TEST(Counting, IsForReadsThatMayExceedTheirBound) {
  EXPECT_TRUE(counted(plan_of(Verb::scroll, std::nullopt), at_most(10)));
  EXPECT_TRUE(counted(plan_of(Verb::search, 11), at_most(10)));
  EXPECT_FALSE(counted(plan_of(Verb::search, 10), at_most(10))) << "its LIMIT keeps it within";
  EXPECT_FALSE(counted(plan_of(Verb::scroll, std::nullopt), {})) << "there is no bound";
  EXPECT_FALSE(counted(plan_of(Verb::write, std::nullopt), at_most(10)));
  EXPECT_FALSE(counted(plan_of(Verb::aggregate, std::nullopt), at_most(10)));
  EXPECT_TRUE(counted(plan_of(Verb::export_, std::nullopt), at_most(10)));
}

// FETCH 5 of an unlimited cursor, often enough, is the whole table.
TEST(Counting, OfACursorLooksAtItsOwnStatement) {
  auto fetch = plan_of(Verb::scroll, 5, PlanKind::fetch);
  fetch.inner = std::make_shared<Plan>(plan_of(Verb::scroll, std::nullopt));
  EXPECT_TRUE(counted(fetch, at_most(10)));
  fetch.inner = std::make_shared<Plan>(plan_of(Verb::scroll, 10));
  EXPECT_FALSE(counted(fetch, at_most(10)));
}

TEST(Counting, KnowsStatementsThatOnlyName) {
  EXPECT_TRUE(only_names(plan_of(Verb::scroll, std::nullopt, PlanKind::declare)));
  EXPECT_TRUE(only_names(plan_of(Verb::scroll, std::nullopt, PlanKind::prepare)));
  EXPECT_FALSE(only_names(plan_of(Verb::scroll, std::nullopt, PlanKind::fetch)));
}

TEST(Counting, AsksForOneRowMore) {
  EXPECT_EQ(rows_to_ask(2, 0), 3);
  EXPECT_EQ(rows_to_ask(0, 0), 1) << "0 would ask for all";
  EXPECT_EQ(rows_to_ask(2, 3), 3);
  EXPECT_EQ(rows_to_ask(2, 1), 1) << "the client wants fewer";
  EXPECT_EQ(rows_to_ask(0x7FFF'FFFF, 0), 0x7FFF'FFFF) << "the most that the message can say";
  EXPECT_EQ(rows_to_ask(~0ULL, 5), 5);
}

}  // namespace
}  // namespace sluice::proxy::pg
