// What names of principals, groups, connections and roles may look like. They appear in logs, on terminals
// and in application_name upstream, so: no control characters, bounded, and for principals and connections
// plain ASCII.
#pragma once

#include <string_view>

#include "core/result.h"

namespace sluice::admin {

inline constexpr std::size_t kMaxNameLength = 63;    // what PostgreSQL keeps of an application_name
inline constexpr std::size_t kMaxLabelLength = 200;  // groups of identity providers are long
inline constexpr std::size_t kMaxListLength = 256;   // groups of a principal, roles of a connection

// Letters, digits and . _ - @ +, beginning with a letter or digit.
Result<void> check_name(std::string_view what, std::string_view name);
// Well-formed UTF-8 without control characters.
Result<void> check_label(std::string_view what, std::string_view label);
Result<void> check_labels(std::string_view what, const std::vector<std::string>& labels);

}  // namespace sluice::admin
