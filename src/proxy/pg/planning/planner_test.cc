#include "proxy/pg/planning/planner.h"

#include <gtest/gtest.h>

#include "systems/postgres/catalogue/testing.h"

namespace sluice::proxy::pg {
namespace {

class PlannerTest : public ::testing::Test {
 protected:
  PlannerTest() { planner.set_catalogue(postgres::testing::catalogue(kTables)); }

  static constexpr const char* kTables = R"(
    public.docs(id int4 pk, title text, embedding vector)
    public.events(id int4 pk, doc int4, payload text)
  )";
  PlanContext context() { return {names, masks, vouched, "ana", "0000000000000001"}; }
  std::shared_ptr<const Plan> plan(std::string_view sql) {
    auto plans = planner.plan(sql, context());
    EXPECT_TRUE(plans && plans->size() == 1) << sql;
    return plans ? plans->front() : nullptr;
  }
  std::shared_ptr<const Operation> bound(const Plan& plan, std::string_view value) {
    constexpr std::uint32_t kInt8 = 20;
    const BoundValue values[] = {{.type = kInt8, .format = wire::pg::Format::text, .value = as_bytes(value)}};
    return planner.bind(plan, values, context());
  }
  void prepare(const std::string& name, std::string_view sql) {
    auto prepared = std::make_shared<Prepared>();
    prepared->upstream_name = "slc_s1";
    prepared->plan = plan(sql);
    names.set_statement(name, std::move(prepared));
  }

  Names names;
  std::shared_ptr<const MaskSet> masks = std::make_shared<MaskSet>();
  std::vector<std::string> vouched;
  Planner planner;
};

TEST_F(PlannerTest, AValueBoundsWhatOneRowGathers) {
  const auto made = plan("SELECT array(SELECT id FROM docs LIMIT $1)");
  EXPECT_TRUE(made->operation->rows_hold_many);
  const auto operation = bound(*made, "7");
  EXPECT_FALSE(operation->rows_hold_many);
  EXPECT_EQ(operation->records_per_row, 7u);
  EXPECT_EQ(operation->records.max, 7u);
  EXPECT_FALSE(operation->records.from_parameter);
}

TEST_F(PlannerTest, AValueBoundsTheRowsOfAJoin) {
  const auto made = plan("SELECT * FROM events e JOIN docs d ON d.id = e.doc LIMIT $1");
  EXPECT_EQ(made->operation->records_per_row, 2u);
  EXPECT_TRUE(made->operation->records.from_parameter);
  EXPECT_EQ(bound(*made, "5")->records.max, 10u);
  EXPECT_EQ(bound(*made, "5")->records_per_row, 2u);
}

// A search is described again when its values are known, with all that it was described with before.
TEST_F(PlannerTest, BindingKnowsNamesAndVouchedFunctions) {
  prepare("q", "SELECT id FROM docs ORDER BY embedding <-> '[1,2,3]' LIMIT 5");
  const auto execute = plan("EXECUTE q");
  ASSERT_EQ(execute->operation->verb, Verb::search);
  EXPECT_EQ(bound(*execute, "1")->records.max, 5u);
  EXPECT_EQ(bound(*execute, "1")->verb, Verb::search);
  vouched = {"public.own_distance"};
  const auto search = plan("SELECT id FROM docs ORDER BY embedding <-> '[1,2,3]' LIMIT $1");
  EXPECT_EQ(bound(*search, "9")->records.max, 9u);
}

TEST_F(PlannerTest, AClampCountsTheRecordsOfARow) {
  const auto join = plan("SELECT e.id, d.title FROM events e JOIN docs d ON d.id = e.doc");
  const auto clamped = planner.clamp(*join, 11, context());
  ASSERT_TRUE(clamped) << clamped.error().message;
  EXPECT_NE((*clamped)->text.find("LIMIT 5"), std::string::npos) << (*clamped)->text;
  EXPECT_EQ((*clamped)->clamped_to, 11u);
  const auto none = planner.clamp(*join, 1, context());
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().reason, Reason::over_limit);
  EXPECT_EQ(none.error().message, "a row of this carries 2 records, and at most 1 are allowed");
}

}  // namespace
}  // namespace sluice::proxy::pg
