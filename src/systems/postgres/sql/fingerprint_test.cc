#include "systems/postgres/sql/fingerprint.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "systems/postgres/sql/parse.h"

namespace sluice::postgres::sql {
namespace {

std::uint64_t of(std::string_view text) {
  auto sql = parse(text);
  EXPECT_TRUE(sql) << text;
  return sql ? fingerprint(*sql->statements()[0].body) : 0;
}

TEST(Fingerprint, IgnoresWhatVariesBetweenCalls) {
  const char* same[][2] = {
      {"SELECT a FROM t WHERE id = 1", "select  a from t where id='x' -- note"},
      {"SELECT a FROM t WHERE id = 1", "SELECT a FROM t WHERE id = $1"},
      {"SELECT a FROM t WHERE id IN (1,2,3)", "SELECT a FROM t WHERE id IN ($1)"},
      {"SELECT a FROM t ORDER BY v <-> '[1,2]' LIMIT 5", "SELECT a FROM t ORDER BY v <-> $1 LIMIT $2"},
      {"INSERT INTO t VALUES (1, 'a')", "INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, NULL)"},
      {"SELECT ARRAY[1,2,3]", "SELECT ARRAY[1]"},
      {"PREPARE a AS SELECT 1", "PREPARE b AS SELECT 2"},
      {"SAVEPOINT a", "SAVEPOINT b"},
      {"SET work_mem = '1MB'", "SET work_mem = '2MB'"},
  };
  for (const auto& pair : same) EXPECT_EQ(of(pair[0]), of(pair[1])) << pair[0] << "\n" << pair[1];
}

TEST(Fingerprint, TellsShapesApart) {
  const char* different[] = {
      "SELECT a FROM t",
      "SELECT b FROM t",
      "SELECT a FROM u",
      "SELECT a FROM s.t",
      "SELECT a, b FROM t",
      "SELECT ab FROM t",
      "SELECT t.a FROM t",
      "SELECT a FROM t WHERE a = 1",
      "SELECT a FROM t WHERE a > 1",
      "SELECT a FROM t WHERE a IN (1)",
      "SELECT a FROM t WHERE a NOT IN (1)",
      "SELECT a FROM t LIMIT 1",
      "SELECT a FROM t OFFSET 1",
      "SELECT DISTINCT a FROM t",
      "SELECT a FROM t ORDER BY a",
      "SELECT a FROM t ORDER BY a DESC",
      "SELECT a FROM t ORDER BY v <-> $1",
      "SELECT a FROM t ORDER BY v <=> $1",
      "SELECT f(1)",
      "SELECT f(1, 2)",
      "SELECT f(DISTINCT 1)",
      "SELECT a FROM t GROUP BY 1",
      "SELECT a FROM t GROUP BY 1, 2",
      "SELECT a::int FROM t",
      "SELECT a::text FROM t",
      "SELECT 1 UNION SELECT 2",
      "SELECT 1 UNION ALL SELECT 2",
      "SELECT 1 EXCEPT SELECT 2",
      "WITH x AS (SELECT 1) SELECT 1",
      "INSERT INTO t VALUES (1)",
      "INSERT INTO t VALUES (1) RETURNING a",
      "INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING",
      "UPDATE t SET a = 1",
      "UPDATE t SET b = 1",
      "DELETE FROM t",
      "DELETE FROM t WHERE a = 1",
      "COPY t TO STDOUT",
      "COPY t FROM STDIN",
      "EXPLAIN SELECT 1",
      "EXPLAIN ANALYZE SELECT 1",
      "SET a.b = 1",
      "SET a.c = 1",
      "RESET ALL",
      "BEGIN",
      "COMMIT",
      "DROP TABLE t",
      "TRUNCATE t",
      "SELECT a FROM t FOR UPDATE",
      "SELECT a FROM t JOIN u ON true",
      "SELECT a FROM t LEFT JOIN u ON true",
      "SELECT a FROM t NATURAL JOIN u",
      "SELECT count(*) FROM t",
      "SELECT count(a) FROM t",
      "SELECT CASE WHEN a THEN 1 END FROM t",
      "SELECT coalesce(a, 1) FROM t",
      "SELECT (SELECT 1)",
      "SELECT EXISTS (SELECT 1)",
  };
  std::map<std::uint64_t, std::string> seen;
  for (const char* text : different) {
    auto [at, inserted] = seen.emplace(of(text), text);
    EXPECT_TRUE(inserted) << text << "\n" << at->second;
  }
}

}  // namespace
}  // namespace sluice::postgres::sql
