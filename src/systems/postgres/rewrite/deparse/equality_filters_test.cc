// `filters: equality`: what is answered from hidden values, and counted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "systems/postgres/rewrite/testing.h"

namespace sluice::postgres::rewrite {
namespace {

using namespace testing;
using ::testing::HasSubstr;
using ::testing::Not;

Session session() {
  MaskSet set = masks("public.people email redact\npublic.people name redact\npublic.people active redact");
  set.fields[0].filters = Filters::equality;
  set.fields[2].filters = Filters::equality;
  return {postgres::testing::catalogue(
              "public.people(id int4 pk, email text, name text, active bool, tenant text)\n"
              "public.orders(id int4 pk, person int4, email text)"),
          set};
}

std::vector<ValueTest> tests_of(std::string_view sql) {
  RewriteResult result = session().run(sql);
  const auto* rewritten = std::get_if<Rewritten>(&result);
  EXPECT_NE(rewritten, nullptr) << session().text(sql);
  return rewritten == nullptr ? std::vector<ValueTest>{} : rewritten->tests;
}

TEST(EqualityFilters, AreTestedWithinTheDerivedTable) {
  EXPECT_EQ(
      session().text("SELECT id FROM people WHERE email = $1 AND tenant = 'x'"),
      R"(SELECT "id" AS "id" FROM (SELECT "slc_0"."id" AS "id", CAST('***' AS "pg_catalog"."text") AS "email", )"
      R"("slc_0"."tenant" AS "tenant" FROM "public"."people" AS "slc_0" )"
      R"(WHERE ("slc_0"."email" OPERATOR(pg_catalog.=) $1)) AS "people" )"
      R"(WHERE (true AND ("tenant" OPERATOR("pg_catalog".=) 'x')))");
}

TEST(EqualityFilters, EachValueIsCounted) {
  const auto one = tests_of("SELECT id FROM people WHERE email = 'a'");
  ASSERT_EQ(one.size(), 1u);
  EXPECT_EQ(one[0].collection, "public.people");
  EXPECT_EQ(one[0].values, 1u);
  EXPECT_FALSE(one[0].of_one_record);
  EXPECT_EQ(tests_of("SELECT id FROM people WHERE email IN ('a', 'b', $1)").at(0).values, 3u);
  EXPECT_EQ(tests_of("SELECT id FROM people p WHERE 'a'::text = p.email AND p.email IN ('b')").size(), 2u);
  EXPECT_TRUE(tests_of("SELECT count(*) FROM people WHERE id = 7 AND email = 'a'").at(0).of_one_record);
  EXPECT_EQ(
      tests_of("SELECT 1 FROM orders o WHERE EXISTS (SELECT 1 FROM people p WHERE p.email = 'a' AND p.id = "
               "o.person)")
          .size(),
      1u);
}

TEST(EqualityFilters, NothingElseIsAnswered) {
  for (const char* condition : {
           "email <> 'a'",
           "email LIKE 'a'",
           "NOT email = 'a'",
           "email = 'a' OR tenant = 'x'",
           "(email = 'a') IS TRUE",
           "lower(email) = 'a'",
           "email || '' = 'a'",
           "email = tenant",
           "email = lower('A')",
           "email = 'a' || 'b'",
           "email = 'a'::varchar",
           "email IN ('a', tenant)",
           "email NOT IN ('a')",
           "email = ANY ($1)",
           "email IN (SELECT tenant FROM people)",
           "email IS NOT DISTINCT FROM 'a'",
           "name = 'a'",
           "active = true",
           "email IN "
           "('1','2','3','4','5','6','7','8','9','10','11','12','13','14','15','16','17','18','19','20','21'"
           ")",
       }) {
    const std::string sql = std::string("SELECT id FROM people WHERE ") + condition;
    EXPECT_EQ(tests_of(sql).size(), 0u) << condition;
    EXPECT_THAT(session().text(sql), Not(HasSubstr(R"("slc_0"."email")"))) << condition;
  }
  for (const char* sql : {
           "SELECT email = 'a' FROM people",
           "SELECT o.id FROM orders o LEFT JOIN people p ON p.id = o.person WHERE p.email = 'a'",
           "SELECT o.id FROM orders o JOIN people p ON p.email = 'a'",
           "SELECT tenant FROM people GROUP BY tenant HAVING max(email) = 'a'",
           "SELECT id FROM people ORDER BY email = 'a'",
       }) {
    EXPECT_EQ(tests_of(sql).size(), 0u) << sql;
    EXPECT_THAT(session().text(sql), Not(HasSubstr(R"(OPERATOR(pg_catalog.=) 'a')"))) << sql;
  }
}

TEST(EqualityFilters, StatementsThatChangeDataReadNothing) {
  for (const char* sql :
       {"DELETE FROM people WHERE email = 'a'", "UPDATE people SET tenant = 'x' WHERE email = 'a'",
        "INSERT INTO orders (id) SELECT id FROM people WHERE email = 'a'"}) {
    EXPECT_TRUE(session().denies(sql)) << session().text(sql);
  }
}

TEST(EqualityFilters, HoldOnlyWhereEveryMaskSaysSo) {
  MaskSet set = masks("public.people email redact\npublic.* email redact");
  set.fields[0].filters = Filters::equality;
  Session strict{postgres::testing::catalogue("public.people(id int4 pk, email text)"), set};
  EXPECT_THAT(strict.text("SELECT id FROM people WHERE email = 'a'"), Not(HasSubstr(R"("slc_0"."email")")));
}

}  // namespace
}  // namespace sluice::postgres::rewrite
