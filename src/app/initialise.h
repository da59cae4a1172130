// `sluice init`: a data folder that `sluice serve` can start from. Keys, a self-signed certificate, the
// starter policy, a commented sluice.yaml, the state database and the first administrator with a token.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "core/secret.h"

namespace sluice::app {

struct InitOptions {
  std::filesystem::path data;
  std::string administrator = "admin";
  std::vector<std::string> names;  // more names for the certificate, beside localhost and this host's
  std::uint16_t port = 6432;       // of the PostgreSQL listener
  std::uint16_t admin_port = 8640;
};

struct Initialised {
  std::filesystem::path settings_file;
  std::filesystem::path certificate;
  std::string administrator;
  Secret token;  // shown once
  std::string admin_url;
};

// Errc::conflict when the folder holds an installation already; what was made before a failure is left to
// look at.
Result<Initialised> initialise(const InitOptions& options, const Clock& clock);

}  // namespace sluice::app
