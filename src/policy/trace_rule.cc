#include "policy/trace_rule.h"

namespace sluice::policy {
namespace {

OperationMatch match(const Rule& rule, const SessionView& session, const OperationView& view,
                     Reading reading) {
  SessionMatch settled = match_session(rule, session, reading);
  if (settled.failed != Clause::none) return {settled.failed, kNowhere};
  return match_operation(rule, settled.excepts, view, reading);
}

TraceStep trace_verb(const Rule& rule, const SessionView& session, const OperationView& view) {
  TraceStep step{.rule = rule.name,
                 .file = rule.file,
                 .line = rule.place.line,
                 .shadow = rule.shadow,
                 .effects = describe_effects(rule)};
  OperationMatch decisive{Clause::none, kNowhere};
  if (rule.restricts() || !rule.mask.empty()) {
    decisive = match(rule, session, view, Reading::broad);
    step.matched = decisive.failed == Clause::none;
  }
  if (rule.allow) {
    OperationMatch grant = match(rule, session, view, Reading::narrow);
    step.granted = grant.failed == Clause::none;
    step.matched = step.matched || step.granted;
    decisive = grant;  // where both could be told, why it does not grant is what people ask
  }
  step.failed = decisive.failed;
  if (decisive.at != kNowhere && view.collections() > 0) step.collection = view.name(decisive.at).text;
  return step;
}

}  // namespace

TraceStep trace_rule(const Rule& rule, const SessionView& session, OperationView& view) {
  const Operation& operation = view.operation();
  view.look_at(operation.verb);
  TraceStep step = trace_verb(rule, session, view);
  if (operation.also.empty()) return step;
  std::string matching;
  bool all = true;
  auto name = [&](Verb verb, bool matches) {
    all = all && matches;
    if (matches) matching.append(matching.empty() ? "" : ", ").append(to_string(verb));
  };
  name(operation.verb, step.matched);
  for (const Verb verb : operation.also) {
    view.look_at(verb);
    TraceStep other = trace_verb(rule, session, view);
    name(verb, other.matched);
    const bool granted = step.granted || other.granted;
    if ((other.matched && !step.matched) || (other.granted && !step.granted)) step = std::move(other);
    step.granted = granted;
  }
  if (!all && step.matched) step.verbs = std::move(matching);
  return step;
}

}  // namespace sluice::policy
