// What a gate needs: the parts that it composes, by reference. One `Services` per worker thread, because
// the log has one writer; everything else in it is shared by all workers and thread-safe. All of it outlives
// every gate.
#pragma once

#include <atomic>

#include "budget/ledger.h"
#include "budget/probes.h"
#include "core/clock.h"
#include "core/published.h"
#include "gate/measures.h"
#include "policy/policy_set.h"
#include "record/log.h"
#include "review/reviews.h"

namespace sluice::gate {

struct Services {
  const Clock& clock;
  record::Log& log;
  const Published<policy::PolicySet>& policies;
  budget::Ledger& budgets;
  review::Reviews& reviews;
  budget::Probes& probes;
  bool sync_each_turn =
      false;  // durability `host`: record entries are synced before anything depends on them
  Measures measures{};
};

}  // namespace sluice::gate
