// The schema of the state database as numbered steps. Forward only: a step that has been released is never
// edited, a change is another step. `PRAGMA user_version` holds the number of the last one applied.
#pragma once

#include "core/result.h"
#include "store/sqlite.h"

namespace sluice::store {

// Applies what is missing, each step in a transaction of its own. A database of a newer Sluice is refused.
Result<void> migrate(Database& database);

int latest_migration();

}  // namespace sluice::store
