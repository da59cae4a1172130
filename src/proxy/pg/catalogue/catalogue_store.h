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
#include <vector>

#include "proxy/pg/planning/mask_plans.h"
#include "systems/postgres/catalogue/name_history.h"
#include "systems/postgres/catalogue/view.h"

namespace sluice::proxy::pg {

class CatalogueStore {
 public:
  explicit CatalogueStore(
      std::shared_ptr<postgres::NameHistory> names = std::make_shared<postgres::NameHistory>())
      : names_(std::move(names)) {}

  std::uint64_t version() const { return version_.load(std::memory_order_relaxed); }
  std::shared_ptr<const postgres::Catalogue> current() const;
  void publish(std::shared_ptr<const postgres::Catalogue> catalogue);

  void mark_stale() {
    stale_.store(true, std::memory_order_relaxed);
    poll_due_.store(true, std::memory_order_relaxed);
  }
  // What is made of the database's answers has changed, though they have not: read again all the same.
  void read_again() {
    read_again_.store(true, std::memory_order_relaxed);
    poll_due_.store(true, std::memory_order_relaxed);
  }
  bool must_read_again() const { return read_again_.load(std::memory_order_relaxed); }
  bool is_stale() const { return stale_.load(std::memory_order_relaxed); }
  void tick() {
    ticks_.fetch_add(1, std::memory_order_relaxed);
    poll_due_.store(true, std::memory_order_relaxed);
  }
  // For sessions that look for themselves.
  std::uint64_t ticks() const { return ticks_.load(std::memory_order_relaxed); }
  bool poll_due() const { return poll_due_.load(std::memory_order_relaxed); }
  bool claim_poll() { return poll_due_.exchange(false, std::memory_order_relaxed); }

  MaskPlans& mask_plans() { return mask_plans_; }
  postgres::NameHistory& names() { return *names_; }

 private:
  std::atomic<std::uint64_t> version_{0};
  std::atomic<std::uint64_t> ticks_{0};
  std::atomic<bool> stale_{false};
  std::atomic<bool> read_again_{false};
  std::atomic<bool> poll_due_{false};
  mutable std::mutex mutex_;
  std::shared_ptr<const postgres::Catalogue> catalogue_;
  MaskPlans mask_plans_;
  const std::shared_ptr<postgres::NameHistory> names_;
};

// All stores of the gateway: one per connection (in its version) and upstream user.
class CatalogueStores {
 public:
  std::shared_ptr<CatalogueStore> find_or_make(const std::string& connection, std::uint64_t version,
                                               const std::string& user);
  void tick();  // on all; forgets those that no session holds and that were replaced by a newer version

  // What the relations of a connection's databases were called before, whoever asks and in whatever version.
  std::shared_ptr<postgres::NameHistory> names(const std::string& connection);
  std::vector<std::pair<std::string, std::shared_ptr<postgres::NameHistory>>> all_names();
  void read_again(const std::string& connection);

 private:
  using Key = std::pair<std::string, std::string>;
  struct Entry {
    std::uint64_t version;
    std::shared_ptr<CatalogueStore> store;
  };
  std::mutex mutex_;
  std::map<Key, Entry> stores_;
  std::map<std::string, std::shared_ptr<postgres::NameHistory>> names_;  // by connection
};

}  // namespace sluice::proxy::pg
