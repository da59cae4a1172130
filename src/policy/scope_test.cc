#include "policy/scope.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policy/testing.h"

namespace sluice::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

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

using Effect = Ruling::Effect;

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

const std::string kBounds = R"(
rules:
  - {name: allow, match: {verb: "*"}, allow: {max_records: 5000}}
  - {name: top-k, match: {verb: search}, limit: {max_records: 100, over: clamp}}
  - {name: bulk, match: {verb: [scroll, search], records: {over: 1000}}, review: {by: "group:sec", hold: 60s}}
  - {name: never, match: {verb: fetch, records: {over: 20}}, deny: {message: Too many keys., hint: Fewer.}}
)";

Operation operation_doing(std::vector<Verb> verbs, std::optional<std::uint64_t> records = 0,
                          std::vector<std::string> collections = {"public.docs"}) {
  Operation operation = operation_of(verbs.front(), std::move(collections), records);
  operation.also.assign(verbs.begin() + 1, verbs.end());
  return operation;
}

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

// What one number of records comes to. `records` 0: unbounded.
struct Numbers {
  Verb verb;
  std::uint64_t records;
  bool approved;
  Effect effect;
  std::uint64_t max;  // 0: none
  Over over;
  bool clamp;
  std::string rule;
};

class NumbersTest : public ::testing::TestWithParam<Numbers> {};

TEST_P(NumbersTest, ComeToOneOutcome) {
  const Numbers& n = GetParam();
  Policy policy{kBounds};
  std::vector<std::string_view> approved;
  if (n.approved) approved.push_back("bulk");
  Ruling ruling = policy.decide(n.verb, n.records ? std::optional{n.records} : std::nullopt, {}, approved);
  SCOPED_TRACE(std::string{to_string(n.verb)} + " " + std::to_string(n.records));
  EXPECT_EQ(ruling.effect, n.effect);
  if (n.effect == Effect::deny) {
    EXPECT_EQ(ruling.denial.rule, n.rule);
    return;
  }
  EXPECT_EQ(ruling.obligations.max_records, n.max ? std::optional{n.max} : std::nullopt);
  EXPECT_EQ(ruling.obligations.over, n.over);
  EXPECT_EQ(ruling.obligations.clamp, n.clamp);
  EXPECT_EQ(ruling.obligations.bound_rule, n.rule);
  EXPECT_EQ(ruling.review.rule, n.effect == Effect::review || n.over == Over::review ? "bulk" : "");
}

INSTANTIATE_TEST_SUITE_P(
    Table, NumbersTest,
    ::testing::Values(Numbers{Verb::search, 100, false, Effect::permit, 100, Over::deny, false, "top-k"},
                      Numbers{Verb::search, 101, false, Effect::permit, 100, Over::clamp, true, "top-k"},
                      Numbers{Verb::search, 1000, false, Effect::permit, 100, Over::clamp, true, "top-k"},
                      Numbers{Verb::search, 1000, true, Effect::permit, 100, Over::clamp, true, "top-k"},
                      Numbers{Verb::search, 1001, false, Effect::review, 5000, Over::deny, false, "allow"},
                      Numbers{Verb::search, 1001, true, Effect::permit, 5000, Over::deny, false, "allow"},
                      Numbers{Verb::search, 5001, false, Effect::deny, 0, Over::deny, false, "allow"},
                      Numbers{Verb::search, 5001, true, Effect::deny, 0, Over::deny, false, "allow"},
                      Numbers{Verb::search, 0, false, Effect::permit, 100, Over::clamp, true, "top-k"},
                      Numbers{Verb::search, 0, true, Effect::deny, 0, Over::deny, false, "allow"},
                      Numbers{Verb::scroll, 1000, false, Effect::permit, 5000, Over::deny, false, "allow"},
                      Numbers{Verb::scroll, 1001, false, Effect::review, 5000, Over::deny, false, "allow"},
                      Numbers{Verb::scroll, 0, false, Effect::permit, 1000, Over::review, false, "bulk"},
                      Numbers{Verb::scroll, 0, true, Effect::permit, 5000, Over::deny, false, "allow"},
                      Numbers{Verb::fetch, 20, false, Effect::permit, 5000, Over::deny, false, "allow"},
                      Numbers{Verb::fetch, 21, false, Effect::deny, 0, Over::deny, false, "never"},
                      Numbers{Verb::fetch, 0, false, Effect::permit, 20, Over::deny, false, "never"},
                      Numbers{Verb::count, 0, false, Effect::permit, 5000, Over::deny, false, "allow"}));

