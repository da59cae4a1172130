#include "proxy/pg/planning/plan_templates.h"

#include <gtest/gtest.h>

#include "proxy/pg/planning/planner.h"
#include "systems/postgres/catalogue/testing.h"

namespace sluice::proxy::pg {
namespace {

std::string number_of(std::string_view sql) {
  const auto number = varying_number(sql);
  return number ? std::string{sql.substr(number->begin, number->end - number->begin)} : "";
}

TEST(VaryingNumber, IsComparedWithAColumnAndEndsItsCondition) {
  EXPECT_EQ(number_of("SELECT a FROM t WHERE id = 4711;"), "4711");
  EXPECT_EQ(number_of("select a from t where t.\"Id\"=7 and b > 3"), "7");
  EXPECT_EQ(number_of("SELECT a FROM t WHERE id = 7 LIMIT 10"), "7");
  EXPECT_EQ(number_of("SELECT 5, a FROM t WHERE id = 7 ORDER BY 2"), "7");
}

TEST(VaryingNumber, NothingElseVaries) {
  for (const char* sql : {
           "SELECT a FROM t LIMIT 10",
           "SELECT a FROM t ORDER BY 1",
           "SELECT a FROM t WHERE id IN (1, 2)",
           "SELECT a FROM t WHERE id = 1 OR id = 2",
           "SELECT a FROM t WHERE id = 1 AND b = 2",
           "SELECT a FROM t WHERE id = 1 + 2",
           "SELECT a FROM t WHERE id = 1::int",
           "SELECT a FROM t WHERE id = -1",
           "SELECT a FROM t WHERE id =1.5",
           "SELECT a FROM t WHERE id = 12345678901",
           "SELECT a FROM t WHERE 1 = 1",
           "SELECT a FROM t WHERE id >= 5",
           "SELECT f(a => 5) FROM t",
           "SELECT a FROM t WHERE id = 1; SELECT b FROM t",
           "SELECT a FROM t WHERE (id = 1)",
           "UPDATE t SET a = 5",
           "DELETE FROM t WHERE id = 5",
           "SET work_mem = 5",
           "WITH x AS (SELECT 1) SELECT 1",
           "SELECT a FROM t WHERE id = 1 OFFSET 5",
           "SELECT a FROM t WHERE id = 1 -- ",
           "SELECT 'x",
           "",
       }) {
    if (std::string_view{sql}.ends_with("-- ")) {
      EXPECT_EQ(number_of(sql), "1") << "a comment is nothing";
    } else {
      EXPECT_EQ(number_of(sql), "") << sql;
    }
  }
}

class PlanTemplatesTest : public ::testing::Test {
 protected:
  PlanTemplatesTest() { planner.set_catalogue(postgres::testing::catalogue(kTables)); }

  static constexpr const char* kTables = R"(
    public.accounts(id int4 pk, branch int4, balance int4)
    public.history(account int4, delta int4)
    public.people(id int4 pk, email text)
  )";
  PlanContext context() { return {names, masks, vouched, "ana", "0000000000000001"}; }
  std::shared_ptr<const Plan> query(std::string_view sql) {
    auto plans = planner.plan_query(sql, context());
    EXPECT_TRUE(plans && plans->size() == 1) << sql;
    return plans ? plans->front() : nullptr;
  }
  // What a planner that has seen nothing says.
  std::shared_ptr<const Plan> afresh(std::string_view sql) {
    auto plans = planner.plan(sql, context());
    EXPECT_TRUE(plans && plans->size() == 1) << sql;
    return plans ? plans->front() : nullptr;
  }
  static bool is_made(const Plan& plan) { return plan.parsed == nullptr; }
  void expect_same(const Plan& a, const Plan& b) {
    EXPECT_EQ(a.source, b.source);
    EXPECT_EQ(a.text, b.text);
    EXPECT_EQ(a.rewritten, b.rewritten);
    EXPECT_EQ(a.carried, b.carried);
    EXPECT_EQ(a.insertion.at, b.insertion.at);
    EXPECT_EQ(a.objects, b.objects);
    EXPECT_EQ(a.basis, b.basis);
    EXPECT_EQ(a.operation->text, b.operation->text);
    EXPECT_EQ(a.operation->verb, b.operation->verb);
    EXPECT_EQ(a.operation->records.max, b.operation->records.max);
    EXPECT_EQ(a.operation->fingerprint, b.operation->fingerprint);
    ASSERT_EQ(a.operation->collections.size(), b.operation->collections.size());
    EXPECT_EQ(a.operation->collections[0].tested_fields, b.operation->collections[0].tested_fields);
  }

