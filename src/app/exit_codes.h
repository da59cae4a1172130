// Exit codes of every command; docs/cli.md has the table. Never renumber: scripts go by them. `sluice record
// verify` adds its verdicts (record/verifier.h), from 20 on.
#pragma once

#include "core/error.h"

namespace sluice::app {

enum class Exit : int {
  done = 0,
  failed = 1,  // it ran, and the answer is no: a test failed, a policy has errors, something is not in order
  usage = 2,   // the command line or what it names makes no sense
  unauthenticated = 3,  // no token, or not a valid one
  forbidden = 4,
  not_found = 5,
  conflict = 6,     // exists already, or changed meanwhile
  unreachable = 7,  // the gateway does not answer
};

Exit exit_of(Errc code);
// Prints "sluice: <detail>" to standard error and answers the code.
int report(const Error& error);

}  // namespace sluice::app
