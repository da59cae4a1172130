// Globs prepared for matching. NamePattern is for collections and fields, which are read broadly or narrowly
// (model/pattern.h); ValuePattern for values that people and identity providers chose (principals, groups,
// claims, connections), which are always compared exactly.
//
// Most patterns are literals ("public.docs") or prefixes ("public.*"). A Name carries its lower-case form,
// made once per operation, so that these cost one comparison of bytes; literals can be found by hash
// (policy/rule_index.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::policy {

enum class Reading : std::uint8_t { broad, narrow };
constexpr Reading opposite(Reading reading) {
  return reading == Reading::broad ? Reading::narrow : Reading::broad;
}

// A name as it comes with an operation. Both texts must outlive it.
struct Name {
  std::string_view text;
  std::string_view folded;  // in lower case (ASCII)
};
// Writes `text` in lower case to `out`, which has room for it.
void fold_to(std::string_view text, char* out);

class NamePattern {
 public:
  explicit NamePattern(std::string glob);

  // Collections: covers_name broadly, glob_matches narrowly.
  bool matches(const Name& name, Reading reading) const;
  // Fields and JSON paths: covers_path broadly, glob_matches narrowly.
  bool matches_path(std::string_view path, Reading reading) const;
  // "*": everything, also an operation that touches nothing.
  bool any() const { return kind_ == Kind::any; }
  bool literal() const { return kind_ == Kind::literal; }
  bool prefix() const { return kind_ == Kind::prefix; }
  const std::string& text() const { return text_; }
  // Literal: in lower case. Prefix: that, without the star. A name that the pattern matches, in either
  // reading, is or starts with this; or what follows one of its dots is or does.
  const std::string& folded() const { return folded_; }

 private:
  enum class Kind : std::uint8_t { any, literal, prefix, glob };
  std::string text_;
  std::string folded_;  // literal: in lower case; prefix: that without the star
  Kind kind_;
  bool bare_;  // no dot: stands for the name in every schema when read broadly
};

class ValuePattern {
 public:
  explicit ValuePattern(std::string glob);
  bool matches(std::string_view value) const;
  bool literal() const { return literal_; }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  bool literal_;
};

}  // namespace sluice::policy
