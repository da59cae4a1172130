#include "systems/postgres/catalogue/node_tree.h"

#include <algorithm>

namespace sluice::postgres {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}
bool ends_word(char c) {
  return is_space(c) || c == '(' || c == ')' || c == '{' || c == '}';
}

class TreeParser {
 public:
  explicit TreeParser(std::string_view text) : rest_(text) {}

  Result<TreeValue> whole() {
    TRY(TreeValue value, this->value(0));
    skip_spaces();
    if (!rest_.empty()) return malformed();
    return value;
  }

 private:
  static std::unexpected<Error> malformed() { return fail(Errc::malformed, "a definition is not a tree"); }

  void skip_spaces() {
    while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
  }
  bool take(char c) {
    skip_spaces();
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // As pg_strtok: up to a space or bracket that no backslash stands before. Empty: there is none.
  std::string_view word() {
    skip_spaces();
    std::size_t end = 0;
    while (end < rest_.size() && !ends_word(rest_[end])) {
      end += rest_[end] == '\\' && end + 1 < rest_.size() ? 2 : 1;
    }
    std::string_view taken = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return taken;
  }

  Result<TreeValue> value(unsigned depth) {
    if (depth > NodeTree::kMaxDepth) return fail(Errc::too_large, "a definition is nested too deep");
    if (take('{')) return node(depth);
    if (take('(')) return list(depth);
    TreeValue value;
    value.text = word();
    if (value.text.empty()) return malformed();
    return value;
  }

  Result<TreeValue> list(unsigned depth) {
    TreeValue list;
    list.kind = TreeValue::Kind::list;
    while (!take(')')) {
      TRY(TreeValue item, value(depth + 1));
      list.items.push_back(std::move(item));
    }
    return list;
  }

  Result<TreeValue> node(unsigned depth) {
    TreeValue node;
    node.kind = TreeValue::Kind::node;
    node.text = word();
    if (node.text.empty()) return malformed();
    while (!take('}')) {
      std::string_view name = word();
      if (name.size() < 2 || name.front() != ':' || node.names.size() == NodeTree::kMaxFields)
        return malformed();
      name.remove_prefix(1);
      if (std::ranges::find(node.names, name) != node.names.end()) return malformed();
      TRY(TreeValue item, value(depth + 1));
      if (name == "constvalue") CHECK_OK(datum());
      node.names.push_back(name);
      node.items.push_back(std::move(item));
    }
    return node;
  }

  // The bytes of a constant, after their count: `[ 1 0 0 0 ]`, or nothing after a null.
  Result<void> datum() {
    if (!take('[')) return {};
    for (std::string_view byte = word(); byte != "]"; byte = word()) {
      if (byte.empty()) return malformed();
    }
    return {};
  }

  std::string_view rest_;
};

}  // namespace

const TreeValue* TreeValue::field(std::string_view name) const {
  auto at = std::ranges::find(names, name);
  return at == names.end() ? nullptr : &items[static_cast<std::size_t>(at - names.begin())];
}

Result<NodeTree> NodeTree::parse(std::string_view text) {
  if (text.size() > kMaxBytes) return fail(Errc::too_large, "a definition has more than {} bytes", kMaxBytes);
  NodeTree tree;
  TRY(tree.root_, TreeParser(text).whole());
  return tree;
}

}  // namespace sluice::postgres
