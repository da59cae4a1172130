// Masks that work on the reply: which outputs carry the value itself, and that nothing else does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "systems/postgres/rewrite/testing.h"

namespace sluice::postgres::rewrite {
namespace {

using namespace testing;
using ::testing::HasSubstr;
using ::testing::Not;

class Outputs : public ::testing::Test {
 protected:
  Session session_{postgres::testing::sample_catalogue(),
                   masks("public.docs email hash\npublic.docs ssn redact")};

  // "1:email=hash 2:ssn" for the masked columns among a query's outputs.
  std::string outputs(std::string_view sql) const {
    RewriteResult result = session_.run(sql);
    const auto* rewritten = std::get_if<Rewritten>(&result);
    if (rewritten == nullptr) return session_.text(sql);
    std::string all;
    for (const MaskedOutput& output : rewritten->outputs) {
      const Relation* relation = session_.catalogue->relation(output.relation);
      if (!all.empty()) all += ' ';
      all += std::to_string(output.column) + ":" + relation->column(output.attnum)->name;
      if (output.cell != nullptr) all += "=" + std::string(to_string(output.cell->mask));
    }
    return all;
  }
};

TEST_F(Outputs, BareColumnsOfTheOutermostQuery) {
  EXPECT_EQ(outputs("SELECT id, email, ssn FROM docs"), "1:email=hash 2:ssn");
  EXPECT_EQ(outputs("SELECT d.email AS e FROM docs d"), "0:email=hash");
  EXPECT_EQ(outputs("SELECT q.c, email FROM docs AS q(c, t, x, email)"), "1:email=hash");
  EXPECT_EQ(outputs("SELECT t.email, o.id FROM docs t JOIN docs o ON t.id = o.id"), "0:email=hash");
}

TEST_F(Outputs, StarsAreWrittenOut) {
  const std::string all = outputs("SELECT * FROM docs");
  EXPECT_THAT(all, HasSubstr("email=hash"));
  EXPECT_THAT(all, HasSubstr(":ssn"));
  EXPECT_EQ(outputs("SELECT d.*, email FROM docs d"),
            all + " " + outputs("SELECT 1,2,3,4,5,6,7,8, email FROM docs"));
  EXPECT_THAT(session_.text("SELECT * FROM docs"), HasSubstr("\"slc_1_4h\" AS \"email\""));
}

TEST_F(Outputs, OtherUsesSeeTheColumnRedacted) {
  for (const char* sql : {
           "SELECT lower(email) FROM docs",
           "SELECT email || '' FROM docs",
           "SELECT DISTINCT email FROM docs",
           "SELECT DISTINCT ON (id) email FROM docs",
           "SELECT email FROM docs GROUP BY email",
           "SELECT max(email) FROM docs",
           "SELECT count(*), email FROM docs GROUP BY id, email",
           "SELECT q.email FROM (SELECT email FROM docs) q",
           "WITH x AS (SELECT email FROM docs) SELECT email FROM x",
           "SELECT email FROM docs UNION ALL SELECT email FROM docs",
           "SELECT (SELECT email FROM docs LIMIT 1)",
           "SELECT array(SELECT email FROM docs)",
           "SELECT d FROM docs d",
           "SELECT id FROM docs WHERE email = 'ana'",
           "SELECT id FROM docs ORDER BY email",
           "COPY (SELECT email FROM docs) TO STDOUT",
           "COPY docs TO STDOUT",
           "EXPLAIN SELECT email FROM docs",
           "EXPLAIN (ANALYZE, VERBOSE) SELECT email FROM docs",
           "DECLARE c BINARY CURSOR FOR SELECT email FROM docs",
       }) {
    EXPECT_THAT(session_.text(sql), Not(HasSubstr("_4h"))) << sql;
    EXPECT_THAT(outputs(sql), Not(HasSubstr("=hash"))) << sql;
  }
}

TEST_F(Outputs, SortingByOneSortsByItsMaskedValue) {
  for (const char* sql :
       {"SELECT id, email FROM docs ORDER BY email", "SELECT id, email FROM docs ORDER BY 2 DESC",
        "SELECT id, email AS e FROM docs ORDER BY e", "SELECT id AS email, email AS x FROM docs ORDER BY x",
        "SELECT * FROM docs ORDER BY email"}) {
    EXPECT_THAT(session_.text(sql), HasSubstr("ORDER BY \"docs\".\"email\"")) << sql;
  }
  EXPECT_THAT(session_.text("SELECT id AS email, email AS x FROM docs ORDER BY email"),
              HasSubstr("ORDER BY \"email\""));
}

TEST_F(Outputs, PreparedStatementsAndCursorsAnswerWithRows) {
  EXPECT_EQ(outputs("PREPARE p AS SELECT email FROM docs"), "0:email=hash");
  EXPECT_EQ(outputs("DECLARE c CURSOR FOR SELECT email FROM docs"), "0:email=hash");
}

TEST_F(Outputs, WhatTheClientGetsHasNoNulls) {
  EXPECT_THAT(session_.text("SELECT email FROM docs"),
              HasSubstr("COALESCE(\"slc_0\".\"email\", CAST('' AS \"pg_catalog\".\"text\"))"));
}

TEST_F(Outputs, FieldsOfAValueAreNotCounted) {
  EXPECT_EQ(outputs("SELECT email, (ROW(1, 2)).*, ssn FROM docs"), "0:email");
  EXPECT_EQ(outputs("SELECT (d).*, email FROM docs d"), "");
}

TEST_F(Outputs, KeysInFrontAreNotCounted) {
  session_.carry = true;
  EXPECT_EQ(outputs("SELECT title, email FROM docs"), "1:email=hash");
  EXPECT_THAT(session_.text("SELECT title, email FROM docs ORDER BY 2"),
              HasSubstr("ORDER BY \"docs\".\"email\""));
}

TEST(DetectOutputs, TextIsReadOnTheReplyAndRedactedElsewhere) {
  Session session(postgres::testing::sample_catalogue(), masks("public.docs detect"));
  const auto result = session.run("SELECT id, title, upper(title) FROM docs");
  const auto& rewritten = std::get<Rewritten>(result);
  ASSERT_EQ(rewritten.outputs.size(), 1U);
  EXPECT_EQ(rewritten.outputs[0].column, 1);
  ASSERT_NE(rewritten.outputs[0].cell, nullptr);
  EXPECT_TRUE(rewritten.outputs[0].cell->detects());
  EXPECT_THAT(rewritten.sql, HasSubstr("\"upper\"(\"title\")"));
}

TEST(PartialOutputs, ExplainDoesNotReadThem) {
  Session session(postgres::testing::sample_catalogue(), masks("public.docs email partial"));
  EXPECT_THAT(session.text("SELECT email FROM docs"), HasSubstr("strpos"));
  EXPECT_THAT(session.text("EXPLAIN SELECT email FROM docs"), Not(HasSubstr("strpos")));
  EXPECT_THAT(session.text("EXPLAIN SELECT email FROM docs"), HasSubstr("'***'"));
}

}  // namespace
}  // namespace sluice::postgres::rewrite
