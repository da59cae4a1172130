// The JSON Schema (2020-12) of policy files, for editors: `sluice policy schema` prints it. The same text
// stands in docs/schema/policy.schema.json; a test keeps the two equal.
#pragma once

#include <string_view>

namespace sluice::policy {

std::string_view policy_schema();

}  // namespace sluice::policy
