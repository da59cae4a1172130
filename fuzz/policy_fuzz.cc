// Policy and case files: whatever the bytes, loading ends with a policy or with problems that say where; and
// what is loaded decides as the language promises, with and without a trace.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/crypto.h"
#include "policy/cases.h"
#include "policy/policy_set.h"
#include "policy/rule.h"
#include "policy/scope.h"

namespace {

using namespace sluice;

void check(bool holds) {
  if (!holds) std::abort();
}

SessionFacts session(bool member) {
  auto principal = std::make_shared<Principal>();
  principal->name = "ana";
  if (member) principal->groups = {"members", "support", "rag"};
  SessionFacts facts;
  facts.principal = principal;
  facts.connection = "docs";
  facts.system = "postgres";
  facts.client_address = member ? "10.1.2.3" : "/run/socket";
  return facts;
}

void decide(const std::shared_ptr<const policy::PolicySet>& policy, const SessionFacts& facts, Verb verb,
            std::optional<std::uint64_t> records) {
  constexpr WallTime kNow{std::chrono::seconds{1767605400}};
  Operation operation;
  operation.verb = verb;
  operation.records.max = records;
  operation.collections.push_back(
      {.name = "public.docs", .output_fields = {"email"}, .tested_fields = {"id"}});
  if (records) operation.collections.push_back({.name = "public.kb", .all_fields = true});
  auto scope = policy::Scope::compile(policy, facts);
  Ruling ruling = scope->evaluate(operation, kNow);
  policy::Trace trace;
  check(scope->evaluate(operation, kNow, &trace).effect == ruling.effect);
  check(trace.steps.size() == policy->rules().size());
  check(ruling.obligations.masks != nullptr);
  if (verb != Verb::unknown) {
    // The decision finds its rules by an index; the trace asks each one.
    std::vector<std::string> matched;
    for (const policy::TraceStep& step : trace.steps) {
      if (step.matched && !step.shadow) matched.push_back(step.rule);
    }
    check(matched == ruling.rules);
  }
  if (ruling.effect == Ruling::Effect::deny) return;

  check(verb != Verb::unknown);
  bool granted = false;
  for (const policy::TraceStep& step : trace.steps) {
    const policy::Rule* rule = policy->find(step.rule);
    check(rule != nullptr);
    if (!step.matched || step.shadow) continue;
    granted = granted || step.granted;
    // A deny that matched lets nothing pass, unless it waits for the number of records of an unbounded reply.
    check(!rule->deny || (!records && rule->match.records_over && ruling.obligations.max_records));
  }
  check(granted);
  if (ruling.effect == Ruling::Effect::review) check(!ruling.review.by.empty());
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  sluice::initialise_crypto();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string text{reinterpret_cast<const char*>(data), size};
  policy::Loaded loaded = policy::load_texts({{"p.yaml", text}}, 1);
  check((loaded.policy == nullptr) == policy::has_errors(loaded.problems));
  for (const policy::Problem& problem : loaded.problems) check(!to_string(problem).empty());
  if (loaded.policy) {
    check(loaded.policy->summaries().size() == loaded.policy->rules().size());
    for (bool member : {true, false}) {
      for (int verb = 0; verb < kVerbCount; ++verb) {
        decide(loaded.policy, session(member), static_cast<Verb>(verb), std::nullopt);
        decide(loaded.policy, session(member), static_cast<Verb>(verb), 150);
      }
    }
  }
  policy::ReadCases cases = policy::read_cases("c.yaml", text);
  if (loaded.policy == nullptr && !policy::has_errors(cases.problems)) {
    static const auto empty = policy::load_texts({{"p.yaml", "rules: []\n"}}, 1).policy;
    for (const auto& result : policy::run_cases(empty, cases.cases))
      check(!result.got.empty() || !result.passed);
  }
  return 0;
}
