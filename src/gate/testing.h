// For tests: a gate of one session with all that it composes: a policy, budgets and reviews in memory, and a
// record in a temporary folder.
//
//   GateRig rig{kPolicy, {.name = "ana", .groups = {"rag"}}};
//   auto admission = rig.gate->admit(rig.gate->decide(operation), {});
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "gate/gate.h"
#include "policy/testing.h"
#include "record/testing.h"
#include "review/testing.h"

namespace sluice::gate::testing {

class GateRig {
 public:
  explicit GateRig(const std::string& policy, const policy::Who& who = {.name = "ana", .groups = {"rag"}}) {
    set_policy(policy);
    auto facts = policy::session_of(who);
    facts.id = SessionId{1};
    add_person(*facts.principal);
    gate.emplace(services, facts);
    EXPECT_TRUE(gate->open());
  }

  // In force at once; each call makes the next version.
  void set_policy(const std::string& text) { policies.replace(policy::policy_from(text, ++version)); }

  // Somebody who can be found, as an approver or as the one who asks.
  void add_person(Principal person) {
    const auto name = person.name;
    people[name] = std::make_shared<const Principal>(std::move(person));
  }
  Result<review::Review> decide_review(const ReviewId& id, const std::string& approver, bool approve) {
    return reviews.decide(id, *people.at(approver), approve, "");
  }
  // Nobody can ask for a review from now on.
  void lose_reviews() { repository.failing = true; }

  record::testing::TemporaryFolder folder;
  record::testing::Scribe scribe{folder.path()};
  Published<policy::PolicySet> policies{nullptr};
  std::uint64_t version = 0;
  budget::Ledger budgets;
  budget::Probes probes;
  review::testing::MemoryRepository repository;
  std::map<std::string, std::shared_ptr<const Principal>, std::less<>> people;
  review::Reviews reviews{scribe.clock, repository,
                          [this](std::string_view name) {
                            const auto found = people.find(name);
                            return found == people.end() ? nullptr : found->second;
                          },
                          nullptr};
  Services services{scribe.clock, *scribe.log, policies, budgets, reviews, probes};
  std::optional<Gate> gate;
};

}  // namespace sluice::gate::testing
