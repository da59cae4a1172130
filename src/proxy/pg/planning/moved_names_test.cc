#include "proxy/pg/planning/moved_names.h"

#include <gtest/gtest.h>

#include "proxy/pg/planning/statement_settings.h"
#include "proxy/pg/planning/testing_plan.h"
#include "systems/postgres/catalogue/testing.h"

namespace sluice::proxy::pg {
namespace {

class MovedNamesTest : public ::testing::Test {
 protected:
  // As the planner hands it over: what it does to settings is known.
  std::shared_ptr<Plan> plan(std::string_view sql) {
    auto made = testing::described(sql, *catalogue);
    check_settings(*made, {names, masks, vouched, "ana", "1"}, true);
    return made;
  }
  // What the error says; "" where the last statement means the same behind the first as alone.
  std::string behind(std::string_view first, std::string_view last, bool in_transaction = false) {
    MovedNames moved{in_transaction};
    moved.pass(*plan(first));
    const auto error = moved.refuse(*plan(last));
    return error ? std::string{error->message} : "";
  }

  std::shared_ptr<const postgres::Catalogue> catalogue = postgres::testing::sample_catalogue();
  Names names;
  std::shared_ptr<const MaskSet> masks = std::make_shared<MaskSet>();
  std::vector<std::string> vouched;
};

constexpr std::string_view kRead = "SELECT id FROM docs";

TEST_F(MovedNamesTest, RefusesNothingWhereNothingHasMoved) {
  MovedNames moved{false};
  EXPECT_FALSE(moved.refuse(*plan(kRead)));
  EXPECT_FALSE(moved.refuse("docs")) << "it does not exist";
  for (const char* first : {"SELECT 1", "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT s", "SET work_mem = '4MB'",
                            "RESET work_mem", "SELECT set_config('work_mem', '4MB', false)", "DISCARD PLANS",
                            "INSERT INTO sink(id) VALUES (1)", "DEALLOCATE ALL", "CLOSE ALL"}) {
    EXPECT_EQ(behind(first, kRead), "") << first;
  }
}

TEST_F(MovedNamesTest, SaysWhatHasMovedThem) {
  const std::pair<const char*, const char*> cases[] = {
      {"SET search_path = x", "changes the search_path"},
      {"SET LOCAL search_path = x", "changes the search_path"},
      {"RESET search_path", "changes the search_path"},
      {"RESET ALL", "changes the search_path"},
      {"DISCARD ALL", "changes the search_path"},
      {"SET TRANSACTION READ ONLY, ISOLATION LEVEL SERIALIZABLE",
       "changes the search_path"},  // several settings
      {"SELECT set_config('search_path', 'x', false)", "changes the search_path"},
      {"CREATE TABLE t(id int)", "changes the schema"},
      {"DROP TABLE docs", "changes the schema"},
      {"CREATE SCHEMA x", "changes the schema"},
  };
  for (const auto& [first, how] : cases) {
    EXPECT_EQ(behind(first, kRead), std::string{"sluice: an earlier statement of this query string "} + how +
                                        ", so that nobody can tell beforehand what public.docs will be")
        << first;
  }
}

TEST_F(MovedNamesTest, MayMoveWhereATransactionThatMovedThemEnds) {
  for (const char* first : {"COMMIT", "ROLLBACK", "ROLLBACK TO s", "RELEASE s", "COMMIT AND CHAIN"}) {
    EXPECT_NE(behind(first, kRead, true).find("may take back what the transaction has changed"),
              std::string::npos)
        << first;
  }
  EXPECT_EQ(behind("SELECT 1", kRead, true), "") << "the transaction goes on";
  EXPECT_EQ(behind("SET work_mem = '4MB'", kRead, true), "");
}

TEST_F(MovedNamesTest, PassWhatNamesNothing) {
  for (const char* last : {"BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT s", "SET search_path = y", "RESET ALL",
                           "DEALLOCATE p", "DEALLOCATE ALL", "CLOSE c", "FETCH 1 FROM c", "DISCARD ALL",
                           "CREATE SCHEMA y", "CREATE TYPE mood AS ENUM ('sad')"}) {
    EXPECT_EQ(behind("SET search_path = x", last), "") << last;
    EXPECT_EQ(behind("CREATE SCHEMA x", last), "") << last;
  }
}

TEST_F(MovedNamesTest, RefusesWhateverIsFoundAlongThePath) {
  const std::pair<const char*, const char*> cases[] = {
      {"INSERT INTO sink(id) VALUES (1)", "public.sink"},
      {"SELECT upper('x')", "the names in it"},
      {"SELECT 1", "the names in it"},
      {"SELECT set_config('work_mem', '4MB', false)", "the names in it"},
      {"CREATE INDEX ON docs (title)", "public.docs"},
      {"CREATE TABLE fresh(id int)", "public.fresh"},
      {"EXECUTE p", "the names in it"},
      {"COPY docs TO STDOUT", "public.docs"},
      {"COPY sink FROM STDIN", "public.sink"},
      {"PREPARE p AS SELECT id FROM docs", "public.docs"},
      {"DECLARE c CURSOR FOR SELECT id FROM docs", "public.docs"},
  };
  for (const auto& [last, what] : cases) {
    EXPECT_NE(behind("SET search_path = x", last).find(std::string{"beforehand what "} + what + " will be"),
              std::string::npos)
        << last << ": " << behind("SET search_path = x", last);
  }
}

TEST_F(MovedNamesTest, KnowsNotWhatAMissingRelationWillBe) {
  MovedNames moved{false};
  moved.pass(*plan("CREATE TABLE fresh(id int)"));
  const auto error = moved.refuse("fresh");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->sqlstate, "0A000");
  EXPECT_NE(error->message.find("what fresh will be"), std::string::npos);
  EXPECT_EQ(error->hint, "Send the statements one by one.");
}

// Its denial says more.
TEST_F(MovedNamesTest, LeaveWhatIsDeniedAnyway) {
  MovedNames moved{false};
  moved.pass(*plan("SET search_path = x"));
  auto denied = plan(kRead);
  denied->denial = Denial{Reason::masked_use, "", "no", ""};
  EXPECT_FALSE(moved.refuse(*denied));
}

TEST_F(MovedNamesTest, StayMoved) {
  MovedNames moved{false};
  for (const char* sql : {"SET search_path = x", "SELECT 1", "BEGIN", "SET work_mem = '4MB'"})
    moved.pass(*plan(sql));
  EXPECT_TRUE(moved.refuse(*plan(kRead)));
}

}  // namespace
}  // namespace sluice::proxy::pg
