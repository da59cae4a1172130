#include "core/encoding.h"

#include <gtest/gtest.h>

#include <cctype>
#include <utility>

namespace sluice {
namespace {

// RFC 4648, section 10.
constexpr std::pair<std::string_view, std::string_view> kBase64Vectors[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
};

TEST(Base64, FollowsTheVectorsOfRfc4648) {
  for (auto [plain, encoded] : kBase64Vectors) {
    EXPECT_EQ(to_base64(as_bytes(plain)), encoded);
    auto decoded = from_base64(encoded);
    ASSERT_TRUE(decoded) << encoded;
    EXPECT_EQ(as_text(*decoded), plain);
  }
}

TEST(Base64, OneValueHasOneText) {
  for (auto text : {"Zg", "Zg=", "Zg===", "Zh==", "Zm9", "Zm9v=", " Zg==", "Zg==\n", "Zm 9v", "Zm-_"}) {
    EXPECT_FALSE(from_base64(text)) << text;
  }
  for (auto text : {"Zg==", "Zh", "Z", "Zm9vYg=", "Zm+/", "Zm9v "})
    EXPECT_FALSE(from_base64url(text)) << text;
}

TEST(Base64, OnlyItsAlphabetDecodes) {
  for (int i = 0; i < 256; ++i) {
    auto c = static_cast<char>(i);
    const bool common = i < 128 && std::isalnum(i) != 0;
    const std::string text{'A', c, 'A', 'A'};
    EXPECT_EQ(from_base64(text).has_value(), common || c == '+' || c == '/') << i;
    EXPECT_EQ(from_base64url(text).has_value(), common || c == '-' || c == '_') << i;
  }
}

}  // namespace
}  // namespace sluice
