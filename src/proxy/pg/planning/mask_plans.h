// MaskPlans: the compiled masks of one connection and role, shared by all its sessions. Compiling takes some
// milliseconds where the catalogue is large, and the sessions of one application have the same masks.
//
//   auto plan = plans.find_or_compile(*catalogue, masks);
//
// Found by the catalogue's version and the mask set's id, which are digests of their contents. Keeps the last
// few; a session keeps its own alive. Thread-safe; who asks for what is being compiled waits for it.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "model/decision.h"
#include "systems/postgres/catalogue/view.h"
#include "systems/postgres/catalogue/vouched.h"
#include "systems/postgres/rewrite/masks/mask_plan.h"

namespace sluice::proxy::pg {

class MaskPlans {
 public:
  static constexpr std::size_t kKept = 8;  // groups of principals that differ in their masks, and are active

  std::shared_ptr<const postgres::rewrite::MaskPlan> find_or_compile(const postgres::Catalogue& catalogue,
                                                                     const MaskSet& masks);

  // The catalogue with what a policy vouches for (PolicySet::vouched_functions); the same one when it vouches
  // for no definition.
  std::shared_ptr<const postgres::Catalogue> with_vouches(
      const std::shared_ptr<const postgres::Catalogue>& as_read, const std::vector<std::string>& vouched);

 private:
  struct Vouched {
    std::uint64_t as_read = 0;  // its version
    std::vector<std::string> vouched;
    std::shared_ptr<const postgres::Catalogue> catalogue;
  };
  std::mutex mutex_;
  std::list<Vouched> vouched_;                                           // used last first
  std::list<std::shared_ptr<const postgres::rewrite::MaskPlan>> plans_;  // used last first
};

}  // namespace sluice::proxy::pg
