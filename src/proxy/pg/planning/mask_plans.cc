#include "proxy/pg/planning/mask_plans.h"

#include <algorithm>

namespace sluice::proxy::pg {

using postgres::rewrite::MaskPlan;

std::shared_ptr<const MaskPlan> MaskPlans::find_or_compile(const postgres::Catalogue& catalogue,
                                                           const MaskSet& masks) {
  std::lock_guard lock(mutex_);
  const auto known = std::ranges::find_if(plans_, [&](const auto& plan) {
    return plan->catalogue_version() == catalogue.version() && plan->mask_set_id() == masks.id;
  });
  if (known != plans_.end()) {
    plans_.splice(plans_.begin(), plans_, known);
  } else {
    plans_.push_front(MaskPlan::compile(catalogue, masks));
    if (plans_.size() > kKept) plans_.pop_back();
  }
  return plans_.front();
}

std::shared_ptr<const postgres::Catalogue> MaskPlans::with_vouches(
    const std::shared_ptr<const postgres::Catalogue>& as_read, const std::vector<std::string>& vouched) {
  if (!postgres::vouches_for_definitions(vouched)) return as_read;
  std::lock_guard lock(mutex_);
  const auto known = std::ranges::find_if(vouched_, [&](const Vouched& each) {
    return each.as_read == as_read->version() && each.vouched == vouched;
  });
  if (known != vouched_.end()) {
    vouched_.splice(vouched_.begin(), vouched_, known);
  } else {
    vouched_.push_front({as_read->version(), vouched, postgres::with_vouches(as_read, vouched)});
    if (vouched_.size() > kKept) vouched_.pop_back();
  }
  return vouched_.front().catalogue;
}

}  // namespace sluice::proxy::pg
