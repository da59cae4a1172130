#include "systems/postgres/sql/tokens.h"

#include <algorithm>
#include <limits>
#include <optional>

namespace sluice::postgres::sql {
namespace {

constexpr std::string_view kOperatorCharacters = "~!@#^&|`?+-*/%<>=";
constexpr std::string_view kOperatorCharactersThatKeepSigns =
    "~!@#^&|`?%";  // `a @- b` is one operator, `a *- b` two

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_word_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool is_word(char c) {
  return is_word_start(c) || is_digit(c) || c == '$';
}

class Scanner {
 public:
  Scanner(std::string_view text, std::size_t at,
          std::size_t most_steps = std::numeric_limits<std::size_t>::max())
      : text_(text), at_(at), most_steps_(most_steps) {}

  void move_to(std::size_t at) { at_ = at; }
  std::size_t operator_steps() const { return operator_steps_; }

  Token next() {
    if (!skip_blank()) return token(TokenKind::bad, text_.size());
    begin_ = at_;
    if (at_ >= text_.size()) return token(TokenKind::end, text_.size());
    char c = text_[at_];
    switch (c) {
      case '\'': return quoted(at_, '\'', false, TokenKind::string);
      case '"': return quoted(at_, '"', false, TokenKind::quoted_identifier);
      case '$': return dollar();
      case '(':
      case ')':
      case '[':
      case ']':
      case ',':
      case ';': return token(TokenKind::punctuation, at_ + 1);
      case ':': return token(TokenKind::punctuation, at_ + (peek(1) == ':' || peek(1) == '=' ? 2 : 1));
      case '.':
        if (is_digit(peek(1))) return number();
        return token(TokenKind::punctuation, at_ + (peek(1) == '.' ? 2 : 1));
      default: break;
    }
    if (is_digit(c)) return number();
    if (is_word_start(c)) return word();
    if (kOperatorCharacters.contains(c)) return operator_token();
    return token(TokenKind::bad, at_ + 1);
  }

 private:
  char peek(std::size_t ahead) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  Token token(TokenKind kind, std::size_t end) const { return {kind, begin_, end}; }

  // Past white space and comments (which nest); false when a comment does not end.
  bool skip_blank() {
    while (at_ < text_.size()) {
      if (is_space(text_[at_])) {
        ++at_;
      } else if (text_[at_] == '-' && peek(1) == '-') {
        skip_line();
      } else if (text_[at_] == '/' && peek(1) == '*') {
        begin_ = at_;
        if (!skip_comment()) return false;
      } else {
        break;
      }
    }
    return true;
  }
  void skip_line() {
    auto end = text_.find_first_of("\r\n", at_);
    at_ = end == std::string_view::npos ? text_.size() : end;
  }
  bool skip_comment() {
    std::size_t depth = 0;
    while (at_ < text_.size() && operator_steps_ <= most_steps_) {
      if (text_[at_] == '/' && peek(1) == '*') {
        ++depth;
        count_run();
        at_ += 2;
      } else if (text_[at_] == '*' && peek(1) == '/') {
        at_ += 2;
        if (--depth == 0) return true;
      } else {
        ++at_;
      }
    }
    return false;
  }

  // From the opening quote at `open`. A string goes on after white space that holds a line break.
  Token quoted(std::size_t open, char quote, bool backslashes, TokenKind kind) {
    at_ = open + 1;
    while (at_ < text_.size()) {
      // A literal may be a vector of kilobytes: the library's search is many times as fast as going by
      // character.
      if (!backslashes) at_ = std::min(text_.find(quote, at_), text_.size());
      if (at_ == text_.size()) break;
      const char c = text_[at_];
      if (c == '\\' && backslashes) {
        at_ += 2;
      } else if (c != quote) {
        ++at_;
      } else if (peek(1) == quote) {
        at_ += 2;
      } else {
        auto end = ++at_;
        if (kind != TokenKind::string || !continues()) return token(kind, end);
        ++at_;
      }
    }
    return token(TokenKind::bad, text_.size());
  }
  // True, with `at_` at the next opening quote, when the string that just ended goes on on a later line.
  bool continues() {
    bool line_break = false;
    while (at_ < text_.size()) {
      char c = text_[at_];
      if (is_space(c)) {
        line_break |= c == '\n' || c == '\r';
        ++at_;
      } else if (line_break && c == '-' && peek(1) == '-') {
        skip_line();
      } else {
        return line_break && c == '\'';
      }
    }
    return false;
  }

