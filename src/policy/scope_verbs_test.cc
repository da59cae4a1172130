// Operations of several verbs: each is decided, and what holds for one holds for the whole.
#include "policy/scope.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policy/scope_testing.h"

namespace sluice::policy {
namespace {

using ::testing::ElementsAre;

TEST(SeveralVerbs, EachNeedsAnAllow) {
  Policy policy{R"(
rules:
  - {name: export, match: {verb: export}, allow: true}
  - {name: readers, match: {verb: [scroll, fetch]}, allow: true}
  - {name: loaders, match: {verb: [write, remove], principal: {groups: [loaders]}}, allow: true}
)"};
  const Operation copy = operation_doing({Verb::export_, Verb::remove});
  Ruling ruling = policy.decide(copy);
  EXPECT_EQ(ruling.effect, Effect::deny);
  EXPECT_EQ(ruling.denial.reason, Reason::no_rule);
  EXPECT_EQ(ruling.denial.message, "no rule allows ana to remove on public.docs over connection docs");
  ruling = policy.decide(copy, {.groups = {"loaders"}});
  EXPECT_EQ(ruling.effect, Effect::permit);
  EXPECT_THAT(ruling.rules, ElementsAre("export", "loaders")) << "in the order of the policy, once each";
  EXPECT_EQ(policy.decide(operation_doing({Verb::scroll, Verb::write})).effect, Effect::deny);
  EXPECT_EQ(policy.decide(operation_doing({Verb::write, Verb::scroll})).denial.message,
            "no rule allows ana to write on public.docs over connection docs");
  EXPECT_EQ(
      policy.decide(operation_doing({Verb::scroll, Verb::unknown}), {.groups = {"loaders"}}).denial.reason,
      Reason::not_understood);
}

// The allow of each verb covers all collections: what is written could be read from the other one.
TEST(SeveralVerbs, EachAllowCoversAllCollections) {
  Policy policy{R"(
rules:
  - {name: w, match: {verb: write, collection: public.sink}, allow: true}
  - {name: s, match: {verb: scroll, collection: public.docs}, allow: true}
)"};
  EXPECT_EQ(
      policy.decide(operation_doing({Verb::write, Verb::scroll}, 0, {"public.sink", "public.docs"})).effect,
      Effect::deny);
}

TEST(SeveralVerbs, ADenyOfOneDeniesTheWhole) {
  Policy policy{R"(
rules:
  - {name: a, match: {verb: "*"}, allow: true}
  - {name: keep, match: {verb: remove, collection: public.docs}, deny: Nothing is deleted here.}
  - {name: late, match: {verb: scroll}, deny: Later., shadow: true}
)"};
  Ruling ruling = policy.decide(operation_doing({Verb::export_, Verb::scroll, Verb::remove}));
  EXPECT_EQ(ruling.effect, Effect::deny);
  EXPECT_EQ(ruling.denial.rule, "keep");
  EXPECT_THAT(ruling.shadow, ElementsAre("late: would deny: Later."));
  EXPECT_EQ(policy.decide(operation_doing({Verb::export_, Verb::write})).effect, Effect::permit);
}

// Where one verb is exempt from a rule, another may not be.
TEST(SeveralVerbs, AnExceptForOneDoesNotExemptTheOther) {
  Policy policy{R"(
rules:
  - {name: a, match: {verb: "*"}, allow: true}
  - {name: d, match: {except: {verb: fetch}}, deny: No.}
)"};
  EXPECT_EQ(policy.decide(operation_doing({Verb::fetch})).effect, Effect::permit);
  EXPECT_EQ(policy.decide(operation_doing({Verb::fetch, Verb::write})).denial.rule, "d");
  EXPECT_EQ(policy.decide(operation_doing({Verb::write, Verb::fetch})).denial.rule, "d");
}

TEST(SeveralVerbs, ReviewsAndBudgetsOfAllApply) {
  Policy policy{R"(
rules:
  - {name: a, match: {verb: "*"}, allow: true}
  - {name: both, match: {verb: [scroll, write]}, budget: {records: 5, per: 1h}}
  - {name: one, match: {verb: write}, budget: {records: 9, per: 1h}}
  - {name: r1, match: {verb: scroll}, review: {by: "group:g"}}
  - {name: r2, match: {verb: write}, review: {by: "group:h"}}
)"};
  const Operation operation = operation_doing({Verb::write, Verb::scroll});
  Ruling ruling = policy.decide(operation);
  EXPECT_EQ(ruling.effect, Effect::review);
  EXPECT_EQ(ruling.review.rule, "r1");
  EXPECT_THAT(ruling.budgets, ElementsAre("both", "one")) << "a budget is drawn on once";
  EXPECT_EQ(ruling.quotas.size(), 2u);
  EXPECT_EQ(policy.decide(operation, {}, {"r1"}).review.rule, "r2");
  EXPECT_EQ(policy.decide(operation, {}, {"r1", "r2"}).effect, Effect::permit);
}

TEST(SeveralVerbs, TheSmallestBoundOfAllHolds) {
  Policy policy{R"(
rules:
  - {name: reads, match: {verb: scroll}, allow: {max_records: 10, over: clamp}}
  - {name: wide, match: {verb: scroll}, allow: {max_records: 20}}
  - {name: writes, match: {verb: write}, allow: {max_records: 50}}
  - {name: few, match: {verb: remove}, allow: {max_records: 5}}
)"};
  EXPECT_EQ(policy.decide(operation_doing({Verb::write, Verb::scroll}, std::nullopt)).obligations.max_records,
            20u);
  EXPECT_EQ(policy.decide(operation_doing({Verb::scroll, Verb::write}, 30)).denial.rule, "wide");
  Ruling unbounded = policy.decide(operation_doing({Verb::scroll, Verb::remove}, std::nullopt));
  EXPECT_EQ(unbounded.obligations.max_records, 5u);
  EXPECT_EQ(unbounded.obligations.bound_rule, "few");
}

}  // namespace
}  // namespace sluice::policy
