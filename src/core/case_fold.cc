#include "core/case_fold.h"

#include <locale.h>
#include <wctype.h>

#include <cstddef>
#include <cstdint>

namespace sluice {
namespace {

static_assert(sizeof(wchar_t) == 4, "wchar_t is a code point");

// Lives as long as the process. Null where the C library has no such locale (Debian's always has): ASCII then
// folds, and the rest stays as it is.
locale_t unicode() {
  static const locale_t made = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", static_cast<locale_t>(nullptr));
  return made;
}

struct CodePoint {
  char32_t value = 0;
  std::size_t length = 0;  // 0: not UTF-8
};

// The code point that begins with the first byte, which is none of ASCII.
CodePoint first_code_point(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const auto lead = byte(0);
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return {};
  char32_t value = lead & (0x7Fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    value = value << 6 | (byte(i) & 0x3Fu);
  }
  const bool overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
  if (overlong || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return {};
  return {value, length};
}

void append(std::string& out, char32_t value) {
  const auto part = [&](char32_t bits) { out.push_back(static_cast<char>(bits)); };
  if (value < 0x80) {
    part(value);
  } else if (value < 0x800) {
    part(0xC0 | value >> 6);
    part(0x80 | (value & 0x3F));
  } else if (value < 0x10000) {
    part(0xE0 | value >> 12);
    part(0x80 | (value >> 6 & 0x3F));
    part(0x80 | (value & 0x3F));
  } else {
    part(0xF0 | value >> 18);
    part(0x80 | (value >> 12 & 0x3F));
    part(0x80 | (value >> 6 & 0x3F));
    part(0x80 | (value & 0x3F));
  }
}

char32_t folded(char32_t value) {
  const auto locale = unicode();
  if (locale == nullptr) return value;
  const auto upper = ::towupper_l(static_cast<wint_t>(value), locale);
  return static_cast<char32_t>(::towlower_l(upper, locale));
}

}  // namespace

void fold_case(std::string& out, std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (static_cast<std::uint8_t>(c) < 0x80) {
      out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c);
      ++at;
      continue;
    }
    const auto point = first_code_point(text.substr(at));
    if (point.length == 0) {
      out.push_back(c);
      ++at;
      continue;
    }
    append(out, folded(point.value));
    at += point.length;
  }
}

std::string fold_case(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  fold_case(out, text);
  return out;
}

}  // namespace sluice
