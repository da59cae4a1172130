#include "policy/explain.h"

#include <fmt/format.h>

namespace sluice::policy {
namespace {

std::string_view over_text(Over over) {
  switch (over) {
    case Over::deny: return "then refused";
    case Over::clamp: return "clamped";
    case Over::review: return "then a review";
  }
  return "";
}

std::string bound_text(const Obligations& obligations) {
  if (!obligations.max_records) return "";
  return fmt::format(", at most {} records ({}, rule {})", *obligations.max_records,
                     over_text(obligations.over), obligations.bound_rule);
}

std::string asked_text(const Operation& operation) {
  if (operation.records.max) return fmt::format("up to {} records", *operation.records.max);
  return "any number of records";
}

std::string subject(const Operation& operation, const SessionFacts& facts) {
  std::string text{to_string(operation.verb)};
  for (const Verb verb : operation.also) text += fmt::format(" and {}", to_string(verb));
  for (std::size_t i = 0; i < operation.collections.size(); ++i) {
    text += i == 0 ? " on " : ", ";
    text += operation.collections[i].name;
  }
  return fmt::format("{}, {}, by {} over {}", text, asked_text(operation),
                     facts.principal ? facts.principal->name : "nobody", facts.connection);
}

// Clauses that say the rule is about somebody or something else altogether.
bool about_another_session(Clause clause) {
  return clause >= Clause::principal_name && clause <= Clause::client_network;
}

std::string step_text(const TraceStep& step) {
  std::string outcome;
  if (step.matched) {
    outcome = step.shadow ? "matches (shadow only)" : "matches";
    if (!step.verbs.empty()) outcome += fmt::format(" ({})", step.verbs);
    if (!step.granted && step.failed != Clause::none) {
      outcome += fmt::format(", but does not allow: {}", to_string(step.failed));
    }
  } else {
    outcome = fmt::format("no: {}", to_string(step.failed));
    if (step.failed == Clause::collection || step.failed == Clause::fields || step.failed == Clause::except) {
      if (!step.collection.empty()) outcome += fmt::format(" ({})", step.collection);
    }
  }
  return fmt::format("  {:<28} {:<30} {}  [{}:{}]\n", step.rule, outcome, step.effects, step.file, step.line);
}

std::string mask_text(const MaskSet& masks, const Operation& operation) {
  std::string text;
  for (const CollectionUse& use : operation.collections) {
    auto field = [&](const std::string& name) {
      if (auto mask = masks.field_mask(use.name, name)) {
        text +=
            fmt::format("  masked: {}.{} ({}, rule {})\n", use.name, name, to_string(mask->mask), mask->rule);
      }
    };
    for (const std::string& name : use.output_fields) field(name);
    if (use.all_fields) {
      for (const FieldMask& mask : masks.fields) {
        if (masks.field_mask(use.name, mask.field)) {
          text += fmt::format("  masked: {}.{} ({}, rule {})\n", use.name, mask.field, to_string(mask.mask),
                              mask.rule);
        }
      }
    }
    if (auto mask = masks.vector_mask(use.name))
      text += fmt::format("  masked: vectors of {} (rule {})\n", use.name, mask->rule);
  }
  return text;
}

}  // namespace

std::string summarise(const Ruling& ruling) {
  switch (ruling.effect) {
    case Ruling::Effect::permit: {
      std::string text = "permit" + bound_text(ruling.obligations);
      if (!ruling.budgets.empty()) text += fmt::format(", drawing on {}", fmt::join(ruling.budgets, ", "));
      return text;
    }
    case Ruling::Effect::review:
      return fmt::format("review by {} (rule {}){}", fmt::join(ruling.review.by, " or "), ruling.review.rule,
                         bound_text(ruling.obligations));
    case Ruling::Effect::deny: break;
  }
  std::string by = ruling.denial.rule.empty() ? std::string{} : fmt::format(", rule {}", ruling.denial.rule);
  return fmt::format("deny ({}{}): {}", to_string(ruling.denial.reason), by, ruling.denial.message);
}

std::string explain(const Ruling& ruling, const Trace& trace, const Operation& operation,
                    const SessionFacts& facts, bool all) {
  std::string text = fmt::format("{}\n{}\n", subject(operation, facts), summarise(ruling));
  if (!ruling.denial.hint.empty() && ruling.effect == Ruling::Effect::deny) {
    text += fmt::format("  hint: {}\n", ruling.denial.hint);
  }
  if (ruling.effect != Ruling::Effect::deny && ruling.obligations.masks) {
    text += mask_text(*ruling.obligations.masks, operation);
  }
  for (const std::string& shadow : ruling.shadow) text += fmt::format("  shadow: {}\n", shadow);
  std::size_t elsewhere = 0;
  text += "rules:\n";
  for (const TraceStep& step : trace.steps) {
    if (!all && !step.matched && about_another_session(step.failed)) {
      ++elsewhere;
    } else {
      text += step_text(step);
    }
  }
  if (elsewhere > 0)
    text += fmt::format("  and {} about other principals, connections or networks\n", elsewhere);
  return text;
}

}  // namespace sluice::policy
