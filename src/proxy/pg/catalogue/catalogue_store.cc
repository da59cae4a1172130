#include "proxy/pg/catalogue/catalogue_store.h"

namespace sluice::proxy::pg {

std::shared_ptr<const postgres::Catalogue> CatalogueStore::current() const {
  std::lock_guard lock(mutex_);
  return catalogue_;
}

void CatalogueStore::publish(std::shared_ptr<const postgres::Catalogue> catalogue) {
  std::lock_guard lock(mutex_);
  catalogue_.swap(catalogue);
  stale_.store(false, std::memory_order_relaxed);
  read_again_.store(false, std::memory_order_relaxed);
  version_.fetch_add(1, std::memory_order_relaxed);
}

std::shared_ptr<CatalogueStore> CatalogueStores::find_or_make(const std::string& connection,
                                                              std::uint64_t version,
                                                              const std::string& user) {
  std::lock_guard lock(mutex_);
  auto& entry = stores_[{connection, user}];
  if (!entry.store || entry.version != version) {
    auto& names = names_[connection];
    if (!names) names = std::make_shared<postgres::NameHistory>();
    entry = {version, std::make_shared<CatalogueStore>(names)};
  }
  return entry.store;
}

std::shared_ptr<postgres::NameHistory> CatalogueStores::names(const std::string& connection) {
  std::lock_guard lock(mutex_);
  auto& names = names_[connection];
  if (!names) names = std::make_shared<postgres::NameHistory>();
  return names;
}

std::vector<std::pair<std::string, std::shared_ptr<postgres::NameHistory>>> CatalogueStores::all_names() {
  std::lock_guard lock(mutex_);
  return {names_.begin(), names_.end()};
}

void CatalogueStores::read_again(const std::string& connection) {
  std::lock_guard lock(mutex_);
  for (auto& [key, entry] : stores_) {
    if (key.first == connection) entry.store->read_again();
  }
}

void CatalogueStores::tick() {
  std::lock_guard lock(mutex_);
  for (auto& [key, entry] : stores_) entry.store->tick();
}

}  // namespace sluice::proxy::pg
