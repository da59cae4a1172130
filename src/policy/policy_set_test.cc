#include "policy/policy_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "policy/rule.h"
#include "policy/testing.h"

namespace sluice::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kAllowA = "rules:\n  - {name: a, match: {verb: fetch}, allow: true}\n";
const std::string kDenyB = "rules:\n  - {name: b, match: {verb: export}, deny: No.}\n";

class Folder : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "sluice-policy-XXXXXX").string();
    ASSERT_TRUE(::mkdtemp(pattern.data()));
    path = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(path); }
  void write(const std::string& name, const std::string& text) {
    std::ofstream out{path / name, std::ios::binary};
    out << text;
  }
  std::string problems() { return all_of(load_folder(path, 1).problems); }

  std::filesystem::path path;
};

TEST_F(Folder, FilesAreTakenInOrderOfTheirNames) {
  write("20.yaml", kAllowA);
  write("10.yaml", kDenyB);
  write(".hidden.yaml", "nonsense");
  write("notes.txt", "nonsense");
  write("old.yaml~", "nonsense");
  std::filesystem::create_directory(path / "cases");
  Loaded loaded = load_folder(path, 7);
  ASSERT_TRUE(loaded.policy) << all_of(loaded.problems);
  EXPECT_EQ(loaded.policy->version(), 7u);
  EXPECT_EQ(loaded.policy->rules().size(), 2u);
  EXPECT_EQ(loaded.policy->rules()[0].name, "b");
  EXPECT_EQ(loaded.policy->rules()[0].file, "10.yaml");
}

TEST_F(Folder, LinksAreFollowedAsInAConfigMap) {
  std::filesystem::create_directory(path / "..data");
  write("..data/p.yaml", kAllowA);
  std::filesystem::create_symlink("..data/p.yaml", path / "p.yaml");
  EXPECT_TRUE(load_folder(path, 1).policy) << problems();
}

TEST_F(Folder, WhatCannotBeReadKeepsThePolicyOut) {
  EXPECT_THAT(problems(), HasSubstr("there are no policy files (*.yaml) in the folder"));
  write("a.yaml", kAllowA);
  write("b.yml", kDenyB);
  EXPECT_EQ(load_folder(path, 1).policy, nullptr);
  EXPECT_THAT(problems(), HasSubstr("b.yml: error: policy files end in .yaml"));
  std::filesystem::remove(path / "b.yml");
  std::filesystem::create_directory(path / "c.yaml");
  EXPECT_EQ(load_folder(path, 1).policy, nullptr);
  EXPECT_THAT(problems(), HasSubstr("c.yaml: error: is not a file"));
  std::filesystem::remove(path / "c.yaml");
  std::filesystem::create_symlink("gone", path / "d.yaml");
  EXPECT_EQ(load_folder(path, 1).policy, nullptr);
  std::filesystem::remove(path / "d.yaml");
  EXPECT_NE(load_folder(path, 1).policy, nullptr);
  EXPECT_EQ(load_folder(path / "nowhere", 1).policy, nullptr);
  EXPECT_EQ(load_folder(path / "a.yaml", 1).policy, nullptr);
}

TEST_F(Folder, OneBadFileKeepsAllOut) {
  write("a.yaml", kAllowA);
  write("b.yaml", "rules:\n  - {name: b, match: {verb: exprot}, deny: No.}\n");
  Loaded loaded = load_folder(path, 1);
  EXPECT_EQ(loaded.policy, nullptr);
  EXPECT_EQ(all_of(loaded.problems), "b.yaml:2:29: error: unknown verb 'exprot' (did you mean 'export'?)\n");
}

TEST_F(Folder, LargeAndManyFilesAreRefused) {
  write("a.yaml", kAllowA + "#" + std::string(kMaxFileBytes, 'x'));
  EXPECT_THAT(problems(), HasSubstr("a.yaml: error: larger than 1048576 bytes"));
  write("a.yaml", kAllowA);
  for (std::size_t i = 0; i < kMaxFiles; ++i) write("n" + std::to_string(i) + ".yaml", "rules: []\n");
  EXPECT_THAT(problems(), HasSubstr("more than 256 policy files"));
}

