#include "systems/postgres/catalogue/name_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::postgres {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Name = NameHistory::Name;
using enum NameHistory::Committed;

constexpr Oid kDocs = 16400;

CatalogueContents docs_with(std::vector<std::string> columns, std::string name = "docs") {
  CatalogueContents contents;
  contents.database = "app";
  Relation docs{.oid = kDocs, .schema = "public", .name = std::move(name)};
  std::int16_t attnum = 0;
  for (std::string& column : columns) {
    ++attnum;
    if (!column.empty()) docs.columns.push_back({.attnum = attnum, .name = std::move(column)});
  }
  contents.relations.push_back(std::move(docs));
  return contents;
}

// What the column of that number was called otherwise.
std::vector<std::string> former(NameHistory& history, CatalogueContents contents, std::int16_t attnum,
                                NameHistory::Committed committed = yes) {
  history.follow(contents, committed);
  return contents.relations[0].column(attnum)->former_names;
}

TEST(NameHistory, ARenamedColumnIsKnownByItsNumber) {
  NameHistory history;
  EXPECT_THAT(former(history, docs_with({"id", "email"}), 2), IsEmpty());
  EXPECT_THAT(former(history, docs_with({"id", "contact"}), 2), ElementsAre("email"));
  EXPECT_THAT(former(history, docs_with({"id", "mail"}), 2), ElementsAre("email", "contact"));
  EXPECT_THAT(former(history, docs_with({"id", "mail"}), 1), IsEmpty());
}

TEST(NameHistory, SwappedColumnsHaveBothNames) {
  NameHistory history;
  former(history, docs_with({"title", "email"}), 1);
  EXPECT_THAT(former(history, docs_with({"email", "title"}), 1), ElementsAre("title"));
  EXPECT_THAT(former(history, docs_with({"email", "title"}), 2), ElementsAre("email"));
  EXPECT_THAT(former(history, docs_with({"title", "email"}), 1), ElementsAre("email"));
}

TEST(NameHistory, ARelationIsKnownByItsOid) {
  NameHistory history;
  auto contents = docs_with({"id"});
  history.follow(contents, yes);
  contents = docs_with({"id"}, "papers");
  contents.relations[0].schema = "archive";
  history.follow(contents, yes);
  EXPECT_THAT(contents.relations[0].former_names, ElementsAre("public.docs"));
  const auto all = history.former();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].name, (Name{"app", kDocs, 0, "public.docs"}));
  EXPECT_EQ(all[0].now, "archive.papers");
}

TEST(NameHistory, WhatIsDroppedIsForgotten) {
  NameHistory history;
  former(history, docs_with({"id", "email"}), 1);
  former(history, docs_with({"id", "contact"}), 1);
  former(history, docs_with({"id", "", "email"}), 1);
  EXPECT_THAT(history.former(), IsEmpty());
  history.take_changes();
  CatalogueContents empty;
  empty.database = "app";
  history.follow(empty, yes);
  EXPECT_EQ(history.take_changes().removed.size(), 3u);
}

TEST(NameHistory, AnOpenTransactionsNamesAreNotKept) {
  NameHistory history;
  former(history, docs_with({"id", "email"}), 2);
  EXPECT_THAT(former(history, docs_with({"id", "contact"}), 2, no), ElementsAre("email"));
  EXPECT_THAT(former(history, docs_with({"id", "email"}), 2), IsEmpty());
}

TEST(NameHistory, AnotherDatabasesNamesAreItsOwn) {
  NameHistory history;
  former(history, docs_with({"id", "email"}), 2);
  auto other = docs_with({"id", "contact"});
  other.database = "staging";
  EXPECT_THAT(former(history, other, 2), IsEmpty());
}

TEST(NameHistory, AnOperatorCanForget) {
  NameHistory history;
  former(history, docs_with({"id", "email"}), 2);
  former(history, docs_with({"id", "contact"}), 2);
  const Name email{"app", kDocs, 2, "email"};
  ASSERT_EQ(history.former().size(), 1u);
  EXPECT_EQ(history.former()[0].now, "public.docs.contact");
  EXPECT_FALSE(history.forget({"app", kDocs, 2, "contact"})) << "it is called so now";
  EXPECT_TRUE(history.forget(email));
  EXPECT_FALSE(history.forget(email));
  EXPECT_THAT(former(history, docs_with({"id", "contact"}), 2), IsEmpty());
}

TEST(NameHistory, ComesBackFromWhatWasStored) {
  NameHistory history;
  former(history, docs_with({"id", "email"}), 2);
  former(history, docs_with({"id", "contact"}), 2);
  const auto changes = history.take_changes();
  EXPECT_THAT(history.take_changes().added, IsEmpty());
  NameHistory again;
  again.restore(changes.added);
  EXPECT_THAT(again.take_changes().added, IsEmpty());
  EXPECT_THAT(former(again, docs_with({"id", "mail"}), 2), ElementsAre("email", "contact"));
  again.give_back(changes);
  EXPECT_EQ(again.take_changes().added.size(), changes.added.size() + 1);
}

TEST(NameHistory, TheFirstNamesOfAColumnAreKept) {
  NameHistory history;
  for (std::size_t i = 0; i < NameHistory::kMaxNamesOfOne + 5; ++i)
    former(history, docs_with({"c" + std::to_string(i)}), 1);
  const auto names = former(history, docs_with({"last"}), 1);
  EXPECT_EQ(names.size(), NameHistory::kMaxNamesOfOne);
  EXPECT_EQ(names.front(), "c0");
}

}  // namespace
}  // namespace sluice::postgres
