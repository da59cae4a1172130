#include "record/index_words.h"

#include <gtest/gtest.h>

#include "record/index_filter.h"

namespace sluice::record {
namespace {

using Words = std::vector<std::string>;

struct Shape {
  std::string shape;
  Words constants;
};
Shape shape_of(std::string_view text) {
  Shape out;
  append_shape(out.shape, text, [&](std::string_view word) { out.constants.emplace_back(word); });
  return out;
}

TEST(IndexWords, AShapeHasNoConstants) {
  const auto one = shape_of("SELECT a FROM t WHERE id IN (1, 2, 3) AND n = 'Ann Lee' LIMIT 10");
  EXPECT_EQ(one.shape, "select a from t where id in ? and n ? limit ? ");
  EXPECT_EQ(one.constants, (Words{"1", "2", "3", "Ann", "Lee", "10"}));
  EXPECT_EQ(one.shape, shape_of("select A from T where ID in (77) and n='x' limit 5").shape);
  EXPECT_EQ(shape_of("'[vector 768 sha256:0123456789abcdef]'").shape, "? ");
  EXPECT_EQ(shape_of("").shape, "");
  EXPECT_EQ(shape_of("it's").shape, "it ? ") << "an open quote lasts to the end";
}

TEST(IndexWords, EveryWordIsInTheShapeOrAConstant) {
  const std::string text = "a1 1a 'q''r' deadbeef0 \"Big Name\" x_y $1 é --'\n z";
  const auto [shape, constants] = shape_of(text);
  each_word(text, [&](std::string_view word, bool constant) {
    const bool in_shape = (" " + shape).find(" " + fold_case(word) + " ") != std::string::npos;
    const bool among = std::ranges::find(constants, word) != constants.end();
    EXPECT_TRUE(constant ? among : in_shape) << word;
  });
}

TEST(IndexWords, PhrasesFollowEachOther) {
  const std::string text = "SELECT near(x) FROM t WHERE near = x";
  EXPECT_TRUE(Phrases{"near(x)"}.are_in(text));
  EXPECT_TRUE(Phrases{"T select"}.are_in(text));
  EXPECT_FALSE(Phrases{"x(near)"}.are_in(text));
  EXPECT_FALSE(Phrases{"sel"}.are_in(text));
  EXPECT_TRUE(Phrases{"+ ("}.empty());
  EXPECT_TRUE(Phrases{"+ ("}.are_in(text));
}

TEST(IndexWords, CountWithoutTheirCaseInEveryScript) {
  const std::string text = "SELECT größe FROM \"ÄRZTE\" WHERE name = 'ΟΔΟΣ' AND ort = 'Łódź'";
  for (const auto* asked : {"GRÖSSE größe", "ärzte", "οδος", "ŁÓDŹ", "select GRÖßE"}) {
    EXPECT_EQ(Phrases{asked}.are_in(text), std::string_view(asked).find("GRÖSSE") == std::string_view::npos)
        << asked;
  }
  std::string shape;
  std::vector<std::string> constants;
  append_shape(shape, text, [&](std::string_view word) { constants.emplace_back(word); });
  EXPECT_EQ(shape, "select größe from ärzte where name ? and ort ? ");
  EXPECT_EQ(constants, (std::vector<std::string>{"ΟΔΟΣ", "Łódź"}));
}

TEST(IndexFilter, HoldsWhatIsInItAndLittleElse) {
  std::vector<std::uint64_t> hashes;
  for (int i = 0; i < 5000; ++i) hashes.push_back(filter_hash(FilterTag::record_id, std::to_string(i)));
  const auto bits = IndexFilter::build(hashes);
  int wrong = 0;
  for (int i = 0; i < 5000; ++i) {
    EXPECT_TRUE(IndexFilter::may_hold(bits, filter_hash(FilterTag::record_id, std::to_string(i))));
    wrong += IndexFilter::may_hold(bits, filter_hash(FilterTag::record_id, std::to_string(i + 5000))) ? 1 : 0;
    wrong += IndexFilter::may_hold(bits, filter_hash(FilterTag::constant, std::to_string(i))) ? 1 : 0;
  }
  EXPECT_LT(wrong, 300) << "of 10,000; 0.8 % are to be expected";
  EXPECT_FALSE(IndexFilter::may_hold("", hashes[0]));
  EXPECT_NE(filter_hash(FilterTag::record_id, "ABC"), filter_hash(FilterTag::record_id, "abc"));
}

}  // namespace
}  // namespace sluice::record
