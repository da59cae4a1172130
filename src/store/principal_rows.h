// Principals, their groups, roles and claims, in the state database. Thread-safe.
#pragma once

#include "identity/repository.h"
#include "store/sqlite.h"

namespace sluice::store {

class PrincipalRows final : public identity::PrincipalRepository {
 public:
  explicit PrincipalRows(Database& database) : database_(database) {}
  Result<std::vector<Principal>> principals() override;
  Result<void> add_principal(const Principal& principal) override;
  Result<void> update_principal(const Principal& principal) override;
  Result<void> remove_principal(std::string_view name) override;

 private:
  Database& database_;
};

}  // namespace sluice::store
