// Globs prepared for matching. NamePattern is for collections and fields, which are read broadly or narrowly
// (model/pattern.h); ValuePattern for values that people and identity providers chose (principals, groups,
// claims, connections), which are always compared exactly.
//
// A literal pattern, the usual case, costs one comparison of hashes per name: a Name carries its hash, made
// once per operation.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::policy {

enum class Reading : std::uint8_t { broad, narrow };
constexpr Reading opposite(Reading reading) {
  return reading == Reading::broad ? Reading::narrow : Reading::broad;
}

// A name as it comes with an operation. The text must outlive it.
struct Name {
  Name() = default;
  explicit Name(std::string_view name);
  std::string_view text;
  std::uint64_t folded_hash = 0;  // of the text in lower case
};

class NamePattern {
 public:
  explicit NamePattern(std::string glob);

  // Collections: covers_name broadly, glob_matches narrowly.
  bool matches(const Name& name, Reading reading) const;
  // Fields and JSON paths: covers_path broadly, glob_matches narrowly.
  bool matches_path(std::string_view path, Reading reading) const;
  // "*": everything, also an operation that touches nothing.
  bool any() const { return text_ == "*"; }
  bool literal() const { return literal_; }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::uint64_t folded_hash_;
  bool literal_;  // no special characters
  bool bare_;     // no dot: stands for the name in every schema when read broadly
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