  Token dollar() {
    if (is_digit(peek(1))) {
      auto end = at_ + 1;
      while (end < text_.size() && is_digit(text_[end])) ++end;
      return token(TokenKind::parameter, end);
    }
    auto tag_end = at_ + 1;
    while (tag_end < text_.size() && is_word(text_[tag_end]) && text_[tag_end] != '$') ++tag_end;
    if (tag_end >= text_.size() || text_[tag_end] != '$') return token(TokenKind::bad, at_ + 1);
    auto tag = text_.substr(at_, tag_end + 1 - at_);
    auto close = text_.find(tag, tag_end + 1);
    if (close == std::string_view::npos) return token(TokenKind::bad, text_.size());
    return token(TokenKind::string, close + tag.size());
  }

  Token number() {
    auto end = at_;
    auto digits = [&] {
      while (end < text_.size() && (is_digit(text_[end]) || text_[end] == '_')) ++end;
    };
    if (text_[end] == '0' && end + 1 < text_.size() && std::string_view("xXoObB").contains(text_[end + 1])) {
      end += 2;
      while (end < text_.size() && is_word(text_[end])) ++end;
      return token(TokenKind::number, end);
    }
    digits();
    if (end < text_.size() && text_[end] == '.' && !(end + 1 < text_.size() && text_[end + 1] == '.')) {
      ++end;
      digits();
    }
    if (end < text_.size() && (text_[end] == 'e' || text_[end] == 'E')) {
      auto exponent = end + 1;
      if (exponent < text_.size() && (text_[exponent] == '+' || text_[exponent] == '-')) ++exponent;
      if (exponent < text_.size() && is_digit(text_[exponent])) {
        end = exponent;
        digits();
      }
    }
    return token(TokenKind::number, end);
  }

  Token word() {
    char c = text_[at_];
    if (peek(1) == '\'') {
      if (c == 'e' || c == 'E') return quoted(at_ + 1, '\'', true, TokenKind::string);
      if (std::string_view("bBxXnN").contains(c)) return quoted(at_ + 1, '\'', false, TokenKind::string);
    }
    if ((c == 'u' || c == 'U') && peek(1) == '&') {
      if (peek(2) == '\'') return quoted(at_ + 2, '\'', false, TokenKind::string);
      if (peek(2) == '"') return quoted(at_ + 2, '"', false, TokenKind::quoted_identifier);
    }
    auto end = at_ + 1;
    while (end < text_.size() && is_word(text_[end])) ++end;
    return token(TokenKind::word, end);
  }

  // The run of operator characters that begins here is read to its end, whatever of it is used.
  void count_run() {
    if (at_ >= run_end_) {
      run_end_ = text_.find_first_not_of(kOperatorCharacters, at_);
      if (run_end_ == std::string_view::npos) run_end_ = text_.size();
    }
    operator_steps_ += run_end_ - at_;
  }

  Token operator_token() {
    count_run();
    auto end = at_;
    bool keeps_signs = false;
    while (end < text_.size() && kOperatorCharacters.contains(text_[end])) {
      auto two = text_.substr(end, 2);
      if (two == "--" || two == "/*") break;
      keeps_signs |= kOperatorCharactersThatKeepSigns.contains(text_[end]);
      ++end;
    }
    if (!keeps_signs) {
      while (end - at_ > 1 && (text_[end - 1] == '+' || text_[end - 1] == '-')) --end;
    }
    return token(TokenKind::operator_, end);
  }

  std::string_view text_;
  std::size_t at_;
  std::size_t begin_ = 0;
  std::size_t run_end_ = 0;  // of operator characters, as far as known
  std::size_t operator_steps_ = 0;
  std::size_t most_steps_;
};

}  // namespace

Token next_token(std::string_view text, std::size_t at) {
  return Scanner(text, at).next();
}

std::size_t token_end(std::string_view text, std::size_t location) {
  return location < text.size() ? next_token(text, location).end : text.size();
}

ScanCost scan_cost(std::string_view text, const ScanCost& limits) {
  Scanner scanner(text, 0, limits.operator_steps);
  std::size_t tokens = 0;
  while (tokens <= limits.tokens && scanner.operator_steps() <= limits.operator_steps) {
    const auto token = scanner.next();
    if (token.kind == TokenKind::end) break;
    ++tokens;
    scanner.move_to(token.end);
  }
  return {tokens, scanner.operator_steps()};
}

}  // namespace sluice::postgres::sql
