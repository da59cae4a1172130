#include "systems/postgres/rewrite/carried_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "systems/postgres/rewrite/testing.h"

namespace sluice::postgres::rewrite {
namespace {

using ::testing::HasSubstr;

struct Query {
  explicit Query(std::string_view text, const MaskPlan* masks = nullptr) : sql(text) {
    parsed = *sql::parse(sql);
    const auto* select = answering_select(*statement().body);
    if (select != nullptr) keys = missing_keys(*select, *catalogue, path, masks);
  }
  const sql::ParsedStatement& statement() const { return parsed.statements().back(); }
  // The text with the keys; "" when none is missing or can be carried.
  std::string text() const { return keys.empty() ? "" : with_keys(statement(), keys).sql; }

  std::string sql;
  std::shared_ptr<const Catalogue> catalogue = postgres::testing::sample_catalogue();
  std::vector<std::string> path{"public"};
  sql::ParsedSql parsed;
  std::vector<CarriedKey> keys;
};

TEST(CarriedKeys, StandInFrontOfTheColumns) {
  EXPECT_EQ(Query("SELECT title FROM docs").text(), R"(SELECT "docs"."id" AS "slc_key_1", title FROM docs)");
  EXPECT_EQ(Query("select all (title) from public.docs d where id = $1").text(),
            R"(select all "d"."id" AS "slc_key_1", (title) from public.docs d where id = $1)");
  EXPECT_EQ(Query("SELECT title FROM docs ORDER BY embedding <-> $1 LIMIT 5").text(),
            R"(SELECT "docs"."id" AS "slc_key_1", title FROM docs ORDER BY embedding <-> $1 LIMIT 5)");
  EXPECT_EQ(Query("WITH x AS (SELECT 1 AS n) SELECT title FROM docs, x").text(),
            R"(WITH x AS (SELECT 1 AS n) SELECT "docs"."id" AS "slc_key_1", title FROM docs, x)");
}

TEST(CarriedKeys, OfEachTableOfAJoin) {
  EXPECT_EQ(
      Query("SELECT a.title FROM docs a JOIN docs b ON a.id = b.id").text(),
      R"(SELECT "a"."id" AS "slc_key_1", "b"."id" AS "slc_key_2", a.title FROM docs a JOIN docs b ON a.id = b.id)");
  EXPECT_EQ(Query("SELECT a.*, b.title FROM docs a LEFT JOIN docs b ON a.id = b.id").text(),
            R"(SELECT "b"."id" AS "slc_key_1", a.*, b.title FROM docs a LEFT JOIN docs b ON a.id = b.id)");
}

TEST(CarriedKeys, AreNotAskedForTwice) {
  for (auto sql : {"SELECT * FROM docs", "SELECT id, title FROM docs", "SELECT docs.* FROM docs",
                   "SELECT title, d.id FROM docs d", "SELECT 1", "SELECT n FROM generate_series(1, 3) n"}) {
    EXPECT_EQ(Query(sql).text(), "") << sql;
  }
  // Of a column of that name in one of two tables nobody can say which it is.
  EXPECT_NE(Query("SELECT id FROM docs JOIN sink USING (id)").text(), "");
}

TEST(CarriedKeys, AreLeftOutWhereTheyWouldChangeTheResult) {
  for (auto sql : {"SELECT DISTINCT title FROM docs",
                   "SELECT DISTINCT ON (tenant) title FROM docs",
                   "SELECT count(*) FROM docs",
                   "SELECT max(title) FROM docs",
                   "SELECT 1 + avg(salary) FROM docs",
                   "SELECT avg(embedding) FROM docs",
                   "SELECT f_email(id) FROM docs",
                   "SELECT title FROM docs GROUP BY title",
                   "SELECT 1 FROM docs HAVING true",
                   "SELECT title FROM docs ORDER BY count(*)",
                   "SELECT title FROM docs UNION ALL SELECT title FROM docs",
                   "SELECT title INTO copy FROM docs",
                   "SELECT FROM docs",
                   "SELECT title FROM (SELECT title FROM docs) d",
                   "WITH docs AS (SELECT 'x' AS title) SELECT title FROM docs",
                   "SELECT x FROM docs AS d(x)",
                   "SELECT title FROM (docs a JOIN docs b USING (id)) j",
                   "VALUES (1)",
                   "INSERT INTO sink(data) VALUES ('x')",
                   "SELECT nothing FROM no_such_table"}) {
    EXPECT_EQ(Query(sql).text(), "") << sql;
  }
}

TEST(CarriedKeys, StayOutOfOrdinals) {
  EXPECT_EQ(Query("SELECT title, tenant FROM docs ORDER BY 2 DESC, 1").text(),
            R"(SELECT "docs"."id" AS "slc_key_1", title, tenant FROM docs ORDER BY 3 DESC, 2)");
}

TEST(CarriedKeys, ReachTheQueryOfACursorAndOfAPreparedStatement) {
  EXPECT_EQ(Query("DECLARE c CURSOR FOR SELECT title FROM docs").text(),
            R"(DECLARE c CURSOR FOR SELECT "docs"."id" AS "slc_key_1", title FROM docs)");
  EXPECT_EQ(Query("PREPARE p AS SELECT title FROM docs").text(),
            R"(PREPARE p AS SELECT "docs"."id" AS "slc_key_1", title FROM docs)");
  EXPECT_EQ(Query("EXPLAIN SELECT title FROM docs").text(), "");
  EXPECT_EQ(Query("COPY (SELECT title FROM docs) TO STDOUT").text(), "");
}

TEST(CarriedKeys, CountFromTheirOwnStatement) {
  EXPECT_EQ(Query("SELECT 1; SELECT title FROM docs").text(),
            R"(SELECT "docs"."id" AS "slc_key_1", title FROM docs)");
}

TEST(CarriedKeys, TellPositionsInTheTextBefore) {
  const Query query("SELECT 'ü', titel FROM docs");
  const auto with = with_keys(query.statement(), query.keys);
  const std::string_view put = R"("docs"."id" AS "slc_key_1", )";
  EXPECT_EQ(with.insertion.before(3), 3U);
  EXPECT_EQ(with.insertion.before(8 + static_cast<std::uint32_t>(put.size())), 8U);
  EXPECT_EQ(with.insertion.before(9), 0U) << "in what was put in";
  EXPECT_EQ(with.insertion.before(13 + static_cast<std::uint32_t>(put.size())), 13U);
  const Query ordinals("SELECT title FROM docs ORDER BY 1");
  EXPECT_EQ(with_keys(ordinals.statement(), ordinals.keys).insertion.before(8), 0U);
}

TEST(CarriedKeys, GoThroughARewrite) {
  auto session = testing::corpus_session();
  session.carry = true;
  EXPECT_THAT(
      session.text("SELECT email FROM docs ORDER BY 1"),
      ::testing::AllOf(HasSubstr(R"(SELECT "docs"."id" AS "slc_key_1", "email" AS "email" FROM (SELECT )"),
                       HasSubstr(R"(."id" AS "id")"), HasSubstr("ORDER BY 2")));
  EXPECT_THAT(session.text("SELECT title FROM docs ORDER BY embedding <-> $1 LIMIT 3"),
              HasSubstr(R"("docs"."id" AS "slc_key_1")"));
}

TEST(CarriedKeys, AreNotCarriedWhereAKeyIsMasked) {
  const auto catalogue = postgres::testing::sample_catalogue();
  const auto masks = MaskPlan::compile(*catalogue, testing::masks("public.docs id redact"));
  EXPECT_EQ(Query("SELECT title FROM docs", masks.get()).text(), "");
}

}  // namespace
}  // namespace sluice::postgres::rewrite
