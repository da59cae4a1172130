#include "systems/postgres/describe/recorded_text.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/encoding.h"
#include "core/value_digest.h"
#include "systems/postgres/sql/tokens.h"

namespace sluice::postgres {
namespace {

constexpr std::size_t kShownDigest = 16;  // hex digits: enough to find the same vector again

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

// What a character adds to the sum over a list of numbers: a comma one, what cannot be in such a list
// kStranger.
constexpr std::uint64_t kStranger = 1ULL << 32;
constexpr auto kAdds = [] {
  std::array<std::uint64_t, 256> adds;
  adds.fill(kStranger);
  for (const unsigned char c : std::string_view{"0123456789.-+eE \t\n\v\f\r"}) adds[c] = 0;
  adds[','] = 1;
  return adds;
}();

// Query vectors are kilobytes: one look-up and one addition for each character, and no branch.
std::optional<std::uint32_t> count_numbers(std::string_view list) {
  std::uint64_t sum = 0;
  for (const unsigned char c : list) sum += kAdds[c];
  if (sum >= kStranger) return std::nullopt;
  return static_cast<std::uint32_t>(sum + 1);
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return (x | 0x20) == (y | 0x20); });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// What stands between the quotes of a string literal of any form: '…', E'…', N'…', $tag$…$tag$.
std::string_view literal_content(std::string_view token) {
  if (token.starts_with('$')) {
    const auto tag = token.find('$', 1);
    if (tag == std::string_view::npos || token.size() < 2 * (tag + 1)) return {};
    return token.substr(tag + 1, token.size() - 2 * (tag + 1));
  }
  const auto begin = token.find('\'');
  const auto end = token.rfind('\'');
  return begin == std::string_view::npos || begin == end ? std::string_view{}
                                                         : token.substr(begin + 1, end - begin - 1);
}

// A literal may go on behind a line break: 'a'
// 'b'.
std::string without_quotes(std::string_view content) {
  std::string out{content};
  if (content.contains('\'')) std::erase(out, '\'');
  return out;
}

// "host=db password=x" of dblink, subscriptions and servers.
bool holds_password(std::string_view content) {
  constexpr std::string_view kWord = "password";
  if (content.find('=') == std::string_view::npos) return false;  // nor a query vector, which may be long
  for (std::size_t at = 0; at + kWord.size() <= content.size(); ++at) {
    if (!equals_ignoring_case(content.substr(at, kWord.size()), kWord)) continue;
    if (trimmed(content.substr(at + kWord.size())).starts_with('=')) return true;
  }
  return false;
}

class Recorder {
 public:
  Recorder(std::string_view statement, Literals literals) : statement_(statement), literals_(literals) {}

  std::string run() {
    bool password = false;
    bool bound = false;
    for (auto token = next(0); token.kind != sql::TokenKind::end && out_.size() < kMaxRecordedText;
         token = next(token.end)) {
      const auto text = statement_.substr(token.begin, token.end - token.begin);
      const bool after_password = std::exchange(password, equals_ignoring_case(text, "password"));
      const bool after_bound = std::exchange(bound, is_bound_word(text));
      if (token.kind == sql::TokenKind::string) {
        record_string(token, text, after_password);
      } else if (token.kind == sql::TokenKind::number && literals_ == Literals::hidden && !after_bound) {
        replace(token.begin, token.end, literal_mark(text));
      } else if (token.kind == sql::TokenKind::word && equals_ignoring_case(text, "array")) {
        token = record_array(token);
      }
    }
    out_.append(statement_.substr(copied_));
    if (out_.size() > kMaxRecordedText) {
      auto end = kMaxRecordedText;
      while (end > 0 && (static_cast<unsigned char>(out_[end]) & 0xC0) == 0x80)
        --end;  // not inside a character
      out_.resize(end);
    }
    return std::move(out_);
  }

 private:
  sql::Token next(std::size_t at) const { return sql::next_token(statement_, at); }
  bool is_mark(const sql::Token& token, std::string_view mark) const {
    return statement_.substr(token.begin, token.end - token.begin) == mark;
  }

