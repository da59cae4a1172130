#include "app/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <sstream>

namespace sluice::app {
namespace {

// Builds the tree from parser events: events show anchors, tags and repeated keys, which YAML::Node hides.
class Builder final : public YAML::EventHandler {
 public:
  explicit Builder(std::string_view name) : name_(name) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) problem(mark, "one document only");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    check(mark, "", anchor);
    add(mark, YamlNode{});
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    problem(mark, "aliases are not read here");
    add(mark, YamlNode{});
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check(mark, tag, anchor);
    YamlNode node;
    // Plain scalars have the tag "?", quoted ones "!". A plain ~ or null, or nothing, is null.
    const bool null = tag != "!" && (value.empty() || value == "~" || value == "null");
    node.kind = null ? YamlNode::Kind::null : YamlNode::Kind::scalar;
    node.text = value;
    add(mark, std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    check(mark, tag, anchor);
    open(mark, YamlNode::Kind::sequence);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    check(mark, tag, anchor);
    open(mark, YamlNode::Kind::mapping);
  }
  void OnMapEnd() override { close(); }

  Result<YamlNode> finish() {
    if (!problem_.empty()) return fail(Errc::malformed, "{}", problem_);
    return std::move(root_);
  }

 private:
  struct Level {
    YamlNode node;
    std::string key;
    bool has_key = false;
  };

  std::string place(const YAML::Mark& mark) const {
    return fmt::format("{}:{}:{}", name_, mark.line + 1, mark.column + 1);
  }
  void problem(const YAML::Mark& mark, std::string_view what) {
    if (problem_.empty()) problem_ = fmt::format("{}: {}", place(mark), what);
  }
  void check(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (anchor != 0) problem(mark, "anchors are not read here");
    if (!tag.empty() && tag != "?" && tag != "!") problem(mark, "tags are not read here");
  }

  void open(const YAML::Mark& mark, YamlNode::Kind kind) {
    if (levels_.size() >= kMaxYamlDepth) problem(mark, "nested too deeply");
    if (!problem_.empty()) {  // nothing more is kept; closes are counted only
      ++skipped_;
      return;
    }
    Level level;
    level.node.kind = kind;
    level.node.origin = place(mark);
    levels_.push_back(std::move(level));
  }
  void close() {
    if (skipped_ > 0) {
      --skipped_;
      return;
    }
    if (levels_.empty()) return;
    auto done = std::move(levels_.back().node);
    levels_.pop_back();
    put(std::move(done));
  }
  void add(const YAML::Mark& mark, YamlNode node) {
    if (!problem_.empty()) return;
    node.origin = place(mark);
    put(std::move(node));
  }
  void put(YamlNode node) {
    if (levels_.empty()) {
      root_ = std::move(node);
      return;
    }
    auto& level = levels_.back();
    if (level.node.kind == YamlNode::Kind::sequence) {
      level.node.entries.emplace_back("", std::move(node));
    } else if (!level.has_key) {
      if (node.kind != YamlNode::Kind::scalar) {
        if (problem_.empty()) problem_ = node.origin + ": a key must be text";
        return;
      }
      if (level.node.find(node.text) != nullptr && problem_.empty()) {
        problem_ = fmt::format("{}: key \"{}\" appears twice", node.origin, node.text);
      }
      level.key = std::move(node.text);
      level.has_key = true;
    } else {
      level.node.entries.emplace_back(std::move(level.key), std::move(node));
      level.has_key = false;
    }
  }

  std::string_view name_;
  std::vector<Level> levels_;
  YamlNode root_;
  std::string problem_;
  int documents_ = 0;
  std::size_t skipped_ = 0;
};

}  // namespace

YamlNode* YamlNode::find(std::string_view key) {
  for (auto& [name, node] : entries) {
    if (name == key) return &node;
  }
  return nullptr;
}
const YamlNode* YamlNode::find(std::string_view key) const {
  return const_cast<YamlNode*>(this)->find(key);
}

std::string_view to_string(YamlNode::Kind kind) {
  switch (kind) {
    case YamlNode::Kind::null: return "nothing";
    case YamlNode::Kind::scalar: return "a value";
    case YamlNode::Kind::sequence: return "a list";
    case YamlNode::Kind::mapping: return "a mapping";
  }
  return "nothing";
}

Result<YamlNode> parse_yaml(std::string_view text, std::string_view name) {
  if (text.size() > kMaxYamlBytes)
    return fail(Errc::too_large, "{}: longer than {} bytes", name, kMaxYamlBytes);
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser{in};
    Builder builder{name};
    while (parser.HandleNextDocument(builder)) {
    }
    return builder.finish();
  } catch (const YAML::Exception& e) {
    return fail(Errc::malformed, "{}:{}:{}: {}", name, e.mark.line + 1, e.mark.column + 1, e.msg);
  }
}

}  // namespace sluice::app
