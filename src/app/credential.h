// Where the credentials of upstream databases come from. Resolved when a session needs one and handed over as
// a Secret; never stored, never logged, and errors name the source, not the value.
//
// * file: a path, relative to `credentials/` in the data folder. Owner only, at most kMaxCredentialBytes; one
//   newline at the end is cut off. Other files of the data folder are refused: an administrator of the API
//   must not be able to send the gateway's own keys to a server of their choice.
// * environment: a variable of the gateway's process.
// * command: words, split at blanks, run without a shell; its standard output. Off unless the settings
//   allow it.
//
// Blocks (a command up to kCommandTimeout): not for a worker's own thread (net/blocking.h).
#pragma once

#include <chrono>
#include <filesystem>

#include "core/result.h"
#include "core/secret.h"
#include "model/connection.h"

namespace sluice::app {

inline constexpr std::size_t kMaxCredentialBytes = 4096;    // passwords and cloud tokens are below 2 KiB
inline constexpr std::chrono::seconds kCommandTimeout{10};  // a client is waiting to log in

struct CredentialRules {
  std::filesystem::path data;  // Settings::data()
  bool commands = false;       // Settings::admin.credential_commands
  std::chrono::milliseconds timeout = kCommandTimeout;
};

// An empty Secret for CredentialSource::Kind::none.
Result<Secret> resolve_credential(const CredentialSource& source, const CredentialRules& rules);

}  // namespace sluice::app
