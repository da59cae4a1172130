// Typed fields out of a YAML tree. Each function reads one value, reports what is wrong with it at its place,
// and answers nullopt (or fewer items) then; so a file's problems all come out in one pass.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policy/yaml_tree.h"

namespace sluice::policy {

inline constexpr std::size_t kMaxTextBytes = 2048;  // of one value: a message for people is the longest
inline constexpr std::size_t kMaxItems = 256;       // in one list
inline constexpr std::uint64_t kMaxCount = 1'000'000'000'000;  // of records: more is a typing mistake

// One mapping and the keys that it may have. Unknown keys are reported when it is made, with the nearest
// known one.
class Mapping {
 public:
  // `what` names it in messages: "a rule", "match". A node that is no mapping is reported, and has no keys.
  Mapping(const YamlNode& node, std::string_view what, std::span<const std::string_view> known,
          Problems& problems);
  Mapping(const YamlNode& node, std::string_view what, std::initializer_list<std::string_view> known,
          Problems& problems)
      : Mapping(node, what, std::span{known.begin(), known.size()}, problems) {}

  const YamlNode* find(std::string_view key) const { return usable_ ? node_.find(key) : nullptr; }
  // Reports a key that must be there.
  const YamlNode* need(std::string_view key, std::string_view hint = {}) const;
  bool usable() const { return usable_; }
  Place place() const { return node_.place; }

 private:
  const YamlNode& node_;
  std::string_view what_;
  Problems& problems_;
  bool usable_;
};

// `what` is the key, for messages.
std::optional<std::string> read_text(const YamlNode& node, std::string_view what, Problems& problems);
std::optional<bool> read_bool(const YamlNode& node, std::string_view what, Problems& problems);
std::optional<std::uint64_t> read_count(const YamlNode& node, std::string_view what, std::uint64_t min,
                                        std::uint64_t max, Problems& problems);
// "90s", "30m", "1h", "7d".
std::optional<std::chrono::seconds> read_duration(const YamlNode& node, std::string_view what,
                                                  std::chrono::seconds min, std::chrono::seconds max,
                                                  Problems& problems);
std::optional<std::chrono::seconds> duration_from(std::string_view text);
std::string format_duration(std::chrono::seconds duration);

// One word of a closed list, with "did you mean".
std::optional<std::string_view> read_word(const YamlNode& node, std::string_view what,
                                          std::span<const std::string_view> words, Problems& problems);

// A list, or a single value that stands for a list of one. Empty lists are errors: they would match nothing.
struct TextItem {
  std::string text;
  Place place;
};
std::vector<TextItem> read_list(const YamlNode& node, std::string_view what, Problems& problems);

// The word nearest to `text` by edit distance, when it is near enough to be meant.
std::optional<std::string_view> nearest(std::string_view text, std::span<const std::string_view> words);
std::string did_you_mean(std::string_view text, std::span<const std::string_view> words);

}  // namespace sluice::policy
