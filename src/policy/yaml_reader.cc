#include "policy/yaml_reader.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace sluice::policy {
namespace {

struct Unit {
  char letter;
  std::int64_t seconds;
};
constexpr std::array<Unit, 4> kUnits = {{{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}}};

std::string joined(std::span<const std::string_view> words) {
  return fmt::format("{}", fmt::join(words, ", "));
}

// What a value is, for messages about values of the wrong kind.
std::string_view kind_name(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::null: return "nothing";
    case YamlNode::Kind::scalar: return "a single value";
    case YamlNode::Kind::sequence: return "a list";
    case YamlNode::Kind::mapping: return "a block of keys";
  }
  return "something else";
}

std::optional<std::uint64_t> number_from(std::string_view text) {
  std::uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Optimal string alignment: insertions, deletions, changes, and neighbours swapped.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), row(b.size() + 1), next(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    next[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      next[j] = std::min({row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] == b[j - 1] ? 0u : 1u)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        next[j] = std::min(next[j], before[j - 2] + 1);
    }
    std::swap(before, row);
    std::swap(row, next);
  }
  return row[b.size()];
}

}  // namespace

Mapping::Mapping(const YamlNode& node, std::string_view what, std::span<const std::string_view> known,
                 Problems& problems)
    : node_(node), what_(what), problems_(problems), usable_(node.kind == YamlNode::Kind::mapping) {
  if (!usable_) {
    problems.error(node.place, fmt::format("{} must be a block of keys, not {}", what, kind_name(node)),
                   fmt::format("keys: {}", joined(known)));
    return;
  }
  for (const YamlNode& key : node.keys) {
    if (std::ranges::find(known, key.text) != known.end()) continue;
    std::string hint = did_you_mean(key.text, known);
    if (hint.empty()) hint = fmt::format("keys: {}", joined(known));
    problems.error(key.place, fmt::format("unknown key '{}' in {}", key.text, what), std::move(hint));
  }
}

const YamlNode* Mapping::need(std::string_view key, std::string_view hint) const {
  if (!usable_) return nullptr;
  const YamlNode* found = node_.find(key);
  if (!found) problems_.error(node_.place, fmt::format("{} needs '{}'", what_, key), std::string{hint});
  return found;
}

std::optional<std::string> read_text(const YamlNode& node, std::string_view what, Problems& problems) {
  if (node.kind != YamlNode::Kind::scalar) {
    problems.error(node.place, fmt::format("'{}' must be a text, not {}", what, kind_name(node)));
    return std::nullopt;
  }
  if (node.text.empty()) {
    problems.error(node.place, fmt::format("'{}' is empty", what));
    return std::nullopt;
  }
  if (node.text.size() > kMaxTextBytes) {
    problems.error(node.place, fmt::format("'{}' is longer than {} bytes", what, kMaxTextBytes));
    return std::nullopt;
  }
  return node.text;
}

std::optional<bool> read_bool(const YamlNode& node, std::string_view what, Problems& problems) {
  if (node.kind == YamlNode::Kind::scalar && node.plain) {
    if (node.text == "true") return true;
    if (node.text == "false") return false;
  }
  problems.error(node.place, fmt::format("'{}' must be true or false", what));
  return std::nullopt;
}

std::optional<std::uint64_t> read_count(const YamlNode& node, std::string_view what, std::uint64_t min,
                                        std::uint64_t max, Problems& problems) {
  auto value = node.kind == YamlNode::Kind::scalar && node.plain ? number_from(node.text) : std::nullopt;
  if (!value || *value < min || *value > max) {
    problems.error(node.place, fmt::format("'{}' must be a whole number from {} to {}", what, min, max));
    return std::nullopt;
  }
  return value;
}

std::optional<std::chrono::seconds> duration_from(std::string_view text) {
  if (text.size() < 2) return std::nullopt;
  auto unit = std::ranges::find(kUnits, text.back(), &Unit::letter);
  auto number = number_from(text.substr(0, text.size() - 1));
  constexpr std::uint64_t kMost = 1'000'000'000;  // seconds; about 31 years
  if (unit == kUnits.end() || !number || *number > kMost / static_cast<std::uint64_t>(unit->seconds)) {
    return std::nullopt;
  }
  return std::chrono::seconds{static_cast<std::int64_t>(*number) * unit->seconds};
}

std::string format_duration(std::chrono::seconds duration) {
  for (const Unit& unit : kUnits) {
    if (duration.count() != 0 && duration.count() % unit.seconds == 0) {
      return fmt::format("{}{}", duration.count() / unit.seconds, unit.letter);
    }
  }
  return fmt::format("{}s", duration.count());
}

std::optional<std::chrono::seconds> read_duration(const YamlNode& node, std::string_view what,
                                                  std::chrono::seconds min, std::chrono::seconds max,
                                                  Problems& problems) {
  auto value = node.kind == YamlNode::Kind::scalar ? duration_from(node.text) : std::nullopt;
  if (!value || *value < min || *value > max) {
    problems.error(node.place,
                   fmt::format("'{}' must be a duration from {} to {}", what, format_duration(min),
                               format_duration(max)),
                   "a number and s, m, h or d: 90s, 30m, 1h, 7d");
    return std::nullopt;
  }
  return value;
}

std::optional<std::string_view> read_word(const YamlNode& node, std::string_view what,
                                          std::span<const std::string_view> words, Problems& problems) {
  auto text = read_text(node, what, problems);
  if (!text) return std::nullopt;
  auto found = std::ranges::find(words, *text);
  if (found != words.end()) return *found;
  std::string hint = did_you_mean(*text, words);
  problems.error(node.place, fmt::format("'{}' cannot be '{}'", what, *text),
                 hint.empty() ? fmt::format("one of: {}", joined(words)) : hint);
  return std::nullopt;
}

std::vector<TextItem> read_list(const YamlNode& node, std::string_view what, Problems& problems) {
  std::vector<TextItem> items;
  if (node.kind != YamlNode::Kind::sequence) {
    if (auto text = read_text(node, what, problems)) items.push_back({std::move(*text), node.place});
    return items;
  }
  if (node.items.empty()) {
    problems.error(node.place, fmt::format("'{}' is an empty list, which matches nothing", what),
                   "leave the key out");
    return items;
  }
  if (node.items.size() > kMaxItems) {
    problems.error(node.place, fmt::format("'{}' has more than {} items", what, kMaxItems));
    return items;
  }
  for (const YamlNode& item : node.items) {
    if (auto text = read_text(item, what, problems)) items.push_back({std::move(*text), item.place});
  }
  return items;
}

std::optional<std::string_view> nearest(std::string_view text, std::span<const std::string_view> words) {
  constexpr std::size_t kLongest = 40;  // no key is longer, and the distance is quadratic
  if (text.size() > kLongest) return std::nullopt;
  std::optional<std::string_view> best;
  std::size_t best_distance = std::max<std::size_t>(1, std::min<std::size_t>(3, text.size() / 2)) + 1;
  for (std::string_view word : words) {
    if (std::size_t d = distance(text, word); d < best_distance) {
      best = word;
      best_distance = d;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view text, std::span<const std::string_view> words) {
  auto word = nearest(text, words);
  return word ? fmt::format("did you mean '{}'?", *word) : std::string{};
}

}  // namespace sluice::policy
