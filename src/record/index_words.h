// The words of a statement's text, as the record is searched for them, and the text without its constants.
//
// A word is a run of ASCII letters, digits, '_' and bytes above 127, and counts without its case
// (core/case_fold.h). Full-text index, filters and the check of a text all get words that were folded here,
// so that they agree on every one; FTS5's tokenizer "ascii" with '_' as a letter only cuts them apart. (Its
// "unicode61" would fold by tables of its own, and cut at characters that are letters here.)
//
// Statements that differ in their constants only share one entry of the full-text index. Which words are
// constants is a guess that costs nothing when it is wrong: every word of a text is either in its shape or
// among its constants, and both are looked at.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/case_fold.h"

namespace sluice::record {

constexpr bool is_word_byte(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c > 127;
}

// Numbers, and long hexadecimal digits (of a digest).
constexpr bool is_constant_word(std::string_view word) {
  constexpr std::size_t kDigits = 8;
  if (word.front() >= '0' && word.front() <= '9') return true;
  if (word.size() < kDigits) return false;
  for (char c : word) {
    const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (!hex) return false;
  }
  return true;
}

// Calls `each(word, constant)` for each word in order. What stands between single quotes is a constant too.
template <class Each>
void each_word(std::string_view text, Each each) {
  bool quoted = false;
  for (std::size_t at = 0; at < text.size();) {
    if (!is_word_byte(static_cast<unsigned char>(text[at]))) {
      if (text[at] == '\'') quoted = !quoted;
      ++at;
      continue;
    }
    const auto begin = at;
    while (at < text.size() && is_word_byte(static_cast<unsigned char>(text[at]))) ++at;
    const auto word = text.substr(begin, at - begin);
    each(word, quoted || is_constant_word(word));
  }
}

// Appends the words that are no constants, without their case and with a space behind each; "? " stands for
// any number of constants. Calls `constant(word)` for each of those, as it stands.
template <class Constant>
void append_shape(std::string& out, std::string_view text, Constant constant) {
  bool after_constant = false;
  each_word(text, [&](std::string_view word, bool is_constant) {
    if (is_constant) {
      constant(word);
      if (!after_constant) out.append("? ");
    } else {
      fold_case(out, word);
      out.push_back(' ');
    }
    after_constant = is_constant;
  });
}

// What somebody looks for: the words between spaces, each of which may be several in our sense ("near(x)"),
// which must then follow each other.
class Phrases {
 public:
  explicit Phrases(std::string_view asked);

  bool empty() const { return phrases_.empty(); }  // no word at all: every text has them
  bool are_in(std::string_view text) const;
  // All words of all phrases, without their case.
  template <class Each>
  void each(Each each) const {
    for (const auto& phrase : phrases_) {
      for (const auto& word : phrase) each(std::string_view{word});
    }
  }

 private:
  std::vector<std::vector<std::string>> phrases_;
};

}  // namespace sluice::record
