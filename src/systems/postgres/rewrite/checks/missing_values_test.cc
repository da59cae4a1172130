#include "systems/postgres/rewrite/checks/missing_values.h"

#include <gtest/gtest.h>

#include "systems/postgres/rewrite/testing.h"
#include "systems/postgres/sql/parse.h"

namespace sluice::postgres::rewrite {
namespace {

bool refused(std::string_view sql) {
  auto parsed = sql::parse(sql);
  EXPECT_TRUE(parsed) << sql;
  return parsed && refuse_missing_values(*parsed->statements()[0].body).has_value();
}

TEST(MissingValues, AreNotShown) {
  for (auto sql : {"CREATE TABLE t AS SELECT attmissingval FROM pg_attribute",
                   "SELECT attmissingval INTO t FROM pg_attribute",
                   "CREATE VIEW v AS SELECT a.attmissingval::text FROM pg_catalog.pg_attribute a",
                   "INSERT INTO t SELECT attmissingval FROM pg_attribute",
                   "SELECT * FROM pg_attribute",
                   "SELECT * FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid",
                   "TABLE pg_attribute",
                   "SELECT a.* FROM pg_attribute a",
                   "SELECT pg_attribute.* FROM pg_attribute",
                   "SELECT a FROM pg_attribute a",
                   "SELECT to_jsonb(a) FROM pg_attribute a",
                   "SELECT to_jsonb(pg_attribute) FROM pg_catalog.pg_attribute",
                   "SELECT pg_catalog.pg_attribute FROM pg_catalog.pg_attribute",
                   "SELECT (a).attmissingval FROM f() a",
                   "SELECT x.z FROM pg_attribute AS x(a, b, c)",
                   "SELECT q FROM (SELECT * FROM pg_attribute) q",
                   "SELECT j.* FROM (pg_class c JOIN pg_attribute a ON a.attrelid = c.oid) AS j",
                   "SELECT count(*) FROM pg_attribute JOIN pg_attribute b USING (attmissingval)",
                   "WITH q AS (SELECT * FROM pg_attribute) SELECT 1 FROM q",
                   "COPY pg_attribute TO STDOUT",
                   "COPY pg_attribute (attname, attmissingval) TO STDOUT",
                   "EXPLAIN SELECT * FROM pg_attribute",
                   "SELECT * FROM pg_attribute TABLESAMPLE BERNOULLI (9)",
                   "SELECT 1 FROM pg_attribute a ORDER BY a"}) {
    EXPECT_TRUE(refused(sql)) << sql;
  }
}

TEST(MissingValues, AreNullInQueries) {
  const auto session = testing::corpus_session();
  for (auto sql : {"SELECT attmissingval FROM pg_attribute",
                   "SELECT a.attmissingval::text FROM pg_catalog.pg_attribute a",
                   "SELECT CASE WHEN a.atthasmissing THEN a.attmissingval ELSE null END AS attmissingval "
                   "FROM pg_attribute a",
                   "SELECT q.attmissingval FROM (SELECT attmissingval FROM pg_attribute) q",
                   "SELECT 1 FROM pg_attribute WHERE attmissingval::text = '{1}'",
                   "SELECT attname, (SELECT attmissingval) FROM pg_attribute ORDER BY attmissingval::text"}) {
    const std::string text = session.text(sql);
    EXPECT_FALSE(refused(sql)) << sql;
    EXPECT_EQ(text.find("denied"), std::string::npos) << text;
    EXPECT_NE(text.find("CAST(NULL AS \"pg_catalog\".\"text\")"), std::string::npos) << text;
    EXPECT_EQ(text.find("\"a\".\"attmissingval\""), std::string::npos) << text;
  }
}

TEST(MissingValues, TheRestOfTheSchemaIs) {
  for (auto sql :
       {"SELECT attname, atthasmissing FROM pg_attribute",
        "SELECT * FROM (SELECT a.attname FROM pg_attribute a) q", "SELECT count(*) FROM pg_attribute",
        "SELECT c.* FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid",
        "SELECT * FROM docs WHERE id IN (SELECT attrelid FROM pg_attribute)",
        "COPY pg_attribute (attname) TO STDOUT", "SELECT * FROM public.pg_attribute"}) {
    EXPECT_FALSE(refused(sql)) << sql;
  }
}

}  // namespace
}  // namespace sluice::postgres::rewrite
