#include "policy/starter.h"

namespace sluice::policy {

std::string_view starter_policy() {
  static constexpr char kText[] =
#include "policy/starter/starter.inc"
      ;
  return {kText, sizeof kText - 1};
}

}  // namespace sluice::policy
