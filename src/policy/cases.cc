#include "policy/cases.h"

#include <fmt/format.h>

#include <algorithm>

#include "policy/explain.h"
#include "policy/scope.h"

namespace sluice::policy {
namespace {

std::string_view effect_name(Ruling::Effect effect) {
  switch (effect) {
    case Ruling::Effect::permit: return "permit";
    case Ruling::Effect::deny: return "deny";
    case Ruling::Effect::review: return "review";
  }
  return "";
}

std::string_view over_name(Over over) {
  return over == Over::deny ? "deny" : over == Over::clamp ? "clamp" : "review";
}

int severity(Ruling::Effect effect) {
  return effect == Ruling::Effect::deny ? 2 : effect == Ruling::Effect::review ? 1 : 0;
}

std::string deciding_rule(const Ruling& ruling) {
  switch (ruling.effect) {
    case Ruling::Effect::deny: return ruling.denial.rule;
    case Ruling::Effect::review: return ruling.review.rule;
    case Ruling::Effect::permit: return ruling.obligations.bound_rule;
  }
  return "";
}

// Compares one ruling with what was expected of it.
class Comparison {
 public:
  Comparison(const Expectation& expect, const Ruling& ruling, const Operation& operation)
      : expect_(expect), ruling_(ruling), operation_(operation) {}

  std::vector<std::string> run() {
    check("effect", std::string{effect_name(expect_.effect)}, std::string{effect_name(ruling_.effect)});
    // For a permit, any rule that took part; it rarely matters which of several grants came first.
    if (expect_.rule && (ruling_.effect != Ruling::Effect::permit || !took_part(*expect_.rule))) {
      check("rule", *expect_.rule, deciding_rule(ruling_));
    }
    if (expect_.reason) check("reason", to_string(*expect_.reason), to_string(ruling_.denial.reason));
    const Obligations& obligations = ruling_.obligations;
    if (expect_.max_records) {
      check("max_records", fmt::to_string(*expect_.max_records),
            obligations.max_records ? fmt::to_string(*obligations.max_records) : "none");
    }
    if (expect_.over) check("over", over_name(*expect_.over), over_name(obligations.over));
    if (expect_.clamp) check("clamp", fmt::to_string(*expect_.clamp), fmt::to_string(obligations.clamp));
    if (expect_.message && !ruling_.denial.message.contains(*expect_.message)) {
      check("message", *expect_.message, ruling_.denial.message);
    }
    check_masks();
    if (expect_.shadow) check_shadow();
    return std::move(failures_);
  }

 private:
  void check(std::string_view what, std::string_view expected, std::string_view got) {
    if (expected != got)
      failures_.push_back(fmt::format("{}: expected {}, got {}", what, expected, got.empty() ? "none" : got));
  }

  bool took_part(const std::string& rule) const {
    return std::ranges::find(ruling_.rules, rule) != ruling_.rules.end();
  }

  void check_masks() {
    if (expect_.masks.empty() && !expect_.vectors) return;
    if (operation_.collections.empty()) {
      failures_.emplace_back("masks: the operation touches no collection");
      return;
    }
    const std::string& collection = operation_.collections.front().name;
    const MaskSet& masks = *ruling_.obligations.masks;
    for (const auto& [field, expected] : expect_.masks) {
      auto mask = masks.field_mask(collection, field);
      check(fmt::format("mask of {}", field), expected, mask ? to_string(mask->mask) : "none");
    }
    if (expect_.vectors)
      check("vectors", *expect_.vectors, masks.vector_mask(collection) ? "remove" : "none");
  }

  void check_shadow() {
    std::vector<std::string> names;
    for (const std::string& entry : ruling_.shadow) names.push_back(entry.substr(0, entry.find(':')));
    auto repeated = std::ranges::unique(names);
    names.erase(repeated.begin(), repeated.end());
    check("shadow", fmt::format("{}", fmt::join(*expect_.shadow, ", ")),
          fmt::format("{}", fmt::join(names, ", ")));
  }

  const Expectation& expect_;
  const Ruling& ruling_;
  const Operation& operation_;
  std::vector<std::string> failures_;
};

CaseResult run_case(const std::shared_ptr<const PolicySet>& policy, const Case& test,
                    const SqlMapper& mapper) {
  CaseResult result{.name = test.name, .file = test.file, .line = test.line};
  std::vector<Operation> operations;
  if (test.sql.empty()) {
    operations.push_back(test.operation);
  } else if (!mapper) {
    result.failures.emplace_back("sql: cases with SQL text cannot be run here");
    return result;
  } else if (auto mapped = mapper(test.session, test.sql)) {
    operations = std::move(*mapped);
  } else {
    result.failures.push_back(fmt::format("sql: {}", mapped.error().message()));
    return result;
  }
  auto scope = Scope::compile(policy, test.session);
  std::vector<std::string_view> approved{test.approved.begin(), test.approved.end()};
  std::optional<Ruling> worst;
  const Operation* of = nullptr;
  for (const Operation& operation : operations) {
    Ruling ruling = scope->evaluate(operation, test.at, nullptr, approved);
    if (worst && severity(ruling.effect) <= severity(worst->effect)) continue;
    worst = std::move(ruling);
    of = &operation;
  }
  if (!worst) {
    result.failures.emplace_back("sql: the text holds no statement");
    return result;
  }
  result.got = summarise(*worst);
  result.failures = Comparison{test.expect, *worst, *of}.run();
  result.passed = result.failures.empty();
  return result;
}

}  // namespace

std::vector<CaseResult> run_cases(const std::shared_ptr<const PolicySet>& policy,
                                  const std::vector<Case>& cases, const SqlMapper& mapper) {
  std::vector<CaseResult> results;
  results.reserve(cases.size());
  for (const Case& test : cases) results.push_back(run_case(policy, test, mapper));
  return results;
}

}  // namespace sluice::policy
