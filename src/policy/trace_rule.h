// One rule's step of a Trace: the same matching as in a decision, with the reason kept. Of an operation that
// does several things the rule is asked about each of its verbs.
#pragma once

#include "policy/matcher.h"
#include "policy/rule.h"
#include "policy/trace.h"

namespace sluice::policy {

TraceStep trace_rule(const Rule& rule, const SessionView& session, OperationView& view);

}  // namespace sluice::policy
