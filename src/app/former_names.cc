#include "app/former_names.h"

#include <map>

#include "core/log.h"

namespace sluice::app {
namespace {

using postgres::NameHistory;

std::vector<store::NameRow> rows_of(const std::string& connection,
                                    const std::vector<NameHistory::Name>& names) {
  std::vector<store::NameRow> rows;
  for (const auto& each : names)
    rows.push_back({connection, each.database, each.relation, each.attnum, each.name});
  return rows;
}

}  // namespace

Result<void> load_former_names(store::State& state, proxy::pg::CatalogueStores& catalogues) {
  TRY(const auto rows, state.names.load());
  std::map<std::string, std::vector<NameHistory::Name>> by_connection;
  for (const auto& row : rows)
    by_connection[row.connection].push_back({row.database, row.relation, row.attnum, row.name});
  for (const auto& [connection, names] : by_connection) catalogues.names(connection)->restore(names);
  return {};
}

void save_former_names(store::State& state, proxy::pg::CatalogueStores& catalogues) {
  for (const auto& [connection, history] : catalogues.all_names()) {
    auto changes = history->take_changes();
    if (changes.added.empty() && changes.removed.empty()) continue;
    if (history->is_full()) {
      log::warn("not all names are followed: what is renamed may lose its mask",
                {{"connection", connection}, {"names", std::to_string(NameHistory::kMaxNames)}});
    }
    const auto saved =
        state.names.change(rows_of(connection, changes.removed), rows_of(connection, changes.added));
    if (saved) continue;
    log::error("former names not saved", {{"connection", connection}, {"error", saved.error().message()}});
    history->give_back(std::move(changes));
  }
}

}  // namespace sluice::app
