#include "systems/postgres/rewrite/deparse/knn.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "systems/postgres/rewrite/testing.h"

namespace sluice::postgres::rewrite {
namespace {

using ::testing::ContainsRegex;
using testing::corpus_session;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Session;
using ::testing::StartsWith;

TEST(Knn, TheSearchSeesTheVectorAndTheResultDoesNot) {
  EXPECT_EQ(
      corpus_session().text("SELECT id, embedding FROM docs ORDER BY embedding <=> $1 LIMIT 10"),
      R"(SELECT "id" AS "id", "embedding" AS "embedding" FROM ((SELECT "slc_0"."id", "slc_0"."embedding" FROM )"
      R"("public"."docs" AS "slc_0") AS "slc_1"("slc_1_1", "slc_1_8") CROSS JOIN LATERAL (SELECT "slc_1"."slc_1_1" )"
      R"(AS "id", CAST(NULL AS "public"."vector"(4)) AS "embedding") AS "docs") ORDER BY )"
      R"(("slc_1"."slc_1_8" OPERATOR("public".<=>) $1) LIMIT 10)");
}

TEST(Knn, AcceptsTheFormsThatClientsWrite) {
  Session session = corpus_session("keep");
  for (auto sql :
       {"SELECT id FROM docs ORDER BY embedding <-> '[1,2,3,4]' LIMIT 5",
        "SELECT id FROM docs d ORDER BY d.embedding <#> $1::vector ASC LIMIT $2",
        "SELECT id FROM docs ORDER BY $1 <-> embedding LIMIT 5",
        "SELECT id FROM docs ORDER BY embedding <=> ARRAY[1,2,3,4]::vector NULLS LAST LIMIT 5",
        "SELECT id FROM docs ORDER BY embedding OPERATOR(public.<+>) $1 FETCH FIRST 3 ROWS ONLY",
        "SELECT id FROM docs ORDER BY l2_distance(embedding, $1) LIMIT 5",
        "SELECT id FROM docs ORDER BY inner_product(embedding, $1) DESC LIMIT 5",
        "SELECT id FROM docs ORDER BY embedding::halfvec(4) <-> $1::halfvec LIMIT 5",
        "SELECT id, embedding <=> $1 AS distance FROM docs ORDER BY distance LIMIT 5",
        "SELECT id, embedding <=> $1 FROM docs ORDER BY 2 LIMIT 5",
        "SELECT id, 1 - (embedding <=> $1) AS score FROM docs ORDER BY embedding <=> $1 LIMIT 5",
        "SELECT id, (embedding <#> $1) * -1 AS ip FROM docs ORDER BY embedding <#> $1 LIMIT 5",
        "SELECT d.id, s.data, embedding <-> $1 FROM docs d JOIN sink s ON s.id = d.id ORDER BY embedding <-> "
        "$1 LIMIT 5",
        "SELECT id, rank() OVER (ORDER BY embedding <-> $1) FROM docs ORDER BY embedding <-> $1, id LIMIT 5",
        "WITH n AS (SELECT id, embedding <-> $1 AS d FROM docs ORDER BY d LIMIT 5) SELECT * FROM n WHERE d < "
        "1",
        "SELECT * FROM docs WHERE tenant = 'x' ORDER BY embedding <-> $1 LIMIT 5"}) {
    std::string text = session.text(sql);
    EXPECT_THAT(text, HasSubstr("CROSS JOIN LATERAL")) << sql << "\n" << text;
  }
}

TEST(Knn, ARankOverTheDistanceOrdersAsTheDistanceDoes) {
  Session session = corpus_session();
  for (auto sql :
       {"SELECT id, row_number() OVER (ORDER BY embedding <=> $1) AS r FROM docs ORDER BY r LIMIT 5",
        "SELECT id FROM docs ORDER BY rank() OVER (ORDER BY embedding <=> $1) LIMIT 5",
        "SELECT dense_rank() OVER (ORDER BY embedding <=> $1, id) FROM docs ORDER BY 1 LIMIT least(10, "
        "$2)"}) {
    EXPECT_THAT(session.text(sql), HasSubstr(R"((ORDER BY ("slc_1"."slc_1_8" OPERATOR("public".<=>) $1))"))
        << sql;
  }
  for (auto sql :
       {"SELECT id, row_number() OVER (ORDER BY embedding <=> $1) AS r FROM docs ORDER BY r DESC LIMIT 5",
        "SELECT id, row_number() OVER (ORDER BY embedding <=> $1 DESC) AS r FROM docs ORDER BY r LIMIT 5",
        "SELECT id, row_number() OVER (ORDER BY embedding <=> $1) AS r FROM docs ORDER BY r",
        "SELECT id, row_number() OVER (PARTITION BY tenant ORDER BY embedding <=> $1) AS r FROM docs ORDER "
        "BY r LIMIT 5",
        "SELECT id, ntile(9) OVER (ORDER BY embedding <=> $1) AS r FROM docs ORDER BY r LIMIT 5",
        "SELECT id, row_number() OVER (ORDER BY embedding <=> $1) + 0 AS r FROM docs ORDER BY r LIMIT 5"}) {
    EXPECT_TRUE(session.denies(sql)) << session.text(sql);
  }
}

TEST(Knn, RowsWithoutAVectorMayBeLeftOut) {
  constexpr auto kSearch =
      "SELECT id FROM docs WHERE tenant = 'a' AND embedding IS NOT NULL ORDER BY embedding <=> $1 LIMIT 5";
  EXPECT_THAT(corpus_session("keep").text(kSearch), HasSubstr(R"(AND ("slc_1"."slc_1_8" IS NOT NULL))"));
  EXPECT_THAT(corpus_session("rank").text(kSearch), HasSubstr(" AND TRUE)"));
  // Everything else sees that the masked value is NULL.
  for (auto sql :
       {"SELECT id FROM docs WHERE id = 1 OR embedding IS NOT NULL ORDER BY embedding <=> $1 LIMIT 5",
        "SELECT id FROM docs WHERE embedding IS NULL ORDER BY embedding <=> $1 LIMIT 5",
        "SELECT id, embedding IS NOT NULL FROM docs ORDER BY embedding <=> $1 LIMIT 5",
        "SELECT id FROM docs WHERE embedding IS NOT NULL"}) {
    EXPECT_THAT(corpus_session("keep").text(sql), ContainsRegex(R"re(\("embedding" IS (NOT )?NULL\))re"))
        << sql;
  }
}

TEST(Knn, OtherUsesOfTheVectorAreRefusedOrMasked) {
  Session session = corpus_session("keep");
  for (auto sql :
       {"SELECT id FROM docs ORDER BY embedding <-> $1",
        "SELECT id FROM docs ORDER BY embedding <-> $1 LIMIT ALL",
        "SELECT id FROM docs ORDER BY embedding <-> $1 DESC LIMIT 5",
        "SELECT id FROM docs ORDER BY embedding <-> $1 FETCH FIRST 5 ROWS WITH TIES",
        "SELECT id FROM docs WHERE embedding <-> $1 < 0.5",
        "SELECT embedding <-> $1 FROM docs",
        "SELECT -(embedding <#> '[1,0,0,0]'), -(embedding <#> '[0,1,0,0]') FROM docs WHERE id = 1",
        "SELECT embedding <-> $2 FROM docs ORDER BY embedding <-> $1 LIMIT 5",
        "SELECT (embedding <-> $1) * 2 FROM docs ORDER BY embedding <-> $1 LIMIT 5",
        "SELECT id FROM docs ORDER BY id, embedding <-> $1 LIMIT 5",
        "SELECT a.id FROM docs a, docs b ORDER BY a.embedding <-> b.embedding LIMIT 5",
        "SELECT a.id FROM docs a, sink s ORDER BY a.embedding <-> s.v LIMIT 5",
        "SELECT id FROM docs ORDER BY embedding <-> (SELECT v FROM sink LIMIT 1) LIMIT 5",
        "SELECT id FROM docs a, docs b ORDER BY embedding <-> $1 LIMIT 5",
        "SELECT tenant FROM docs GROUP BY tenant, embedding ORDER BY embedding <-> $1 LIMIT 5",
        "SELECT DISTINCT embedding <-> $1 FROM docs ORDER BY embedding <-> $1 LIMIT 5",
        "SELECT avg(embedding <-> $1) FROM docs",
        "SELECT sum(id) OVER (ORDER BY embedding <-> $1) FROM docs",
        "SELECT (SELECT d.embedding <-> $1) FROM docs d ORDER BY d.embedding <-> $1 LIMIT 5",
        "SELECT cosine_distance(embedding, $1) FROM docs",
        "SELECT lag(id) OVER (ORDER BY embedding <-> $1) FROM docs ORDER BY embedding <-> $1 LIMIT 5",
        "SELECT id FROM docs, jsonb_each(note) ORDER BY embedding <-> $1 LIMIT 5"}) {
    EXPECT_TRUE(session.denies(sql)) << sql << "\n" << session.text(sql);
  }
  for (auto sql : {"SELECT embedding::halfvec FROM docs", "SELECT (embedding::real[])[2] FROM docs",
                   "SELECT sum(embedding) FROM docs", "SELECT embedding || '[1]' FROM docs",
                   "SELECT id FROM docs WHERE embedding >= '[0,0,0,0]'"}) {
    EXPECT_THAT(session.text(sql), HasSubstr(R"(CAST(NULL AS "public"."vector"(4)))")) << sql;
    EXPECT_THAT(session.text(sql), Not(HasSubstr(R"("slc_0"."embedding")"))) << sql;
  }
}

TEST(Knn, ScoresFollowTheRule) {
  const char* search = "SELECT id FROM docs ORDER BY embedding <-> $1 LIMIT 5";
  const char* scored = "SELECT id, embedding <-> $1 AS d FROM docs ORDER BY d LIMIT 5";
  EXPECT_THAT(corpus_session("keep").text(scored), StartsWith("SELECT"));
  EXPECT_THAT(corpus_session("rank").text(search), StartsWith("SELECT"));
  EXPECT_THAT(corpus_session("rank").text(scored), HasSubstr("may order results, and not be in them"));
  EXPECT_THAT(corpus_session("remove").text(search), HasSubstr("may not order results"));
}

TEST(Knn, StarsAreWrittenOutBesideHiddenColumns) {
  Session session = corpus_session();
  EXPECT_THAT(session.text("SELECT * FROM docs ORDER BY embedding <-> $1 LIMIT 5"),
              StartsWith(R"(SELECT "docs".* FROM)"));
  EXPECT_THAT(session.text("SELECT * FROM docs d, sink ORDER BY embedding <-> $1 LIMIT 5"),
              HasSubstr(R"(, "d".*, "sink".* FROM)"));
  EXPECT_THAT(
      session.text("SELECT * FROM docs d JOIN sink s USING (id) ORDER BY embedding <-> $1 LIMIT 5"),
      HasSubstr(R"("id", "d"."tenant", "d"."title", "d"."email", "d"."ssn", "d"."salary", "d"."note", )"
                R"("d"."embedding", "s"."data", "s"."v" FROM)"));
  EXPECT_THAT(session.text("SELECT * FROM sink s NATURAL JOIN docs d ORDER BY embedding <-> $1 LIMIT 5"),
              HasSubstr(R"(, "id", "s"."data", "s"."v", "d"."tenant")"));
  EXPECT_TRUE(session.denies("SELECT ROW(*) FROM docs ORDER BY embedding <-> $1 LIMIT 5"));
}

TEST(Knn, AnotherSchemasOperatorNeverSeesTheVector) {
  Session session(
      postgres::testing::catalogue("public.docs(id int4 pk, embedding vector(4))\noperator evil.<->"),
      testing::masks("public.docs vectors keep"));
  session.path = {"evil", "public"};
  EXPECT_THAT(session.text("SELECT id FROM docs ORDER BY embedding <-> $1 LIMIT 5"),
              HasSubstr("<-> is not vouched for"));
  EXPECT_THAT(session.text("SELECT id FROM docs ORDER BY embedding OPERATOR(public.<->) $1 LIMIT 5"),
              HasSubstr("OPERATOR(\"public\".<->)"));
  session.path = {"public"};
  EXPECT_THAT(session.text("SELECT id FROM docs ORDER BY embedding <-> $1 LIMIT 5"),
              HasSubstr("OPERATOR(\"public\".<->)"));
}

}  // namespace
}  // namespace sluice::postgres::rewrite
