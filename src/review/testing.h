// For tests: reviews that are kept in memory, and can fail to be.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "review/repository.h"

namespace sluice::review::testing {

// Thread-safe, but for `kept`.
class MemoryRepository final : public ReviewRepository {
 public:
  Result<void> save(const Review& review) override {
    std::lock_guard lock(mutex_);
    if (failing) return fail(Errc::storage_failed, "disk full");
    kept[review.id.value] = review;
    return {};
  }
  Result<std::vector<Review>> unfinished(WallTime since) override {
    std::vector<Review> out;
    for (const auto& [id, review] : kept) {
      const bool open = review.state == ReviewState::pending || review.state == ReviewState::approved;
      if (open || (review.state == ReviewState::rejected && review.expires > since)) out.push_back(review);
    }
    return out;
  }
  Result<Review> review(const ReviewId& id) override {
    std::lock_guard lock(mutex_);
    auto at = kept.find(id.value);
    if (at == kept.end()) return fail(Errc::not_found, "no review {}", id.value);
    return at->second;
  }
  Result<std::vector<Review>> reviews(const Filter&) override { return std::vector<Review>{}; }

  std::map<std::string, Review> kept;
  std::atomic<bool> failing{false};

 private:
  std::mutex mutex_;
};

}  // namespace sluice::review::testing
