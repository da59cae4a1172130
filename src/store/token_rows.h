// Token hashes in the state database. Revoked and expired tokens stay, so that an audit can name them.
// Thread-safe.
#pragma once

#include "identity/repository.h"
#include "store/sqlite.h"

namespace sluice::store {

class TokenRows final : public identity::TokenRepository {
 public:
  explicit TokenRows(Database& database) : database_(database) {}
  Result<std::vector<identity::TokenEntry>> tokens() override;
  Result<void> add_token(const identity::TokenEntry& token) override;
  Result<void> revoke_token(const TokenId& id, WallTime when) override;

 private:
  Database& database_;
};

}  // namespace sluice::store
