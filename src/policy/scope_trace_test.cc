// Why a decision is what it is, and that the index of rules changes none.
#include "policy/scope.h"

#include <gtest/gtest.h>

#include "policy/scope_testing.h"

namespace sluice::policy {
namespace {

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
