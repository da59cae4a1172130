// One rule's step of a Trace: the same matching as in a decision, with the reason kept.
#pragma once

#include "policy/matcher.h"
#include "policy/rule.h"
#include "policy/trace.h"

namespace sluice::policy {

TraceStep trace_rule(const Rule& rule, const SessionView& session, const OperationView& view);

}  // namespace sluice::policy