TEST(Bounds, ZeroRecordsIsNotUnbounded) {
  Ruling ruling = Policy{kBounds}.decide(Verb::count, 0);
  EXPECT_EQ(ruling.effect, Effect::permit);
  EXPECT_EQ(ruling.obligations.over, Over::deny);
}

TEST(Bounds, BoundCarriesTheRulesOwnWords) {
  Ruling ruling = Policy{kBounds}.decide(Verb::fetch, std::nullopt);
  EXPECT_EQ(ruling.obligations.bound_message, "Too many keys.");
  EXPECT_EQ(ruling.obligations.bound_hint, "Fewer.");
  Policy policy{R"(
rules:
  - {name: a, match: {verb: search}, allow: true}
  - {name: l, match: {verb: search}, limit: {max_records: 7, message: Seven is enough.}}
)"};
  Operation later = operation_of(Verb::search, {"public.docs"});
  later.records.from_parameter = true;
  EXPECT_EQ(policy.decide(later).obligations.bound_message, "Seven is enough.");
  Ruling refused = policy.decide(Verb::search, 8);
  EXPECT_EQ(refused.denial.reason, Reason::over_limit);
  EXPECT_EQ(refused.denial.message, "Seven is enough.");
  EXPECT_EQ(refused.denial.hint, "ask for at most 7 records");
}

// LIMIT ALL and WITH TIES: refused before it runs, where a scroll would be counted.
TEST(Bounds, ASearchSaysHowManyItWants) {
  auto policy = [](const std::string& limits) {
    return Policy{"rules:\n  - {name: a, match: {verb: [search, scroll]}, allow: true}\n" + limits};
  };
  const std::string deny = "  - {name: d, match: {}, limit: {max_records: 100}}\n";
  const std::string review =
      "  - {name: r, match: {}, limit: {max_records: 50, over: review}, review: {by: \"group:g\"}}\n";
  const std::string clamp = "  - {name: c, match: {}, limit: {max_records: 20, over: clamp}}\n";
  Ruling denied = policy(deny).decide(Verb::search, std::nullopt);
  EXPECT_EQ(denied.effect, Effect::deny);
  EXPECT_EQ(denied.denial.reason, Reason::over_limit);
  EXPECT_EQ(denied.denial.rule, "d");
  EXPECT_EQ(denied.denial.message, "the request asks for any number of records; at most 100 are allowed");
  EXPECT_EQ(policy(deny).decide(Verb::scroll, std::nullopt).effect, Effect::permit);
  EXPECT_EQ(policy("").decide(Verb::search, std::nullopt).effect, Effect::permit) << "nothing bounds it";
  // Nobody is asked to approve what is refused in any case.
  EXPECT_EQ(policy(deny + review).decide(Verb::search, std::nullopt).denial.rule, "d");
  EXPECT_EQ(policy(review).decide(Verb::search, std::nullopt).effect, Effect::review);
  EXPECT_EQ(policy(review).decide(Verb::search, std::nullopt, {}, {"r"}).effect, Effect::permit);
  EXPECT_EQ(policy(review).decide(Verb::search, std::nullopt, {}, {"r"}).obligations.max_records,
            std::nullopt);
  // A clamp gives it a limit that is within the others.
  EXPECT_TRUE(policy(deny + review + clamp).decide(Verb::search, std::nullopt).obligations.clamp);
  // LIMIT $1 is decided when it is bound.
  Operation later = operation_of(Verb::search, {"public.docs"});
  later.records.from_parameter = true;
  EXPECT_EQ(policy(deny).decide(later).effect, Effect::permit);
}

