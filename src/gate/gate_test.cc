#include "gate/gate.h"

#include <gtest/gtest.h>

#include "policy/testing.h"
#include "record/testing.h"

namespace sluice::gate {
namespace {

class NoReviews : public review::ReviewRepository {
 public:
  Result<void> save(const review::Review&) override { return fail(Errc::unavailable, "no reviews"); }
  Result<std::vector<review::Review>> unfinished(WallTime) override { return std::vector<review::Review>{}; }
  Result<review::Review> review(const ReviewId&) override { return fail(Errc::not_found, "no reviews"); }
  Result<std::vector<review::Review>> reviews(const Filter&) override {
    return std::vector<review::Review>{};
  }
};

class GateTest : public ::testing::Test {
 protected:
  GateTest() {
    policies.replace(policy::policy_from(kAllowed, 1));
    auto facts = policy::session_of({.name = "ana", .groups = {"rag"}});
    facts.id = SessionId{1};
    gate.emplace(services, facts);
    EXPECT_TRUE(gate->open());
  }

  static constexpr const char* kAllowed = R"(
rules:
  - name: rag-may-fetch
    match: {principal: {groups: [rag]}, verb: fetch}
    allow: {max_records: 50}
)";
  std::uint64_t hits(std::string_view rule) const {
    for (const auto& summary : policies.current()->summaries()) {
      if (summary.name == rule) return summary.hits;
    }
    return 0;
  }

  record::testing::TemporaryFolder folder;
  record::testing::Scribe scribe{folder.path()};
  Published<policy::PolicySet> policies{nullptr};
  budget::Ledger budgets;
  NoReviews repository;
  review::Reviews reviews{scribe.clock, repository,
                          [](std::string_view) { return std::shared_ptr<const Principal>{}; }, nullptr};
  Services services{scribe.clock, *scribe.log, policies, budgets, reviews};
  std::optional<Gate> gate;
  std::shared_ptr<const Operation> fetch =
      std::make_shared<Operation>(policy::operation_of(Verb::fetch, {"public.docs"}, 1));
};

TEST_F(GateTest, OneRulingForAllExecutionsOfAStatement) {
  const auto first = gate->decide(fetch);
  const auto second = gate->decide(fetch);
  EXPECT_FALSE(first.denied());
  EXPECT_EQ(&first.ruling(), &second.ruling());
  EXPECT_NE(first.id(), second.id());
  EXPECT_EQ(hits("rag-may-fetch"), 2u) << "each decision counts";
  const auto equal = std::make_shared<Operation>(*fetch);
  EXPECT_NE(&gate->decide(equal).ruling(), &first.ruling());
}

TEST_F(GateTest, ANewPolicyHoldsAtOnce) {
  ASSERT_FALSE(gate->decide(fetch).denied());
  policies.replace(policy::policy_from(R"(
rules:
  - name: rag-may-fetch
    match: {principal: {groups: [rag]}, verb: fetch}
    allow: {max_records: 50}
  - name: stop
    match: {verb: fetch}
    deny: "not today"
)",
                                       2));
  const auto now = gate->decide(fetch);
  EXPECT_TRUE(now.denied());
  EXPECT_EQ(now.ruling().policy_version, 2u);
  EXPECT_TRUE(gate->decide(fetch).denied());
}

TEST_F(GateTest, AnotherPrincipalHasRulingsOfItsOwn) {
  ASSERT_FALSE(gate->decide(fetch).denied());
  auto outsider = std::make_shared<Principal>();
  outsider->name = "ana";
  gate->replace_principal(outsider);
  EXPECT_TRUE(gate->decide(fetch).denied());
}

TEST_F(GateTest, WhereARuleLooksAtTheTimeItIsAskedEachTime) {
  scribe.clock.advance(std::chrono::hours{9});  // it begins at midnight
  policies.replace(policy::policy_from(R"(
rules:
  - name: in-the-morning
    match: {principal: {groups: [rag]}, verb: fetch, time: {hours: "08:00-12:00"}}
    allow: {max_records: 50}
)",
                                       2));
  EXPECT_FALSE(gate->decide(fetch).denied());
  scribe.clock.advance(std::chrono::hours{4});
  EXPECT_TRUE(gate->decide(fetch).denied());
}

// Also in an exception, where the time takes a rule away.
TEST_F(GateTest, ATimeInAnExceptionIsATime) {
  scribe.clock.advance(std::chrono::hours{9});
  policies.replace(policy::policy_from(R"(
rules:
  - name: rag-may-fetch
    match: {principal: {groups: [rag]}, verb: fetch}
    allow: {max_records: 50}
  - name: stop
    match: {verb: fetch, except: {time: {hours: "08:00-12:00"}}}
    deny: "in the morning only"
)",
                                       2));
  EXPECT_FALSE(gate->decide(fetch).denied());
  scribe.clock.advance(std::chrono::hours{4});
  EXPECT_TRUE(gate->decide(fetch).denied());
}

}  // namespace
}  // namespace sluice::gate
