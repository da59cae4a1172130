// Logging in to the real PostgreSQL server as the gateway: dial, TLS as the connection says, cleartext or
// SCRAM-SHA-256 (with channel binding where the server offers it), until its first ReadyForQuery.
//
// The credential is resolved for each login, used once and wiped; what SCRAM derives from it is kept
// (salted_passwords.h). MD5 passwords are refused: the hash that
// they send is as good as the password. Errors name the connection and the cause, never the credential; they
// are for the log, the client hears `client_message`.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"
#include "core/secret.h"
#include "model/connection.h"
#include "net/stream.h"
#include "proxy/pg/login/salted_passwords.h"

namespace sluice::proxy::pg {

using ParameterList = std::vector<std::pair<std::string, std::string>>;

// Finds the value behind a CredentialSource. May block: called on a thread of its own. Must not throw.
using CredentialResolver = std::function<Result<Secret>(const CredentialSource&)>;

struct UpstreamLogin {
  std::shared_ptr<const Connection> connection;
  std::string user;
  Secret password;
  ParameterList parameters;          // besides user and database
  std::chrono::nanoseconds limit{};  // for all of it
};

struct Upstream {
  std::unique_ptr<net::Stream> stream;
  std::uint32_t process_id = 0;
  ByteVector cancel_key;
  ParameterList status;  // ParameterStatus, in the server's order
};

net::Task<Result<Upstream>> log_in(UpstreamLogin login, SaltedPasswords& salted_passwords);

// Asks the server to cancel what the session is running. Best effort; a connection of its own, as the
// protocol wants.
net::Task<> cancel_upstream(std::shared_ptr<const Connection> connection, std::uint32_t process_id,
                            ByteVector key);

}  // namespace sluice::proxy::pg
