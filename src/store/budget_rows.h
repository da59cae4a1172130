// What principals have drawn from their budgets, as the ledger's snapshot between runs (budget/ledger.h,
// AccountState). Written as a whole every few seconds and at the end; losing the last seconds to a power cut
// is accepted. Thread-safe.
#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "store/sqlite.h"

namespace sluice::store {

struct BudgetStep {
  std::string account;
  std::chrono::seconds width{0};
  std::int64_t index = 0;  // of the step, since the epoch
  std::uint64_t taken = 0;
  bool operator==(const BudgetStep&) const = default;
};

class BudgetRows {
 public:
  explicit BudgetRows(Database& database) : database_(database) {}
  Result<std::vector<BudgetStep>> load();  // by account and index
  Result<void> replace(const std::vector<BudgetStep>& steps);

 private:
  Database& database_;
};

}  // namespace sluice::store
