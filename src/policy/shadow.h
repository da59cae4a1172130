// What a rule with `shadow: true` would have done, as text for the record: "<rule>: would deny: <message>".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "policy/rule.h"

namespace sluice::policy {

// Adds nothing when the rule would have changed nothing, such as a limit that the request stays within.
void add_shadow(const Rule& rule, bool grants, bool restricts, std::optional<std::uint64_t> asked,
                std::vector<std::string>& out);

}  // namespace sluice::policy
