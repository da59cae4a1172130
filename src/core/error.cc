#include "core/error.h"

namespace sluice {

std::string_view to_string(Errc code) {
  switch (code) {
    case Errc::invalid_argument: return "invalid_argument";
    case Errc::malformed: return "malformed";
    case Errc::too_large: return "too_large";
    case Errc::unsupported: return "unsupported";
    case Errc::unauthenticated: return "unauthenticated";
    case Errc::forbidden: return "forbidden";
    case Errc::not_found: return "not_found";
    case Errc::conflict: return "conflict";
    case Errc::unavailable: return "unavailable";
    case Errc::timed_out: return "timed_out";
    case Errc::cancelled: return "cancelled";
    case Errc::storage_failed: return "storage_failed";
    case Errc::internal: return "internal";
  }
  return "internal";
}

std::string Error::message() const {
  std::string text{to_string(code)};
  if (!detail.empty()) text.append(": ").append(detail);
  return text;
}

}  // namespace sluice
