// How many records: limits, what happens over them, and what an approval lifts.
#include "policy/scope.h"

#include <gtest/gtest.h>

#include "policy/scope_testing.h"

namespace sluice::policy {
namespace {

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

}  // namespace
}  // namespace sluice::policy
