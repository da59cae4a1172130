#include "policy/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>
#include <tuple>

#include "core/encoding.h"

namespace sluice::policy {
namespace {

Place place_of(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {static_cast<std::uint32_t>(mark.line + 1), static_cast<std::uint32_t>(mark.column + 1)};
}

// Builds the tree from the parser's events. Collections below kMaxDepth and nodes beyond kMaxNodes are
// counted, not kept, so that a hostile text costs no more than its own bytes.
class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(Problems& problems) : problems_(problems) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add({.kind = YamlNode::Kind::null, .plain = true, .place = place_of(mark)}, "?", anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    problems_.error(place_of(mark), "aliases are not allowed", "write the value out");
    add({.kind = YamlNode::Kind::null, .place = place_of(mark)}, "?", 0);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    add({.kind = YamlNode::Kind::scalar, .plain = tag == "?", .place = place_of(mark), .text = value}, tag,
        anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open({.kind = YamlNode::Kind::sequence, .place = place_of(mark)}, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open({.kind = YamlNode::Kind::mapping, .place = place_of(mark)}, tag, anchor);
  }
  void OnMapEnd() override { close(); }

  std::optional<YamlNode> take() { return std::move(root_); }

 private:
  struct Level {
    YamlNode node;
    std::optional<YamlNode> key;  // of a mapping: waits for its value
  };

  void check(Place place, const std::string& tag, YAML::anchor_t anchor) {
    if (anchor != 0)
      problems_.error(place, "anchors are not allowed", "write the value out where it is used");
    if (tag != "?" && tag != "!" && !tag.empty())
      problems_.error(place, "tags are not allowed", "leave it out");
  }

  bool within_limits(Place place) {
    if (++nodes_ <= kMaxNodes) return true;
    if (nodes_ == kMaxNodes + 1) problems_.error(place, fmt::format("more than {} values", kMaxNodes));
    return false;
  }

  void add(YamlNode node, const std::string& tag, YAML::anchor_t anchor) {
    check(node.place, tag, anchor);
    if (skipped_ > 0 || !within_limits(node.place)) return;
    place_in_parent(std::move(node));
  }

  void open(YamlNode node, const std::string& tag, YAML::anchor_t anchor) {
    check(node.place, tag, anchor);
    if (skipped_ > 0 || levels_.size() >= kMaxDepth || !within_limits(node.place)) {
      if (skipped_ == 0 && levels_.size() >= kMaxDepth) {
        problems_.error(node.place, fmt::format("nested deeper than {} levels", kMaxDepth));
      }
      ++skipped_;
      return;
    }
    levels_.push_back({std::move(node), std::nullopt});
  }

  void close() {
    if (skipped_ > 0) {
      // What was skipped still fills its place, so that keys and values stay in step.
      if (--skipped_ == 0) place_in_parent({.kind = YamlNode::Kind::null, .place = {}});
      return;
    }
    YamlNode node = std::move(levels_.back().node);
    levels_.pop_back();
    place_in_parent(std::move(node));
  }

  void place_in_parent(YamlNode node) {
    if (levels_.empty()) {
      root_ = std::move(node);
      return;
    }
    Level& parent = levels_.back();
    if (parent.node.kind == YamlNode::Kind::sequence) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.key) {
      parent.key = std::move(node);
    } else {
      add_entry(parent.node, std::move(*parent.key), std::move(node));
      parent.key.reset();
    }
  }

  void add_entry(YamlNode& mapping, YamlNode key, YamlNode value) {
    if (key.kind != YamlNode::Kind::scalar) {
      problems_.error(key.place.line ? key.place : mapping.place, "a key must be a word");
      return;
    }
    if (key.text == "<<") {
      problems_.error(key.place, "merge keys are not allowed", "write the keys out");
      return;
    }
    if (auto first = std::ranges::find(mapping.keys, key.text, &YamlNode::text);
        first != mapping.keys.end()) {
      problems_.error(key.place, fmt::format("duplicate key '{}'", key.text),
                      fmt::format("first given in line {}", first->place.line));
      return;
    }
    if (mapping.keys.size() >= kMaxKeys) {
      problems_.error(key.place, fmt::format("more than {} keys", kMaxKeys));
      return;
    }
    mapping.keys.push_back(std::move(key));
    mapping.items.push_back(std::move(value));
  }

  static constexpr std::size_t kMaxKeys = 256;  // per mapping; looking for duplicates is quadratic

  Problems& problems_;
  std::vector<Level> levels_;
  std::optional<YamlNode> root_;
  std::size_t nodes_ = 0;
  std::size_t skipped_ = 0;  // levels below the one that is left out
};

// YAML allows hardly any control characters; the parser lets them through.
std::optional<Place> find_control_character(std::string_view text) {
  Place place{1, 1};
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto c = static_cast<unsigned char>(text[i]);
    if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f) return place;
    if (c == '\n') {
      ++place.line;
      place.column = 1;
    } else if ((c & 0xC0) != 0x80) {
      ++place.column;
    }
  }
  return std::nullopt;
}

}  // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
  auto found = std::ranges::find(keys, key, &YamlNode::text);
  return found == keys.end() ? nullptr : &items[static_cast<std::size_t>(found - keys.begin())];
}

void Problems::add(Severity severity, Place place, std::string message, std::string hint) {
  failed_ = failed_ || severity == Severity::error;
  if (problems_.size() > kMaxProblems) return;
  if (problems_.size() == kMaxProblems) {
    problems_.push_back({Severity::error, file_, 0, 0, "too many problems; the rest is not shown", {}});
    return;
  }
  problems_.push_back({severity, file_, place.line, place.column, std::move(message), std::move(hint)});
}

std::vector<Problem> Problems::take() {
  std::ranges::sort(problems_, {}, [](const Problem& p) { return std::tie(p.line, p.column, p.message); });
  return std::exchange(problems_, {});
}

std::optional<YamlNode> read_yaml(std::string_view text, std::size_t max_bytes, Problems& problems) {
  if (text.size() > max_bytes) {
    problems.error({}, fmt::format("larger than {} bytes", max_bytes));
    return std::nullopt;
  }
  if (!is_valid_utf8(text)) {
    problems.error({}, "not valid UTF-8");
    return std::nullopt;
  }
  if (auto place = find_control_character(text)) {
    problems.error(*place, "control characters are not allowed");
    return std::nullopt;
  }
  TreeBuilder builder{problems};
  try {
    std::istringstream in{std::string{text}};
    YAML::Parser parser{in};
    if (!parser.HandleNextDocument(builder)) {
      problems.error({}, "the file is empty");
      return std::nullopt;
    }
    std::optional<YamlNode> root = builder.take();
    TreeBuilder rest{problems};
    if (parser.HandleNextDocument(rest)) {
      auto second = rest.take();
      problems.error(second ? second->place : Place{}, "more than one document in the file",
                     "use one file for each");
    }
    if (!root || root->kind == YamlNode::Kind::null) {
      problems.error({}, "the file is empty");
      return std::nullopt;
    }
    return root;
  } catch (const YAML::Exception& e) {
    problems.error(place_of(e.mark), fmt::format("not valid YAML: {}", e.msg));
  } catch (const std::exception& e) {
    problems.error({}, fmt::format("not readable: {}", e.what()));
  }
  return std::nullopt;
}

}  // namespace sluice::policy
