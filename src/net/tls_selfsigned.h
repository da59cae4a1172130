// A self-signed certificate for first starts and demos (ECDSA P-256, SHA-256). Clients that check
// certificates need its PEM as their root; replace it by one of your own authority for anything that lasts.
#pragma once

#include <string>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "core/secret.h"

namespace sluice::net {

struct SelfSigned {
  std::string certificate_pem;
  Secret key_pem;
};

// `names`: host names and IP addresses for the subjectAltName; the first is the common name too.
Result<SelfSigned> make_self_signed(const std::vector<std::string>& names, WallTime now,
                                    std::chrono::days valid_for);

}  // namespace sluice::net
