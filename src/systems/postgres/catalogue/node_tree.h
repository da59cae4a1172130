// NodeTree: the text form of PostgreSQL's internal trees (type pg_node_tree: pg_rewrite.ev_action and the
// like), as nodes, lists and words, without knowing what they mean.
//
//   TRY(NodeTree tree, NodeTree::parse(text));        // `text` must outlive the tree
//   for (const TreeValue& query : tree.root().items) ...
//   const TreeValue* kind = query.field("commandType");
//
// Grammar (nodes/read.c, outfuncs.c), read strictly:
//
//   value = '{' TAG (':' name value)* '}' | '(' value* ')' | word      '<>' is a null; names escape with '\'
//
// A name of an object stands where a value does, whatever it looks like, so nobody can name a column so that
// it reads as a field. The one value that is more than one word is a constant's datum, "4 [ 1 0 0 0 ]".
//
// What a server answers is untrusted: size and depth are bounded, and a field that comes twice is an error.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"

namespace sluice::postgres {

struct TreeValue {
  enum class Kind : unsigned char { word, list, node };
  Kind kind = Kind::word;
  std::string_view text;                // of a word as written; of a node its tag: "VAR"
  std::vector<TreeValue> items;         // of a list, or the values of a node's fields
  std::vector<std::string_view> names;  // of a node's fields, aligned with `items`

  bool is_node(std::string_view tag) const { return kind == Kind::node && text == tag; }
  bool is_null() const { return kind == Kind::word && text == "<>"; }
  // nullptr: it is no node, or has no such field.
  const TreeValue* field(std::string_view name) const;
};

class NodeTree {
 public:
  // A view of a thousand columns takes about half a megabyte; what is longer is refused by the reader.
  static constexpr std::size_t kMaxBytes = 1024 * 1024;
  // Levels of nesting: readers of the tree recurse. PostgreSQL's grammar makes three for each operator in a
  // chain.
  static constexpr unsigned kMaxDepth = 600;

  // Fields of a node; the largest, QUERY, has some fifty.
  static constexpr std::size_t kMaxFields = 128;

  static Result<NodeTree> parse(std::string_view text);
  const TreeValue& root() const { return root_; }

 private:
  TreeValue root_;
};

}  // namespace sluice::postgres
