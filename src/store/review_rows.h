// Reviews in the state database. Saving a review commits without an fdatasync: like the record under
// `durability: process` it survives a killed process, and a worker thread does not wait for the disk.
// Thread-safe.
#pragma once

#include "review/repository.h"
#include "store/sqlite.h"

namespace sluice::store {

class ReviewRows final : public review::ReviewRepository {
 public:
  // `durable`: host where the record is set so too.
  ReviewRows(Database& database, Durable durable) : database_(database), durable_(durable) {}
  Result<void> save(const review::Review& review) override;
  Result<std::vector<review::Review>> unfinished(WallTime rejected_since) override;
  Result<review::Review> review(const ReviewId& id) override;
  Result<std::vector<review::Review>> reviews(const Filter& filter) override;

 private:
  Database& database_;
  Durable durable_;
};

}  // namespace sluice::store
