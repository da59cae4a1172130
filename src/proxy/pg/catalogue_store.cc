#include "proxy/pg/catalogue_store.h"

namespace sluice::proxy::pg {

std::shared_ptr<const postgres::Catalogue> CatalogueStore::current() const {
  std::lock_guard lock(mutex_);
  return catalogue_;
}

void CatalogueStore::publish(std::shared_ptr<const postgres::Catalogue> catalogue) {
  std::lock_guard lock(mutex_);
  catalogue_.swap(catalogue);
  stale_.store(false, std::memory_order_relaxed);
  version_.fetch_add(1, std::memory_order_relaxed);
}

std::shared_ptr<CatalogueStore> CatalogueStores::find_or_make(const std::string& connection,
                                                              std::uint64_t version,
                                                              const std::string& user) {
  std::lock_guard lock(mutex_);
  auto& entry = stores_[{connection, user}];
  if (!entry.store || entry.version != version) entry = {version, std::make_shared<CatalogueStore>()};
  return entry.store;
}

void CatalogueStores::tick() {
  std::lock_guard lock(mutex_);
  for (auto& [key, entry] : stores_) entry.store->tick();
}

}  // namespace sluice::proxy::pg
