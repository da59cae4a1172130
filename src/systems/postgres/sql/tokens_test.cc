#include "systems/postgres/sql/tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sluice::postgres::sql {
namespace {

using testing::ElementsAre;

std::vector<std::string> tokens(std::string_view text) {
  std::vector<std::string> out;
  for (std::size_t at = 0;;) {
    auto token = next_token(text, at);
    if (token.kind == TokenKind::end) return out;
    out.emplace_back(text.substr(token.begin, token.end - token.begin));
    at = token.end;
  }
}

TEST(Tokens, WordsNumbersAndPunctuation) {
  EXPECT_THAT(tokens("SELECT a.b$1,1.5e-3,.5,0x1F,$12::int FROM été;"),
              ElementsAre("SELECT", "a", ".", "b$1", ",", "1.5e-3", ",", ".5", ",", "0x1F", ",", "$12",
                          "::", "int", "FROM", "été", ";"));
  EXPECT_THAT(tokens("1..2 a[1:2] x := 3"),
              ElementsAre("1", "..", "2", "a", "[", "1", ":", "2", "]", "x", ":=", "3"));
}

TEST(Tokens, StringsOfEveryKind) {
  EXPECT_THAT(tokens("'a''b' E'a\\'b' \"x\"\"y\" U&'\\0041' U&\"a\" B'01' $$a'b$$ $t$ $$ $t$ N'x'"),
              ElementsAre("'a''b'", "E'a\\'b'", "\"x\"\"y\"", "U&'\\0041'", "U&\"a\"", "B'01'", "$$a'b$$",
                          "$t$ $$ $t$", "N'x'"));
}

TEST(Tokens, AStringGoesOnOnTheNextLine) {
  EXPECT_THAT(tokens("'a'\n  'b' 'c'"), ElementsAre("'a'\n  'b'", "'c'"));
  EXPECT_THAT(tokens("'a' -- no\n 'b'"), ElementsAre("'a'", "'b'"));
}

TEST(Tokens, OperatorsStopAtComments) {
  EXPECT_THAT(
      tokens("a<->b a*-b a@-b a+--c\nb <#>/* x /* y */ z */-1"),
      ElementsAre("a", "<->", "b", "a", "*", "-", "b", "a", "@-", "b", "a", "+", "b", "<#>", "-", "1"));
}

TEST(Tokens, UnterminatedIsBad) {
  for (const char* text : {"'a", "\"a", "$$a", "/* a", "E'a\\", "E'a\\'"}) {
    auto token = next_token(text, 0);
    EXPECT_EQ(token.kind, TokenKind::bad) << text;
    EXPECT_EQ(token.end, std::string_view(text).size()) << text;
  }
}

// What makes the grammar's scanner quadratic is seen before it is let loose.
TEST(Tokens, CostOfOperatorsIsWhatTheScannerReads) {
  const ScanCost enough{1'000'000, 1'000'000};
  EXPECT_EQ(scan_cost("a <-> b", enough).operator_steps, 3u);
  EXPECT_EQ(scan_cost("++++", enough).operator_steps, 4u + 3 + 2 + 1);
  EXPECT_EQ(scan_cost("/*/*/*", enough).operator_steps, 6u + 4 + 2);
  EXPECT_EQ(scan_cost("/* + */ - -- ----", enough).operator_steps, 2u + 1);
  EXPECT_EQ(scan_cost("'++++' \"++++\"", enough).operator_steps, 0u);
}

TEST(Tokens, CostOfEndlessRunsIsBoundedItself) {
  const ScanCost limits{1'000'000'000, 1'000'000};
  for (const char* piece : {"+", "-+", "/*", "+/**/", "*"}) {
    std::string text = "SELECT 1 ";
    while (text.size() < 4'000'000) text += piece;
    EXPECT_GT(scan_cost(text, limits).operator_steps, limits.operator_steps) << piece;
  }
}

TEST(Tokens, CountStopsAtTheLimit) {
  EXPECT_EQ(scan_cost("a b c", {10, 10}).tokens, 3u);
  EXPECT_EQ(scan_cost("a b c d e", {2, 10}).tokens, 3u);
}

}  // namespace
}  // namespace sluice::postgres::sql
