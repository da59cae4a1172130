// State: the gateway's own database (`state.db` in the data folder) with everything that people change while
// it runs.
//
//   TRY(auto state, State::open(data_dir / "state.db", Durable::process));
//   TRY(auto principals, state->principals.principals());
//
// One gateway at a time may open it: a second one gets an error that says so. Changes by administrators are
// synced to the disk before they are answered. Thread-safe; in practice the control thread, and worker
// threads for reviews only.
#pragma once

#include <filesystem>
#include <memory>

#include "store/budget_rows.h"
#include "store/connection_rows.h"
#include "store/fact_rows.h"
#include "store/name_rows.h"
#include "store/principal_rows.h"
#include "store/review_rows.h"
#include "store/sqlite.h"
#include "store/token_rows.h"

namespace sluice::store {

class State {
 public:
  // Makes the file when it is missing and brings its schema up to date. An empty path: in memory, for tests.
  static Result<std::unique_ptr<State>> open(const std::filesystem::path& path, Durable reviews);

 private:
  State(std::unique_ptr<Database> database, Durable durable_reviews);
  std::unique_ptr<Database> database_;

 public:
  PrincipalRows principals;
  TokenRows tokens;
  ConnectionRows connections;
  ReviewRows reviews;
  BudgetRows budgets;
  FactRows facts;
  NameRows names;
};

}  // namespace sluice::store
