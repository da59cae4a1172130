#include "model/decision.h"

#include <array>

namespace sluice {
namespace {

constexpr std::array<std::string_view, 6> kMaskNames = {"",         "partial", "hash",
                                                        "constant", "redact",  "remove"};
constexpr std::array<std::string_view, 13> kReasonNames = {
    "",           "no_rule",         "denied_by_rule",  "over_limit",     "over_budget", "not_understood",
    "masked_use", "review_required", "review_rejected", "review_expired", "revoked",     "record_unavailable",
    "protocol"};

}  // namespace

std::string_view to_string(Mask mask) {
  return kMaskNames[static_cast<std::size_t>(mask)];
}

std::optional<Mask> mask_from(std::string_view name) {
  for (std::size_t i = 1; i < kMaskNames.size(); ++i) {
    if (kMaskNames[i] == name) return static_cast<Mask>(i);
  }
  return std::nullopt;
}

std::string_view to_string(Reason reason) {
  return kReasonNames[static_cast<std::size_t>(reason)];
}

}  // namespace sluice
