// Searches of masked vectors: what they choose from is counted, and one record by its key is none.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "systems/postgres/rewrite/testing.h"

namespace sluice::postgres::rewrite {
namespace {

using namespace testing;
using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const Session& session() {
  static const Session made = corpus_session("keep");
  return made;
}

std::optional<MaskedSearch> search(std::string_view sql) {
  RewriteResult result = session().run(sql);
  const auto* rewritten = std::get_if<Rewritten>(&result);
  EXPECT_NE(rewritten, nullptr) << session().text(sql);
  return rewritten == nullptr ? std::nullopt : rewritten->search;
}

TEST(Candidates, OfAWholeTableAreEstimated) {
  const auto found = search("SELECT id FROM docs ORDER BY embedding <-> $1 LIMIT 5");
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->counted);
  EXPECT_TRUE(found->rows_are_its_answer);
  ASSERT_EQ(found->levels.size(), 1u);
  EXPECT_EQ(found->levels[0].collection, "public.docs");
  EXPECT_TRUE(found->levels[0].many);
  EXPECT_THAT(session().text("SELECT id FROM docs ORDER BY embedding <-> $1 LIMIT 5"),
              Not(HasSubstr("slc_of")));
}

TEST(Candidates, OfASearchWithAConditionAreCounted) {
  const std::string text =
      session().text("SELECT id FROM docs WHERE tenant = $2 ORDER BY embedding <-> $1 LIMIT 5");
  EXPECT_THAT(text,
              HasSubstr("(SELECT pg_catalog.concat(pg_catalog.count(*), CASE WHEN pg_catalog.count(*) <= "
                        "20 THEN (SELECT pg_catalog.string_agg("));
  EXPECT_THAT(text, HasSubstr("(SELECT pg_catalog.concat_ws(',', \"docs\".\"id\") AS \"slc_key\" FROM "));
  EXPECT_THAT(text, HasSubstr("LIMIT 1000) AS \"slc_c1\")) AS \"slc_of\", \"id\""));
  EXPECT_THAT(text, Not(HasSubstr("< 1000")));
  EXPECT_TRUE(search("SELECT id FROM docs WHERE tenant = $2 ORDER BY embedding <-> $1 LIMIT 5")->counted);
  EXPECT_TRUE(
      search("SELECT d.id FROM docs d JOIN docs e ON d.tenant = e.tenant ORDER BY d.embedding <-> $1 LIMIT 5")
          ->counted);
}

TEST(Candidates, OfInnerLevelsAreCountedOutside) {
  for (const char* sql : {
           "WITH near AS (SELECT id FROM docs WHERE title LIKE 'a%' ORDER BY embedding <-> $1 LIMIT 5) "
           "SELECT * FROM near",
           "SELECT q.id FROM (SELECT id FROM docs WHERE title = 'x' ORDER BY embedding <-> $1 LIMIT 5) q",
           "WITH x AS (SELECT 1 AS one) SELECT id FROM docs WHERE id IN (SELECT one FROM x) ORDER BY "
           "embedding <-> $1 LIMIT 5",
       }) {
    EXPECT_TRUE(search(sql)->counted) << session().text(sql);
  }
}

TEST(Candidates, OfEachLevelAreTold) {
  EXPECT_THAT(
      session().text(
          "SELECT a.id FROM (SELECT id FROM docs WHERE tenant = 't' ORDER BY embedding <-> $1 LIMIT 5) a, "
          "(SELECT id FROM docs WHERE title = 't' ORDER BY embedding <-> $1 LIMIT 5) b"),
      ContainsRegex("concat_ws\\(';', \\(SELECT .*\\), \\(SELECT .*\\)\\) AS \"slc_of\""));
}

TEST(Candidates, OfAJoinAreItsRecords) {
  const std::string text = session().text(
      "SELECT d.id FROM docs d, generate_series(1, 600) g WHERE d.id IN (1, 2) ORDER BY d.embedding <-> $1 "
      "LIMIT 1");
  EXPECT_THAT(text, HasSubstr("pg_catalog.count(DISTINCT \"slc_key\")"));
  EXPECT_THAT(text, HasSubstr("LIMIT 5000"));
  EXPECT_THAT(text, HasSubstr("(SELECT DISTINCT pg_catalog.concat_ws"));
}

// What is made of an answer is not the answer: then the records of that are named.
TEST(Candidates, WhereTheRowsAreSomethingElseTheAnswerIsTold) {
  for (const char* sql : {
           "SELECT count(*) FROM (SELECT id FROM docs WHERE title = 'x' ORDER BY embedding <-> $1 LIMIT 5) q",
           "SELECT DISTINCT id FROM (SELECT id FROM docs WHERE title = 'x' ORDER BY embedding <-> $1 LIMIT "
           "5) q",
           "SELECT id FROM (SELECT id, embedding <-> $1 AS d FROM docs WHERE title = 'x' ORDER BY d LIMIT 5) "
           "q",
           "SELECT id, count(*) FROM (SELECT id FROM docs WHERE title = 'x' ORDER BY embedding <-> $1 LIMIT "
           "5) q "
           "GROUP BY 1 HAVING count(*) > 0 ORDER BY 2",
           "SELECT id FROM (SELECT id FROM docs WHERE title = 'x' ORDER BY embedding <-> $1 LIMIT 5) q WHERE "
           "id = 2",
       }) {
    const auto found = search(sql);
    ASSERT_TRUE(found) << sql;
    EXPECT_TRUE(found->counted) << sql;
    EXPECT_FALSE(found->rows_are_its_answer) << sql;
    EXPECT_THAT(session().text(sql), ContainsRegex("WHEN pg_catalog.count\\(\\*\\) < 1000 THEN .*LIMIT 5\\)"))
        << sql;
  }
}

TEST(Candidates, AreToldByEachSelectThatIsUnited) {
  const std::string text = session().text(
      "(SELECT id FROM docs WHERE title = 'x' ORDER BY embedding <-> $1 LIMIT 5) UNION ALL SELECT 1 ORDER BY "
      "1");
  EXPECT_THAT(text, ContainsRegex("slc_of.*UNION ALL.*slc_of.*ORDER BY 2"));
}

TEST(Candidates, WhatCannotBeToldIsNot) {
  for (const char* sql : {
           "SELECT o.id, n.id FROM docs o, LATERAL (SELECT id FROM docs i WHERE i.tenant = o.tenant ORDER BY "
           "i.embedding <-> $1 LIMIT 1) n",
           "COPY (SELECT id FROM docs WHERE title = 'x' ORDER BY embedding <-> '[1,2,3,4]' LIMIT 5) TO "
           "STDOUT",
           "SELECT count(*) FROM (SELECT id FROM docs WHERE title = 'x' ORDER BY embedding <-> $1 LIMIT 5) q "
           "GROUP BY ROLLUP (id)",
       }) {
    const auto found = search(sql);
    ASSERT_TRUE(found) << sql;
    EXPECT_FALSE(found->levels[0].many) << sql;
    EXPECT_TRUE(!found->counted || session().text(sql).contains("'-'")) << sql;
  }
}

TEST(Candidates, OfATableThatNobodyHasAnalysedAreCounted) {
  static const Session fresh(postgres::testing::sample_catalogue(), corpus_masks("keep"));
  EXPECT_THAT(fresh.text("SELECT id FROM docs ORDER BY embedding <-> $1 LIMIT 5"), HasSubstr("slc_of"));
}

// How much of an order an answer tells is known of a literal; of a parameter the reply says it.
TEST(Candidates, AnAnswersDepthIsTold) {
  EXPECT_EQ(
      search("SELECT id FROM (SELECT id FROM docs ORDER BY embedding <-> $1 LIMIT 2000) q")->levels[0].depth,
      2000u);
  const char* bound = "SELECT id FROM (SELECT id FROM docs ORDER BY embedding <-> $1 LIMIT $2) q";
  EXPECT_EQ(search(bound)->levels[0].depth, 0u);
  EXPECT_THAT(session().text(bound),
              HasSubstr("pg_catalog.concat('1000', '/', CAST($2 AS pg_catalog.int8))) AS \"slc_of\""));
}

// What is counted beside the search may be something else than what it chooses from.
TEST(Candidates, OfWhatChangesNobodyKnows) {
  for (const char* sql : {
           "SELECT id FROM docs ORDER BY embedding <-> $1 LIMIT 5 FOR UPDATE SKIP LOCKED",
           "SELECT id FROM docs WHERE random() < 0.5 ORDER BY embedding <-> $1 LIMIT 5",
       }) {
    const auto found = search(sql);
    ASSERT_TRUE(found) << sql;
    EXPECT_FALSE(found->levels[0].many) << sql;
    EXPECT_FALSE(found->counted) << sql;
  }
}

TEST(Candidates, AreReadAsTheDatabaseTellsThem) {
  const auto levels = CarriedCandidates::parse("2:31:32;1000/40;-");
  ASSERT_EQ(levels.size(), 3u);
  EXPECT_EQ(levels[1].depth, 40u);
  EXPECT_EQ(levels[0].count, 2u);
  EXPECT_THAT(levels[0].keys, ElementsAre("31", "32"));
  EXPECT_EQ(levels[1].count, 1000u);
  EXPECT_THAT(levels[1].keys, IsEmpty());
  EXPECT_FALSE(levels[2].count);
}

TEST(Candidates, OneRecordByItsKeyIsRefused) {
  for (const char* condition : {"id = 1", "id = $2", "$2 = id", "docs.id = 1 AND tenant = 'x'", "id IN (7)",
                                "id = CAST('7' AS int)"}) {
    EXPECT_THAT(session().text(fmt::format(
                    "SELECT title FROM docs WHERE {} ORDER BY embedding <-> $1 LIMIT 1", condition)),
                HasSubstr("a search within one record"))
        << condition;
  }
  EXPECT_THAT(
      session().text(
          "SELECT d.id FROM docs d JOIN (VALUES (1)) v(x) ON d.id = 3 ORDER BY d.embedding <-> $1 LIMIT 1"),
      HasSubstr("a search within one record"));
  EXPECT_TRUE(
      search("SELECT id FROM docs WHERE id = 1 OR id = 2 ORDER BY embedding <-> $1 LIMIT 1")->counted);
  EXPECT_TRUE(search("SELECT id FROM docs WHERE id IN (1, 2) ORDER BY embedding <-> $1 LIMIT 1")->counted);
}

TEST(Candidates, OrdinalsCountTheClientsColumns) {
  EXPECT_THAT(
      session().text("SELECT title, embedding <-> $1 FROM docs WHERE tenant = 'x' ORDER BY 2, 1 LIMIT 5"),
      HasSubstr("ORDER BY 3, 2"));
}

TEST(Candidates, StatementsWithoutASearchHaveNone) {
  EXPECT_FALSE(search("SELECT email FROM docs"));
}

}  // namespace
}  // namespace sluice::postgres::rewrite
