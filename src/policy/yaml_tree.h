// A YAML text as a tree of nodes that know their place, read strictly: one document, no anchors, aliases,
// tags or merge keys, no duplicate keys, bounded size, depth and number of nodes. What is refused is reported
// with its place, and reading goes on as far as it makes sense.
//
// Scalars are text. Whether `no` is a word or a boolean is for the reader of the field to say
// (policy/yaml_reader.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/problem.h"
#include "policy/rule.h"

namespace sluice::policy {

inline constexpr std::size_t kMaxDepth = 16;       // a rule needs 6
inline constexpr std::size_t kMaxNodes = 200'000;  // about 60 MB at the worst
inline constexpr std::size_t kMaxProblems = 200;   // per file; nobody reads more

struct YamlNode {
  enum class Kind : std::uint8_t { null, scalar, sequence, mapping };
  Kind kind = Kind::null;
  bool plain = false;  // a scalar without quotes
  Place place;
  std::string text;             // scalar
  std::vector<YamlNode> keys;   // mapping: scalars, unique
  std::vector<YamlNode> items;  // sequence; mapping: items[i] is the value of keys[i]

  const YamlNode* find(std::string_view key) const;
};

// Collects the problems of one file.
class Problems {
 public:
  explicit Problems(std::string_view file) : file_(file) {}
  void error(Place place, std::string message, std::string hint = {}) {
    add(Severity::error, place, std::move(message), std::move(hint));
  }
  void warn(Place place, std::string message, std::string hint = {}) {
    add(Severity::warning, place, std::move(message), std::move(hint));
  }
  bool failed() const { return failed_; }
  const std::string& file() const { return file_; }
  std::vector<Problem> take();  // sorted by place

 private:
  void add(Severity severity, Place place, std::string message, std::string hint);
  std::string file_;
  std::vector<Problem> problems_;
  bool failed_ = false;
};

// nullopt: not readable at all, or empty. A problem says so.
std::optional<YamlNode> read_yaml(std::string_view text, std::size_t max_bytes, Problems& problems);

}  // namespace sluice::policy
