// SessionCounts: how many sessions each principal has, over all workers.
//
//   auto place = counts.take("ana", 100);     // nullopt: she has 100
//   ... the session holds it; letting go of it gives the place back
//
// Thread-safe; a lock for the length of a map access, at log-in and at the end. Must outlive its places.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace sluice::proxy::pg {

class SessionCounts {
 public:
  class Place {
   public:
    Place() = default;
    Place(Place&& other) noexcept
        : counts_(std::exchange(other.counts_, nullptr)), principal_(std::move(other.principal_)) {}
    Place& operator=(Place&& other) noexcept {
      std::swap(counts_, other.counts_);
      std::swap(principal_, other.principal_);
      return *this;
    }
    ~Place() {
      if (counts_ != nullptr) counts_->release(principal_);
    }

   private:
    friend class SessionCounts;
    Place(SessionCounts& counts, std::string principal)
        : counts_(&counts), principal_(std::move(principal)) {}
    SessionCounts* counts_ = nullptr;
    std::string principal_;
  };

  std::optional<Place> take(const std::string& principal, std::size_t most) {
    std::lock_guard lock(mutex_);
    auto& count = sessions_[principal];
    if (count >= most) return std::nullopt;  // `most` is at least one, so the entry is in use
    ++count;
    return Place{*this, principal};
  }

 private:
  void release(const std::string& principal) {
    std::lock_guard lock(mutex_);
    const auto at = sessions_.find(principal);
    if (--at->second == 0) sessions_.erase(at);
  }

  std::mutex mutex_;
  std::map<std::string, std::size_t> sessions_;
};

}  // namespace sluice::proxy::pg
