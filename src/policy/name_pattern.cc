#include "policy/name_pattern.h"

#include <utility>

#include "model/pattern.h"

namespace sluice::policy {
namespace {

char folded(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

// FNV-1a. It only sorts out what cannot be equal; a match is always confirmed on the text.
std::uint64_t hash_folded(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (char c : text) hash = (hash ^ static_cast<unsigned char>(folded(c))) * 0x100000001b3u;
  return hash;
}

bool equal_folded(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (folded(a[i]) != folded(b[i])) return false;
  }
  return true;
}

bool is_literal(std::string_view glob) {
  return glob.find_first_of("*?\\") == glob.npos;
}

}  // namespace

Name::Name(std::string_view name) : text(name), folded_hash(hash_folded(name)) {}

NamePattern::NamePattern(std::string glob)
    : text_(std::move(glob)),
      folded_hash_(hash_folded(text_)),
      literal_(is_literal(text_)),
      bare_(!text_.contains('.')) {}

bool NamePattern::matches(const Name& name, Reading reading) const {
  if (any()) return true;
  if (!literal_) {
    return reading == Reading::broad ? covers_name(text_, name.text) : glob_matches(text_, name.text);
  }
  if (folded_hash_ == name.folded_hash) {
    return reading == Reading::broad ? equal_folded(text_, name.text) : text_ == name.text;
  }
  if (reading == Reading::narrow || !bare_ || name.text.size() <= text_.size()) return false;
  std::size_t tail = name.text.size() - text_.size();
  return name.text[tail - 1] == '.' && equal_folded(text_, name.text.substr(tail));
}

bool NamePattern::matches_path(std::string_view path, Reading reading) const {
  if (any()) return true;
  if (reading == Reading::broad) return covers_path(text_, path);
  return literal_ ? text_ == path : glob_matches(text_, path);
}

ValuePattern::ValuePattern(std::string glob) : text_(std::move(glob)), literal_(is_literal(text_)) {}

bool ValuePattern::matches(std::string_view value) const {
  return literal_ ? text_ == value : glob_matches(text_, value);
}

}  // namespace sluice::policy
