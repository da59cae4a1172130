#include "policy/scope.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policy/scope_testing.h"

namespace sluice::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Deciding, NothingMatchedIsDenied) {
  Policy policy{"rules:\n  - {name: a, match: {verb: fetch}, allow: true}\n"};
  Ruling ruling = policy.decide(Verb::search, 1);
  EXPECT_EQ(ruling.effect, Effect::deny);
  EXPECT_EQ(ruling.denial.reason, Reason::no_rule);
  EXPECT_EQ(ruling.denial.message, "no rule allows ana to search on public.docs over connection docs");
  EXPECT_TRUE(ruling.denial.rule.empty());
  EXPECT_EQ(ruling.policy_version, 1u);
  ASSERT_TRUE(ruling.obligations.masks);
  EXPECT_TRUE(ruling.obligations.masks->empty());
  EXPECT_EQ(policy.decide(Verb::fetch, 1).effect, Effect::permit);
}

TEST(Deciding, OnlyAllowGrants) {
  Policy policy{R"(
rules:
  - {name: l, match: {}, limit: {max_records: 5}}
  - {name: b, match: {}, budget: {records: 5, per: 1h}}
  - {name: r, match: {}, review: {by: "group:g"}}
  - {name: m, match: {}, mask: [{fields: a, with: redact}]}
)"};
  for (int verb = 1; verb < kVerbCount; ++verb) {
    EXPECT_EQ(policy.decide(static_cast<Verb>(verb), 1).effect, Effect::deny) << verb;
  }
}

TEST(Deciding, UnknownIsDeniedWhateverTheRulesSay) {
  Policy policy{"rules:\n  - {name: a, match: {verb: \"*\"}, allow: true}\n"};
  Operation operation = operation_of(Verb::unknown, {"public.docs"}, 1);
  operation.unknown_reason = "MERGE is not understood";
  Ruling ruling = policy.decide(operation);
  EXPECT_EQ(ruling.effect, Effect::deny);
  EXPECT_EQ(ruling.denial.reason, Reason::not_understood);
  EXPECT_EQ(ruling.denial.message, "MERGE is not understood");
  operation.verb = static_cast<Verb>(200);
  EXPECT_EQ(policy.decide(operation).denial.reason, Reason::not_understood);
  for (int verb = 1; verb < kVerbCount; ++verb) {
    EXPECT_EQ(policy.decide(static_cast<Verb>(verb), std::nullopt).effect, Effect::permit) << verb;
  }
}

TEST(Deciding, NobodyAndTheDisabledAreDenied) {
  Policy policy{"rules:\n  - {name: a, match: {verb: \"*\"}, allow: true}\n"};
  SessionFacts facts = session_of({});
  Operation operation = operation_of(Verb::fetch, {"public.docs"}, 1);
  auto disabled = std::make_shared<Principal>(*facts.principal);
  disabled->disabled = true;
  facts.principal = disabled;
  EXPECT_EQ(Scope::compile(policy.set(), facts)->evaluate(operation, kMonday).denial.reason, Reason::revoked);
  facts.principal = nullptr;
  Trace trace;
  Ruling ruling = Scope::compile(policy.set(), facts)->evaluate(operation, kMonday, &trace);
  EXPECT_EQ(ruling.effect, Effect::deny);
  EXPECT_EQ(ruling.denial.reason, Reason::revoked);
}

TEST(Deciding, DenyBeatsAllow) {
  Policy policy{R"(
rules:
  - {name: a, match: {verb: [export, fetch]}, allow: true}
  - {name: d1, match: {verb: export}, deny: {message: Ask us., hint: At the desk.}}
  - {name: d2, match: {verb: export}, deny: Never.}
)"};
  Ruling ruling = policy.decide(Verb::export_, std::nullopt);
  EXPECT_EQ(ruling.effect, Effect::deny);
  EXPECT_EQ(ruling.denial.reason, Reason::denied_by_rule);
  EXPECT_EQ(ruling.denial.rule, "d1");
  EXPECT_EQ(ruling.denial.message, "Ask us.");
  EXPECT_EQ(ruling.denial.hint, "At the desk.");
  EXPECT_THAT(ruling.rules, ElementsAre("a", "d1", "d2"));
  EXPECT_EQ(policy.decide(Verb::fetch, 1).effect, Effect::permit);
}

