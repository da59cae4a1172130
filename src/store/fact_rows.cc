#include "store/fact_rows.h"

namespace sluice::store {

Result<std::optional<std::string>> FactRows::read(std::string_view name) {
  TRY(auto tx, database_.begin(Access::read));
  std::optional<std::string> out;
  CHECK_OK(
      tx.query("SELECT value FROM facts WHERE name = ?1", [&](const Row& row) { out = row.text(0); }, name));
  return out;
}

Result<void> FactRows::write(std::string_view name, std::string_view value) {
  TRY(auto tx, database_.begin(Access::write));
  CHECK_OK(tx.run("INSERT OR REPLACE INTO facts(name, value) VALUES (?1, ?2)", name, value));
  return tx.commit();
}

}  // namespace sluice::store
