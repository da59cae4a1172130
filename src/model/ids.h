// Names of things that outlive a call. Text forms are what the API, the CLI and the record show.
#pragma once

#include <cstdint>
#include <string>

#include "core/strong.h"

namespace sluice {

// A session id is a random 32-bit number chosen at gateway start followed by a 32-bit count; an operation id
// counts up within its session. So both are unique within one record and short enough to type.
using SessionId = Strong<std::uint64_t, struct SessionIdTag>;  // shown as 16 hex digits
using OperationId =
    Strong<std::uint64_t, struct OperationIdTag>;          // shown as "<session>-<n>"; see format_operation
using ReviewId = Strong<std::string, struct ReviewIdTag>;  // "rv_" and 10 characters
using TokenId = Strong<std::string, struct TokenIdTag>;    // the public part of a token, 8 characters

std::string to_string(SessionId id);
std::string format_operation(SessionId session, OperationId operation);

}  // namespace sluice
