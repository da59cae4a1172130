// What cannot be seen while reading one rule's keys: effects that do not go together, rules that can never
// act, names that are given twice. Run over all rules of a policy, before it may take effect.
#pragma once

#include <vector>

#include "policy/problem.h"
#include "policy/rule.h"

namespace sluice::policy {

std::vector<Problem> check_rules(const std::vector<Rule>& rules);

}  // namespace sluice::policy
