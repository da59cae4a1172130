#include "systems/postgres/rewrite/rewrite.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "systems/postgres/rewrite/testing.h"

namespace sluice::postgres::rewrite {
namespace {

using testing::corpus_session;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::Session;
using ::testing::StartsWith;

TEST(Rewrite, WhatTouchesNothingMaskedPassesAsItIs) {
  Session session = corpus_session();
  for (auto sql :
       {"SELECT 1", "SELECT abalance FROM pgbench_accounts WHERE aid = $1", "BEGIN", "SET LOCAL x.y = 'z'",
        "INSERT INTO sink(data) VALUES ('x') RETURNING id", "UPDATE pgbench_tellers SET tbalance = 1",
        "CREATE TABLE fresh(id int)", "VACUUM docs", "ANALYZE", "FETCH ALL FROM c", "COPY sink FROM STDIN",
        "WITH docs AS (SELECT 1 AS id) SELECT id FROM docs", "SELECT relname FROM pg_class",
        "CREATE TABLE IF NOT EXISTS docs(id int)"}) {
    EXPECT_EQ(session.text(sql), "unchanged") << sql;
  }
}

TEST(Rewrite, NothingIsRewrittenWithoutMasks) {
  Session session(postgres::testing::sample_catalogue(), {});
  EXPECT_EQ(session.text("SELECT f_email(1), email FROM docs"), "unchanged");
}

TEST(Rewrite, AMaskedRelationBecomesADerivedTable) {
  EXPECT_EQ(corpus_session().text("SELECT id, email FROM docs WHERE id = 1"),
            R"(SELECT "id" AS "id", "email" AS "email" FROM (SELECT "slc_0"."id" AS "id", )"
            R"(CAST('***' AS "pg_catalog"."text") AS "email" FROM "public"."docs" AS "slc_0") AS "docs" )"
            R"(WHERE ("id" OPERATOR("pg_catalog".=) 1))");
}

TEST(Rewrite, OnlyUsedColumnsAreInTheDerivedTable) {
  EXPECT_EQ(
      corpus_session().text("SELECT count(*) FROM docs"),
      R"(SELECT "pg_catalog"."count"(*) AS "count" FROM (SELECT FROM "public"."docs" AS "slc_0") AS "docs")");
}

TEST(Rewrite, StarsAndWholeRowsHaveAllColumnsMasked) {
  Session session = corpus_session();
  for (auto sql : {"SELECT * FROM docs", "SELECT d FROM docs d", "SELECT row_to_json(d) FROM docs d",
                   "SELECT ROW(d.*) FROM docs d", "TABLE docs", "SELECT (d).email FROM docs d",
                   "SELECT json_agg(docs) FROM docs",
                   "SELECT q.c4 FROM docs AS q(c1,c2,c3,c4,c5,c6,c7,c8), sink s, q r"}) {
    std::string text = session.text(sql);
    if (text.starts_with("denied") || text.starts_with("stale")) continue;
    EXPECT_THAT(text, Not(HasSubstr("\"slc_0\".\"email\""))) << sql;
    EXPECT_THAT(text, Not(HasSubstr("\"slc_0\".\"embedding\""))) << sql;
    EXPECT_THAT(text, HasSubstr("CAST('***'")) << sql;
  }
  EXPECT_THAT(session.text("SELECT * FROM docs"),
              HasSubstr(R"(CAST(NULL AS "public"."vector"(4)) AS "embedding")"));
}

TEST(Rewrite, ColumnAliasesRenameInside) {
  EXPECT_EQ(
      corpus_session().text("SELECT q.b FROM docs AS q(a, b, c, e)"),
      R"(SELECT "q"."b" AS "b" FROM (SELECT "slc_0"."tenant" AS "b" FROM "public"."docs" AS "slc_0") AS "q")");
  EXPECT_THAT(corpus_session().text("SELECT q.e FROM docs AS q(a, b, c, e)"),
              HasSubstr(R"(CAST('***' AS "pg_catalog"."text") AS "e")"));
}

TEST(Rewrite, NamesArePinnedToTheirSchema) {
  Session session = corpus_session();
  EXPECT_THAT(session.text("SELECT d.id, s.data FROM docs d JOIN sink s ON s.id = d.id"),
              HasSubstr(R"(JOIN "public"."sink" AS "s" ON ("s"."id" OPERATOR("pg_catalog".=) "d"."id"))"));
  EXPECT_THAT(
      session.text("SELECT lower(title), now()::date FROM docs"),
      HasSubstr(
          R"("pg_catalog"."lower"("title") AS "lower", CAST("pg_catalog"."now"() AS "pg_catalog"."date"))"));
  EXPECT_THAT(session.text("SELECT public.docs.id FROM public.docs"),
              StartsWith(R"(SELECT "docs"."id" AS "id")"));
}

TEST(Rewrite, CommonTablesShadowRelationsAsPostgresHasIt) {
  Session session = corpus_session();
  std::string text = session.text("WITH docs AS (SELECT id, email FROM docs) SELECT email FROM docs");
  EXPECT_THAT(
      text,
      HasSubstr(R"(FROM "public"."docs" AS "slc_0") AS "docs") SELECT "email" AS "email" FROM "docs")"));
  // Not recursive: the name is not in scope in its own body, nor before it.
  text = session.text("WITH a AS (SELECT email FROM docs), docs AS (SELECT 1 AS x) SELECT * FROM a, docs");
  EXPECT_THAT(text, HasSubstr(R"("public"."docs")"));
  text = session.text("WITH RECURSIVE a AS (SELECT x FROM docs), docs AS (SELECT 1 AS x) SELECT x FROM a");
  EXPECT_EQ(text, "unchanged");
  // In scope in a sub-select, out of scope behind it.
  text = session.text("SELECT (WITH docs AS (SELECT 1 AS email) SELECT email FROM docs), email FROM docs");
  EXPECT_THAT(text, HasSubstr(R"(SELECT "email" AS "email" FROM "docs")"));
  EXPECT_THAT(text, HasSubstr(R"(FROM "public"."docs" AS "slc_0")"));
}

TEST(Rewrite, WritesEveryClauseOfAQuery) {
  Session session = corpus_session();
  EXPECT_EQ(
      session.text(
          "SELECT DISTINCT ON (tenant) tenant, title t FROM docs d WHERE id > $1 AND NOT title LIKE 'x%' "
          "ORDER BY tenant, t DESC NULLS LAST OFFSET 1 LIMIT $2"),
      R"(SELECT DISTINCT ON ("tenant") "tenant" AS "tenant", "title" AS "t" FROM (SELECT "slc_0"."id" AS "id", )"
      R"("slc_0"."tenant" AS "tenant", "slc_0"."title" AS "title" FROM "public"."docs" AS "slc_0") AS "d" WHERE )"
      R"((("id" OPERATOR("pg_catalog".>) $1) AND (NOT ("title" OPERATOR("pg_catalog".~~) 'x%'))) )"
      R"(ORDER BY "tenant", "t" DESC NULLS LAST OFFSET 1 LIMIT $2)");
  EXPECT_EQ(
      session.text(
          "SELECT tenant FROM docs GROUP BY ROLLUP (tenant) HAVING count(*) > 1 UNION ALL VALUES ('x') "
          "ORDER BY 1 LIMIT ALL"),
      R"((SELECT "tenant" AS "tenant" FROM (SELECT "slc_0"."tenant" AS "tenant" FROM "public"."docs" AS "slc_0") )"
      R"(AS "docs" GROUP BY ROLLUP("tenant") HAVING ("pg_catalog"."count"(*) OPERATOR("pg_catalog".>) 1)) UNION ALL )"
      R"((VALUES ('x')) ORDER BY 1 LIMIT NULL)");
}

TEST(Rewrite, GroupingByTheKeyKeepsItsColumns) {
  EXPECT_THAT(corpus_session().text("SELECT id, title, max(salary) FROM docs GROUP BY id"),
              HasSubstr(R"(GROUP BY "id", "docs"."title")"));
  EXPECT_THAT(corpus_session().text("SELECT tenant, max(title) FROM docs GROUP BY tenant"),
              Not(HasSubstr(R"(GROUP BY "tenant", )")));
}

TEST(Rewrite, WrapsTheQueryOfACursorPrepareExplainAndCopy) {
  Session session = corpus_session();
  EXPECT_THAT(
      session.text("DECLARE c BINARY NO SCROLL CURSOR WITH HOLD FOR SELECT email FROM docs"),
      StartsWith(
          R"(DECLARE "c" BINARY NO SCROLL CURSOR WITH HOLD FOR SELECT "email" AS "email" FROM (SELECT CAST()"));
  EXPECT_THAT(session.text("PREPARE p(int, vector) AS SELECT email FROM docs WHERE id = $1"),
              StartsWith(R"(PREPARE "p"("pg_catalog"."int4", "public"."vector") AS SELECT)"));
  EXPECT_THAT(session.text("EXPLAIN (ANALYZE, FORMAT json) SELECT email FROM docs"),
              StartsWith(R"(EXPLAIN (analyze, format 'json') SELECT "email")"));
  EXPECT_THAT(session.text("COPY (SELECT email FROM docs) TO STDOUT (FORMAT csv, HEADER)"),
              StartsWith(R"(COPY (SELECT "email" AS "email" FROM (SELECT CAST('***')"));
  EXPECT_EQ(
      session.text("COPY docs (id, email) TO STDOUT WITH (FORMAT binary)"),
      R"(COPY (SELECT "id", "email" FROM (SELECT "slc_0"."id" AS "id", CAST('***' AS "pg_catalog"."text") AS "email" )"
      R"(FROM ONLY "public"."docs" AS "slc_0") AS "docs") TO STDOUT WITH (format 'binary'))");
}

TEST(Rewrite, OtherStatementClassesAreRefused) {
  Session session = corpus_session();
  for (auto sql : {"INSERT INTO sink(data) SELECT email FROM docs",
                   "SELECT email INTO t FROM docs",
                   "CREATE TABLE t AS SELECT email FROM docs",
                   "CREATE VIEW v AS SELECT email FROM docs",
                   "DELETE FROM sink WHERE data NOT IN (SELECT email FROM docs)",
                   "EXPLAIN INSERT INTO sink(data) SELECT email FROM docs",
                   "COPY docs FROM STDIN",
                   "COPY docs TO '/tmp/x'",
                   "COPY (SELECT email FROM docs) TO PROGRAM 'cat'",
                   "ALTER TABLE docs RENAME COLUMN email TO x",
                   "ALTER TABLE docs RENAME TO x",
                   "ALTER TABLE docs SET SCHEMA other",
                   "ALTER SCHEMA public RENAME TO x",
                   "CREATE INDEX ON docs (email)",
                   "CREATE TABLE t (LIKE docs)",
                   "CREATE TABLE t () INHERITS (docs)",
                   "CREATE TEMP TABLE docs(id int)",
                   "DO 'BEGIN END'",
                   "CREATE DOMAIN dd AS text",
                   "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
                   "CREATE TRIGGER t BEFORE UPDATE ON sink FOR EACH ROW EXECUTE FUNCTION f()",
                   "CREATE FOREIGN TABLE ft(id int) SERVER s",
                   "ALTER TABLE sink ADD FOREIGN KEY (data) REFERENCES docs(email)",
                   "CREATE TABLE t (x text REFERENCES docs(email))"}) {
    EXPECT_TRUE(session.denies(sql)) << sql << ": " << session.text(sql);
  }
  EXPECT_FALSE(session.denies("LOCK TABLE docs IN ACCESS SHARE MODE")) << "every SELECT takes that";
}

TEST(Rewrite, ViewsAndForeignTablesOfMaskedDataAreRefused) {
  Session session = corpus_session();
  EXPECT_THAT(session.text("SELECT contact FROM docs_v"),
              HasSubstr("docs_v is a view of masked relations, and its definition is not known"));
  EXPECT_THAT(session.text("SELECT 1 FROM sink, (SELECT * FROM docs_mv) q"), HasSubstr("docs_mv is a view"));
  EXPECT_TRUE(session.denies("DELETE FROM docs_v"));
}

TEST(Rewrite, ANameThatAMaskedRelationHasElsewhereIsPinned) {
  Session session(
      postgres::testing::catalogue("public.docs(id int4 pk, email text)\nopen.docs(id int4 pk, email text)"),
      testing::masks("public.docs email redact"));
  session.path = {"open"};
  EXPECT_EQ(session.text("SELECT email FROM docs"), R"(SELECT "email" AS "email" FROM "open"."docs")");
  EXPECT_EQ(session.text("SELECT email FROM open.docs"), "unchanged");
  EXPECT_EQ(session.text("INSERT INTO docs(id) VALUES (1)"),
            R"(INSERT INTO "open"."docs" AS "docs" ("id") VALUES (1))");
  session.path = {"elsewhere"};
  EXPECT_THAT(session.text("SELECT email FROM docs"), HasSubstr("may mean a masked relation"));
}

TEST(Rewrite, AnUnknownRelationAsksForANewCatalogueFirst) {
  Session session = corpus_session();
  session.fresh = false;
  EXPECT_EQ(session.text("SELECT * FROM brand_new"), "stale: brand_new");
  EXPECT_EQ(session.text("SELECT brand_new FROM docs"), "stale: public.docs") << "perhaps a new column";
  EXPECT_EQ(session.text("CREATE TABLE brand_new(id int)"), "unchanged");
  EXPECT_THAT(session.text("SELECT title AS t FROM docs ORDER BY t"), StartsWith("SELECT"));
  session.fresh = true;
  EXPECT_EQ(session.text("SELECT * FROM brand_new"), "unchanged")
      << "a temporary one, or the server's to refuse";
}

TEST(Rewrite, AmbiguousNamesForMaskedRelationsAreRefused) {
  Session session(
      postgres::testing::catalogue("public.docs(id int4 pk, email text)\nopen.docs(id int4 pk, email text)"),
      testing::masks("public.docs email redact"));
  EXPECT_THAT(session.text("SELECT 1 FROM public.docs, open.docs"), HasSubstr("stands for two relations"));
  EXPECT_THAT(session.text("SELECT 1 FROM public.docs, open.docs AS o"), StartsWith("SELECT"));
}

TEST(Rewrite, WhereRowsAreStoredIsNotTold) {
  Session session = corpus_session();
  EXPECT_THAT(session.text("SELECT docs.ctid FROM docs"), HasSubstr("stored"));
  EXPECT_THAT(session.text("SELECT d.xmin FROM docs d"), HasSubstr("stored"));
  EXPECT_THAT(session.text("SELECT ctid FROM docs"), Not(HasSubstr("slc_0\".\"ctid")))
      << "no such column in the derived table";
  EXPECT_TRUE(session.denies("SELECT id FROM docs TABLESAMPLE system (10)"));
  EXPECT_THAT(session.text("SELECT id FROM docs TABLESAMPLE bernoulli (10) REPEATABLE (1)"),
              HasSubstr(R"("slc_0" TABLESAMPLE "pg_catalog"."bernoulli"(10) REPEATABLE (1)) AS "docs")"));
  EXPECT_THAT(session.text("SELECT id FROM ONLY docs"), HasSubstr(R"(FROM ONLY "public"."docs" AS "slc_0")"));
}

TEST(Rewrite, RowOrderTellsNothing) {
  Session session(postgres::testing::catalogue(R"(
                    public.staff(id int4 pk, tenant text, salary int4)
                    index public.staff btree(tenant, salary)
                    public.log(salary int4, tenant text)
                    index public.log btree(tenant, salary)
                  )"),
                  testing::masks("* salary redact"));
  EXPECT_THAT(session.text("SELECT tenant FROM staff"), ::testing::EndsWith(R"(ORDER BY "staff"."id")"));
  EXPECT_THAT(session.text("SELECT tenant FROM staff s ORDER BY tenant LIMIT 3"),
              ::testing::EndsWith(R"(ORDER BY "tenant", "s"."id" LIMIT 3)"));
  EXPECT_THAT(session.text("SELECT array_agg(tenant) FROM staff"),
              HasSubstr(R"(AS "slc_0" ORDER BY "slc_0"."id") AS "staff")"));
  EXPECT_THAT(session.text("SELECT row_number() OVER () FROM staff"), HasSubstr(R"(ORDER BY "slc_0"."id")"));
  EXPECT_THAT(session.text("SELECT DISTINCT ON (tenant) id FROM staff"),
              HasSubstr(R"(ORDER BY "slc_0"."id")"));
  EXPECT_THAT(session.text("SELECT count(*) FROM staff"), Not(HasSubstr("ORDER BY")));
  EXPECT_THAT(session.text("SELECT tenant FROM log"),
              HasSubstr(R"(AS "slc_0" ORDER BY "slc_0"."tenant") AS "log")"))
      << "no key: where rows lie tells in which order an UPDATE came to them";
  EXPECT_THAT(session.text("SELECT tenant FROM staff WHERE nextval('s') = 1"),
              HasSubstr(R"(AS "slc_0" ORDER BY "slc_0"."id" OFFSET 0) AS "staff")"))
      << "a call tells when it was made";
  EXPECT_THAT(session.text("SELECT count(*) FROM staff WHERE EXISTS (SELECT random())"),
              HasSubstr(R"(ORDER BY "slc_0"."id" OFFSET 0)"));
  EXPECT_TRUE(session.denies("SELECT tenant FROM staff TABLESAMPLE bernoulli (10) REPEATABLE (1)"));
  EXPECT_TRUE(session.denies("UPDATE staff SET tenant = clock_timestamp()::text WHERE tenant = 'x'"));
  EXPECT_FALSE(session.denies("UPDATE staff SET tenant = clock_timestamp()::text WHERE id = 3"));
  EXPECT_FALSE(session.denies("UPDATE staff SET tenant = gen_random_uuid()::text WHERE tenant = 'x'"));
  EXPECT_TRUE(session.denies("DELETE FROM staff WHERE random() < 0.5"));
  EXPECT_THAT(
      session.text("SELECT 1 FROM staff WHERE id IN (SELECT id FROM staff)"),
      HasSubstr(
          R"(IN (SELECT "id" AS "id" FROM (SELECT "slc_0"."id" AS "id" FROM "public"."staff" AS "slc_0" )"
          R"(ORDER BY "slc_0"."id" OFFSET 0) AS "staff")))"))
      << "the join that IN becomes has an order";
}

TEST(Rewrite, HowMuchIsLoggedIsNotTold) {
  Session session = corpus_session();
  EXPECT_TRUE(session.denies("EXPLAIN (ANALYZE, WAL) UPDATE docs SET title = NULL WHERE id = 1"));
  EXPECT_TRUE(session.denies("EXPLAIN (ANALYZE, WAL on) DELETE FROM sink"));
  EXPECT_TRUE(session.denies("SELECT pg_current_wal_insert_lsn()"));
  EXPECT_TRUE(session.denies("SELECT title FROM docs WHERE pg_catalog.pg_current_wal_lsn() > '0/0'"));
  EXPECT_FALSE(session.denies("EXPLAIN (ANALYZE) SELECT title FROM docs"));
}

TEST(Rewrite, ReportsWhatWasMasked) {
  Session session = corpus_session();
  auto result = session.run("SELECT id, email FROM docs WHERE salary > 5 AND title = 'x' ORDER BY ssn");
  ASSERT_TRUE(std::holds_alternative<Rewritten>(result));
  const auto& masked = std::get<Rewritten>(result).masked;
  ASSERT_EQ(masked.size(), 1u);
  EXPECT_EQ(masked[0].relation, "public.docs");
  EXPECT_THAT(masked[0].columns, ElementsAre("email", "ssn", "salary"));
  EXPECT_THAT(masked[0].in_conditions, ElementsAre("salary"));
  EXPECT_THAT(masked[0].rules, ElementsAre("r1", "r2", "r3"));
  auto open = session.run("SELECT id FROM docs");
  ASSERT_TRUE(std::holds_alternative<Rewritten>(open));
  EXPECT_THAT(std::get<Rewritten>(open).masked[0].columns, IsEmpty());
}

TEST(Rewrite, HiddenNamesDifferEachTime) {
  Session session = corpus_session();
  auto first = std::get<Rewritten>(session.run("SELECT id FROM docs")).sql;
  EXPECT_NE(first, std::get<Rewritten>(session.run("SELECT id FROM docs")).sql);
}

TEST(Rewrite, ColumnsTheRoleMayNotReadAreNotTouchedUnlessAsked) {
  Session session(
      postgres::testing::catalogue("public.docs(id int4 pk, email text hidden, secret text hidden, t text)"),
      testing::masks("public.docs email redact"));
  EXPECT_THAT(session.text("SELECT id, email FROM docs"), HasSubstr("CAST('***'"));
  EXPECT_THAT(session.text("SELECT * FROM docs"), HasSubstr("permission denied for column secret"));
}

// Each link has twice the columns of the one before.
TEST(Rewrite, ColumnsThatMultiplyAreRefusedBeforeTheyTakeTimeAndMemory) {
  std::string sql = "WITH a0 AS (SELECT * FROM docs)";
  for (int i = 1; i < 60; ++i) sql += fmt::format(", a{} AS (SELECT * FROM a{} x, a{} y)", i, i - 1, i - 1);
  EXPECT_THAT(corpus_session().text(sql + " SELECT 1 FROM a59"), HasSubstr("columns in reach"));
  std::string nested = "SELECT * FROM docs";
  for (int i = 0; i < 60; ++i) nested = fmt::format("SELECT x.*, x.* FROM ({}) x", nested);
  EXPECT_THAT(corpus_session().text(nested), HasSubstr("columns in reach"));
}

TEST(Rewrite, WhatHasManyColumnsIsForAnotherThread) {
  const Session session = corpus_session();
  auto parsed = sql::parse("SELECT a.*, b.* FROM docs a, docs b, docs c");
  RewriteInput input{.statement = parsed->statements().front(),
                     .catalogue = *session.catalogue,
                     .search_path = session.path,
                     .plan = *session.plan,
                     .fresh = true,
                     .max_names = 40};
  EXPECT_TRUE(std::holds_alternative<TooLarge>(rewrite(input)));
  input.max_names = kMaxNamesAtOnce;
  EXPECT_TRUE(std::holds_alternative<Rewritten>(rewrite(input)));
}

TEST(Rewrite, WhatTheDeparserDoesNotKnowIsRefused) {
  Session session = corpus_session();
  for (auto sql : {"SELECT x FROM docs, XMLTABLE('/a' PASSING '<a/>' COLUMNS x text) t",
                   "SELECT d.no_such_column FROM docs d", "SELECT q.i FROM docs AS q(a,b,c,d,e,f,g,h,i)",
                   "SELECT other_db.public.docs.id FROM docs"}) {
    EXPECT_TRUE(session.denies(sql)) << session.text(sql);
  }
}

TEST(Rewrite, RowsAreLockedBeneathTheDerivedTable) {
  Session session = corpus_session();
  EXPECT_THAT(session.text("SELECT id, email FROM docs WHERE id = 1 FOR UPDATE"), EndsWith(" FOR UPDATE"));
  EXPECT_THAT(
      session.text("SELECT d.id FROM docs d, sink s ORDER BY 1 LIMIT 2 FOR SHARE OF d, s SKIP LOCKED"),
      EndsWith(R"( LIMIT 2 FOR SHARE OF "d", "s" SKIP LOCKED)"));
  // The relation itself is in the inner one of two levels.
  EXPECT_THAT(session.text("SELECT id FROM docs ORDER BY embedding <-> $1 LIMIT 2 FOR UPDATE OF docs"),
              EndsWith(R"( LIMIT 2 FOR UPDATE OF "slc_1")"));
  EXPECT_TRUE(session.denies("SELECT id FROM docs FOR UPDATE OF public.docs"));
}

TEST(Rewrite, RowsThatWouldAllBeSortedBeneathAreNotLocked) {
  auto catalogue = postgres::testing::catalogue(R"(
    public.docs(id int4 pk, tenant text, email text)
    index public.docs btree(tenant, email)
    public.log(tenant text, email text)
    index public.log btree(tenant, email)
  )");
  Session session(catalogue, testing::masks("public.* email redact"));
  EXPECT_THAT(session.text("SELECT id FROM docs LIMIT 2 FOR UPDATE"),
              EndsWith(R"( ORDER BY "docs"."id" LIMIT 2 FOR UPDATE)"));
  EXPECT_TRUE(session.denies("SELECT id FROM docs ORDER BY tenant FETCH FIRST 2 ROWS WITH TIES FOR UPDATE"));
  EXPECT_TRUE(session.denies("SELECT tenant FROM log LIMIT 2 FOR UPDATE")) << "it has no primary key";
}

TEST(Rewrite, SearchAndCycleStay) {
  EXPECT_THAT(
      corpus_session().text("WITH RECURSIVE r(n) AS (SELECT id FROM docs UNION ALL SELECT n FROM r) "
                            "SEARCH BREADTH FIRST BY n SET o CYCLE n SET c TO 'y' DEFAULT 'n' USING p "
                            "SELECT n, o, c FROM r"),
      HasSubstr(R"( SEARCH BREADTH FIRST BY "n" SET "o" CYCLE "n" SET "c" TO 'y' DEFAULT 'n' USING "p" )"));
}

// Where there are many names they are found by an index; it must mean the same.
TEST(Rewrite, NamesMeanTheSameAmongMany) {
  Session session = corpus_session();
  std::string others;
  for (int i = 0; i < 30; ++i) others += fmt::format(", sink s{}", i);
  const auto with_others = [&](std::string_view select, std::string_view where) {
    return session.text(fmt::format("SELECT {} FROM docs d{} WHERE {}", select, others, where));
  };
  EXPECT_THAT(with_others("email", "d.id = 1"), HasSubstr("'***'"));
  EXPECT_THAT(with_others("email", "d.id = 1"), Not(HasSubstr("\"slc_0\".\"email\"")));
  EXPECT_THAT(with_others("(SELECT email FROM docs q WHERE q.id = d.id)", "true"),
              Not(HasSubstr("\"slc_0\".\"email\"")));
  std::string many = "SELECT 1 FROM docs";
  for (int i = 0; i < 1000; ++i) many += fmt::format(", sink s{}", i);
  EXPECT_TRUE(session.denies(many)) << "each is compared with all the others";
}

}  // namespace
}  // namespace sluice::postgres::rewrite
