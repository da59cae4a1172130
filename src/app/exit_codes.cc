#include "app/exit_codes.h"

#include <cstdio>

namespace sluice::app {

Exit exit_of(Errc code) {
  switch (code) {
    case Errc::invalid_argument:
    case Errc::malformed:
    case Errc::too_large:
    case Errc::unsupported: return Exit::usage;
    case Errc::unauthenticated: return Exit::unauthenticated;
    case Errc::forbidden: return Exit::forbidden;
    case Errc::not_found: return Exit::not_found;
    case Errc::conflict: return Exit::conflict;
    case Errc::unavailable:
    case Errc::timed_out: return Exit::unreachable;
    case Errc::cancelled:
    case Errc::storage_failed:
    case Errc::internal: return Exit::failed;
  }
  return Exit::failed;
}

int report(const Error& error) {
  std::fprintf(stderr, "sluice: %s\n", error.detail.c_str());
  if (error.code == Errc::unauthenticated) {
    std::fputs("Set SLUICE_TOKEN, pass --token-file, or run `sluice context set`.\n", stderr);
  }
  return static_cast<int>(exit_of(error.code));
}

}  // namespace sluice::app
