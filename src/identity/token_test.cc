#include "identity/token.h"

#include <gtest/gtest.h>

#include <set>

namespace sluice::identity {
namespace {

class TokenTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { initialise_crypto(); }
};

TEST_F(TokenTest, MintedTokensParseToTheirId) {
  for (int i = 0; i < 200; ++i) {
    auto token = make_token();
    ASSERT_EQ(token.text.reveal().size(), kTokenLength);
    auto id = parse_token(token.text.reveal());
    ASSERT_TRUE(id) << id.error().message();
    EXPECT_EQ(*id, token.id);
    EXPECT_EQ(hash_token(token.text.reveal()), token.hash);
  }
}

TEST_F(TokenTest, NeverRepeats) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(seen.emplace(make_token().text.reveal()).second);
}

TEST_F(TokenTest, IsFoundInOtherText) {
  const std::string token{make_token().text.reveal()};
  for (const auto& text :
       {token, "user " + token, token + token.substr(0, 9), "slc_slc_" + token + "'", "slc_" + token}) {
    EXPECT_TRUE(holds_token(text)) << text;
  }
  auto other = token;
  other.back() = other.back() == 'a' ? 'b' : 'a';
  for (const auto& text :
       {std::string{}, std::string{"slc_"}, token.substr(1), token.substr(0, token.size() - 1), other}) {
    EXPECT_FALSE(holds_token(text)) << text;
  }
}

TEST_F(TokenTest, EveryChangedCharacterIsNoticed) {
  auto token = make_token();
  std::string text{token.text.reveal()};
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto changed = text;
    changed[i] = changed[i] == 'a' ? 'b' : 'a';
    EXPECT_FALSE(parse_token(changed)) << i;
  }
}

TEST_F(TokenTest, RefusesOtherShapes) {
  std::string text{make_token().text.reveal()};
  EXPECT_FALSE(parse_token(""));
  EXPECT_FALSE(parse_token("slc_"));
  EXPECT_FALSE(parse_token(text.substr(0, text.size() - 1)));
  EXPECT_FALSE(parse_token(text + "A"));
  EXPECT_FALSE(parse_token(" " + text));
  EXPECT_FALSE(parse_token("slx_" + text.substr(4)));
  EXPECT_FALSE(parse_token(std::string(kTokenLength, '\0')));
  EXPECT_FALSE(parse_token(std::string(kTokenLength, '\xff')));
}

TEST_F(TokenTest, ErrorsDoNotRepeatTheText) {
  std::string text{make_token().text.reveal()};
  text.back() = text.back() == 'A' ? 'B' : 'A';
  auto parsed = parse_token(text);
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().message().find(text.substr(13, 10)), std::string::npos);
}

// A frozen example: tokens issued by one version are read by all later ones.
TEST_F(TokenTest, FormatIsStable) {
  EXPECT_TRUE(parse_token("slc_abcd1234_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAqcfmLg"));
}

}  // namespace
}  // namespace sluice::identity
