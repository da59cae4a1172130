// Authenticator: the seam between "a client showed us something" and "this is who it is".
//
// Today there is one, TokenAuthenticator; OIDC, SAML, workload JWTs and client certificates become further
// ones. A listener holds one Authenticator and hands it what the client showed; exactly one credential per
// request.
//
// Threads: implementations are thread-safe. `authenticate` never blocks: what needs the network keeps its
// keys fresh elsewhere.
#pragma once

#include <string_view>

#include "identity/directory.h"

namespace sluice::identity {

struct Credentials {
  std::string_view token;            // password, api-key or bearer field, as sent
  std::string_view certificate_der;  // a client certificate that TLS has verified; empty: none
};

class Authenticator {
 public:
  virtual ~Authenticator() = default;
  virtual AuthenticationResult authenticate(const Credentials& credentials, WallTime now) const = 0;
};

// Accepts `slc_` tokens of the current directory, and nothing else: a certificate alone is not enough for it.
class TokenAuthenticator final : public Authenticator {
 public:
  explicit TokenAuthenticator(const Directory& directory) : directory_(directory) {}
  AuthenticationResult authenticate(const Credentials& credentials, WallTime now) const override;

 private:
  const Directory& directory_;
};

}  // namespace sluice::identity
