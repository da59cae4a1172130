#include "store/budget_rows.h"

namespace sluice::store {

Result<std::vector<BudgetStep>> BudgetRows::load() {
  TRY(auto tx, database_.begin(Access::read));
  std::vector<BudgetStep> out;
  CHECK_OK(tx.query("SELECT account, step_seconds, step, taken FROM budget_steps ORDER BY account, step",
                    [&](const Row& row) {
                      out.push_back(
                          {row.text(0), std::chrono::seconds{row.integer(1)}, row.integer(2), row.number(3)});
                    }));
  return out;
}

Result<void> BudgetRows::replace(const std::vector<BudgetStep>& steps) {
  TRY(auto tx, database_.begin(Access::write, Durable::process));
  CHECK_OK(tx.run("DELETE FROM budget_steps"));
  for (const auto& step : steps) {
    CHECK_OK(tx.run(
        "INSERT OR REPLACE INTO budget_steps(account, step_seconds, step, taken) VALUES (?1, ?2, ?3, ?4)",
        step.account, std::int64_t{step.width.count()}, step.index, step.taken));
  }
  return tx.commit();
}

}  // namespace sluice::store
