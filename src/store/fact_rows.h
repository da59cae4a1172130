// Small facts that the gateway keeps about itself, by name: its instance id, the time of its set-up.
// Thread-safe.
#pragma once

#include <optional>
#include <string>

#include "core/result.h"
#include "store/sqlite.h"

namespace sluice::store {

class FactRows {
 public:
  explicit FactRows(Database& database) : database_(database) {}
  Result<std::optional<std::string>> read(std::string_view name);
  Result<void> write(std::string_view name, std::string_view value);

 private:
  Database& database_;
};

}  // namespace sluice::store
