#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "systems/postgres/rewrite/testing.h"

namespace sluice::postgres::rewrite {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::Session;

Session session() {
  auto catalogue =
      postgres::testing::catalogue("public.docs(id int4 pk, note jsonb, text json, plain jsonb)");
  return Session(catalogue, testing::masks("public.docs email redact\npublic.docs secret_* redact"));
}

TEST(StoredConditions, ConditionsOnOpenKeysAreTestedWithinTheDerivedTable) {
  Session docs = session();
  EXPECT_THAT(
      docs.text("SELECT id FROM docs WHERE note ->> 'topic' = 'x' AND id > 3"),
      HasSubstr(
          R"("slc_0" WHERE (("slc_0"."note" OPERATOR(pg_catalog.->>) 'topic') OPERATOR(pg_catalog.=) 'x')) AS "docs")"));
  EXPECT_THAT(docs.text("SELECT id FROM docs d WHERE d.note ->> 'topic' IN ($1, 'y'::text)"),
              HasSubstr(R"("slc_0" WHERE (("slc_0"."note" OPERATOR(pg_catalog.->>) 'topic') IN ($1, )"));
  EXPECT_THAT(docs.text("SELECT id FROM docs WHERE note ? 'topic'"),
              HasSubstr(R"("slc_0" WHERE ("slc_0"."note" OPERATOR(pg_catalog.?) 'topic')) AS)"));
  EXPECT_THAT(
      docs.text("SELECT id FROM docs WHERE note @> $1 AND note @> '{\"a\": 1}'::jsonb"),
      HasSubstr(
          R"("slc_0" WHERE (("slc_0"."note" OPERATOR(pg_catalog.@>) CAST($1 AS pg_catalog.jsonb)) OR ()"));
}

TEST(StoredConditions, TheMaskedValueIsTestedAllTheSame) {
  EXPECT_THAT(session().text("SELECT id FROM docs WHERE note ->> 'topic' = 'x'"),
              ::testing::EndsWith(R"(AS "docs" WHERE (("note" OPERATOR("pg_catalog".->>) 'topic') = 'x'))"));
}

TEST(StoredConditions, NothingElseIsTestedOnStoredValues) {
  Session docs = session();
  for (auto sql : {
           "SELECT id FROM docs WHERE note ->> 'email' = 'x'",
           "SELECT id FROM docs WHERE note ->> 'Email' = 'x'",
           "SELECT id FROM docs WHERE note ->> 'secret_name' = 'x'",
           "SELECT id FROM docs WHERE note ->> $1 = 'x'",
           "SELECT id FROM docs WHERE note -> 'a' ->> 'email' = 'x'",
           "SELECT id FROM docs WHERE note ->> 'topic' > 'x'",
           "SELECT id FROM docs WHERE note ->> 'topic' = title",
           "SELECT id FROM docs WHERE note ->> 'topic' = 'x' OR id = 1",
           "SELECT id FROM docs WHERE NOT note ->> 'topic' = 'x'",
           "SELECT id FROM docs WHERE note ->> 'topic' = (SELECT 'x')",
           "SELECT id FROM docs WHERE note ->> 'topic' = 'x'::varchar(1)",
           "SELECT id FROM docs WHERE note ? 'email'",
           "SELECT id FROM docs WHERE note @> plain",
           "SELECT id FROM docs WHERE text ->> 'topic' = 'x'",
           "SELECT count(*) FILTER (WHERE note ->> 'topic' = 'x') FROM docs",
           "SELECT (SELECT d.id WHERE d.note ->> 'topic' = 'x') FROM docs d",
       }) {
    EXPECT_THAT(docs.text(sql), Not(HasSubstr(R"("slc_0" WHERE)"))) << sql;
  }
}

// The order of an index over an open and a masked key would tell about the masked one.
TEST(StoredConditions, AnIndexOverSeveralKeysIsNotLedTo) {
  auto with = [](std::string index) {
    auto catalogue =
        postgres::testing::catalogue("public.docs(id int4 pk, note jsonb)\nindex public.docs " + index);
    return Session(catalogue, testing::masks("public.docs email redact"))
        .text("SELECT id FROM docs WHERE note ->> 'topic' = 'x'");
  };
  EXPECT_THAT(with("btree(note(),note())"), Not(HasSubstr(R"("slc_0" WHERE)")));
  EXPECT_THAT(with("gin(note(),note())"), HasSubstr(R"("slc_0" WHERE)"));
  EXPECT_THAT(with("btree(note())"), HasSubstr(R"("slc_0" WHERE)"));
  EXPECT_THAT(with("btree(note(),id)"), HasSubstr(R"("slc_0" WHERE)")) << "its rows are sorted in the end";
}

// How many rows an index finds by stored values would tell, and so would what the planner expects.
TEST(StoredConditions, PlansDoNotTellAboutStoredValues) {
  Session docs = session();
  EXPECT_THAT(docs.text("EXPLAIN SELECT id FROM docs WHERE note ? 'topic'"),
              ::testing::StartsWith("EXPLAIN (costs FALSE) SELECT"));
  EXPECT_THAT(docs.text("EXPLAIN (VERBOSE, COSTS) SELECT id FROM docs WHERE note ? 'topic'"),
              ::testing::StartsWith("EXPLAIN (verbose, costs FALSE) SELECT"));
  EXPECT_THAT(docs.text("EXPLAIN ANALYZE SELECT id FROM docs WHERE note ? 'topic'"),
              Not(HasSubstr(R"("slc_0" WHERE)")));
  EXPECT_THAT(docs.text("EXPLAIN SELECT id FROM docs WHERE id = 1"), ::testing::StartsWith("EXPLAIN SELECT"));
}

}  // namespace
}  // namespace sluice::postgres::rewrite
