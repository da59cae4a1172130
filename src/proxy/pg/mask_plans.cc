#include "proxy/pg/mask_plans.h"

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

}  // namespace sluice::proxy::pg
