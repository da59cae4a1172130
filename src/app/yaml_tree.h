// YAML as a plain tree with the place of each value, for configuration. A strict subset: mappings with plain
// text keys, sequences, scalars. Anchors, aliases, tags, repeated keys, several documents and anything nested
// deeper or longer than a configuration needs are errors with line and column.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"

namespace sluice::app {

inline constexpr std::size_t kMaxYamlBytes = 1 << 20;  // a configuration is a few KiB
inline constexpr std::size_t kMaxYamlDepth = 16;       // settings nest three levels deep

struct YamlEntry;

struct YamlNode {
  enum class Kind : std::uint8_t { null, scalar, sequence, mapping };
  Kind kind = Kind::null;
  std::string text;                // scalar
  std::vector<YamlEntry> entries;  // mapping; sequence with empty keys
  std::string origin;              // "sluice.yaml:3:5" or "environment SLUICE__A__B"

  YamlNode* find(std::string_view key);
  const YamlNode* find(std::string_view key) const;
};

struct YamlEntry {
  std::string key;
  YamlNode node;
};

std::string_view to_string(YamlNode::Kind kind);

// `name` is the file's name in origins and errors.
Result<YamlNode> parse_yaml(std::string_view text, std::string_view name);

}  // namespace sluice::app
