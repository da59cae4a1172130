#include "systems/postgres/rewrite/clamp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "systems/postgres/rewrite/testing.h"

namespace sluice::postgres::rewrite {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using testing::Session;

Session unmasked(std::uint64_t rows) {
  Session session(postgres::testing::sample_catalogue(), {});
  session.clamp = rows;
  return session;
}

TEST(Clamp, LowersOrAddsTheOutermostLimit) {
  Session session = unmasked(100);
  EXPECT_EQ(session.text("SELECT id FROM docs"), R"(SELECT "id" AS "id" FROM "public"."docs" LIMIT 100)");
  EXPECT_THAT(session.text("SELECT id FROM docs LIMIT 5"), EndsWith("LIMIT 5"));
  EXPECT_THAT(session.text("SELECT id FROM docs ORDER BY id LIMIT 500 OFFSET 10"),
              EndsWith("OFFSET 10 LIMIT 100"));
  EXPECT_THAT(session.text("SELECT id FROM docs LIMIT ALL"), EndsWith("LIMIT 100"));
  EXPECT_THAT(session.text("SELECT id FROM docs LIMIT $1"),
              EndsWith("LIMIT LEAST(CAST($1 AS pg_catalog.int8), 100)"));
  EXPECT_THAT(session.text("SELECT id FROM docs LIMIT 2+3"), HasSubstr("LIMIT LEAST(CAST((2 "));
  EXPECT_THAT(session.text("SELECT * FROM (SELECT id FROM docs LIMIT 500) q"),
              EndsWith("LIMIT 500) AS \"q\" LIMIT 100"));
  EXPECT_THAT(session.text("SELECT id FROM docs FETCH FIRST 500 ROWS ONLY"), EndsWith("LIMIT 100"));
}

TEST(Clamp, BoundsSetOperationsAsAWhole) {
  Session session = unmasked(10);
  EXPECT_EQ(session.text("SELECT 1 UNION ALL SELECT 2"),
            R"((SELECT 1 AS "?column?") UNION ALL (SELECT 2 AS "?column?") LIMIT 10)");
  EXPECT_THAT(session.text("(SELECT 1 LIMIT 50) EXCEPT SELECT 2 ORDER BY 1"),
              EndsWith("ORDER BY 1 LIMIT 10"));
  EXPECT_EQ(session.text("VALUES (1), (2)"), "VALUES (1), (2) LIMIT 10");
}

TEST(Clamp, ReachesTheQueryInside) {
  Session session = unmasked(10);
  EXPECT_THAT(session.text("DECLARE c CURSOR FOR SELECT id FROM docs"), EndsWith("LIMIT 10"));
  EXPECT_THAT(session.text("COPY (SELECT id FROM docs) TO STDOUT"), EndsWith("LIMIT 10) TO STDOUT"));
  EXPECT_THAT(session.text("COPY sink TO STDOUT"),
              EndsWith(R"(FROM ONLY "public"."sink" LIMIT 10) TO STDOUT)"));
  EXPECT_THAT(session.text("PREPARE p AS SELECT id FROM docs"), EndsWith("LIMIT 10"));
}

TEST(Clamp, RefusesWhatNoLimitBounds) {
  Session session = unmasked(10);
  for (auto sql : {"SELECT json_agg(d) FROM docs d", "SELECT * FROM (SELECT array_agg(id) FROM docs) q",
                   "SELECT f_email(1)", "SELECT id FROM docs ORDER BY tenant FETCH FIRST 5 ROWS WITH TIES",
                   "UPDATE docs SET title = '' RETURNING id",
                   "INSERT INTO sink(data) VALUES ('') RETURNING id", "SHOW ALL", "EXECUTE p"}) {
    EXPECT_TRUE(session.denies(sql)) << session.text(sql);
  }
  EXPECT_THAT(session.text("SELECT max(id) FROM docs"), EndsWith("LIMIT 10"));
}

TEST(Clamp, GoesTogetherWithMasks) {
  Session session = testing::corpus_session();
  session.clamp = 10;
  EXPECT_THAT(session.text("SELECT id FROM docs ORDER BY embedding <-> $1 LIMIT 500"), EndsWith("LIMIT 10"));
  EXPECT_THAT(session.text("SELECT email FROM docs"), HasSubstr("CAST('***'"));
}

TEST(Clamp, AloneNeedsNoPlan) {
  auto parsed = sql::parse("SELECT id FROM docs");
  ASSERT_TRUE(parsed);
  std::vector<std::string> path{"public"};
  auto result = clamp(parsed->statements()[0], *postgres::testing::sample_catalogue(), path, 3);
  ASSERT_TRUE(std::holds_alternative<Rewritten>(result));
  EXPECT_THAT(std::get<Rewritten>(result).sql, EndsWith("LIMIT 3"));
  EXPECT_TRUE(std::get<Rewritten>(result).masked.empty());
}

}  // namespace
}  // namespace sluice::postgres::rewrite
