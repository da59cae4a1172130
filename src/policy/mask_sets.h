// From mask rules to the MaskSet of a session.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "model/decision.h"
#include "policy/matcher.h"
#include "policy/rule.h"

namespace sluice::policy {

// Adds the masks of a rule that holds for a session (match_session, read broadly) to the set.
void add_masks(const Rule& rule, const SessionMatch& match, MaskSet& set);

// Sessions with equal masks share one MaskSet: ten thousand sessions of one group hold one. Thread-safe.
class MaskInterner {
 public:
  // Gives the set its id, the first 64 bits of SHA-256 over its content.
  std::shared_ptr<const MaskSet> intern(MaskSet set);

 private:
  std::mutex mutex_;
  std::map<std::uint64_t, std::weak_ptr<const MaskSet>> sets_;
};

}  // namespace sluice::policy
