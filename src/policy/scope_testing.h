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

}  // namespace sluice::policy
