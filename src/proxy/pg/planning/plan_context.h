// PlanContext: what planning needs to know of the session and of the policy. Views: good for one call.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/decision.h"
#include "proxy/pg/exchange/names.h"

namespace sluice::proxy::pg {

struct PlanContext {
  Names& names;
  const std::shared_ptr<const MaskSet>& masks;
  const std::vector<std::string>& vouched_functions;
  std::string_view principal;
  std::string_view session;
  // The open transaction has changed the schema or the search_path, which its end takes back.
  bool moved_in_transaction = false;
};

}  // namespace sluice::proxy::pg
