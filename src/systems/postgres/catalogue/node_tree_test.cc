#include "systems/postgres/catalogue/node_tree.h"

#include <gtest/gtest.h>

namespace sluice::postgres {
namespace {

TEST(NodeTree, ReadsNodesListsAndWords) {
  auto tree = NodeTree::parse(R"(({VAR :varno 1 :names ("a" "b\ c") :none <>} (i 1 2)))");
  ASSERT_TRUE(tree) << tree.error().detail;
  const TreeValue& root = tree->root();
  ASSERT_EQ(root.items.size(), 2u);
  EXPECT_TRUE(root.items[0].is_node("VAR"));
  EXPECT_EQ(root.items[0].field("varno")->text, "1");
  EXPECT_EQ(root.items[0].field("names")->items[1].text, R"("b\ c")");
  EXPECT_TRUE(root.items[0].field("none")->is_null());
  EXPECT_EQ(root.items[0].field("other"), nullptr);
  EXPECT_EQ(root.items[1].items.size(), 3u);
}

// A name stands where a value does: it cannot be a field, whatever it is.
TEST(NodeTree, NamesAreNoFields) {
  auto tree = NodeTree::parse(R"({ALIAS :aliasname :varno\ 7 :colnames \{\(<>})");
  ASSERT_TRUE(tree) << tree.error().detail;
  EXPECT_EQ(tree->root().names.size(), 2u);
  EXPECT_EQ(tree->root().field("aliasname")->text, R"(:varno\ 7)");
  auto bracket = NodeTree::parse(R"({TARGETENTRY :resname [ :resno 1})");
  ASSERT_TRUE(bracket);
  EXPECT_EQ(bracket->root().field("resname")->text, "[");
}

TEST(NodeTree, AConstantHasItsBytes) {
  auto tree = NodeTree::parse("{CONST :constvalue 4 [ 1 0 0 -1 ] :next 2}");
  ASSERT_TRUE(tree);
  EXPECT_EQ(tree->root().field("constvalue")->text, "4");
  EXPECT_EQ(tree->root().field("next")->text, "2");
  EXPECT_TRUE(NodeTree::parse("{CONST :constvalue <> :next 2}"));
}

TEST(NodeTree, WhatIsNoTreeIsRefused) {
  for (const char* text :
       {"", "(", "{", "{}", "{VAR", "{VAR varno 1}", "{VAR :varno}", "{VAR :varno 1 2}", ")", "(1))",
        "{VAR :a 1 :a 2}", "{CONST :constvalue 4 [ 1", "{VAR :a [ 1 ]}", "{VAR : 1}"}) {
    EXPECT_FALSE(NodeTree::parse(text)) << text;
  }
}

TEST(NodeTree, IsBounded) {
  const std::string deep(NodeTree::kMaxDepth, '(');
  const std::string close(NodeTree::kMaxDepth, ')');
  EXPECT_TRUE(NodeTree::parse("(" + deep + close + ")"));
  EXPECT_EQ(NodeTree::parse("((" + deep + close + "))").error().code, Errc::too_large);
  EXPECT_FALSE(NodeTree::parse(std::string(NodeTree::kMaxBytes + 1, ' ')));
  std::string fields = "{VAR";
  for (std::size_t i = 0; i <= NodeTree::kMaxFields; ++i) fields += " :f" + std::to_string(i) + " 1";
  EXPECT_FALSE(NodeTree::parse(fields + "}"));
}

}  // namespace
}  // namespace sluice::postgres
