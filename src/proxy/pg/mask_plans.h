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

#include "model/decision.h"
#include "systems/postgres/catalogue/view.h"
#include "systems/postgres/rewrite/mask_plan.h"

namespace sluice::proxy::pg {

class MaskPlans {
 public:
  static constexpr std::size_t kKept = 8;  // groups of principals that differ in their masks, and are active

  std::shared_ptr<const postgres::rewrite::MaskPlan> find_or_compile(const postgres::Catalogue& catalogue,
                                                                     const MaskSet& masks);

 private:
  std::mutex mutex_;
  std::list<std::shared_ptr<const postgres::rewrite::MaskPlan>> plans_;  // used last first
};

}  // namespace sluice::proxy::pg
