#include "core/case_fold.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(CaseFold, FoldsEveryScriptThatHasCase) {
  EXPECT_EQ(fold_case("SELECT Id_9"), "select id_9");
  EXPECT_EQ(fold_case("ÄRZTE ÉCOLE ŁÓDŹ"), "ärzte école łódź");
  EXPECT_EQ(fold_case("ДОКУМЕНТ"), "документ");
  EXPECT_EQ(fold_case("ΟΔΟΣ"), fold_case("οδος")) << "the sigma at a word's end";
  EXPECT_EQ(fold_case("ſet"), "set");
  EXPECT_EQ(fold_case("𐐀"), "𐐨") << "beyond the first plane";
}

TEST(CaseFold, LeavesTheRest) {
  EXPECT_EQ(fold_case("文書 مستند 123 -->"), "文書 مستند 123 -->");
  EXPECT_EQ(fold_case("straße"), "straße");
  EXPECT_NE(fold_case("é"), fold_case("e")) << "accents are part of the letter";
}

TEST(CaseFold, LeavesWhatIsNotUtf8) {
  for (std::string_view broken :
       {"\xC3", "\xFF\xFE", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "a\xE4z"}) {
    EXPECT_EQ(fold_case(broken), broken);
  }
  EXPECT_EQ(fold_case("A\xE4Z"), "a\xE4z");
}

TEST(CaseFold, IsIdempotent) {
  for (char32_t c = 0x80; c <= 0x10FFFF; ++c) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    std::string text;
    if (c < 0x800) {
      text = {static_cast<char>(0xC0 | c >> 6), static_cast<char>(0x80 | (c & 0x3F))};
    } else if (c < 0x10000) {
      text = {static_cast<char>(0xE0 | c >> 12), static_cast<char>(0x80 | (c >> 6 & 0x3F)),
              static_cast<char>(0x80 | (c & 0x3F))};
    } else {
      text = {static_cast<char>(0xF0 | c >> 18), static_cast<char>(0x80 | (c >> 12 & 0x3F)),
              static_cast<char>(0x80 | (c >> 6 & 0x3F)), static_cast<char>(0x80 | (c & 0x3F))};
    }
    const auto once = fold_case(text);
    ASSERT_EQ(fold_case(once), once) << std::hex << static_cast<std::uint32_t>(c);
  }
}

}  // namespace
}  // namespace sluice
