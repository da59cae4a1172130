// What comes with a permit: reviews, budgets, masks, and what rules in shadow would have done.
#include "policy/scope.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policy/scope_testing.h"

namespace sluice::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Reviews, SeveralAreAskedOneAfterTheOther) {
  Policy policy{R"(
rules:
  - {name: a, match: {verb: [remove, scroll]}, allow: true}
  - {name: first, match: {verb: [remove, scroll]}, review: {by: "group:a", approvals: 2, hold: 5s}}
  - {name: second, match: {verb: [remove, scroll]}, review: {by: "role:b"}}
  - {name: third, match: {verb: scroll, records: {over: 10}}, review: {by: "user:c"}}
)"};
  Ruling ruling = policy.decide(Verb::remove, 0);
  EXPECT_EQ(ruling.effect, Effect::review);
  EXPECT_EQ(ruling.review.rule, "first");
  EXPECT_EQ(ruling.review.approvals, 2u);
  EXPECT_EQ(ruling.review.hold, std::chrono::seconds{5});
  EXPECT_THAT(ruling.review.by, ElementsAre("group:a"));
  EXPECT_EQ(policy.decide(Verb::remove, 0, {}, {"first"}).review.rule, "second");
  EXPECT_EQ(policy.decide(Verb::remove, 0, {}, {"second"}).review.rule, "first");
  EXPECT_EQ(policy.decide(Verb::remove, 0, {}, {"second", "first"}).effect, Effect::permit);
  EXPECT_EQ(policy.decide(Verb::scroll, 11, {}, {"second", "first"}).review.rule, "third");
  EXPECT_EQ(policy.decide(Verb::scroll, 11, {}, {"second", "first", "third"}).effect, Effect::permit);
  // Without a bound the third comes only when the reply gets there.
  Ruling unbounded = policy.decide(Verb::scroll, std::nullopt, {}, {"second", "first"});
  EXPECT_EQ(unbounded.effect, Effect::permit);
  EXPECT_EQ(unbounded.obligations.over, Over::review);
  EXPECT_EQ(unbounded.obligations.max_records, 10u);
  EXPECT_EQ(unbounded.review.rule, "third");
}

TEST(Reviews, DenyIsNotReviewed) {
  Policy policy{R"(
rules:
  - {name: r, match: {}, review: {by: "group:a"}}
  - {name: d, match: {verb: admin}, deny: No.}
)"};
  EXPECT_EQ(policy.decide(Verb::admin, 0).effect, Effect::deny);
  EXPECT_EQ(policy.decide(Verb::fetch, 1).effect, Effect::deny);  // nothing to approve: nothing allows it
}

TEST(Budgets, QuotasNameRulePrincipalAndConnection) {
  Policy policy{R"(
rules:
  - {name: a, match: {verb: [search, count]}, allow: true, budget: {records: 100, per: 1h}}
  - {name: b, match: {verb: search}, budget: {records: 9, per: 1m}}
  - {name: c, match: {verb: search, principal: {groups: x}}, budget: {records: 1, per: 1m}}
)"};
  Ruling ruling = policy.decide(Verb::search, 1);
  ASSERT_EQ(ruling.quotas.size(), 2u);
  EXPECT_EQ(ruling.quotas[0]->key, "a\nana\ndocs");
  EXPECT_EQ(ruling.quotas[0]->account, budget_account("a\nana\ndocs"));
  EXPECT_EQ(ruling.quotas[1]->records, 9u);
  EXPECT_EQ(ruling.quotas[1]->window, std::chrono::seconds{60});
  EXPECT_THAT(ruling.budgets, ElementsAre("a", "b"));
  EXPECT_EQ(policy.decide(Verb::count, 0).quotas.size(), 1u);
  EXPECT_EQ(policy.decide(Verb::search, 1, {.connection = "kb"}).quotas[0]->key, "a\nana\nkb");
}

TEST(Masks, AddUpForTheSessionAndDependOnNothingElse) {
  Policy policy{R"(
rules:
  - {name: a, match: {verb: "*"}, allow: true}
  - {name: m1, match: {collection: "public.*", except: {principal: {groups: dpo}}}, mask: [{fields: [email, ssn], with: redact}]}
  - {name: m2, match: {connection: docs}, mask: [{fields: ssn, with: constant, value: "0"}, {vectors: remove, scores: keep}]}
  - {name: m3, match: {collection: docs, except: {collection: public.free, principal: {groups: support}}}, mask: [{detect: email, with: partial}]}
  - {name: m4, match: {connection: other}, mask: [{fields: x, with: remove}]}
  - {name: m5, match: {}, mask: [{fields: y, with: remove}], shadow: true}
)"};
  auto masks = Scope::compile(policy.set(), session_of({}))->masks();
  EXPECT_EQ(masks->field_mask("public.docs", "ssn")->mask, Mask::redact);
  EXPECT_EQ(masks->field_mask("private.docs", "ssn")->mask, Mask::constant);
  EXPECT_EQ(masks->vector_mask("x.y")->scores, Scores::keep);
  EXPECT_FALSE(masks->field_mask("public.docs", "x"));
  EXPECT_FALSE(masks->field_mask("public.docs", "y"));
  EXPECT_TRUE(masks->detects[0].except_collections.empty());

  auto support = Scope::compile(policy.set(), session_of({.groups = {"support"}}))->masks();
  EXPECT_THAT(support->detects[0].except_collections, ElementsAre("public.free"));
  EXPECT_NE(support->id, masks->id);

  auto dpo = Scope::compile(policy.set(), session_of({.groups = {"dpo"}}))->masks();
  EXPECT_FALSE(dpo->field_mask("public.docs", "email"));

  Ruling ruling = policy.decide(Verb::fetch, 1);
  EXPECT_THAT(ruling.rules, ElementsAre("a", "m1", "m2", "m3"));
  EXPECT_THAT(ruling.shadow, ElementsAre("m5: would mask y"));
  EXPECT_THAT(policy.decide(operation_of(Verb::session, {}, 0)).rules, ElementsAre("a", "m2"));
}

