#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "systems/postgres/rewrite/testing.h"

namespace sluice::postgres::rewrite {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Session;
using ::testing::StartsWith;

// Rows in the order of `id`, in the derived table itself.
constexpr const char* kSortedFirst = R"(AS "slc_0" ORDER BY "slc_0"."id")";

// An index over (tenant, salary) returns rows in an order that tells about salary.
Session session() {
  return {postgres::testing::catalogue(R"(
    public.docs(id int4 pk, tenant text, amount numeric, score float8, made timestamp, salary int4)
    public.other(id int4 pk, docs int4)
    public.keyless(n int4)
    index public.docs btree(tenant, salary)
  )"),
          testing::masks("public.docs salary redact")};
}

TEST(OrderOfRows, EndsWithTheKey) {
  EXPECT_THAT(session().text("SELECT tenant FROM docs"), EndsWith(R"(ORDER BY "docs"."id")"));
  EXPECT_THAT(session().text("SELECT tenant FROM docs d ORDER BY tenant LIMIT 2"),
              EndsWith(R"(ORDER BY "tenant", "d"."id" LIMIT 2)"));
}

// Rows of a join that agree in one relation's key come as the join came upon them.
TEST(OrderOfRows, EndsWithTheKeysOfAllThatIsJoined) {
  EXPECT_THAT(session().text("SELECT tenant FROM docs FULL JOIN other o ON o.docs = salary"),
              EndsWith(R"(ORDER BY "docs"."id", "o"."id")"));
  EXPECT_THAT(session().text("SELECT tenant, n FROM docs d, generate_series(1, 5) g(n)"),
              EndsWith(R"(ORDER BY "d"."id", CAST("g".* AS "pg_catalog"."text"))"));
  EXPECT_THAT(session().text("SELECT tenant FROM docs, (SELECT 1 AS x) AS q LIMIT 3"),
              EndsWith(R"(ORDER BY "docs"."id", CAST("q".* AS "pg_catalog"."text") LIMIT 3)"));
  EXPECT_THAT(session().text("SELECT tenant FROM docs, keyless"), HasSubstr(kSortedFirst));
}

TEST(OrderOfRows, WhatTakesThemInTheirOrderGetsThemSorted) {
  for (auto sql : {"SELECT array_agg(tenant) FROM docs", "SELECT row_number() OVER () FROM docs",
                   "SELECT DISTINCT tenant FROM docs",
                   "SELECT tenant FROM docs ORDER BY tenant FETCH FIRST 2 ROWS WITH TIES"}) {
    EXPECT_THAT(session().text(sql), HasSubstr(kSortedFirst)) << sql;
  }
}

// A hash table hands out groups in an order that depends on the order of its input.
TEST(OrderOfRows, GroupsAreSortedByTheirKeys) {
  EXPECT_THAT(session().text("SELECT count(*) FROM docs GROUP BY tenant"),
              EndsWith(R"(GROUP BY "tenant" ORDER BY "docs"."tenant")"));
  EXPECT_THAT(session().text("SELECT tenant, count(*) FROM docs GROUP BY tenant ORDER BY 2 DESC LIMIT 3"),
              EndsWith(R"(GROUP BY "tenant" ORDER BY 2 DESC, "docs"."tenant" LIMIT 3)"));
  EXPECT_THAT(session().text("SELECT tenant, count(*) FROM docs GROUP BY 1"),
              EndsWith("GROUP BY 1 ORDER BY 1"));
  EXPECT_THAT(session().text("SELECT date_trunc('day', made) AS day, count(*) FROM docs GROUP BY day"),
              EndsWith(R"(GROUP BY "day" ORDER BY "day")"));
  EXPECT_THAT(
      session().text("SELECT count(*) FROM docs GROUP BY date_trunc('day', made), upper(tenant)"),
      EndsWith(R"(ORDER BY "pg_catalog"."date_trunc"('day', "made"), "pg_catalog"."upper"("tenant"))"));
  // In ORDER BY the bare name would be the output of that name.
  EXPECT_THAT(session().text("SELECT upper(tenant) AS tenant FROM docs GROUP BY tenant"),
              EndsWith(R"(ORDER BY "docs"."tenant")"));
}

TEST(OrderOfRows, WhereKeysDoNotDoGroupsAreMadeOfSortedRows) {
  for (auto sql : {"SELECT tenant, count(*) FROM docs GROUP BY ROLLUP (tenant)",
                   "SELECT amount, count(*) FROM docs GROUP BY amount",
                   "SELECT DISTINCT count(*) FROM docs GROUP BY tenant",
                   "SELECT count(*) FROM docs GROUP BY tenant || 'x'"}) {
    EXPECT_THAT(session().text(sql), HasSubstr(kSortedFirst)) << sql;
  }
}

// The last digits of a sum of floating-point numbers depend on the order of its input.
TEST(OrderOfRows, SumsOfFloatingPointNumbersAreMadeOfSortedRows) {
  for (auto sql : {"SELECT sum(score) FROM docs", "SELECT avg(score * 2) FROM docs GROUP BY tenant",
                   "SELECT corr(id, id) FROM docs", "SELECT sum(amount) FROM docs",
                   "SELECT 1 FROM docs HAVING stddev(score) > 3"}) {
    EXPECT_THAT(session().text(sql), HasSubstr(kSortedFirst)) << sql;
  }
  for (auto sql :
       {"SELECT count(*) FROM docs", "SELECT sum(id), avg(id) FROM docs", "SELECT count(score) FROM docs",
        "SELECT sum(CASE WHEN score > 3 THEN 1 ELSE 0 END), sum(coalesce(id, 0)) FROM docs",
        "SELECT bool_and(score > 1) FROM docs"}) {
    EXPECT_THAT(session().text(sql), Not(HasSubstr("ORDER BY"))) << sql;
  }
}

// What may fail for one row and not for another tells which came first; a join that a sub-select becomes is
// driven by its order.
TEST(OrderOfRows, NothingThatMayFailIsComputedBeforeRowsAreSorted) {
  for (auto sql :
       {"SELECT 1 / id FROM docs", "SELECT count(*) FROM docs WHERE CASE WHEN id = 1 THEN 1 / id END = 1",
        "SELECT title::int FROM docs", "SELECT id FROM docs WHERE id IN (SELECT id FROM sink)",
        "SELECT CASE WHEN id = 7 THEN $1::int WHEN id = 8 THEN $2::date - now()::date END FROM docs",
        "SELECT EXISTS (SELECT FROM docs)", "SELECT date_part(title, made) FROM docs",
        "SELECT count(*) FROM docs WHERE coalesce(made, made::date) > made",
        "SELECT CASE WHEN id = 7 THEN 1e400 END < score FROM docs",
        "SELECT CASE WHEN id = 7 THEN score < $1 END FROM docs",
        "SELECT CASE WHEN id = 7 THEN $1::date = now()::date END FROM docs",
        "SELECT id FROM docs WHERE title LIKE $1"}) {
    EXPECT_THAT(session().text(sql),
                HasSubstr(R"("public"."docs" AS "slc_0" ORDER BY "slc_0"."id" OFFSET 0)"))
        << sql;
  }
  for (auto sql :
       {"SELECT tenant, amount > 3, coalesce(tenant, 'x'), length(tenant) FROM docs WHERE tenant = $1",
        "SELECT id FROM docs WHERE tenant LIKE 'a%' AND made > now() - interval '7 days' AND id = $1::int",
        "SELECT id, 1 - (embedding <=> $1) FROM docs WHERE tenant = $2::text ORDER BY embedding <=> $1 LIMIT "
        "5",
        "SELECT lower(tenant), count(*) FILTER (WHERE id > 3) FROM docs GROUP BY lower(tenant)"}) {
    EXPECT_THAT(session().text(sql), Not(HasSubstr("OFFSET 0"))) << sql;
  }
}

TEST(OrderOfRows, OnlyRowsThatConditionsLeaveAreSorted) {
  EXPECT_THAT(
      session().text(
          "SELECT 1 / id FROM docs WHERE tenant = $1 AND docs.id IN (1, 2) AND 3 / id = 1 AND salary = 3"),
      HasSubstr(
          R"(AS "slc_0" WHERE ("slc_0"."tenant" OPERATOR("pg_catalog".=) $1) AND ("slc_0"."id" IN (1, 2)) )"
          R"(ORDER BY "slc_0"."id" OFFSET 0) AS "docs" WHERE)"));
}

// EXISTS stops at the first row that fits: ANALYZE would tell how many were before it. Costs depend on the
// index's order.
TEST(OrderOfRows, PlansDoNotTellIt) {
  EXPECT_TRUE(
      session().denies("EXPLAIN ANALYZE SELECT EXISTS (SELECT FROM docs WHERE tenant = 'x' AND id = 7)"));
  EXPECT_THAT(session().text("EXPLAIN SELECT id FROM docs"), StartsWith("EXPLAIN (costs FALSE) SELECT"));
  EXPECT_THAT(session().text("EXPLAIN (COSTS on, VERBOSE, COSTS) SELECT id FROM docs"),
              StartsWith("EXPLAIN (verbose, costs FALSE) SELECT"));
  Session plain{postgres::testing::catalogue("public.docs(id int4 pk, tenant text, salary int4)"),
                testing::masks("public.docs salary redact")};
  EXPECT_THAT(plain.text("EXPLAIN (ANALYZE) SELECT id FROM docs"), StartsWith("EXPLAIN (analyze) SELECT"));
}

TEST(OrderOfRows, NothingIsSortedThatNeedNotBe) {
  EXPECT_THAT(
      session().text("SELECT tenant FROM docs WHERE EXISTS (SELECT count(*) FROM docs GROUP BY tenant)"),
      Not(HasSubstr(R"(GROUP BY "tenant" ORDER BY)")));
  Session plain{postgres::testing::catalogue("public.docs(id int4 pk, tenant text, salary int4)"),
                testing::masks("public.docs salary redact")};
  EXPECT_THAT(plain.text("SELECT tenant, count(*) FROM docs GROUP BY tenant"), Not(HasSubstr("ORDER BY")));
}

}  // namespace
}  // namespace sluice::postgres::rewrite
