// For tests of decisions: a policy that is asked in one call.
//
//   Policy policy{"rules: ..."};
//   EXPECT_EQ(policy.decide(Verb::fetch, 1).effect, Effect::permit);
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policy/scope.h"
#include "policy/testing.h"

namespace sluice::policy {

using Effect = Ruling::Effect;

class Policy {
 public:
  explicit Policy(const std::string& text) : set_(policy_from(text)) {}

  Ruling decide(const Operation& operation, const Who& who = {},
                std::vector<std::string_view> approved = {}) const {
    return Scope::compile(set_, session_of(who))->evaluate(operation, kMonday, nullptr, approved);
  }
  Ruling decide(Verb verb, std::optional<std::uint64_t> records, const Who& who = {},
                std::vector<std::string_view> approved = {}) const {
    return decide(operation_of(verb, {"public.docs"}, records), who, std::move(approved));
  }
  std::shared_ptr<const PolicySet> set() const { return set_; }

 private:
  std::shared_ptr<const PolicySet> set_;
};

// Bounds of every kind.
inline const std::string kBounds = R"(
rules:
  - {name: allow, match: {verb: "*"}, allow: {max_records: 5000}}
  - {name: top-k, match: {verb: search}, limit: {max_records: 100, over: clamp}}
  - {name: bulk, match: {verb: [scroll, search], records: {over: 1000}}, review: {by: "group:sec", hold: 60s}}
  - {name: never, match: {verb: fetch, records: {over: 20}}, deny: {message: Too many keys., hint: Fewer.}}
)";

// The first verb is the operation's own, the others come with it.
inline Operation operation_doing(std::vector<Verb> verbs, std::optional<std::uint64_t> records = 0,
                                 std::vector<std::string> collections = {"public.docs"}) {
  Operation operation = operation_of(verbs.front(), std::move(collections), records);
  operation.also.assign(verbs.begin() + 1, verbs.end());
  return operation;
}

}  // namespace sluice::policy
