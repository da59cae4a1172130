#include "proxy/pg/planning/statement_masks.h"

#include <gtest/gtest.h>

#include "proxy/pg/planning/testing_plan.h"
#include "systems/postgres/rewrite/testing.h"

namespace sluice::proxy::pg {
namespace {

namespace rewrite = postgres::rewrite;

class StatementMasksTest : public ::testing::Test {
 protected:
  // In `plan` is what came of it.
  std::optional<wire::pg::ErrorFields> apply(std::string_view sql) {
    plan = testing::described(sql, *catalogue);
    return apply_masks(*plan, {.statement = *plan->statement,
                               .catalogue = *catalogue,
                               .search_path = path,
                               .plan = *masks,
                               .fresh = fresh,
                               .clamp = std::nullopt,
                               .keys = {},
                               .vouch = {}});
  }

  std::shared_ptr<const postgres::Catalogue> catalogue = postgres::testing::sample_catalogue();
  std::shared_ptr<const rewrite::MaskPlan> masks =
      rewrite::MaskPlan::compile(*catalogue, rewrite::testing::corpus_masks());
  std::vector<std::string> path{"public"};
  bool fresh = true;
  std::shared_ptr<Plan> plan;
};

TEST_F(StatementMasksTest, LeavesWhatTouchesNothingMasked) {
  for (const char* sql : {"SELECT 1", "SELECT data FROM sink WHERE data = 's3cr3t'", "BEGIN"}) {
    EXPECT_FALSE(apply(sql)) << sql;
    EXPECT_EQ(plan->text, sql);
    EXPECT_FALSE(plan->rewritten) << sql;
    EXPECT_FALSE(plan->touches_masked) << sql;
    EXPECT_FALSE(plan->denial) << sql;
    EXPECT_EQ(plan->warning, "") << sql;
  }
}

TEST_F(StatementMasksTest, CountsTheMaskedValuesOfARecord) {
  const std::pair<const char*, std::uint32_t> cases[] = {
      {"SELECT id FROM docs", 0},
      {"SELECT email FROM docs", 1},
      {"SELECT email, ssn, title FROM docs", 2},
      {"SELECT email, email FROM docs", 1},
      {"SELECT * FROM docs", 5},
      {"SELECT docs FROM docs", 5},
      {"SELECT a.email, b.ssn FROM docs a JOIN docs b ON a.id = b.id", 2},
      {"SELECT title FROM docs WHERE email = 'x'", 0},
      {"COPY docs (id, email) TO STDOUT", 1},
      {"SELECT count(*) FROM docs", 0},
  };
  for (const auto& [sql, count] : cases) {
    EXPECT_FALSE(apply(sql)) << sql;
    EXPECT_FALSE(plan->denial) << sql << ": " << plan->denial->message;
    EXPECT_TRUE(plan->touches_masked) << sql;
    EXPECT_TRUE(plan->rewritten) << sql;
    EXPECT_NE(plan->text, plan->source) << sql;
    EXPECT_EQ(plan->masked_fields, count) << sql;
  }
}

TEST_F(StatementMasksTest, WarnsWhereAConditionComparesMaskedValues) {
  const std::pair<const char*, const char*> cases[] = {
      {"SELECT email FROM docs", ""},
      {"SELECT email FROM docs WHERE id = 1", ""},
      {"SELECT id FROM docs WHERE email = 'a@b'",
       "sluice: a condition compares masked values of public.docs.email"},
      {"SELECT id FROM docs WHERE salary > 5 AND email = 'a'",
       "sluice: a condition compares masked values of public.docs.email, public.docs.salary"},
      {"SELECT title FROM docs GROUP BY title HAVING max(salary) > 1",
       "sluice: a condition compares masked values of public.docs.salary"},
      {"SELECT a.id FROM docs a JOIN sink s ON s.data = a.ssn",
       "sluice: a condition compares masked values of public.docs.ssn"},
  };
  for (const auto& [sql, warning] : cases) {
    EXPECT_FALSE(apply(sql)) << sql;
    EXPECT_EQ(plan->warning, warning) << sql;
  }
}

// What is compared with a masked field is as telling as the field; of what is refused nobody has looked.
TEST_F(StatementMasksTest, HidesLiteralsBesideMaskedFieldsFromTheRecord) {
  const std::pair<const char*, bool> cases[] = {
      {"SELECT email FROM docs WHERE title = 'telling'", false},
      {"SELECT id FROM docs WHERE email = 'telling'", true},
      {"SELECT email || 'telling' FROM docs", true},
      {"SELECT id FROM docs ORDER BY salary = length('telling')", true},
      {"SELECT id FROM docs WHERE salary IN (1, 2) AND title = 'telling'", true},
      {"UPDATE docs SET email = 'telling'", true},
      {"DELETE FROM sink WHERE data IN (SELECT email || 'telling' FROM docs)", true},
  };
  for (const auto& [sql, hidden] : cases) {
    EXPECT_FALSE(apply(sql)) << sql;
    EXPECT_EQ(plan->operation->text.find("telling") == std::string::npos, hidden) << plan->operation->text;
    EXPECT_EQ(plan->source, sql) << "what is sent is another matter";
  }
}

TEST_F(StatementMasksTest, ARefusalIsThePlansDenial) {
  for (const char* sql : {"UPDATE docs SET title = email", "CREATE TABLE copy AS SELECT * FROM docs",
                          "DO $$ BEGIN NULL; END $$", "SELECT f_email(1)"}) {
    EXPECT_FALSE(apply(sql)) << sql;
    ASSERT_TRUE(plan->denial) << sql;
    EXPECT_FALSE(plan->denial->message.empty()) << sql;
    EXPECT_TRUE(plan->touches_masked) << "errors of it are reduced: " << sql;
    EXPECT_EQ(plan->text, plan->source) << sql;
    EXPECT_EQ(plan->masked_fields, 0u) << sql;
  }
}

// Among what VERBOSE tells are sizes of statistics, which grow with the number of frequent values.
TEST_F(StatementMasksTest, WhatVacuumSaysIsReduced) {
  for (const char* sql : {"ANALYZE VERBOSE docs", "VACUUM (VERBOSE, ANALYZE)"}) {
    EXPECT_FALSE(apply(sql)) << sql;
    EXPECT_FALSE(plan->denial) << sql;
    EXPECT_TRUE(plan->touches_masked) << sql;
  }
}

TEST_F(StatementMasksTest, ANameThatTheCatalogueDoesNotKnowIsTheClientsError) {
  fresh = false;
  const auto error = apply("SELECT * FROM docs, later");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->sqlstate, "42P01");
  EXPECT_NE(error->message.find("later"), std::string::npos);
  EXPECT_FALSE(plan->rewritten);
}

}  // namespace
}  // namespace sluice::proxy::pg
