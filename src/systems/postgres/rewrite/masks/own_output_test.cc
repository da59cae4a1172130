#include "systems/postgres/rewrite/masks/own_output.h"

#include <gtest/gtest.h>

#include "systems/postgres/rewrite/testing.h"

namespace sluice::postgres::rewrite {
namespace {

// A relation with one column of each type, all masked.
struct Masked {
  std::shared_ptr<const Catalogue> catalogue;
  std::shared_ptr<const MaskPlan> plan;

  explicit Masked(std::string_view mask = "redact")
      : catalogue(postgres::testing::catalogue("enum public.mood sad\n"
                                               "public.t(te text, vc varchar(2), i4 int4, i8 int8, nu "
                                               "numeric, f8 float8, bo bool, da date, ts timestamp, "
                                               "tz timestamptz, ti time, iv interval, uu uuid, by bytea, jb "
                                               "jsonb, ar text[], ra int4range, mo mood, ip "
                                               "inet, v vector(3), nn text not null)")),
        plan(MaskPlan::compile(*catalogue, testing::masks(std::string("public.t * ") + std::string(mask)))) {}

  OwnOutput of(std::string_view name) const {
    const Relation* relation = catalogue->find_relation({}, "public", "t");
    const Column* column = relation->column(name);
    auto own = own_output(*catalogue, *column, *plan->find(relation->oid)->column(column->attnum));
    EXPECT_TRUE(own) << name;
    return own.value_or(OwnOutput{});
  }
};

Bytes bytes(std::string_view text) {
  return as_bytes(text);
}

using namespace std::string_view_literals;

TEST(OwnOutput, IsComparedAsItsTypeHasIt) {
  Masked t;
  const std::pair<std::string_view, std::string_view> same[] = {
      {"te", "***"},
      {"vc", "**"},
      {"i4", "0"},
      {"i4", " 00 "},
      {"i4", "-0"},
      {"nu", "0.000"},
      {"nu", "0e5"},
      {"f8", "+0.0"},
      {"bo", "f"},
      {"bo", "FALSE"},
      {"bo", "off"},
      {"bo", "0"},
      {"da", "1970-01-01"},
      {"ts", "1970-01-01T00:00:00.000"},
      {"tz", "1970-01-01 00:00:00+00"},
      {"tz", "1970-01-01 02:00:00+02"},
      {"tz", "1969-12-31 19:00:00-05:00"},
      {"tz", "1970-01-01T00:00:00Z"},
      {"da", "01/01/1970"},
      {"ti", "00:00"},
      {"iv", "0 days"},
      {"iv", "PT0S"},
      {"uu", "00000000000000000000000000000000"},
      {"uu", "{00000000-0000-0000-0000-000000000000}"},
      {"by", "\\x"},
      {"jb", "{ }"},
      {"ar", "{}"},
      {"ra", "empty"},
      {"mo", "sad"},
      {"ip", "0.0.0.0"},
      {"ip", "0.0.0.0/32"}};
  for (const auto& [column, text] : same)
    EXPECT_TRUE(is_own_output(t.of(column), text)) << column << " " << text;
  const std::pair<std::string_view, std::string_view> other[] = {
      {"te", "a***"},
      {"vc", "ab"},
      {"i4", "10"},
      {"nu", "0.01"},
      {"bo", "true"},
      {"bo", "on"},
      {"da", "2024-01-01"},
      {"ts", "1970-01-01 00:00:01"},
      {"tz", "1970-01-01 00:00:00+01"},
      {"ti", "00:01"},
      {"iv", "1 day"},
      {"uu", "00000000-0000-0000-0000-0000000000a1"},
      {"by", "\\x00"},
      {"jb", "{\"a\":1}"},
      {"ar", "{a}"},
      {"ra", "[1,2)"},
      {"mo", "ok"},
      {"ip", "10.0.0.1"}};
  for (const auto& [column, text] : other)
    EXPECT_FALSE(is_own_output(t.of(column), text)) << column << " " << text;
}

TEST(OwnOutput, InBinary) {
  Masked t;
  const std::pair<std::string_view, std::string_view> same[] = {{"te", "***"},
                                                                {"i4", "\0\0\0\0"sv},
                                                                {"i8", "\0\0\0\0\0\0\0\0"sv},
                                                                {"i4", "\0\0"sv},
                                                                {"nu", "\0\0\0\0\0\0\0\0"sv},
                                                                {"f8", "\0\0\0\0\0\0\0\0"sv},
                                                                {"f8", "\x80\0\0\0\0\0\0\0"sv},
                                                                {"bo", "\0"sv},
                                                                {"da", "\xff\xff\xd5\x33"sv},
                                                                {"uu", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"sv},
                                                                {"by", ""sv},
                                                                {"jb", "\x01{}"sv},
                                                                {"ar", "\0\0\0\0\0\0\0\0\0\0\0\x19"sv},
                                                                {"ra", "\x01"sv},
                                                                {"ts", "\xff\xfc\xa2\xfe\xc4\xc8\x20\x00"sv}};
  for (const auto& [column, value] : same)
    EXPECT_TRUE(is_own_output_in_binary(t.of(column), bytes(value))) << column << " " << value.size();
  const std::pair<std::string_view, std::string_view> other[] = {{"te", "x"},
                                                                 {"i4", "\0\0\0\1"sv},
                                                                 {"nu", "\0\1\0\0\0\0\0\0\0\5"sv},
                                                                 {"bo", "\1"sv},
                                                                 {"da", "\0\0\0\0"sv},
                                                                 {"jb", "\x01[1]"sv},
                                                                 {"ar", "\0\0\0\1\0\0\0\0\0\0\0\x19"sv},
                                                                 {"ts", "\0\0\0\0\0\0\0\0"sv}};
  for (const auto& [column, value] : other)
    EXPECT_FALSE(is_own_output_in_binary(t.of(column), bytes(value))) << column << " " << value.size();
}

TEST(OwnOutput, OfWhatIsRemovedIsNullUnlessTheColumnHoldsNone) {
  Masked t("remove");
  EXPECT_EQ(t.of("te").text, std::nullopt);
  EXPECT_EQ(t.of("v").text, std::nullopt);
  EXPECT_EQ(t.of("nn").text, "***");
  EXPECT_FALSE(is_own_output(t.of("te"), ""));
}

TEST(OwnOutput, OfAConstantIsTheConstant) {
  Masked t("constant 7");
  EXPECT_TRUE(is_own_output(t.of("i4"), "07"));
  EXPECT_TRUE(is_own_output_in_binary(t.of("i8"), bytes("\0\0\0\0\0\0\0\7"sv)));
  EXPECT_TRUE(is_own_output_in_binary(t.of("f8"), bytes("\x40\x1c\0\0\0\0\0\0"sv)));
  EXPECT_TRUE(is_own_output_in_binary(t.of("nu"), bytes("\0\1\0\0\0\0\0\0\0\7"sv)));
  EXPECT_TRUE(is_own_output(t.of("te"), "7"));
  EXPECT_FALSE(is_own_output(t.of("i4"), "0"));
}

TEST(OwnOutput, OfAJsonThatLosesKeysIsNotKnown) {
  auto catalogue = postgres::testing::catalogue("public.t(jb jsonb)");
  auto plan = MaskPlan::compile(*catalogue, testing::masks("public.t email redact"));
  const Relation* relation = catalogue->find_relation({}, "public", "t");
  EXPECT_FALSE(own_output(*catalogue, relation->columns[0], *plan->find(relation->oid)->column(1)));
}

}  // namespace
}  // namespace sluice::postgres::rewrite
