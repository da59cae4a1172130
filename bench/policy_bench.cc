// The cost of a decision and of a session's scope. Target: a decision below 1 µs at 200 rules.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "core/crypto.h"
#include "policy/policy_set.h"
#include "policy/scope.h"

namespace sluice {
namespace {

using policy::PolicySet;
using policy::Scope;

constexpr int kRules = 200;
constexpr WallTime kNow{std::chrono::seconds{1767605400}};

std::shared_ptr<const PolicySet> load(const std::string& text) {
  initialise_crypto();
  auto loaded = policy::load_texts({{"bench.yaml", text}}, 1);
  if (!loaded.policy) {
    for (const auto& problem : loaded.problems) fmt::print(stderr, "{}\n", to_string(problem));
    std::abort();
  }
  return loaded.policy;
}

// A company's policy: twenty teams with ten rules each, over their own groups, connections and tables. The
// session is in three of the groups.
std::string company() {
  std::string text = "rules:\n";
  for (int team = 0; team < kRules / 10; ++team) {
    auto rule = [&](std::string_view form) { text += fmt::format(fmt::runtime(form), fmt::arg("t", team)); };
    rule(
        "  - {{name: t{t}-reads, match: {{principal: {{groups: team{t}}}, verb: [search, fetch, scroll, "
        "count], collection: [public.docs{t}, public.docs]}}, allow: {{max_records: 5000}}}}\n");
    rule(
        "  - {{name: t{t}-connects, match: {{principal: {{groups: team{t}}}, verb: [metadata, session]}}, "
        "allow: true}}\n");
    rule(
        "  - {{name: t{t}-writes, match: {{principal: {{groups: loaders{t}}}, verb: [write, remove], "
        "collection: \"public.docs{t}\"}}, allow: true}}\n");
    rule(
        "  - {{name: t{t}-top-k, match: {{verb: search, collection: docs{t}}}, limit: {{max_records: 100, "
        "over: clamp}}}}\n");
    rule(
        "  - {{name: t{t}-bulk, match: {{verb: [scroll, search], collection: \"public.docs{t}\", records: "
        "{{over: 1000}}}}, review: {{by: \"group:sec\"}}}}\n");
    rule(
        "  - {{name: t{t}-hourly, match: {{principal: {{groups: team{t}}}, verb: [search, scroll]}}, budget: "
        "{{records: 20000, per: 1h}}}}\n");
    rule(
        "  - {{name: t{t}-masks, match: {{collection: \"crm{t}.*\", except: {{principal: {{groups: "
        "dpo}}}}}}, mask: [{{fields: [email, phone], with: redact}}, {{vectors: remove}}]}}\n");
    rule(
        "  - {{name: t{t}-no-export, match: {{verb: [export, admin], collection: \"*docs{t}\"}}, deny: "
        "Exports go through data-security.}}\n");
    rule(
        "  - {{name: t{t}-office, match: {{principal: {{groups: team{t}}}, verb: [search, scroll], except: "
        "{{client_network: 10.0.0.0/8}}}}, deny: From the office only.}}\n");
    rule(
        "  - {{name: t{t}-hours, match: {{principal: {{name: \"svc-{t}-*\"}}, verb: scroll, time: {{hours: "
        "\"22:00-06:00\"}}}}, deny: Not at night.}}\n");
  }
  return text;
}

// The worst that a session can meet: every rule is about it and its verb, and only the collection tells them
// apart.
std::string crowded() {
  std::string text =
      "rules:\n  - {name: reads, match: {verb: [search, scroll]}, allow: {max_records: 5000}}\n";
  for (int i = 1; i < kRules; ++i) {
    text += i % 4 == 0 ? fmt::format(
                             "  - {{name: rule-{}, match: {{verb: [search, scroll], collection: "
                             "\"public.docs{}*\"}}, deny: No.}}\n",
                             i, i)
                       : fmt::format(
                             "  - {{name: rule-{}, match: {{verb: [search, scroll], collection: "
                             "public.docs{}}}, limit: {{max_records: 100}}}}\n",
                             i, i);
  }
  return text;
}

SessionFacts session() {
  auto principal = std::make_shared<Principal>();
  principal->name = "ana";
  principal->groups = {"team3", "team7", "team11", "staff"};
  SessionFacts facts;
  facts.principal = principal;
  facts.connection = "docs";
  facts.system = "postgres";
  facts.client_address = "10.1.2.3";
  return facts;
}

Operation search(std::string collection) {
  Operation operation;
  operation.system = "postgres";
  operation.verb = Verb::search;
  operation.collections.push_back({.name = std::move(collection), .output_fields = {"id", "title", "body"}});
  operation.searches.push_back({.collection = "public.docs", .field = "embedding", .metric = "cosine"});
  operation.records.max = 10;
  return operation;
}

void decide(benchmark::State& state, const std::string& text, const Operation& operation) {
  auto scope = Scope::compile(load(text), session());
  if (scope->evaluate(operation, kNow).effect != Ruling::Effect::permit) std::abort();
  for (auto _ : state) benchmark::DoNotOptimize(scope->evaluate(operation, kNow));
}

void policy_decision_200_rules(benchmark::State& state) {
  decide(state, company(), search("public.docs3"));
}
void policy_decision_200_rules_all_apply(benchmark::State& state) {
  decide(state, crowded(), search("public.docs"));
}
void policy_decision_join_of_three(benchmark::State& state) {
  Operation operation = search("public.docs");
  operation.collections.push_back({.name = "public.products", .output_fields = {"name"}});
  operation.collections.push_back({.name = "public.tenants"});
  decide(state, crowded(), operation);
}
BENCHMARK(policy_decision_200_rules);
BENCHMARK(policy_decision_200_rules_all_apply);
BENCHMARK(policy_decision_join_of_three);

void policy_scope_200_rules(benchmark::State& state) {
  auto policy = load(company());
  SessionFacts facts = session();
  for (auto _ : state) benchmark::DoNotOptimize(Scope::compile(policy, facts));
}
BENCHMARK(policy_scope_200_rules)->Unit(benchmark::kMicrosecond);

void policy_load_200_rules(benchmark::State& state) {
  std::string text = company();
  for (auto _ : state) benchmark::DoNotOptimize(load(text));
}
BENCHMARK(policy_load_200_rules)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sluice