TEST(PolicySets, NamesAreUniqueOverAllFiles) {
  Loaded loaded =
      load_texts({{"a.yaml", kAllowA}, {"b.yaml", kDenyB + "  - {name: a, match: {}, deny: No.}\n"}}, 1);
  EXPECT_EQ(loaded.policy, nullptr);
  EXPECT_EQ(all_of(loaded.problems), "b.yaml:3:5: error: there is already a rule named 'a' (at a.yaml:2)\n");
}

TEST(PolicySets, DigestIsOverNamesAndBytes) {
  auto digest = [](std::map<std::string, std::string> texts) {
    return load_texts(texts, 1).policy->digest();
  };
  EXPECT_EQ(digest({{"a.yaml", kAllowA}}), digest({{"a.yaml", kAllowA}}));
  EXPECT_NE(digest({{"a.yaml", kAllowA}}), digest({{"b.yaml", kAllowA}}));
  EXPECT_NE(digest({{"a.yaml", kAllowA}}), digest({{"a.yaml", kAllowA + "#\n"}}));
}

TEST(PolicySets, SummariesShowEachRulesOwnLines) {
  auto policy = policy_from(
      "# c\nrules:\n  - name: a\n    description: of a\n    match: {verb: fetch}\n    allow: {max_records: "
      "5}\n\n"
      "  - {name: b, match: {}, deny: No., shadow: true}\n");
  auto summaries = policy->summaries();
  ASSERT_EQ(summaries.size(), 2u);
  EXPECT_EQ(summaries[0].text, "name: a\ndescription: of a\nmatch: {verb: fetch}\nallow: {max_records: 5}\n");
  EXPECT_EQ(summaries[0].effects, "allow up to 5 records");
  EXPECT_EQ(summaries[0].description, "of a");
  EXPECT_EQ(summaries[0].line, 3u);
  EXPECT_TRUE(summaries[1].shadow);
  EXPECT_EQ(summaries[1].effects, "deny: No.");
  EXPECT_EQ(policy->find("b")->place.line, 8u);
  EXPECT_EQ(policy->find("c"), nullptr);
}

TEST(PolicySets, VouchesAreMergedPerConnection) {
  auto policy = policy_from(kAllowA +
                            "vouch:\n  - {connection: [x, docs], functions: [s.b, s.a]}\n"
                            "  - {connection: \"d*\", functions: [s.b, s.c]}\n");
  EXPECT_THAT(policy->vouched_functions("docs"), ElementsAre("s.a", "s.b", "s.c"));
  EXPECT_THAT(policy->vouched_functions("x"), ElementsAre("s.a", "s.b"));
  EXPECT_TRUE(policy->vouched_functions("y").empty());
}

TEST(PolicySets, TellsWhereMasksHold) {
  auto policy = policy_from(kAllowA + R"(  - name: hide
    match: {connection: [docs, "kb-*"]}
    mask: [{fields: [email], with: redact}]
  - name: try-it
    shadow: true
    match: {connection: other}
    mask: [{fields: [email], with: redact}]
)");
  EXPECT_TRUE(policy->masks_on("docs"));
  EXPECT_TRUE(policy->masks_on("kb-1"));
  EXPECT_FALSE(policy->masks_on("other"));
}

TEST(PolicySets, ADefinitionIsVouchedForByItsHash) {
  const std::string hash(64, 'a');
  auto policy = policy_from(
      kAllowA + "vouch:\n  - {connection: docs, function: \"s.f(int4, public.mood[])\", sha256: " + hash +
      "}\n");
  EXPECT_THAT(policy->vouched_functions("docs"), ElementsAre("s.f(int4, public.mood[])#" + hash));
  EXPECT_TRUE(policy->vouched_functions("x").empty());
}

TEST(PolicySets, NoTextsIsAnError) {
  EXPECT_EQ(load_texts({}, 1).policy, nullptr);
}

}  // namespace
}  // namespace sluice::policy
