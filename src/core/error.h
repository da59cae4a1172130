// The closed list of things that can go wrong, and the value that carries one of them.
//
// An `Error` is for what failed; a refusal by policy is not an error but a `Decision` (model/decision.h).
// Errors travel in `Result<T>` (core/result.h). The detail is for operators and may be shown to the client,
// so it never holds a credential, a masked value or a bound parameter.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice {

enum class Errc : std::uint8_t {
  invalid_argument,  // the caller asked for something that cannot be
  malformed,         // bytes from outside do not follow their protocol or format
  too_large,         // a named limit was exceeded
  unsupported,       // understood, and deliberately not done
  unauthenticated,   // no valid credential
  forbidden,         // valid credential, not allowed
  not_found,
  conflict,     // exists already, or changed meanwhile
  unavailable,  // a peer (upstream, store) cannot be reached or answers wrongly
  timed_out,
  cancelled,
  storage_failed,  // the disk or the store refused; nothing may pass while this lasts
  internal,        // a broken invariant of our own
};

// Stable lower-case name, as used in logs, metrics and the API.
std::string_view to_string(Errc code);

struct Error {
  Errc code;
  std::string detail;  // one sentence, no trailing full stop

  std::string message() const;  // "<code>: <detail>"
};

}  // namespace sluice
