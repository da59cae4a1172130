// Registered connections in the state database; where a credential comes from, never the credential.
// Thread-safe.
#pragma once

#include "identity/repository.h"
#include "store/sqlite.h"

namespace sluice::store {

class ConnectionRows final : public identity::ConnectionRepository {
 public:
  explicit ConnectionRows(Database& database) : database_(database) {}
  Result<std::vector<Connection>> connections() override;
  Result<void> add_connection(const Connection& connection) override;
  Result<void> update_connection(const Connection& connection, std::optional<std::uint64_t> expected_version,
                                 identity::OpenSessions sessions) override;
  Result<void> remove_connection(std::string_view name) override;

 private:
  Database& database_;
};

}  // namespace sluice::store
