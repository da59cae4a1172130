#include "record/index_words.h"

#include <algorithm>

namespace sluice::record {
namespace {

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  each_word(text, [&](std::string_view word, bool) { words.push_back(fold_case(word)); });
  return words;
}

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

}  // namespace

Phrases::Phrases(std::string_view asked) {
  while (!asked.empty()) {
    std::size_t n = 0;
    while (n < asked.size() && !is_space(asked[n])) ++n;
    if (auto words = words_of(asked.substr(0, n)); !words.empty()) phrases_.push_back(std::move(words));
    asked.remove_prefix(std::min(asked.size(), n + 1));
  }
}

bool Phrases::are_in(std::string_view text) const {
  const auto words = words_of(text);
  return std::ranges::all_of(phrases_,
                             [&](const auto& phrase) { return !std::ranges::search(words, phrase).empty(); });
}

}  // namespace sluice::record