TEST(Masks, EqualContentIsOneSetAndOneId) {
  const std::string text = "rules:\n  - {name: m, match: {}, mask: [{fields: a, with: redact}]}\n";
  Policy policy{text}, again{"# a comment\n" + text};
  auto ana = Scope::compile(policy.set(), session_of({}))->masks();
  auto ben = Scope::compile(policy.set(), session_of({.name = "ben"}))->masks();
  EXPECT_EQ(ana, ben);
  EXPECT_EQ(ana->id, Scope::compile(again.set(), session_of({}))->masks()->id);
  EXPECT_NE(ana->id, Scope::compile(Policy{"rules: []\n"}.set(), session_of({}))->masks()->id);
  const std::string vectors = "rules:\n  - {name: m, match: {}, mask: [{vectors: remove";
  auto read_only = Scope::compile(Policy{vectors + "}]}\n"}.set(), session_of({}))->masks();
  auto written = Scope::compile(Policy{vectors + ", write: allow}]}\n"}.set(), session_of({}))->masks();
  EXPECT_FALSE(read_only->vector_mask("public.docs")->write_allowed);
  EXPECT_TRUE(written->vector_mask("public.docs")->write_allowed);
  EXPECT_NE(read_only->id, written->id);
  auto probed = Scope::compile(Policy{vectors + ", probes: 7}]}\n"}.set(), session_of({}))->masks();
  EXPECT_EQ(probed->probes_per_day("public.docs"), 7u);
  EXPECT_NE(read_only->id, probed->id);
}

TEST(Shadow, SaysWhatItWouldHaveDoneAndDoesNothing) {
  Policy policy{R"(
rules:
  - {name: a, match: {verb: [scroll, search]}, allow: true}
  - {name: s1, match: {verb: scroll}, deny: No scrolling., shadow: true}
  - {name: s2, match: {verb: scroll}, limit: {max_records: 10, over: clamp}, shadow: true}
  - {name: s3, match: {verb: scroll}, limit: {max_records: 1000}, shadow: true}
  - {name: s4, match: {verb: scroll, records: {over: 5}}, review: {by: "group:g"}, shadow: true}
  - {name: s5, match: {verb: count}, allow: {max_records: 3}, shadow: true}
  - {name: s6, match: {verb: scroll}, budget: {records: 7, per: 1h}, shadow: true}
)"};
  Ruling ruling = policy.decide(Verb::scroll, 20);
  EXPECT_EQ(ruling.effect, Effect::permit);
  EXPECT_EQ(ruling.obligations.max_records, std::nullopt);
  EXPECT_THAT(ruling.quotas, IsEmpty());
  EXPECT_THAT(ruling.rules, ElementsAre("a"));
  EXPECT_THAT(ruling.shadow,
              ElementsAre("s1: would deny: No scrolling.", "s2: would clamp to 10 what asks for 20",
                          "s4: would ask for a review by group:g", "s6: would draw on 7 records per 1h"));
  Ruling unbounded = policy.decide(Verb::scroll, std::nullopt);
  EXPECT_THAT(unbounded.shadow, ElementsAre("s1: would deny: No scrolling.", "s2: would clamp to 10",
                                            "s3: would refuse what exceeds 1000 records",
                                            "s4: would ask for a review by group:g above 5 records",
                                            "s6: would draw on 7 records per 1h"));
  Ruling denied = policy.decide(Verb::count, 0);
  EXPECT_EQ(denied.effect, Effect::deny);
  EXPECT_THAT(denied.shadow, ElementsAre("s5: would allow up to 3 records"));
}

TEST(Scopes, OutliveTheirPolicyAndRulingsOutliveBoth) {
  Ruling ruling;
  {
    Policy policy{
        "rules:\n  - {name: a, match: {verb: search}, allow: true, budget: {records: 100, per: 1h}}\n"};
    ruling = policy.decide(Verb::search, 1);
  }
  EXPECT_EQ(ruling.quotas.at(0)->key, "a\nana\ndocs");
  EXPECT_TRUE(ruling.obligations.masks->empty());
}

}  // namespace
}  // namespace sluice::policy
