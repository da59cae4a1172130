// CatalogueStore: the newest catalogue of one connection as one role sees it, shared by all its sessions, on
// all workers. Sessions read it on their own server connection (catalogue_reader.h) and publish what they
// read.
//
// Freshness: `tick()` (once a second: how long DDL of others may go unseen) marks a poll as due; the next
// session that is about to plan a statement claims it and asks the server whether anything has changed. DDL
// that a session sees marks the store stale at once. Thread-safe; the questions that are asked for each
// statement cost a relaxed load.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "proxy/pg/mask_plans.h"
#include "systems/postgres/catalogue/view.h"

namespace sluice::proxy::pg {

class CatalogueStore {
 public:
  std::uint64_t version() const { return version_.load(std::memory_order_relaxed); }
  std::shared_ptr<const postgres::Catalogue> current() const;
  void publish(std::shared_ptr<const postgres::Catalogue> catalogue);

  void mark_stale() {
    stale_.store(true, std::memory_order_relaxed);
    poll_due_.store(true, std::memory_order_relaxed);
  }
  bool is_stale() const { return stale_.load(std::memory_order_relaxed); }
  void tick() { poll_due_.store(true, std::memory_order_relaxed); }
  bool poll_due() const { return poll_due_.load(std::memory_order_relaxed); }
  bool claim_poll() { return poll_due_.exchange(false, std::memory_order_relaxed); }

  MaskPlans& mask_plans() { return mask_plans_; }

 private:
  std::atomic<std::uint64_t> version_{0};
  std::atomic<bool> stale_{false};
  std::atomic<bool> poll_due_{false};
  mutable std::mutex mutex_;
  std::shared_ptr<const postgres::Catalogue> catalogue_;
  MaskPlans mask_plans_;
};

// All stores of the gateway: one per connection (in its version) and upstream user.
class CatalogueStores {
 public:
  std::shared_ptr<CatalogueStore> find_or_make(const std::string& connection, std::uint64_t version,
                                               const std::string& user);
  void tick();  // on all; forgets those that no session holds and that were replaced by a newer version

 private:
  using Key = std::pair<std::string, std::string>;
  struct Entry {
    std::uint64_t version;
    std::shared_ptr<CatalogueStore> store;
  };
  std::mutex mutex_;
  std::map<Key, Entry> stores_;
};

}  // namespace sluice::proxy::pg
