// Connection: an operator-named way to one upstream database ("docs"), with its system, address and
// credentials. Not a socket. Registered over the admin API, kept in the store, handed to the data path as an
// immutable snapshot.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

// How Sluice speaks TLS to the upstream. On-disk values: never renumber.
enum class UpstreamTls : std::uint8_t {
  disable = 1,  // loopback or a private network only
  require = 2,  // encrypted, certificate not checked
  verify_ca = 3,
  verify_full = 4,  // certificate chain and host name: the default
};

// Where a credential comes from. The value itself is never stored beside it.
struct CredentialSource {
  enum class Kind : std::uint8_t { none = 0, file = 1, environment = 2, command = 3 };  // on-disk values
  Kind kind = Kind::none;
  std::string reference;  // path, variable name, or command line
};

// One way in: who may use the alias, and whom the database then sees.
struct ConnectionRole {
  std::string alias;                // the `user` that a client asks for
  std::vector<std::string> groups;  // principals of any of these may ask for it; empty: nobody
  std::string upstream_user;
  CredentialSource credential;
};

struct Connection {
  std::string name;    // what a client asks for as `dbname`, unless a listener is bound to it
  std::string system;  // "postgres"
  std::string host;
  std::uint16_t port = 5432;
  std::string database;
  UpstreamTls tls = UpstreamTls::verify_full;
  std::string tls_ca_file;  // empty: the system's
  std::vector<ConnectionRole> roles;
  bool disabled = false;
  std::uint64_t version = 0;        // rises with each edit
  std::uint64_t sessions_from = 0;  // sessions that began under an earlier version end
};

}  // namespace sluice
