#include "gate/gate.h"

#include <gtest/gtest.h>

#include "gate/testing.h"

namespace sluice::gate {
namespace {

constexpr const char* kAllowed = R"(
rules:
  - name: rag-may-fetch
    match: {principal: {groups: [rag]}, verb: fetch}
    allow: {max_records: 50}
)";

class GateTest : public ::testing::Test, protected testing::GateRig {
 protected:
  GateTest() : GateRig(kAllowed) {}

  std::uint64_t hits(std::string_view rule) const {
    for (const auto& summary : policies.current()->summaries()) {
      if (summary.name == rule) return summary.hits;
    }
    return 0;
  }

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
  set_policy(R"(
rules:
  - name: rag-may-fetch
    match: {principal: {groups: [rag]}, verb: fetch}
    allow: {max_records: 50}
  - name: stop
    match: {verb: fetch}
    deny: "not today"
)");
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
  set_policy(R"(
rules:
  - name: in-the-morning
    match: {principal: {groups: [rag]}, verb: fetch, time: {hours: "08:00-12:00"}}
    allow: {max_records: 50}
)");
  EXPECT_FALSE(gate->decide(fetch).denied());
  scribe.clock.advance(std::chrono::hours{4});
  EXPECT_TRUE(gate->decide(fetch).denied());
}

// Also in an exception, where the time takes a rule away.
TEST_F(GateTest, ATimeInAnExceptionIsATime) {
  scribe.clock.advance(std::chrono::hours{9});
  set_policy(R"(
rules:
  - name: rag-may-fetch
    match: {principal: {groups: [rag]}, verb: fetch}
    allow: {max_records: 50}
  - name: stop
    match: {verb: fetch, except: {time: {hours: "08:00-12:00"}}}
    deny: "in the morning only"
)");
  EXPECT_FALSE(gate->decide(fetch).denied());
  scribe.clock.advance(std::chrono::hours{4});
  EXPECT_TRUE(gate->decide(fetch).denied());
}

// --- refuse and admit ---

TEST_F(GateTest, AdmitsWhatIsAllowedAndRecordsIt) {
  auto proposal = gate->decide(fetch);
  const auto id = proposal.id();
  const auto admission = gate->admit(std::move(proposal), {});
  const auto* permit = std::get_if<Permit>(&admission);
  ASSERT_TRUE(permit);
  EXPECT_EQ(permit->id(), id);
  EXPECT_EQ(&permit->operation(), fetch.get());
  EXPECT_EQ(permit->obligations().max_records, 50u);
  EXPECT_EQ(gate->operations(), 1u);
}

TEST_F(GateTest, AdmitsNothingThatIsDenied) {
  const auto write = std::make_shared<Operation>(policy::operation_of(Verb::write, {"public.docs"}));
  auto proposal = gate->decide(write);
  EXPECT_TRUE(proposal.denied());
  EXPECT_FALSE(gate->prepare(proposal)) << "nor prepared";
  const auto admission = gate->admit(std::move(proposal), {});
  const auto* refusal = std::get_if<Refusal>(&admission);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->denial.reason, Reason::no_rule);
  EXPECT_EQ(refusal->operation, write);
  EXPECT_EQ(gate->operations(), 1u) << "a refusal is recorded, too";
  EXPECT_TRUE(gate->prepare(gate->decide(fetch)));
}

TEST_F(GateTest, RefusesForAReasonOfTheSystems) {
  const auto refusal = gate->refuse(gate->decide(fetch), Denial{Reason::masked_use, "hide", "no", "hint"});
  EXPECT_EQ(refusal.denial.reason, Reason::masked_use);
  EXPECT_EQ(refusal.denial.rule, "hide");
  const auto unread = gate->refuse_unread({Reason::not_understood, "", "what", ""}, "SELEC 1");
  EXPECT_EQ(unread.operation, nullptr);
  EXPECT_NE(unread.id, refusal.id);
  EXPECT_EQ(gate->operations(), 2u);
}

TEST_F(GateTest, RefusesRowsThatNobodyCanCountUnderABound) {
  auto gathers = std::make_shared<Operation>(*fetch);
  gathers->rows_hold_many = true;
  const auto admission = gate->admit(gate->decide(gathers), {});
  const auto* refusal = std::get_if<Refusal>(&admission);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->denial.reason, Reason::over_limit);
}

