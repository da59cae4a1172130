#include "policy/schema.h"

namespace sluice::policy {

std::string_view policy_schema() {
  static constexpr char kText[] =
#include "policy/schema.inc"
      ;
  return {kText, sizeof kText - 1};
}

}  // namespace sluice::policy
