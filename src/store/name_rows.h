// What relations and columns of the upstream databases have been called (systems/postgres/catalogue/
// name_history.h), by connection, in order of appearance. Added to within a second of each change.
// Thread-safe.
#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "store/sqlite.h"

namespace sluice::store {

struct NameRow {
  std::string connection;
  std::string database;
  std::uint32_t relation = 0;  // oid
  std::int16_t attnum = 0;     // 0: the relation itself
  std::string name;
  bool operator==(const NameRow&) const = default;
};

class NameRows {
 public:
  explicit NameRows(Database& database) : database_(database) {}
  Result<std::vector<NameRow>> load();
  // All or nothing; `removed` first.
  Result<void> change(const std::vector<NameRow>& removed, const std::vector<NameRow>& added);

 private:
  Database& database_;
};

}  // namespace sluice::store
