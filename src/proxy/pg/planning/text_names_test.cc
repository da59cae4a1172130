#include "proxy/pg/planning/text_names.h"

#include <gtest/gtest.h>

#include "proxy/pg/planning/testing_plan.h"
#include "systems/postgres/catalogue/testing.h"

namespace sluice::proxy::pg {
namespace {

class TextNamesTest : public ::testing::Test {
 protected:
  TextNamesTest() {
    auto prepared = std::make_shared<Prepared>();
    prepared->upstream_name = "slc_s100";
    prepared->plan = plan("SELECT title FROM docs");
    session.set_statement("known", std::move(prepared));
    auto portal = std::make_shared<Portal>();
    portal->upstream_name = "slc_p200";
    portal->plan = plan("SELECT id FROM docs");
    session.set_portal("open", std::move(portal));
  }

  std::shared_ptr<Plan> plan(std::string_view sql) { return testing::described(sql, *catalogue, &names); }
  // What the server gets; or the client's error: "26000 prepared statement "p" does not exist".
  std::string resolve(std::string_view sql) {
    auto made = plan(sql);
    const auto error = names.resolve(*made);
    return error ? fmt::format("{} {}", error->sqlstate, error->message) : made->text;
  }

  std::shared_ptr<const postgres::Catalogue> catalogue = postgres::testing::sample_catalogue();
  Names session;
  TextNames names{session};
};

TEST_F(TextNamesTest, PutsTheGatewaysNameInPlaceOfTheClients) {
  const std::pair<const char*, const char*> cases[] = {
      {"PREPARE p AS SELECT 1", R"(PREPARE "slc_s1" AS SELECT 1)"},
      {"PREPARE q (int, text) AS SELECT $1", R"(PREPARE "slc_s2" (int, text) AS SELECT $1)"},
      {"PREPARE \"as\" AS SELECT 1", R"(PREPARE "slc_s3" AS SELECT 1)"},
      {"PREPARE/**/r/* n */AS SELECT 1", R"(PREPARE/**/"slc_s4"/* n */AS SELECT 1)"},
      {"EXECUTE p", R"(EXECUTE "slc_s1")"},
      {"EXECUTE q (1, 'q')", R"(EXECUTE "slc_s2" (1, 'q'))"},
      {"EXECUTE known", R"(EXECUTE "slc_s100")"},
      {"EXECUTE Known", R"(EXECUTE "slc_s100")"},
      {"DECLARE c CURSOR FOR SELECT 1", R"(DECLARE "slc_p5" CURSOR FOR SELECT 1)"},
      {"DECLARE d SCROLL CURSOR WITH HOLD FOR SELECT 1",
       R"(DECLARE "slc_p6" SCROLL CURSOR WITH HOLD FOR SELECT 1)"},
      {"FETCH c", R"(FETCH "slc_p5")"},
      {"FETCH NEXT FROM c", R"(FETCH NEXT FROM "slc_p5")"},
      {"FETCH BACKWARD ALL IN open -- open", R"(FETCH BACKWARD ALL IN "slc_p200" -- open)"},
      {"MOVE 3 d", R"(MOVE 3 "slc_p6")"},
      {"CLOSE open", R"(CLOSE "slc_p200")"},
      {"DEALLOCATE p", R"(DEALLOCATE "slc_s1")"},
      {"DEALLOCATE PREPARE q", R"(DEALLOCATE PREPARE "slc_s2")"},
      {"DEALLOCATE PREPARE \"as\"", R"(DEALLOCATE PREPARE "slc_s3")"},
  };
  for (const auto& [sql, sent] : cases) EXPECT_EQ(resolve(sql), sent) << sql;
}

TEST_F(TextNamesTest, LeavesOtherStatements) {
  for (const char* sql :
       {"SELECT 1", "BEGIN", "SET work_mem = '4MB'", "DISCARD ALL", "COPY docs TO STDOUT"}) {
    auto other = plan(sql);
    EXPECT_FALSE(names.resolve(*other));
    EXPECT_EQ(other->text, sql);
    EXPECT_FALSE(other->rewritten) << sql;
  }
}

TEST_F(TextNamesTest, KnowsWhatANameStandsFor) {
  ASSERT_TRUE(names.prepared("known"));
  EXPECT_EQ(names.prepared("known")->body->kind, postgres::sql::StatementKind::select);
  EXPECT_TRUE(names.cursor("open"));
  EXPECT_FALSE(names.prepared("open")) << "a cursor";
  EXPECT_FALSE(names.cursor("known"));
  EXPECT_FALSE(names.prepared("")) << "SQL cannot name the unnamed one";
  EXPECT_FALSE(names.cursor(""));
  resolve("PREPARE p AS DELETE FROM sink");
  ASSERT_TRUE(names.prepared("p"));
  EXPECT_EQ(names.prepared("p")->body->kind, postgres::sql::StatementKind::delete_) << "the inner statement";
  EXPECT_EQ(session.statement("p"), nullptr) << "not run yet";
}

TEST_F(TextNamesTest, RefusesNamesAsTheServerWould) {
  const std::pair<const char*, const char*> cases[] = {
      {"PREPARE known AS SELECT 1", "42P05 prepared statement \"known\" already exists"},
      {"DECLARE open CURSOR FOR SELECT 1", "42P03 cursor \"open\" already exists"},
      {"EXECUTE gone", "26000 prepared statement \"gone\" does not exist"},
      {"EXECUTE open", "26000 prepared statement \"open\" does not exist"},
      {"DEALLOCATE gone", "26000 prepared statement \"gone\" does not exist"},
      {"FETCH gone", "34000 cursor \"gone\" does not exist"},
      {"CLOSE known", "34000 cursor \"known\" does not exist"},
      {"EXECUTE \"Known\"", "26000 prepared statement \"Known\" does not exist"},
  };
  for (const auto& [sql, error] : cases) EXPECT_EQ(resolve(sql), error) << sql;
}

// --- within one text ---

TEST_F(TextNamesTest, FollowsWhatTheTextMakesAndDrops) {
  EXPECT_EQ(resolve("DEALLOCATE known"), R"(DEALLOCATE "slc_s100")");
  EXPECT_EQ(resolve("EXECUTE known"), "26000 prepared statement \"known\" does not exist");
  EXPECT_EQ(resolve("PREPARE known AS SELECT 1"), R"(PREPARE "slc_s1" AS SELECT 1)")
      << "a name never used before";
  EXPECT_EQ(resolve("EXECUTE known"), R"(EXECUTE "slc_s1")");
  EXPECT_EQ(resolve("CLOSE open"), R"(CLOSE "slc_p200")");
  EXPECT_EQ(resolve("FETCH open"), "34000 cursor \"open\" does not exist");
  EXPECT_EQ(resolve("DECLARE open CURSOR FOR SELECT 1"), R"(DECLARE "slc_p2" CURSOR FOR SELECT 1)");
  EXPECT_EQ(resolve("FETCH open"), R"(FETCH "slc_p2")");
  EXPECT_EQ(session.statement("known")->upstream_name, "slc_s100") << "the session's own change when it runs";
}

TEST_F(TextNamesTest, AllIsAllOfTheSessionAndOfTheText) {
  resolve("PREPARE p AS SELECT 1");
  EXPECT_EQ(resolve("DEALLOCATE ALL"), "DEALLOCATE ALL");
  EXPECT_EQ(resolve("EXECUTE p"), "26000 prepared statement \"p\" does not exist");
  EXPECT_EQ(resolve("EXECUTE known"), "26000 prepared statement \"known\" does not exist");
  EXPECT_EQ(resolve("PREPARE p AS SELECT 1"), R"(PREPARE "slc_s2" AS SELECT 1)");
  EXPECT_EQ(resolve("EXECUTE p"), R"(EXECUTE "slc_s2")");
  EXPECT_EQ(resolve("FETCH open"), R"(FETCH "slc_p200")") << "cursors are others";
  resolve("DECLARE c CURSOR FOR SELECT 1");
  EXPECT_EQ(resolve("CLOSE ALL"), "CLOSE ALL");
  EXPECT_EQ(resolve("FETCH c"), "34000 cursor \"c\" does not exist");
  EXPECT_EQ(resolve("FETCH open"), "34000 cursor \"open\" does not exist");
}

TEST_F(TextNamesTest, TakesNoMoreThanASessionMayKeep) {
  auto large = std::make_shared<Prepared>();
  auto text = std::make_shared<Plan>();
  text->source.assign(kMaxKeptText, 'x');
  large->plan = text;
  session.set_statement("large", std::move(large));
  EXPECT_EQ(resolve("PREPARE p AS SELECT 1").substr(0, 5), "54000");
  EXPECT_EQ(resolve("DECLARE c CURSOR FOR SELECT 1").substr(0, 5), "54000");
  EXPECT_EQ(resolve("EXECUTE known"), R"(EXECUTE "slc_s100")") << "what is there may be used";
}

// --- what is run by its name ---

TEST_F(TextNamesTest, ExecuteDoesWhatWasPrepared) {
  auto prepare = plan("PREPARE p AS INSERT INTO sink(id) VALUES (1)");
  prepare->carried = 2;
  prepare->touches_masked = true;
  prepare->masked_fields = 3;
  EXPECT_FALSE(names.resolve(*prepare));
  ASSERT_TRUE(prepare->inner);
  EXPECT_EQ(prepare->inner->kind, PlanKind::statement);
  EXPECT_EQ(prepare->inner->body->kind, postgres::sql::StatementKind::insert);
  auto execute = plan("EXECUTE p");
  EXPECT_FALSE(names.resolve(*execute));
  EXPECT_EQ(execute->inner, prepare->inner);
  EXPECT_EQ(execute->operation->verb, Verb::write);
  EXPECT_EQ(execute->carried, 2);
  EXPECT_TRUE(execute->touches_masked);
  EXPECT_EQ(execute->masked_fields, 3u);
  EXPECT_TRUE(execute->writes);
  EXPECT_FALSE(execute->denial);
}

TEST_F(TextNamesTest, WithHoldOutlivesItsTransaction) {
  auto declare = plan("DECLARE h CURSOR WITH HOLD FOR SELECT 1");
  EXPECT_FALSE(names.resolve(*declare));
  EXPECT_TRUE(declare->hold_cursor);
  auto shorter = plan("DECLARE s CURSOR FOR SELECT 1");
  EXPECT_FALSE(names.resolve(*shorter));
  EXPECT_FALSE(shorter->hold_cursor);
}

class StaleNames : public TextNamesTest {
 protected:
  // Runs by name, now, what was made from another basis.
  std::optional<Denial> run(std::string_view sql, const Basis& now) {
    auto made = plan(sql);
    made->basis = now;
    EXPECT_FALSE(names.resolve(*made)) << sql;
    return made->denial;
  }
};

TEST_F(StaleNames, MasksOfBeforeAreNotThoseOfNow) {
  for (const char* sql : {"EXECUTE known", "FETCH open"}) {
    const auto denial = run(sql, {.masks = 7});
    ASSERT_TRUE(denial) << sql;
    EXPECT_EQ(denial->reason, Reason::revoked) << sql;
  }
}

TEST_F(StaleNames, APreparedStatementsNamesAreLookedUpAgain) {
  for (const Basis& now : {Basis{.catalogue = 9}, Basis{.search_path = "other"}}) {
    const auto denial = run("EXECUTE known", now);
    ASSERT_TRUE(denial);
    EXPECT_EQ(denial->reason, Reason::not_understood);
    EXPECT_FALSE(run("FETCH open", now)) << "a cursor runs already";
  }
  EXPECT_FALSE(run("EXECUTE known", {}));
}

TEST_F(StaleNames, WhatWasDeniedStaysDenied) {
  auto prepare = plan("PREPARE p AS SELECT 1");
  prepare->denial = Denial{Reason::masked_use, "r", "no", ""};
  EXPECT_FALSE(names.resolve(*prepare));
  const auto denial = run("EXECUTE p", {.masks = 7});
  ASSERT_TRUE(denial);
  EXPECT_EQ(denial->reason, Reason::masked_use) << "the first reason is the one that is told";
}

}  // namespace
}  // namespace sluice::proxy::pg
