#include "systems/postgres/describe/recorded_text.h"

#include <algorithm>
#include <charconv>

#include "core/encoding.h"
#include "systems/postgres/sql/tokens.h"

namespace sluice::postgres {
namespace {

constexpr std::size_t kShownDigest = 16;  // hex digits: enough to find the same vector again

bool is_numeric(char c) {
  return (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '+' || c == 'e' || c == 'E' || c == ',' ||
         c == ' ';
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return (x | 0x20) == (y | 0x20); });
}

// What stands between the quotes of a plain string literal; empty for other forms.
std::string_view literal_content(std::string_view token) {
  return token.size() >= 2 && token.front() == '\'' && token.back() == '\''
             ? token.substr(1, token.size() - 2)
             : std::string_view{};
}

}  // namespace

std::optional<std::uint32_t> vector_text_dimension(std::string_view text) {
  if (text.size() < 2) return std::nullopt;
  if (text.front() == '[' && text.back() == ']') {
    const auto inner = text.substr(1, text.size() - 2);
    if (!std::ranges::all_of(inner, is_numeric)) return std::nullopt;
    return static_cast<std::uint32_t>(std::ranges::count(inner, ',')) + 1;
  }
  if (text.front() == '{') {  // sparsevec: {index:value,…}/dimension
    const auto slash = text.rfind("}/");
    if (slash == std::string_view::npos) return std::nullopt;
    std::uint32_t dimension = 0;
    const auto digits = text.substr(slash + 2);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), dimension);
    if (error == std::errc{} && end == digits.data() + digits.size()) return dimension;
  }
  return std::nullopt;
}

std::string recorded_text(std::string_view statement) {
  std::string out;
  bool password = false;
  std::size_t copied = 0;
  for (auto token = sql::next_token(statement, 0);
       token.kind != sql::TokenKind::end && out.size() < kMaxRecordedText;
       token = sql::next_token(statement, token.end)) {
    const auto text = statement.substr(token.begin, token.end - token.begin);
    if (token.kind == sql::TokenKind::string) {
      const auto content = literal_content(text);
      const auto dimension = vector_text_dimension(content);
      if (password) {
        out.append(statement.substr(copied, token.begin - copied)).append("'[password]'");
        copied = token.end;
      } else if (dimension && *dimension >= kMinVectorDimension) {
        out.append(statement.substr(copied, token.begin - copied));
        out.append(fmt::format("'[vector {} sha256:{}]'", *dimension,
                               to_hex(sha256(as_bytes(content))).substr(0, kShownDigest)));
        copied = token.end;
      }
    }
    password = token.kind == sql::TokenKind::word && equals_ignoring_case(text, "password");
  }
  out.append(statement.substr(copied));
  if (out.size() > kMaxRecordedText) {
    auto end = kMaxRecordedText;
    while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xC0) == 0x80) --end;  // not inside a character
    out.resize(end);
  }
  return out;
}

}  // namespace sluice::postgres
