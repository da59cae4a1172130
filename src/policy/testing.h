// For tests of the policy: short ways to a policy, a session and an operation, and to the repository's own
// files.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "policy/policy_set.h"
#include "policy/scope.h"

namespace sluice::policy {

// 2026-01-05T09:30:00Z, a Monday.
inline constexpr WallTime kMonday{std::chrono::seconds{1767605400}};

inline std::string all_of(const std::vector<Problem>& problems) {
  std::string text;
  for (const Problem& problem : problems) text += to_string(problem) + "\n";
  return text;
}

inline std::shared_ptr<const PolicySet> policy_from(const std::string& text, std::uint64_t version = 1) {
  Loaded loaded = load_texts({{"p.yaml", text}}, version);
  EXPECT_TRUE(loaded.policy) << all_of(loaded.problems);
  return loaded.policy;
}

struct Who {
  std::string name = "ana";
  std::vector<std::string> groups = {};
  std::string connection = "docs";
  std::string client = "10.1.2.3";
  PrincipalKind kind = PrincipalKind::human;
};

inline SessionFacts session_of(const Who& who) {
  auto principal = std::make_shared<Principal>();
  principal->name = who.name;
  principal->groups = who.groups;
  principal->kind = who.kind;
  SessionFacts facts;
  facts.principal = std::move(principal);
  facts.connection = who.connection;
  facts.system = "postgres";
  facts.client_address = who.client;
  return facts;
}

inline Operation operation_of(Verb verb, std::vector<std::string> collections,
                              std::optional<std::uint64_t> records = std::nullopt) {
  Operation operation;
  operation.system = "postgres";
  operation.verb = verb;
  for (std::string& name : collections) operation.collections.push_back({.name = std::move(name)});
  operation.records.max = records;
  return operation;
}

// The top of the source tree, found upwards from the test program or the working folder.
inline std::filesystem::path repository() {
  std::error_code error;
  for (std::filesystem::path start :
       {std::filesystem::read_symlink("/proc/self/exe", error), std::filesystem::current_path(error)}) {
    for (auto at = start; at.has_relative_path(); at = at.parent_path()) {
      if (std::filesystem::exists(at / "docs" / "policy.md", error)) return at;
    }
  }
  return {};
}

inline std::string text_of(const std::filesystem::path& path) {
  std::ifstream in{path, std::ios::binary};
  EXPECT_TRUE(in) << path;
  return {std::istreambuf_iterator<char>{in}, {}};
}

}  // namespace sluice::policy