TEST_F(GateTest, RefusesWhatTheBudgetNoLongerHas) {
  set_policy(R"(
rules:
  - name: rag-may-fetch
    match: {principal: {groups: [rag]}, verb: fetch}
    allow: true
  - name: a-day
    match: {principal: {groups: [rag]}, verb: fetch}
    budget: {records: 3, per: 1d}
)");
  const auto fetch_of = [&](std::uint64_t records) {
    return std::make_shared<Operation>(policy::operation_of(Verb::fetch, {"public.docs"}, records));
  };
  const auto too_many = gate->admit(gate->decide(fetch_of(4)), {});
  const auto* refusal = std::get_if<Refusal>(&too_many);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->denial.reason, Reason::over_budget);
  EXPECT_EQ(refusal->denial.rule, "a-day");
  const auto enough = gate->admit(gate->decide(fetch_of(3)), {});
  const auto* permit = std::get_if<Permit>(&enough);
  ASSERT_TRUE(permit) << "a refusal takes nothing";
  EXPECT_TRUE(gate->take_budget(permit->ruling(), 3));
  EXPECT_FALSE(gate->take_budget(permit->ruling(), 1));
  EXPECT_TRUE(std::holds_alternative<Refusal>(gate->admit(gate->decide(fetch_of(1)), {})));
}

TEST_F(GateTest, RefusesWhereAReviewIsNeededAndNoneCanBeOpened) {
  lose_reviews();
  set_policy(R"(
rules:
  - name: rag-may-fetch
    match: {principal: {groups: [rag]}, verb: fetch}
    allow: true
  - name: ask-first
    match: {verb: fetch}
    review: {by: ["group:data-security"], hold: 30s}
)");
  auto proposal = gate->decide(fetch);
  EXPECT_TRUE(proposal.needs_review());
  EXPECT_TRUE(gate->prepare(proposal)) << "it may be permitted when it is run";
  const auto admission = gate->admit(std::move(proposal), {});
  const auto* refusal = std::get_if<Refusal>(&admission);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->denial.reason, Reason::review_required);
  EXPECT_EQ(refusal->denial.rule, "ask-first");
}

// --- while it runs ---

class RunningTest : public GateTest {
 protected:
  std::optional<Denial> after(const std::string& rules) {
    const auto admission = gate->admit(gate->decide(fetch), {});
    set_policy(kAllowed + rules);
    return gate->still_permitted(std::get<Permit>(admission));
  }
};

TEST_F(RunningTest, GoesOnUnderAPolicyThatChangesNothingForIt) {
  const auto admission = gate->admit(gate->decide(fetch), {});
  EXPECT_FALSE(gate->still_permitted(std::get<Permit>(admission)));
  EXPECT_FALSE(after(R"(
  - name: nobody-writes
    match: {verb: write}
    deny: "no"
)"));
}

TEST_F(RunningTest, EndsWhereItIsDeniedNow) {
  const auto denial = after(R"(
  - name: stop
    match: {verb: fetch}
    deny: "not today"
)");
  ASSERT_TRUE(denial);
  EXPECT_EQ(denial->rule, "stop");
  EXPECT_EQ(denial->reason, Reason::denied_by_rule);
}

TEST_F(RunningTest, EndsWhereItsMasksAreOthers) {
  const auto denial = after(R"(
  - name: hide
    match: {collection: public.docs}
    mask: [{fields: [email], with: redact}]
)");
  ASSERT_TRUE(denial);
  EXPECT_EQ(denial->reason, Reason::revoked);
}

TEST_F(RunningTest, EndsWithTheRightsOfItsPrincipal) {
  const auto admission = gate->admit(gate->decide(fetch), {});
  auto outsider = std::make_shared<Principal>();
  outsider->name = "ana";
  gate->replace_principal(outsider);
  const auto denial = gate->still_permitted(std::get<Permit>(admission));
  ASSERT_TRUE(denial);
  EXPECT_EQ(denial->reason, Reason::no_rule);
}

}  // namespace
}  // namespace sluice::gate
