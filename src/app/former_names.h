// Keeps what relations and columns have been called (systems/postgres/catalogue/name_history.h) over
// restarts.
#pragma once

#include "core/result.h"
#include "proxy/pg/catalogue/catalogue_store.h"
#include "store/state.h"

namespace sluice::app {

Result<void> load_former_names(store::State& state, proxy::pg::CatalogueStores& catalogues);
// What has changed since the last call. What cannot be stored is logged, and tried again with the next call.
void save_former_names(store::State& state, proxy::pg::CatalogueStores& catalogues);

}  // namespace sluice::app