  Names names;
  std::shared_ptr<const MaskSet> masks = std::make_shared<MaskSet>();
  std::vector<std::string> vouched;
  Planner planner;
};

TEST_F(PlanTemplatesTest, AreThePlansThatParsingMakes) {
  for (const char* form :
       {"SELECT balance FROM accounts WHERE id = {};", "SELECT id, balance FROM accounts WHERE id = {}",
        "select sum(delta) from history where account = {}",
        "SELECT balance FROM public.accounts WHERE branch = {} LIMIT 10"}) {
    for (int n : {1, 22, 333, 0, 999999999, 7}) {
      const auto sql = fmt::format(fmt::runtime(form), n);
      const auto plan = query(sql);
      ASSERT_TRUE(plan);
      EXPECT_EQ(is_made(*plan), n != 1 && n != 22) << sql << ": the third of its form needs no parser";
      expect_same(*plan, *afresh(sql));
    }
  }
}

TEST_F(PlanTemplatesTest, WhatElseDiffersIsAnotherForm) {
  for (int n = 0; n < 4; ++n)
    query(fmt::format("SELECT balance FROM accounts WHERE branch = {} LIMIT 10", n));
  const auto plan = query("SELECT balance FROM accounts WHERE branch = 5 LIMIT 20");
  EXPECT_FALSE(is_made(*plan));
  EXPECT_EQ(plan->operation->records.max, 20u);
  EXPECT_FALSE(is_made(*query("SELECT balance FROM accounts WHERE branch = 99999999999 LIMIT 10")));
}

TEST_F(PlanTemplatesTest, EndWithWhatTheyWereMadeFrom) {
  const auto sql = [](int n) { return fmt::format("SELECT balance FROM accounts WHERE id = {}", n); };
  for (int n = 0; n < 3; ++n) query(sql(n));
  ASSERT_TRUE(is_made(*query(sql(10))));
  auto changed = std::make_shared<MaskSet>();
  changed->fields.push_back({.collection = "*", .field = "balance", .rule = "hide"});
  changed->id = 5;
  masks = changed;
  for (int n = 0; n < 5; ++n) {
    const auto plan = query(sql(n));
    EXPECT_FALSE(is_made(*plan)) << "what masks touch is always parsed";
    EXPECT_TRUE(plan->touches_masked);
  }
  masks = std::make_shared<MaskSet>();
  planner.set_catalogue(postgres::testing::catalogue("public.accounts(id int4, branch int4, balance int4)"));
  const auto plan = query(sql(11));
  EXPECT_FALSE(is_made(*plan));
  EXPECT_EQ(plan->operation->verb, Verb::scroll) << "no key any more";
}

TEST_F(PlanTemplatesTest, AVouchedFunctionMakesNone) {
  vouched = {"public.f"};
  for (int n = 0; n < 4; ++n) {
    EXPECT_FALSE(is_made(*query(fmt::format("SELECT balance FROM accounts WHERE id = {}", n))));
  }
}

// A limit is written into the tree, and a plan that was made has none.
TEST_F(PlanTemplatesTest, CanBeClamped) {
  const auto sql = [](int n) { return fmt::format("SELECT delta FROM history WHERE account = {}", n); };
  for (int n = 0; n < 3; ++n) query(sql(n));
  const auto plan = query(sql(77));
  ASSERT_TRUE(is_made(*plan));
  const auto clamped = planner.clamp(*plan, 5, context());
  ASSERT_TRUE(clamped) << clamped.error().message;
  EXPECT_NE((*clamped)->text.find("77"), std::string::npos);
  EXPECT_EQ((*clamped)->clamped_to, 5u);
}

}  // namespace
}  // namespace sluice::proxy::pg
