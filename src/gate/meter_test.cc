#include "gate/meter.h"

#include <gtest/gtest.h>

#include "gate/testing.h"

namespace sluice::gate {
namespace {

constexpr const char* kTen = R"(
rules:
  - {name: readers, match: {verb: scroll}, allow: {max_records: 10}}
)";

// Scrolls without a LIMIT, of rows that carry several records each.
class MeterTest : public ::testing::Test, protected testing::GateRig {
 protected:
  MeterTest() : GateRig(kTen) {}

  Permit permit(const char* policy, std::uint64_t per_row) {
    set_policy(policy);
    Operation operation = policy::operation_of(Verb::scroll, {"public.docs", "public.events"});
    operation.records_per_row = per_row;
    auto admission = gate->admit(gate->decide(std::make_shared<const Operation>(std::move(operation))), {});
    return std::move(std::get<Permit>(admission));
  }
};

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
