// Statements that change data, on masked relations.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "systems/postgres/rewrite/rewrite.h"
#include "systems/postgres/rewrite/testing.h"

namespace sluice::postgres::rewrite {
namespace {

using ::testing::AllOf;
using testing::corpus_session;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Session;
using ::testing::StartsWith;

// docs with email and ssn that nobody may write, and salary, note and embedding that a service fills.
Session writer(std::string_view more = "") {
  return Session(postgres::testing::sample_catalogue(),
                 testing::masks(std::string("public.docs email redact\npublic.docs ssn remove\n"
                                            "public.docs salary redact write\npublic.docs note redact write\n"
                                            "public.docs vectors rank write\n") +
                                std::string(more)));
}

TEST(Modify, TheTargetStaysTheRelationThatItIs) {
  Session session = corpus_session();
  EXPECT_EQ(
      session.text("INSERT INTO docs(id, title) VALUES (1, 'x'), ($1, DEFAULT) RETURNING id"),
      R"(INSERT INTO "public"."docs" AS "docs" ("id", "title") VALUES (1, 'x'), ($1, DEFAULT) RETURNING )"
      R"("id" AS "id")");
  EXPECT_EQ(
      session.text("UPDATE docs d SET title = upper(d.title), tenant = DEFAULT WHERE d.id = $1"),
      R"(UPDATE "public"."docs" AS "d" SET "title" = "pg_catalog"."upper"("d"."title"), "tenant" = DEFAULT )"
      R"(WHERE ("d"."id" OPERATOR("pg_catalog".=) $1))");
  EXPECT_EQ(session.text("DELETE FROM ONLY public.docs USING sink s WHERE s.id = docs.id"),
            R"(DELETE FROM ONLY "public"."docs" AS "docs" USING "public"."sink" AS "s" WHERE ("s"."id" )"
            R"(OPERATOR("pg_catalog".=) "docs"."id"))");
  EXPECT_EQ(session.text("UPDATE docs SET (title, tenant) = ($1, 'x'), id = 2"),
            R"(UPDATE "public"."docs" AS "docs" SET ("title", "tenant") = ROW($1, 'x'), "id" = 2)");
  EXPECT_EQ(session.text("UPDATE docs SET (title, tenant) = (SELECT data, 'x' FROM sink LIMIT 1)"),
            R"(UPDATE "public"."docs" AS "docs" SET ("title", "tenant") = (SELECT "data" AS "data", 'x' AS )"
            R"("?column?" FROM "public"."sink" LIMIT 1))");
  EXPECT_EQ(session.text("INSERT INTO docs DEFAULT VALUES"),
            R"(INSERT INTO "public"."docs" AS "docs" DEFAULT VALUES)");
  EXPECT_EQ(session.text("INSERT INTO docs VALUES (1, 'a', 'b')"),
            R"(INSERT INTO "public"."docs" AS "docs" ("id", "tenant", "title") VALUES (1, 'a', 'b'))");
  EXPECT_EQ(
      session.text("INSERT INTO docs(id) OVERRIDING SYSTEM VALUE VALUES (1) ON CONFLICT DO NOTHING"),
      R"(INSERT INTO "public"."docs" AS "docs" ("id") OVERRIDING SYSTEM VALUE VALUES (1) ON CONFLICT DO )"
      "NOTHING");
  EXPECT_EQ(
      session.text("INSERT INTO docs(id, title) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET title = "
                   "excluded.title WHERE docs.tenant = excluded.tenant"),
      R"(INSERT INTO "public"."docs" AS "docs" ("id", "title") VALUES (1, 'x') ON CONFLICT ("id") DO UPDATE )"
      R"(SET "title" = "excluded"."title" WHERE ("docs"."tenant" OPERATOR("pg_catalog".=) )"
      R"("excluded"."tenant"))");
}

TEST(Modify, OtherReferencesBecomeDerivedTables) {
  Session session = corpus_session();
  EXPECT_EQ(
      session.text("INSERT INTO sink(id, data) SELECT id, title FROM docs"),
      R"(INSERT INTO "public"."sink" AS "sink" ("id", "data") SELECT "id" AS "id", "title" AS "title" FROM )"
      R"((SELECT "slc_0"."id" AS "id", "slc_0"."title" AS "title" FROM "public"."docs" AS "slc_0") AS "docs")");
  EXPECT_THAT(session.text("DELETE FROM docs WHERE id IN (SELECT id FROM docs WHERE title = 'x' LIMIT 5)"),
              AllOf(StartsWith(R"(DELETE FROM "public"."docs" AS "docs" WHERE)"),
                    HasSubstr(R"(FROM "public"."docs" AS "slc_0") AS "docs" WHERE)")));
  EXPECT_THAT(session.text("DELETE FROM sink WHERE EXISTS (SELECT * FROM docs d WHERE d.id = sink.id)"),
              HasSubstr(R"(EXISTS (SELECT FROM (SELECT "slc_0"."id" AS "id" FROM "public"."docs")"));
  EXPECT_THAT(session.text("EXPLAIN ANALYZE UPDATE docs SET title = 'x'"),
              StartsWith(R"(EXPLAIN (analyze) UPDATE "public"."docs")"));
  EXPECT_THAT(session.text("PREPARE p AS DELETE FROM docs WHERE id = $1"),
              StartsWith(R"(PREPARE "p" AS DELETE FROM "public"."docs")"));
}

TEST(Modify, MergeIsAllOfThem) {
  Session session = corpus_session();
  EXPECT_EQ(
      session.text("MERGE INTO docs d USING (VALUES (1, 'x')) v(id, t) ON d.id = v.id "
                   "WHEN MATCHED AND v.t IS NULL THEN DELETE "
                   "WHEN MATCHED THEN UPDATE SET title = v.t "
                   "WHEN NOT MATCHED THEN INSERT (id, title) VALUES (v.id, DEFAULT)"),
      R"(MERGE INTO "public"."docs" AS "d" USING (VALUES (1, 'x')) AS "v"("id", "t") ON ("d"."id" )"
      R"(OPERATOR("pg_catalog".=) "v"."id") WHEN MATCHED AND ("v"."t" IS NULL) THEN DELETE WHEN MATCHED THEN )"
      R"(UPDATE SET "title" = "v"."t" WHEN NOT MATCHED THEN INSERT ("id", "title") VALUES ("v"."id", DEFAULT))");
  EXPECT_THAT(session.text("MERGE INTO sink s USING docs d ON s.id = d.id WHEN MATCHED THEN DELETE"),
              HasSubstr(R"(USING (SELECT "slc_0"."id" AS "id" FROM "public"."docs" AS "slc_0") AS "d" ON)"));
  for (auto sql :
       {"MERGE INTO sink s USING docs d ON s.data = d.email WHEN MATCHED THEN DELETE",
        "MERGE INTO docs d USING sink s ON s.id = d.id AND d.salary > 5 WHEN MATCHED THEN DELETE",
        "MERGE INTO docs d USING sink s ON s.id = d.id WHEN MATCHED AND d.email LIKE 'a%' THEN DELETE",
        "MERGE INTO docs d USING sink s ON s.id = d.id WHEN MATCHED THEN UPDATE SET title = d.email",
        "MERGE INTO docs d USING sink s ON s.id = d.id WHEN MATCHED THEN UPDATE SET email = s.data",
        "MERGE INTO docs d USING sink s ON s.id = d.id WHEN NOT MATCHED THEN INSERT VALUES "
        "(1, 'a', 'b', s.data)"}) {
    EXPECT_TRUE(session.denies(sql)) << sql << ": " << session.text(sql);
  }
}

TEST(Modify, WhatIsMaskedIsNotReadAnywhere) {
  Session session = corpus_session();
  for (auto sql :
       {"UPDATE docs SET title = email",
        "UPDATE docs SET title = 'x' WHERE email LIKE 'a%'",
        "UPDATE docs SET title = docs::text",
        "UPDATE docs SET title = (docs).email",
        "UPDATE docs SET title = to_jsonb(docs)->>'email'",
        "UPDATE docs SET title = row_to_json(d) FROM docs d",
        "UPDATE docs d SET title = x.email FROM docs x WHERE x.id = d.id",
        "UPDATE docs SET (title, tenant) = (SELECT email, ssn FROM docs d WHERE d.id = 1)",
        "UPDATE docs SET (title, tenant) = ROW(docs.*)",
        "UPDATE sink SET data = (SELECT email FROM docs LIMIT 1)",
        "DELETE FROM docs WHERE salary > 100",
        "DELETE FROM sink WHERE data NOT IN (SELECT email FROM docs)",
        "DELETE FROM sink USING docs d WHERE d.email = sink.data",
        "DELETE FROM sink USING docs d JOIN sink t USING (id) WHERE d.ssn = t.data",
        "DELETE FROM docs WHERE id IN (SELECT id FROM docs ORDER BY salary LIMIT 1)",
        "DELETE FROM docs WHERE id IN (SELECT id FROM docs ORDER BY embedding <-> '[1,2,3,4]' LIMIT 1)",
        "DELETE FROM docs WHERE embedding <-> '[1,2,3,4]' < 1",
        "DELETE FROM docs WHERE note->>'k' = 'x'",
        "INSERT INTO sink(data) SELECT email FROM docs",
        "INSERT INTO sink SELECT * FROM docs",
        "INSERT INTO sink(data) SELECT d::text FROM docs d",
        "INSERT INTO sink(data) TABLE docs",
        "INSERT INTO sink(data) VALUES ((SELECT email FROM docs LIMIT 1))",
        "INSERT INTO docs(id, title) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET title = docs.email",
        "INSERT INTO docs(id, title) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET title = excluded.email",
        "INSERT INTO docs(id, title) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET title = excluded::text",
        "INSERT INTO docs(id, title) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET title = 'y' WHERE "
        "docs.salary > 5",
        "INSERT INTO docs(id) VALUES (1) ON CONFLICT (id) WHERE email IS NULL DO NOTHING",
        "INSERT INTO docs(id) VALUES (1) ON CONFLICT (lower(email)) DO NOTHING",
        "INSERT INTO docs(id) VALUES (1) ON CONFLICT (email) DO NOTHING",
        "WITH x AS (SELECT email FROM docs) INSERT INTO sink(data) SELECT email FROM x",
        "WITH x AS (SELECT email FROM docs) DELETE FROM sink",
        "EXPLAIN INSERT INTO sink(data) SELECT email FROM docs",
        "WITH x AS (INSERT INTO sink(data) SELECT email FROM docs RETURNING data) SELECT * FROM x",
        "WITH x AS (UPDATE docs SET title = 'x' RETURNING email) INSERT INTO sink(data) SELECT email FROM x",
        "WITH x AS (UPDATE docs SET title = 'x' RETURNING *) INSERT INTO sink(data) SELECT x::text FROM x",
        "WITH x(a) AS (UPDATE docs SET title = 'x' RETURNING email) DELETE FROM sink WHERE data IN (SELECT a "
        "FROM x)",
        "WITH x AS (UPDATE docs SET title = 'x' RETURNING upper(email) AS u), y AS (INSERT INTO sink(data) "
        "SELECT u "
        "FROM x) SELECT 1",
        "CREATE TABLE t AS SELECT email FROM docs",
        "CREATE TABLE t AS TABLE docs",
        "CREATE TEMP TABLE t AS SELECT lower(email) FROM docs",
        "SELECT email INTO t FROM docs",
        "CREATE MATERIALIZED VIEW m AS SELECT email FROM docs",
        "CREATE VIEW v AS SELECT * FROM docs",
        "CREATE VIEW v AS SELECT id FROM docs WHERE salary > 5",
        "CREATE VIEW v AS SELECT docs FROM docs",
        "CREATE VIEW v AS SELECT id FROM docs ORDER BY embedding <-> '[1,2,3,4]' LIMIT 3"}) {
    EXPECT_TRUE(session.denies(sql)) << sql << ": " << session.text(sql);
  }
  EXPECT_THAT(
      session.text("UPDATE docs SET title = email"),
      HasSubstr(
          "public.docs.email is masked (rule r1): a statement that changes or stores data cannot read"));
}

TEST(Modify, NothingThatTheCatalogueDoesNotKnowIsReached) {
  Session session = corpus_session();
  for (auto sql :
       {"UPDATE docs SET title = brand_new", "UPDATE docs SET title = 'x' RETURNING brand_new",
        "UPDATE docs SET title = 'x' RETURNING ctid", "UPDATE docs SET title = 'x' RETURNING docs.xmin",
        "DELETE FROM docs WHERE ctid = '(0,1)'", "UPDATE docs SET title = 'x' RETURNING old.email",
        "UPDATE docs SET title = 'x' RETURNING new", "UPDATE docs SET title = 'x' RETURNING old.*",
        "UPDATE docs SET title = 'x' RETURNING (old).email", "DELETE FROM docs RETURNING docs.to_json",
        "INSERT INTO docs(id) VALUES (1) RETURNING excluded.email",
        "DELETE FROM docs RETURNING row_to_json(docs.*)", "DELETE FROM docs RETURNING ROW(docs.*)",
        "DELETE FROM docs RETURNING (SELECT brand_new)", "DELETE FROM docs WHERE CURRENT OF c",
        "DELETE FROM docs RETURNING (SELECT old.email FROM sink)"}) {
    EXPECT_TRUE(session.denies(sql)) << sql << ": " << session.text(sql);
  }
  session.fresh = false;
  EXPECT_EQ(session.text("UPDATE docs SET title = brand_new"), "stale: public.docs");
  EXPECT_EQ(session.text("UPDATE docs SET brand_new = 1"), "stale: public.docs");
  EXPECT_EQ(session.text("DELETE FROM docs USING brand_new"), "stale: brand_new");
}

TEST(Modify, ReturningYieldsMaskedValues) {
  Session session = corpus_session();
  EXPECT_EQ(
      session.text("UPDATE docs SET title = 'x' RETURNING id, email, docs.ssn AS s, upper(email) || title"),
      R"(UPDATE "public"."docs" AS "docs" SET "title" = 'x' RETURNING "id" AS "id", CAST('***' AS )"
      R"("pg_catalog"."text") AS "email", CAST('***' AS "pg_catalog"."text") AS "s", )"
      R"(("pg_catalog"."upper"(CAST('***' AS "pg_catalog"."text")) OPERATOR("pg_catalog".||) "title") )"
      R"(AS "?column?")");
  for (auto sql :
       {"DELETE FROM docs RETURNING *", "DELETE FROM docs d RETURNING d.*", "DELETE FROM docs RETURNING docs",
        "DELETE FROM docs RETURNING row_to_json(docs)", "DELETE FROM docs RETURNING (docs).email",
        "DELETE FROM docs RETURNING (SELECT email)", "INSERT INTO docs(id) VALUES (1) RETURNING *",
        "WITH x AS (DELETE FROM docs RETURNING *) SELECT email FROM x",
        "INSERT INTO docs(id) VALUES (1) RETURNING embedding <-> '[1,2,3,4]'"}) {
    const std::string text = session.text(sql);
    EXPECT_THAT(text, Not(StartsWith("stale"))) << sql;
    for (auto hidden : {R"("docs"."email")", R"("d"."email")", R"("docs"."embedding")", R"("docs"."ssn")"})
      EXPECT_THAT(text, Not(HasSubstr(hidden))) << sql;
  }
  EXPECT_THAT(
      session.text("DELETE FROM docs RETURNING docs"),
      AllOf(HasSubstr(R"(RETURNING CAST(ROW("docs"."id", "docs"."tenant", "docs"."title", CAST('***')"),
            HasSubstr(R"() AS "public"."docs") AS "docs")")));
  EXPECT_THAT(session.text("DELETE FROM docs USING sink RETURNING *"),
              HasSubstr(R"(AS "embedding", "sink".*)"));
}

TEST(Modify, MaskedColumnsAreWrittenOnlyWhereThePolicySays) {
  Session session = writer();
  for (auto sql :
       {"UPDATE docs SET email = 'a@x'", "UPDATE docs SET email = $1", "UPDATE docs SET email = DEFAULT",
        "INSERT INTO docs(id, ssn) VALUES (1, '5')", "INSERT INTO docs VALUES (1, 'a', 'b', 'c')",
        "INSERT INTO docs SELECT 1, 'a', 'b', 'c'", "UPDATE docs SET (title, email) = ($1, $2)",
        "INSERT INTO docs(id) VALUES (1) ON CONFLICT (id) DO UPDATE SET email = excluded.email",
        "COPY docs FROM STDIN", "COPY docs (id, email) FROM STDIN", "COPY docs (id, salary) FROM STDIN",
        "INSERT INTO docs SELECT * FROM generate_series(1, 2)"}) {
    EXPECT_TRUE(session.denies(sql)) << sql << ": " << session.text(sql);
  }
  EXPECT_THAT(
      session.text("UPDATE docs SET id = $1, tenant = $2, title = $3, email = $4, ssn = $5 WHERE id = $6"),
      HasSubstr("public.docs.email is masked (rule r1): it cannot be written"));
  for (auto sql :
       {"UPDATE docs SET salary = 5", "INSERT INTO docs(id, salary, embedding) VALUES (1, $1, $2)",
        "INSERT INTO docs(id, embedding) VALUES (1, '[1,2,3,4]') ON CONFLICT (id) DO UPDATE SET embedding "
        "= excluded.embedding"}) {
    EXPECT_FALSE(session.denies(sql)) << session.text(sql);
  }
  EXPECT_EQ(session.text("COPY docs (id, title) FROM STDIN WITH (FORMAT csv) WHERE id > 5"),
            R"(COPY "public"."docs" ("id", "title") FROM STDIN WITH (format 'csv') WHERE ("id" )"
            R"(OPERATOR("pg_catalog".>) 5))");
}

TEST(Modify, ANewRowMayNameWhatItLeavesEmpty) {
  Session session = writer();
  EXPECT_FALSE(
      session.denies("INSERT INTO docs(id, email, ssn) VALUES (1, NULL, DEFAULT), (2, NULL::text, NULL)"));
  EXPECT_TRUE(session.denies("INSERT INTO docs(id, email) VALUES (1, NULL), (2, 'x')"));
  EXPECT_TRUE(session.denies("INSERT INTO docs(id, email) VALUES (1, lower($1))"));
  EXPECT_TRUE(session.denies("UPDATE docs SET email = NULL"));
  EXPECT_TRUE(session.denies(
      "INSERT INTO docs(id, email) VALUES (1, NULL) ON CONFLICT (id) DO UPDATE SET email = excluded.email"));
  auto result = session.run("INSERT INTO docs(id, email) VALUES ($1, $2)");
  ASSERT_TRUE(std::holds_alternative<Rewritten>(result));
  ASSERT_EQ(std::get<Rewritten>(result).written.size(), 1u);
  EXPECT_EQ(std::get<Rewritten>(result).written[0].number, 2);
  EXPECT_TRUE(std::get<Rewritten>(result).written[0].must_be_null);
}

TEST(Modify, AMasksOwnOutputIsNotWrittenBack) {
  Session session = writer("public.sink data redact write\n");
  for (auto sql :
       {"UPDATE docs SET salary = 0", "UPDATE docs SET salary = '0'::int", "UPDATE docs SET salary = 0.00",
        "UPDATE docs SET note = '{ }'", "UPDATE docs SET (title, salary) = ($1, 0)",
        "UPDATE docs SET embedding = NULL", "UPDATE docs SET embedding = NULL::vector",
        "UPDATE docs SET embedding = DEFAULT", "INSERT INTO docs(id, salary) VALUES (1, 5), (2, 0)",
        "INSERT INTO docs(id, salary) SELECT 1, 0",
        "INSERT INTO docs(id, salary) SELECT v.id, v.s FROM (VALUES (1, 5), (2, 0)) AS v(id, s)",
        "UPDATE docs SET salary = v.s::int FROM (VALUES (1, '0')) AS v(id, s) WHERE v.id = docs.id",
        "INSERT INTO docs(id, embedding) VALUES (1, NULL) ON CONFLICT (id) DO UPDATE SET embedding = "
        "excluded.embedding",
        "MERGE INTO docs d USING sink s ON s.id = d.id WHEN MATCHED THEN UPDATE SET salary = 0",
        "UPDATE sink SET data = '***'", "INSERT INTO sink VALUES (1, '***')"}) {
    EXPECT_THAT(session.text(sql), HasSubstr("is what its mask")) << sql;
  }
  EXPECT_FALSE(session.denies("INSERT INTO docs(id, embedding) VALUES (1, NULL)")) << "a row without one";
  EXPECT_FALSE(session.denies("UPDATE docs SET salary = NULL")) << "0 is what its mask yields";
}

TEST(Modify, ParametersThatFlowIntoMaskedColumnsAreReported) {
  Session session = writer();
  auto result = session.run("UPDATE docs SET salary = $2::int, title = $1, embedding = $3 WHERE id = $4");
  ASSERT_TRUE(std::holds_alternative<Rewritten>(result));
  const auto& written = std::get<Rewritten>(result).written;
  ASSERT_EQ(written.size(), 2u);
  EXPECT_EQ(written[0].number, 2);
  EXPECT_EQ(written[0].column, "public.docs.salary");
  EXPECT_EQ(written[0].own.text, "0");
  EXPECT_EQ(written[1].number, 3);
  EXPECT_EQ(written[1].own.text, std::nullopt);
  EXPECT_TRUE(written[1].null_is_own);
  EXPECT_TRUE(std::get<Rewritten>(result).masked[0].written);
  auto inserted = session.run("INSERT INTO docs(id, embedding) VALUES ($1, $2), ($3, $4)");
  ASSERT_TRUE(std::holds_alternative<Rewritten>(inserted));
  EXPECT_EQ(std::get<Rewritten>(inserted).written.size(), 2u);
  EXPECT_FALSE(std::get<Rewritten>(inserted).written[0].null_is_own);
}

TEST(Modify, StoredQueriesOfOpenColumns) {
  Session session = corpus_session();
  EXPECT_EQ(
      session.text("CREATE TEMP TABLE t (a) ON COMMIT DROP AS SELECT id FROM docs WITH NO DATA"),
      R"(CREATE TEMPORARY TABLE "t" ("a") ON COMMIT DROP AS SELECT "id" AS "id" FROM (SELECT "slc_0"."id" AS )"
      R"("id" FROM "public"."docs" AS "slc_0") AS "docs" WITH NO DATA)");
  EXPECT_EQ(
      session.text("SELECT id INTO t FROM docs"),
      R"(CREATE TABLE "t" AS SELECT "id" AS "id" FROM (SELECT "slc_0"."id" AS "id" FROM "public"."docs" AS )"
      R"("slc_0") AS "docs")");
  EXPECT_EQ(session.text("CREATE VIEW v AS SELECT id, title FROM docs"),
            "CREATE VIEW v AS SELECT id, title FROM docs");
  EXPECT_TRUE(session.denies("DECLARE c CURSOR FOR SELECT id INTO t FROM docs"));
  EXPECT_TRUE(session.denies("PREPARE p AS SELECT id INTO t FROM docs"));
  EXPECT_FALSE(session.denies("EXPLAIN SELECT id INTO t FROM docs"));
  EXPECT_TRUE(session.denies("CREATE TABLE docs AS SELECT id FROM docs"));
  EXPECT_TRUE(session.denies("CREATE TEMP TABLE docs AS SELECT id FROM docs"));
  EXPECT_TRUE(session.denies("CREATE OR REPLACE VIEW docs_v AS SELECT id FROM docs"));
}

TEST(Modify, TheOrderOfReturnedRowsTellsNothing) {
  Session session(postgres::testing::catalogue(R"(
                    public.staff(id int4 pk, tenant text, salary int4, code text unique)
                    index public.staff btree(tenant, salary)
                  )"),
                  testing::masks("* salary redact"));
  EXPECT_TRUE(session.denies("UPDATE staff SET code = 'x' WHERE tenant = 'a' RETURNING id"));
  EXPECT_TRUE(session.denies("DELETE FROM staff USING staff s WHERE s.id = staff.id RETURNING staff.id"));
  for (auto sql :
       {"UPDATE staff SET code = 'x' WHERE tenant = 'a'", "DELETE FROM staff WHERE id = $1 RETURNING id",
        "UPDATE staff SET tenant = 'x' WHERE code = 'c'::text AND tenant <> 'x' RETURNING *",
        "INSERT INTO staff(id) VALUES (1), (2) RETURNING id"}) {
    EXPECT_FALSE(session.denies(sql)) << session.text(sql);
  }
}

TEST(Modify, AChangingWithQueryReadsAndReturns) {
  Session session = corpus_session();
  EXPECT_THAT(
      session.text("WITH x AS (DELETE FROM sink RETURNING id) SELECT d.email FROM x JOIN docs d USING (id)"),
      HasSubstr(R"(WITH "x" AS (DELETE FROM "public"."sink" AS "sink" RETURNING "id" AS "id") SELECT)"));
  EXPECT_THAT(
      session.text("WITH x AS (UPDATE docs SET title = 'x' RETURNING id, email) DELETE FROM sink USING x "
                   "WHERE x.id = sink.id"),
      HasSubstr(R"(DELETE FROM "public"."sink" AS "sink" USING "x" WHERE)"));
  EXPECT_TRUE(session.denies(
      "SELECT 1 FROM docs WHERE id IN (WITH x AS (DELETE FROM sink RETURNING id) SELECT id FROM x)"));
  EXPECT_TRUE(session.denies("WITH docs AS (SELECT 1 AS id) UPDATE docs SET title = 'x'"));
}

TEST(Modify, ViewsAndForeignTablesAreNoTargets) {
  Session session = corpus_session();
  EXPECT_TRUE(session.denies("UPDATE docs_v SET contact = 'x'"));
  EXPECT_TRUE(session.denies("INSERT INTO docs_v(id) VALUES (1)"));
  Session foreign(postgres::testing::catalogue("foreign public.far(id int4, email text)"),
                  testing::masks("* email redact"));
  EXPECT_TRUE(foreign.denies("UPDATE far SET id = 1"));
}

TEST(Modify, RowsAreFoundByNoIndexWhoseOrderTells) {
  Session session(postgres::testing::catalogue(R"(
    public.staff(id int4 pk, team int4, title text, note text, salary int4)
    index public.staff btree(team, salary)
    public.wanted(id int4 pk, team int4)
    public.plain(id int4 pk, team int4, title text, salary int4)
  )"),
                  testing::masks("* salary redact"));
  EXPECT_THAT(session.text("UPDATE staff SET title = 'x' WHERE team = 7 AND note = 'n'"),
              HasSubstr("(COALESCE(\"team\", \"team\"))"));
  EXPECT_THAT(session.text("UPDATE staff SET title = 'x' WHERE team = 7 AND note = 'n'"),
              Not(HasSubstr("COALESCE(\"note\"")));
  EXPECT_THAT(session.text("DELETE FROM staff s WHERE s.team IN (7, 8)"),
              HasSubstr("(COALESCE(\"s\".\"team\", \"s\".\"team\"))"));
  EXPECT_THAT(
      session.text("DELETE FROM staff WHERE EXISTS (SELECT 1 FROM wanted w WHERE w.team = staff.team)"),
      HasSubstr("(COALESCE(\"staff\".\"team\", \"staff\".\"team\"))"));
  EXPECT_THAT(session.text("MERGE INTO staff s USING wanted w ON s.team = w.team WHEN MATCHED THEN DELETE"),
              HasSubstr("COALESCE"));
  for (std::string_view sql :
       {"UPDATE staff SET title = 'x' WHERE id = 7 AND team = 7", "UPDATE staff SET title = 'x'",
        "DELETE FROM staff s USING wanted w WHERE s.id = w.id",
        "UPDATE plain SET title = 'x' WHERE team = 7"}) {
    EXPECT_THAT(session.text(sql), Not(HasSubstr("COALESCE"))) << sql;
  }
}

}  // namespace
}  // namespace sluice::postgres::rewrite
