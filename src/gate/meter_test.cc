#include "gate/meter.h"

#include <gtest/gtest.h>

#include "policy/testing.h"
#include "record/testing.h"

namespace sluice::gate {
namespace {

class NoReviews : public review::ReviewRepository {
 public:
  Result<void> save(const review::Review&) override { return fail(Errc::unavailable, "no reviews"); }
  Result<std::vector<review::Review>> unfinished(WallTime) override { return std::vector<review::Review>{}; }
  Result<review::Review> review(const ReviewId&) override { return fail(Errc::not_found, "no reviews"); }
  Result<std::vector<review::Review>> reviews(const Filter&) override {
    return std::vector<review::Review>{};
  }
};

// Scrolls without a LIMIT, of rows that carry several records each.
class MeterTest : public ::testing::Test {
 protected:
  MeterTest() {
    auto facts = policy::session_of({.name = "ana"});
    facts.id = SessionId{1};
    gate.emplace(services, facts);
    EXPECT_TRUE(gate->open());
  }
  Permit permit(const char* policy, std::uint64_t per_row) {
    policies.replace(policy::policy_from(policy, ++version));
    Operation operation = policy::operation_of(Verb::scroll, {"public.docs", "public.events"});
    operation.records_per_row = per_row;
    auto admission = gate->admit(gate->decide(std::make_shared<const Operation>(std::move(operation))), {});
    return std::move(std::get<Permit>(admission));
  }

  record::testing::TemporaryFolder folder;
  record::testing::Scribe scribe{folder.path()};
  Published<policy::PolicySet> policies{nullptr};
  budget::Ledger budgets;
  NoReviews repository;
  review::Reviews reviews{scribe.clock, repository,
                          [](std::string_view) { return std::shared_ptr<const Principal>{}; }, nullptr};
  Services services{scribe.clock, *scribe.log, policies, budgets, reviews};
  std::optional<Gate> gate;
  std::uint64_t version = 0;
};

constexpr const char* kTen = R"(
rules:
  - {name: readers, match: {verb: scroll}, allow: {max_records: 10}}
)";

TEST_F(MeterTest, CountsTheRecordsOfEachRow) {
  Meter one{*gate, permit(kTen, 1)};
  EXPECT_EQ(one.remaining_rows(), 10u);
  Meter meter{*gate, permit(kTen, 3)};
  EXPECT_EQ(meter.remaining_rows(), 3u);
  for (int row = 0; row < 3; ++row) EXPECT_EQ(meter.row(), Verdict::pass) << row;
  EXPECT_EQ(meter.records(), 9u);
  EXPECT_EQ(meter.rows(), 3u);
  EXPECT_EQ(meter.remaining_rows(), 0u);
  EXPECT_EQ(meter.row(), Verdict::over_limit);
  EXPECT_EQ(meter.records(), 9u);
}

TEST_F(MeterTest, ARowThatCarriesMoreThanTheBoundDoesNotLeave) {
  Meter meter{*gate, permit(kTen, 11)};
  EXPECT_EQ(meter.remaining_rows(), 0u);
  EXPECT_EQ(meter.row(), Verdict::over_limit);
  Meter largest{*gate, permit(kTen, ~std::uint64_t{0})};
  EXPECT_EQ(largest.row(), Verdict::over_limit);
}

TEST_F(MeterTest, ExecutionsOfOnePortalShareTheBoundInRecords) {
  Meter meter{*gate, permit(kTen, 2)};
  meter.resume_at(7);
  EXPECT_EQ(meter.remaining_rows(), 1u);
  EXPECT_EQ(meter.row(), Verdict::pass);
  EXPECT_EQ(meter.row(), Verdict::over_limit);
}

TEST_F(MeterTest, ALiftedBoundStillCounts) {
  Meter meter{*gate, permit(kTen, 2)};
  meter.lift_bound();
  EXPECT_EQ(meter.remaining_rows(), std::nullopt);
  for (int row = 0; row < 20; ++row) EXPECT_EQ(meter.row(), Verdict::pass) << row;
  EXPECT_EQ(meter.records(), 40u);
}

TEST_F(MeterTest, GoesOnOnlyWhereARowMoreIsAllowed) {
  Meter meter{*gate, permit(kTen, 2)};
  for (int row = 0; row < 5; ++row) EXPECT_EQ(meter.row(), Verdict::pass) << row;
  EXPECT_FALSE(
      meter.extend(permit("rules: [{name: r, match: {verb: scroll}, allow: {max_records: 11}}]", 2)));
  EXPECT_EQ(meter.row(), Verdict::over_limit);
  EXPECT_TRUE(meter.extend(permit("rules: [{name: r, match: {verb: scroll}, allow: {max_records: 12}}]", 2)));
  EXPECT_EQ(meter.row(), Verdict::pass);
  EXPECT_EQ(meter.row(), Verdict::over_limit);
}

TEST_F(MeterTest, DrawsEveryRecordOfARowFromTheBudget) {
  Meter meter{*gate, permit(R"(
rules:
  - {name: readers, match: {verb: scroll}, allow: true}
  - {name: hourly, match: {verb: scroll}, budget: {records: 5, per: 1h}}
)",
                            2)};
  EXPECT_EQ(meter.row(), Verdict::pass);
  EXPECT_EQ(meter.row(), Verdict::pass);
  EXPECT_EQ(meter.row(), Verdict::over_budget);
  EXPECT_EQ(meter.records(), 4u);
}

}  // namespace
}  // namespace sluice::gate
