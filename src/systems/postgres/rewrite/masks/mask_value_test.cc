#include "systems/postgres/rewrite/masks/mask_value.h"

#include <gtest/gtest.h>

#include "systems/postgres/catalogue/testing.h"

namespace sluice::postgres::rewrite {
namespace {

class MaskValue : public ::testing::Test {
 protected:
  std::shared_ptr<const Catalogue> catalogue_ = postgres::testing::catalogue(R"(
    enum public.mood sad
    domain public.mail varchar
    public.pair(a int4, b text)
    public.t(a text, b varchar(20), c bpchar(3), d int4, e numeric, f bool, g uuid, h json, i jsonb, j date, k timestamptz(3), l interval, m bytea, n text[], o public.mood, p int4range, q vector(4), r public.pair, s public.mail, u bit(8), v inet, w int4 not null, x vector(4) not null, y public.mood[], z regclass)
  )");
  const Column& column(std::string_view name) {
    std::vector<std::string> path{"public"};
    return *catalogue_->find_relation(path, "", "t")->column(name);
  }
};

TEST_F(MaskValue, RedactsInTheColumnsOwnTypeAndLength) {
  struct Case {
    const char* column;
    const char* value;
  };
  for (auto [name, value] : {
           Case{"a", R"(CAST('***' AS "pg_catalog"."text"))"},
           Case{"b", R"(CAST('***' AS "pg_catalog"."varchar"(20)))"},
           Case{"c", R"(CAST('***' AS "pg_catalog"."bpchar"(3)))"},
           Case{"d", R"(CAST(0 AS "pg_catalog"."int4"))"},
           Case{"e", R"(CAST(0 AS "pg_catalog"."numeric"))"},
           Case{"f", R"(CAST('false' AS "pg_catalog"."bool"))"},
           Case{"g", R"(CAST('00000000-0000-0000-0000-000000000000' AS "pg_catalog"."uuid"))"},
           Case{"h", R"(CAST('{}' AS "pg_catalog"."json"))"},
           Case{"i", R"(CAST('{}' AS "pg_catalog"."jsonb"))"},
           Case{"j", R"(CAST('1970-01-01' AS "pg_catalog"."date"))"},
           Case{"k", R"(CAST('1970-01-01 00:00:00+00' AS "pg_catalog"."timestamptz"(3)))"},
           Case{"l", R"(CAST('0' AS "pg_catalog"."interval"))"},
           Case{"m", R"(CAST('' AS "pg_catalog"."bytea"))"},
           Case{"n", R"(CAST('{}' AS "pg_catalog"."text"[]))"},
           Case{"o", R"(CAST('sad' AS "public"."mood"))"},
           Case{"p", R"(CAST('empty' AS "pg_catalog"."int4range"))"},
           Case{"q", R"(CAST(NULL AS "public"."vector"(4)))"},
           Case{"r", R"(CAST(NULL AS "public"."pair"))"},
           Case{"s", R"(CAST('***' AS "pg_catalog"."varchar"))"},
           Case{"u", R"(CAST(B'0' AS "pg_catalog"."bit"(8)))"},
           Case{"v", R"(CAST('0.0.0.0' AS "pg_catalog"."inet"))"},
           Case{"y", R"(CAST('{}' AS "public"."mood"[]))"},
           Case{"z", R"(CAST('-' AS "pg_catalog"."regclass"))"},
       }) {
    EXPECT_EQ(redacted_value(*catalogue_, column(name)), value) << name;
  }
}

TEST_F(MaskValue, RemovedIsNullUnlessTheColumnIsNotNull) {
  EXPECT_EQ(removed_value(*catalogue_, column("a")), R"(CAST(NULL AS "pg_catalog"."text"))");
  EXPECT_EQ(removed_value(*catalogue_, column("w")), R"(CAST(0 AS "pg_catalog"."int4"))");
  EXPECT_EQ(removed_value(*catalogue_, column("x")), R"(CAST(NULL AS "public"."vector"(4)))")
      << "vectors: always NULL";
}

TEST_F(MaskValue, ConstantsMustFitTheType) {
  EXPECT_EQ(constant_value(*catalogue_, column("a"), "it's").value(),
            R"(CAST('it''s' AS "pg_catalog"."text"))");
  EXPECT_EQ(constant_value(*catalogue_, column("d"), "-7").value(), R"(CAST('-7' AS "pg_catalog"."int4"))");
  EXPECT_TRUE(constant_value(*catalogue_, column("s"), "nobody"));
  EXPECT_FALSE(constant_value(*catalogue_, column("d"), "seven"));
  EXPECT_FALSE(constant_value(*catalogue_, column("d"), "3000000000"));
  EXPECT_FALSE(constant_value(*catalogue_, column("g"), "not-a-uuid"));
  EXPECT_FALSE(constant_value(*catalogue_, column("f"), "maybe"));
  EXPECT_FALSE(constant_value(*catalogue_, column("i"), "{}"));
}

TEST_F(MaskValue, KnowsVectorsJsonAndText) {
  EXPECT_TRUE(is_vector(*catalogue_, column("q").type));
  EXPECT_FALSE(is_vector(*catalogue_, column("a").type));
  EXPECT_TRUE(is_json(*catalogue_, column("h").type));
  EXPECT_TRUE(is_text_like(*catalogue_, column("s").type));
  EXPECT_TRUE(is_text_like(*catalogue_, column("n").type));
  EXPECT_FALSE(is_text_like(*catalogue_, column("d").type));
}

TEST_F(MaskValue, AnUnknownTypeYieldsABareNull) {
  Column unknown;
  unknown.type = 99;
  EXPECT_EQ(redacted_value(*catalogue_, unknown), "NULL");
  EXPECT_EQ(removed_value(*catalogue_, unknown), "NULL");
  EXPECT_FALSE(constant_value(*catalogue_, unknown, "x"));
}

}  // namespace
}  // namespace sluice::postgres::rewrite