TEST(Bounds, AtEqualNumbersDenyBeatsReviewBeatsClamp) {
  auto policy = [](std::vector<std::string> overs) {
    std::string text = "rules:\n  - {name: a, match: {verb: scroll}, allow: true}\n";
    for (const std::string& over : overs) {
      text += "  - {name: " + over + ", match: {verb: scroll}, limit: {max_records: 10, over: " + over + "}" +
              (over == "review" ? ", review: {by: \"group:g\"}" : "") + "}\n";
    }
    return Policy{text};
  };
  for (bool bounded : {true, false}) {
    std::optional<std::uint64_t> asked = bounded ? std::optional<std::uint64_t>{11} : std::nullopt;
    Ruling all = policy({"clamp", "review", "deny"}).decide(Verb::scroll, asked);
    EXPECT_EQ(bounded ? all.denial.rule : all.obligations.bound_rule, "deny");
    Ruling two = policy({"clamp", "review"}).decide(Verb::scroll, asked);
    EXPECT_EQ(two.review.rule, "review");
    EXPECT_EQ(two.effect, bounded ? Effect::review : Effect::permit);
    // Approved, the clamp at the same number does not stand in the way.
    Ruling given = policy({"clamp", "review"}).decide(Verb::scroll, asked, {}, {"review"});
    EXPECT_EQ(given.effect, Effect::permit);
    EXPECT_EQ(given.obligations.max_records, std::nullopt);
    Ruling one = policy({"clamp"}).decide(Verb::scroll, asked);
    EXPECT_TRUE(one.obligations.clamp);
  }
}

TEST(Bounds, ApprovalLiftsNoClampAboveIt) {
  Policy policy{R"(
rules:
  - {name: a, match: {verb: scroll}, allow: true}
  - {name: r, match: {verb: scroll}, limit: {max_records: 200, over: review}, review: {by: "group:g"}}
  - {name: c, match: {verb: scroll}, limit: {max_records: 1000, over: clamp}}
)"};
  Ruling before = policy.decide(Verb::scroll, 5000);
  EXPECT_EQ(before.effect, Effect::review);
  EXPECT_EQ(before.obligations.max_records, 1000u);
  EXPECT_TRUE(before.obligations.clamp);
  Ruling after = policy.decide(Verb::scroll, 5000, {}, {"r"});
  EXPECT_EQ(after.effect, Effect::permit);
  EXPECT_EQ(after.obligations.max_records, 1000u);
  EXPECT_TRUE(after.obligations.clamp);
}

TEST(Bounds, ApprovalOfWhatWasNotDueLiftsNothing) {
  Policy policy{R"(
rules:
  - {name: a, match: {verb: scroll}, allow: true}
  - {name: standing, match: {verb: scroll}, review: {by: "group:g"}}
  - {name: r, match: {verb: scroll}, limit: {max_records: 1000, over: review}, review: {by: "group:g"}}
  - {name: c, match: {verb: scroll}, limit: {max_records: 500, over: clamp}}
)"};
  EXPECT_EQ(policy.decide(Verb::scroll, 600).obligations.max_records, 500u);
  EXPECT_EQ(policy.decide(Verb::scroll, 600, {}, {"standing", "r"}).obligations.max_records, 500u);
}

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

TEST(Tracing, SaysWhichClauseFailedForEachRule) {
  Policy policy{R"(
rules:
  - {name: a, match: {verb: [search, scroll], collection: public.docs}, allow: true}
  - {name: b, match: {verb: fetch}, allow: true}
  - {name: c, match: {principal: {groups: x}}, deny: No.}
  - {name: d, match: {verb: search, except: {collection: [public.docs, public.kb]}}, deny: No.}
  - {name: e, match: {collection: kb}, limit: {max_records: 5}}
  - {name: f, match: {}, deny: No., shadow: true}
)"};
  Operation operation = operation_of(Verb::search, {"public.docs", "public.kb"}, 3);
  Trace trace;
  Ruling ruling = Scope::compile(policy.set(), session_of({}))->evaluate(operation, kMonday, &trace);
  EXPECT_EQ(ruling.effect, Effect::deny);
  ASSERT_EQ(trace.steps.size(), 6u);
  EXPECT_EQ(trace.steps[0].failed, Clause::collection);
  EXPECT_EQ(trace.steps[0].collection, "public.kb");
  EXPECT_FALSE(trace.steps[0].matched);
  EXPECT_EQ(trace.steps[1].failed, Clause::verb);
  EXPECT_EQ(trace.steps[2].failed, Clause::principal_groups);
  EXPECT_EQ(trace.steps[3].failed, Clause::except);
  EXPECT_TRUE(trace.steps[4].matched);
  EXPECT_EQ(trace.steps[4].collection, "public.kb");
  EXPECT_TRUE(trace.steps[5].matched);
  EXPECT_TRUE(trace.steps[5].shadow);
  EXPECT_EQ(trace.steps[4].effects, "limit up to 5 records");
}

