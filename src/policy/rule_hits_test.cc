#include "policy/rule_hits.h"

#include <gtest/gtest.h>

#include <map>
#include <thread>

#include "policy/testing.h"

namespace sluice::policy {
namespace {

std::map<std::string, std::uint64_t> hits(const PolicySet& policy) {
  std::map<std::string, std::uint64_t> out;
  for (const auto& rule : policy.summaries()) out[rule.name] = rule.hits;
  return out;
}

TEST(RuleHits, DecisionsCountEveryRuleThatTookPart) {
  const auto policy = policy_from(R"(
rules:
  - {name: read, match: {verb: [search, scroll]}, allow: true}
  - {name: top-k, match: {verb: search}, limit: {max_records: 10}}
  - {name: no-crm, match: {collection: crm.*}, deny: No.}
  - {name: trial, shadow: true, match: {verb: search}, deny: No.}
  - {name: others, match: {principal: {groups: [others]}}, deny: No.}
)");
  const auto scope = Scope::compile(policy, session_of({}));
  const auto search = operation_of(Verb::search, {"public.docs"}, 5);
  (void)scope->decide(search, kMonday);
  (void)scope->decide(search, kMonday);
  EXPECT_EQ(scope->decide(operation_of(Verb::scroll, {"crm.people"}, 5), kMonday).effect,
            Ruling::Effect::deny);
  const std::map<std::string, std::uint64_t> expected{
      {"read", 3}, {"top-k", 2}, {"no-crm", 1}, {"trial", 2}, {"others", 0}};
  EXPECT_EQ(hits(*policy), expected);
  Trace trace;
  (void)scope->evaluate(search, kMonday, &trace);
  (void)scope->evaluate(search, kMonday);
  EXPECT_EQ(hits(*policy), expected) << "asking what would be decided is no decision";
}

TEST(RuleHits, ThreadsLoseNothing) {
  constexpr int kThreads = 20;  // more than there are rows
  constexpr int kEach = 1000;
  RuleHits hits{3};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < kEach; ++n) hits.add(1);
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(hits.count(0), 0u);
  EXPECT_EQ(hits.count(1), std::uint64_t{kThreads} * kEach);
}

}  // namespace
}  // namespace sluice::policy
