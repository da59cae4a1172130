// Where the directory and the connections are kept between runs. Implemented by src/store; called by the
// control thread only. Every change is one transaction: when a call fails, nothing has changed.
#pragma once

#include <vector>

#include "core/result.h"
#include "identity/directory.h"
#include "model/connection.h"

namespace sluice::identity {

class PrincipalRepository {
 public:
  virtual ~PrincipalRepository() = default;
  virtual Result<std::vector<Principal>> principals() = 0;
  virtual Result<void> add_principal(const Principal& principal) = 0;     // Errc::conflict when it exists
  virtual Result<void> update_principal(const Principal& principal) = 0;  // Errc::not_found; raises its epoch
  virtual Result<void> remove_principal(std::string_view name) = 0;       // its tokens go with it
};

class TokenRepository {
 public:
  virtual ~TokenRepository() = default;
  virtual Result<std::vector<TokenEntry>> tokens() = 0;
  virtual Result<void> add_token(const TokenEntry& token) = 0;
  virtual Result<void> revoke_token(const TokenId& id, WallTime when) = 0;  // once: a second time is no error
};

// What an edit of a connection means for the sessions that use it.
enum class OpenSessions : bool {
  end,    // they end: what they were let in by has changed
  go_on,  // only sessions that begin from now on see it
};

class ConnectionRepository {
 public:
  virtual ~ConnectionRepository() = default;
  virtual Result<std::vector<Connection>> connections() = 0;
  virtual Result<void> add_connection(const Connection& connection) = 0;
  // Replaces it and raises its version. With `expected_version`, Errc::conflict when somebody else was
  // faster.
  virtual Result<void> update_connection(const Connection& connection,
                                         std::optional<std::uint64_t> expected_version,
                                         OpenSessions sessions) = 0;
  virtual Result<void> remove_connection(std::string_view name) = 0;
};

}  // namespace sluice::identity
