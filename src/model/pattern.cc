#include "model/pattern.h"

#include <cstddef>

namespace sluice {
namespace {

char folded(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}
bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

// One step of backtracking is enough: a later star makes an earlier one's choice irrelevant.
template <bool kFold>
bool match(std::string_view pattern, std::string_view text) {
  constexpr std::size_t kNone = std::string_view::npos;
  std::size_t p = 0, t = 0, star = kNone, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
      continue;
    }
    if (p < pattern.size() && pattern[p] == '?') {
      ++p, ++t;
      while (t < text.size() && continues_character(text[t])) ++t;
      continue;
    }
    if (p < pattern.size()) {
      std::size_t literal = pattern[p] == '\\' && p + 1 < pattern.size() ? p + 1 : p;
      bool same = kFold ? folded(pattern[literal]) == folded(text[t]) : pattern[literal] == text[t];
      if (same) {
        p = literal + 1;
        ++t;
        continue;
      }
    }
    if (star == kNone) return false;
    p = star + 1;
    t = ++resume;
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view text) {
  return match<false>(pattern, text);
}
bool glob_matches_folded(std::string_view pattern, std::string_view text) {
  return match<true>(pattern, text);
}

bool covers_name(std::string_view pattern, std::string_view name) {
  if (match<true>(pattern, name)) return true;
  if (pattern.contains('.')) return false;
  for (std::size_t dot = name.find('.'); dot != name.npos; dot = name.find('.', dot + 1)) {
    if (match<true>(pattern, name.substr(dot + 1))) return true;
  }
  return false;
}

bool covers_path(std::string_view pattern, std::string_view path) {
  bool any_step = !pattern.contains('.');
  std::size_t start = 0;
  while (true) {
    // Each prefix of what starts here: a pattern covers everything below the path that it names.
    for (std::size_t end = path.find('.', start);; end = path.find('.', end + 1)) {
      if (match<true>(pattern, path.substr(start, end == path.npos ? end : end - start))) return true;
      if (end == path.npos || any_step) break;
    }
    if (!any_step) return false;
    std::size_t dot = path.find('.', start);
    if (dot == path.npos) return false;
    start = dot + 1;
  }
}

}  // namespace sluice