  void replace(std::size_t begin, std::size_t end, std::string_view with) {
    out_.append(statement_.substr(copied_, begin - copied_)).append(with);
    copied_ = end;
  }

  static bool is_bound_word(std::string_view text) {
    constexpr std::string_view kWords[] = {"limit", "offset", "first", "next"};
    return std::ranges::any_of(kWords, [&](auto each) { return equals_ignoring_case(text, each); });
  }

  static std::string literal_mark(std::string_view content) {
    return fmt::format("'[literal {}]'", to_hex(value_digest(as_bytes(content))).substr(0, kShownDigest));
  }

  static std::string vector_mark(std::uint32_t dimension, std::string_view content) {
    return fmt::format("vector {} sha256:{}", dimension,
                       to_hex(value_digest(as_bytes(content))).substr(0, kShownDigest));
  }

  void record_string(const sql::Token& token, std::string_view text, bool after_password) {
    const auto content = without_quotes(literal_content(text));
    if (after_password || holds_password(content)) return replace(token.begin, token.end, "'[password]'");
    const auto dimension = vector_text_dimension(content);
    if (dimension && *dimension >= kMinVectorDimension) {
      replace(token.begin, token.end, fmt::format("'[{}]'", vector_mark(*dimension, content)));
    } else if (literals_ == Literals::hidden) {
      replace(token.begin, token.end, literal_mark(content));
    }
  }

  // ARRAY[0.1, 0.2, …]::vector, or real[] on the way to one. Lists of ids stay as they are. The last token
  // that was looked at.
  sql::Token record_array(const sql::Token& array) {
    const auto open = next(array.end);
    if (!is_mark(open, "[")) return array;
    std::uint32_t numbers = 0;
    auto token = next(open.end);
    for (; token.kind == sql::TokenKind::number || is_mark(token, ",") || is_mark(token, "-") ||
           is_mark(token, "+");
         token = next(token.end)) {
      numbers += token.kind == sql::TokenKind::number ? 1 : 0;
    }
    if (!is_mark(token, "]") || numbers < kMinVectorDimension || !is_mark(next(token.end), "::"))
      return array;
    auto type = next(next(token.end).end);
    for (auto dot = next(type.end); is_mark(dot, "."); dot = next(type.end)) type = next(dot.end);
    constexpr std::string_view kTypes[] = {"vector", "halfvec", "sparsevec", "real",
                                           "float4", "float8",  "double"};
    const auto name = statement_.substr(type.begin, type.end - type.begin);
    const bool vector =
        std::ranges::any_of(kTypes, [&](auto each) { return equals_ignoring_case(name, each); });
    if (!vector) return array;
    const auto content = statement_.substr(open.begin, token.end - open.begin);
    replace(open.begin, token.end, fmt::format("[{}]", vector_mark(numbers, content)));
    return token;
  }

  std::string_view statement_;
  Literals literals_;
  std::string out_;
  std::size_t copied_ = 0;
};

}  // namespace

std::optional<std::uint32_t> vector_text_dimension(std::string_view text) {
  text = trimmed(text);
  if (text.size() < 2) return std::nullopt;
  if (text.front() == '[' && text.back() == ']') return count_numbers(text.substr(1, text.size() - 2));
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

std::string recorded_text(std::string_view statement, Literals literals) {
  return Recorder{statement, literals}.run();
}

std::string text_without_vectors(std::string_view statement) {
  std::string out;
  std::size_t copied = 0;
  for (auto token = sql::next_token(statement, 0); token.kind != sql::TokenKind::end;
       token = sql::next_token(statement, token.end)) {
    if (token.kind != sql::TokenKind::string) continue;
    const auto text = statement.substr(token.begin, token.end - token.begin);
    const auto dimension = vector_text_dimension(without_quotes(literal_content(text)));
    if (!dimension || *dimension < kMinVectorDimension) continue;
    // No statement holds this byte, so that none can be written to look like another one.
    out.append(statement.substr(copied, token.begin - copied)).push_back('\0');
    out.append(fmt::format("vector {}", *dimension));
    copied = token.end;
  }
  return out.append(statement.substr(copied));
}

}  // namespace sluice::postgres