TEST(Deciding, FunctionsNeedAVouch) {
  Policy policy{R"(
rules:
  - {name: a, match: {verb: "*"}, allow: true}
vouch:
  - {connection: "d*", functions: [public.b, public.a]}
  - {connection: kb, functions: [public.c]}
)"};
  Operation operation = operation_of(Verb::scroll, {"public.docs"}, 1);
  operation.functions = {"public.a", "public.b"};
  EXPECT_EQ(policy.decide(operation).effect, Effect::permit);
  operation.functions.push_back("public.c");
  Ruling ruling = policy.decide(operation);
  EXPECT_EQ(ruling.effect, Effect::deny);
  EXPECT_EQ(ruling.denial.reason, Reason::not_understood);
  EXPECT_THAT(ruling.denial.message, HasSubstr("public.c"));
  EXPECT_THAT(Scope::compile(policy.set(), session_of({}))->vouched_functions(),
              ElementsAre("public.a", "public.b"));
}

TEST(Deciding, JoinNeedsOneRuleThatCoversAll) {
  Policy policy{R"(
rules:
  - {name: a, match: {verb: scroll, collection: public.a}, allow: true}
  - {name: b, match: {verb: scroll, collection: public.b}, allow: true}
  - {name: cd, match: {verb: scroll, collection: [public.c, public.d]}, allow: true}
)"};
  auto effect = [&](std::vector<std::string> names) {
    return policy.decide(operation_of(Verb::scroll, names, 1)).effect;
  };
  EXPECT_EQ(effect({"public.a"}), Effect::permit);
  EXPECT_EQ(effect({"public.b"}), Effect::permit);
  EXPECT_EQ(effect({"public.a", "public.b"}), Effect::deny);
  EXPECT_EQ(effect({"public.c", "public.d"}), Effect::permit);
  EXPECT_EQ(effect({"public.c", "public.d", "public.a"}), Effect::deny);
  EXPECT_EQ(effect({}), Effect::deny);
}

TEST(Deciding, WidestAllowGoverns) {
  Policy policy{R"(
rules:
  - {name: small, match: {verb: scroll}, allow: {max_records: 10, over: clamp}}
  - {name: wide, match: {verb: scroll, principal: {groups: rag}}, allow: {max_records: 100}}
  - {name: any, match: {verb: scroll, principal: {groups: dba}}, allow: true}
)"};
  EXPECT_TRUE(policy.decide(Verb::scroll, 50).obligations.clamp);
  EXPECT_EQ(policy.decide(Verb::scroll, 50, {.groups = {"rag"}}).obligations.max_records, 100u);
  EXPECT_FALSE(policy.decide(Verb::scroll, 50, {.groups = {"rag"}}).obligations.clamp);
  EXPECT_EQ(policy.decide(Verb::scroll, 101, {.groups = {"rag"}}).effect, Effect::deny);
  EXPECT_EQ(policy.decide(Verb::scroll, 101, {.groups = {"rag", "dba"}}).obligations.max_records,
            std::nullopt);
  EXPECT_EQ(policy.decide(Verb::scroll, std::nullopt, {.groups = {"dba"}}).obligations.max_records,
            std::nullopt);
}

TEST(Deciding, AmongEqualAllowsTheStrictestOverCounts) {
  for (auto order : {"clamp,deny", "deny,clamp"}) {
    std::string first = std::string{order}.substr(0, std::string{order}.find(','));
    std::string second = std::string{order}.substr(std::string{order}.find(',') + 1);
    Policy policy{"rules:\n  - {name: a, match: {verb: scroll}, allow: {max_records: 10, over: " + first +
                  "}}\n  - {name: b, match: {verb: scroll}, allow: {max_records: 10, over: " + second +
                  "}}\n"};
    EXPECT_EQ(policy.decide(Verb::scroll, 11).effect, Effect::deny) << order;
    EXPECT_EQ(policy.decide(Verb::scroll, std::nullopt).obligations.over, Over::deny) << order;
  }
}

}  // namespace
}  // namespace sluice::policy
