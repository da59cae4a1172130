#include "policy/name_pattern.h"

#include <algorithm>
#include <utility>

#include "model/pattern.h"

namespace sluice::policy {
namespace {

char folded(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

bool is_literal(std::string_view glob) {
  return glob.find_first_of("*?\\") == glob.npos;
}

}  // namespace

void fold_to(std::string_view text, char* out) {
  std::ranges::transform(text, out, folded);
}

NamePattern::NamePattern(std::string glob)
    : text_(std::move(glob)), kind_(Kind::glob), bare_(!text_.contains('.')) {
  std::string_view start = std::string_view{text_}.substr(0, text_.size() - (text_.ends_with('*') ? 1 : 0));
  if (text_ == "*") {
    kind_ = Kind::any;
  } else if (is_literal(start)) {
    kind_ = start.size() == text_.size() ? Kind::literal : Kind::prefix;
    folded_.resize(start.size());
    fold_to(start, folded_.data());
  }
}

bool NamePattern::matches(const Name& name, Reading reading) const {
  if (kind_ == Kind::any) return true;
  if (kind_ == Kind::glob || (kind_ == Kind::prefix && bare_ && reading == Reading::broad)) {
    return reading == Reading::broad ? covers_name(text_, name.text) : glob_matches(text_, name.text);
  }
  if (kind_ == Kind::prefix) {
    return name.folded.starts_with(folded_) &&
           (reading == Reading::broad ||
            name.text.starts_with(std::string_view{text_}.substr(0, folded_.size())));
  }
  if (name.folded == folded_) return reading == Reading::broad || name.text == text_;
  if (reading == Reading::narrow || !bare_ || name.folded.size() <= folded_.size()) return false;
  return name.folded[name.folded.size() - folded_.size() - 1] == '.' && name.folded.ends_with(folded_);
}

bool NamePattern::matches_path(std::string_view path, Reading reading) const {
  if (any()) return true;
  if (reading == Reading::broad) return covers_path(text_, path);
  return literal() ? text_ == path : glob_matches(text_, path);
}

ValuePattern::ValuePattern(std::string glob) : text_(std::move(glob)), literal_(is_literal(text_)) {}

bool ValuePattern::matches(std::string_view value) const {
  return literal_ ? text_ == value : glob_matches(text_, value);
}

}  // namespace sluice::policy
