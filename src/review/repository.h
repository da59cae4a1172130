// Where reviews are kept between runs. Implemented by src/store.
//
// Threads: `save` is called by worker threads too (review/reviews.h says why), so implementations are
// thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "review/review.h"

namespace sluice::review {

class ReviewRepository {
 public:
  virtual ~ReviewRepository() = default;
  // Inserts or replaces, in one transaction. After success the review survives a killed process.
  virtual Result<void> save(const Review& review) = 0;
  // Pending and approved ones, and rejected ones whose rejection ended after `rejected_since`.
  virtual Result<std::vector<Review>> unfinished(WallTime rejected_since) = 0;
  virtual Result<Review> review(const ReviewId& id) = 0;  // Errc::not_found

  // Newest first. `after` continues behind the review of that id.
  struct Filter {
    std::optional<ReviewState> state;
    std::string principal;
    std::string connection;
    std::string after;
    std::size_t limit = 100;
  };
  virtual Result<std::vector<Review>> reviews(const Filter& filter) = 0;
};

}  // namespace sluice::review