TEST(Tracing, SaysForWhichVerbsARuleMatches) {
  Policy policy{R"(
rules:
  - {name: e, match: {verb: export}, allow: true}
  - {name: er, match: {verb: [export, remove]}, allow: true}
  - {name: d, match: {verb: remove}, deny: No.}
  - {name: w, match: {verb: write}, deny: No.}
)"};
  Trace trace;
  Ruling ruling = Scope::compile(policy.set(), session_of({}))
                      ->evaluate(operation_doing({Verb::export_, Verb::remove}), kMonday, &trace);
  EXPECT_EQ(ruling.denial.rule, "d");
  ASSERT_EQ(trace.steps.size(), 4u);
  EXPECT_TRUE(trace.steps[0].granted);
  EXPECT_EQ(trace.steps[0].verbs, "export");
  EXPECT_EQ(trace.steps[1].verbs, "");
  EXPECT_TRUE(trace.steps[2].matched);
  EXPECT_EQ(trace.steps[2].verbs, "remove");
  EXPECT_FALSE(trace.steps[3].matched);
  EXPECT_EQ(trace.steps[3].failed, Clause::verb);
  EXPECT_EQ(trace.steps[3].verbs, "");
}

TEST(Tracing, AgreesWithTheDecision) {
  Policy policy{kBounds};
  for (int verb = 1; verb < kVerbCount; ++verb) {
    for (std::optional<std::uint64_t> records : {std::optional<std::uint64_t>{}, {0}, {50}, {5001}}) {
      Operation operation = operation_of(static_cast<Verb>(verb), {"public.docs"}, records);
      auto scope = Scope::compile(policy.set(), session_of({}));
      Trace trace;
      Ruling traced = scope->evaluate(operation, kMonday, &trace);
      Ruling plain = scope->evaluate(operation, kMonday);
      EXPECT_EQ(traced.effect, plain.effect);
      EXPECT_EQ(traced.rules, plain.rules);
      std::vector<std::string> matched;
      for (const TraceStep& step : trace.steps) {
        if (step.matched) matched.push_back(step.rule);
      }
      EXPECT_EQ(matched, plain.rules);
    }
  }
}

// The index must find every rule that asking each one finds.
TEST(Indexing, FindsWhatAskingEachRuleFinds) {
  const std::vector<std::string> patterns = {
      "docs",
      "DOCS",
      "public.docs",
      "Public.Docs",
      "public.*",
      "PUB*",
      "do*",
      "*",
      "*.docs",
      "p?blic.docs",
      "public",
      "public.docs.x",
      "docs.x",
      "a*",
      "public.a_very_long_name_that_goes_on_and_on_and_on_for_more_than_63_bytes*"};
  std::string text = "rules:\n";
  int number = 0;
  for (const std::string& a : patterns) {
    for (const std::string& b : patterns) {
      text += "  - {name: r" + std::to_string(number++) + ", match: {collection: [\"" + a + "\", \"" + b +
              "\"]" + (a < b ? ", verb: fetch" : "") + "}, limit: {max_records: 5}}\n";
      text += "  - {name: g" + std::to_string(number++) + ", match: {verb: [fetch, count], collection: [\"" +
              a + "\", \"" + b + "\"]}, allow: true}\n";
    }
  }
  auto scope = Scope::compile(policy_from(text), session_of({}));
  for (auto names : std::vector<std::vector<std::string>>{
           {},
           {"public.docs"},
           {"docs"},
           {"PUBLIC.DOCS"},
           {"public.docs.x"},
           {"a.b.docs"},
           {"public"},
           {"x"},
           {"."},
           {""},
           {"public.docs", "x"},
           {"public.a_very_long_name_that_goes_on_and_on_and_on_for_more_than_63_bytes_and_more"},
           {std::string(300, 'a'), "public.docs"}}) {
    for (Verb verb : {Verb::fetch, Verb::count, Verb::search}) {
      Trace trace;
      Ruling ruling = scope->evaluate(operation_of(verb, names, 1), kMonday, &trace);
      std::vector<std::string> matched;
      for (const TraceStep& step : trace.steps) {
        if (step.matched) matched.push_back(step.rule);
      }
      EXPECT_EQ(ruling.rules, matched) << (names.empty() ? "nowhere" : names[0]);
    }
  }
}

}  // namespace
}  // namespace sluice::policy
