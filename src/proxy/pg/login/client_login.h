// The start of a client's session: TLS, the start-up packet, the token as the password.
//
// In this order, and nothing later runs without the step before: TLS (or loopback, where the operator allows
// it) → start parameters on the allow-list → token as cleartext password → principal → connection → role
// alias. No secret is asked for before TLS. What goes wrong is said to the client as a FATAL ErrorResponse
// and returned as an Error whose detail is for the log and the record.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "core/clock.h"
#include "identity/authenticator.h"
#include "model/connection_table.h"
#include "net/stream.h"
#include "proxy/pg/login/upstream_login.h"
#include "proxy/pg/session/cancel_keys.h"
#include "proxy/pg/session/session_counts.h"
#include "wire/pg/framer.h"

namespace sluice::proxy::pg {

struct ListenerOptions {
  std::string connection;              // every client of this listener gets it; empty: by dbname
  bool plaintext_on_loopback = false;  // a token in the clear, for local development only
  std::function<std::shared_ptr<net::TlsServerContext>()> tls;  // null: the listener has no certificate
};

// What a login needs from the gateway, by reference; all of it outlives the session.
struct LoginServices {
  const Clock& clock;
  const identity::Authenticator& authenticator;
  const Published<ConnectionTable>& connections;
  CancelKeys& cancel_keys;
  SessionCounts& session_counts;
  std::chrono::nanoseconds limit;  // for the whole of the login
  std::size_t sessions_per_principal = 1;
  // The gateway has all the sessions that it may have: the client hears so, before it has sent anything of
  // its own, and nothing else happens. (A CancelRequest is heard all the same.)
  bool full = false;
};

struct ClientLogin {
  identity::Authenticated who;
  std::shared_ptr<const Connection> connection;
  const ConnectionRole* role = nullptr;  // lives as long as the connection
  std::string application_name;          // the client's own
  ParameterList parameters;              // allowed settings to hand on
  bool tls = false;
  SessionCounts::Place place;  // among the principal's sessions
};

// Why a login ended without a session. `who` is as much as is known, for the record of failed log-ins.
struct LoginFailure {
  std::string cause;  // "wrong_secret", "tls_required", ...; a closed list in client_login.cc
  std::string detail;
  std::string principal;
  std::string connection;
  bool cancel_request = false;  // not a failure: the connection carried a CancelRequest and is done
};

net::Task<std::expected<ClientLogin, LoginFailure>> log_in_client(net::Stream& stream,
                                                                  const ListenerOptions& options,
                                                                  const LoginServices& services);

// FATAL, and no more: for what goes wrong after the client's own part was right.
net::Task<> refuse_login(net::Stream& stream, std::string sqlstate, std::string message, std::string hint);

}  // namespace sluice::proxy::pg
