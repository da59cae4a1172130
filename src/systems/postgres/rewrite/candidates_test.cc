// Searches of masked vectors: what they choose from is counted, and one record by its key is none.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "systems/postgres/rewrite/test_support.h"

namespace sluice::postgres::rewrite {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
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
  EXPECT_TRUE(found->candidates.has_value());
  EXPECT_THAT(found->collections, ElementsAre("public.docs"));
  EXPECT_THAT(session().text("SELECT id FROM docs ORDER BY embedding <-> $1 LIMIT 5"),
              Not(HasSubstr("slc_of")));
}

TEST(Candidates, OfASearchWithAConditionAreCounted) {
  const std::string text =
      session().text("SELECT id FROM docs WHERE tenant = $2 ORDER BY embedding <-> $1 LIMIT 5");
  EXPECT_THAT(text, HasSubstr("SELECT (SELECT pg_catalog.count(*) FROM (SELECT FROM "));
  EXPECT_THAT(text, HasSubstr("LIMIT 1000) AS \"slc_c1\") AS \"slc_of\", \"id\""));
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

TEST(Candidates, TheNarrowestCounts) {
  EXPECT_THAT(
      session().text(
          "SELECT a.id FROM (SELECT id FROM docs WHERE tenant = 't' ORDER BY embedding <-> $1 LIMIT 5) a, "
          "(SELECT id FROM docs WHERE title = 't' ORDER BY embedding <-> $1 LIMIT 5) b"),
      HasSubstr("LEAST((SELECT"));
}

TEST(Candidates, WhatCannotBeCountedIsFew) {
  for (const char* sql : {
           "SELECT count(*) FROM (SELECT id FROM docs WHERE title = 'x' ORDER BY embedding <-> $1 LIMIT 5) q",
           "SELECT DISTINCT id FROM (SELECT id FROM docs WHERE title = 'x' ORDER BY embedding <-> $1 LIMIT "
           "5) q",
           "SELECT o.id, n.id FROM docs o, LATERAL (SELECT id FROM docs i WHERE i.tenant = o.tenant ORDER BY "
           "i.embedding <-> $1 "
           "LIMIT 1) n",
           "(SELECT id FROM docs WHERE title = 'x' ORDER BY embedding <-> $1 LIMIT 5) UNION ALL SELECT 1",
           "COPY (SELECT id FROM docs WHERE title = 'x' ORDER BY embedding <-> '[1,2,3,4]' LIMIT 5) TO "
           "STDOUT",
       }) {
    const auto found = search(sql);
    ASSERT_TRUE(found) << sql;
    EXPECT_FALSE(found->counted) << sql;
    EXPECT_FALSE(found->candidates) << sql;
  }
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
