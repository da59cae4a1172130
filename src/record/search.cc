#include "record/search.h"

#include <array>

namespace sluice::record {
namespace {

constexpr std::array<std::string_view, 4> kDecisionNames = {"", "permit", "deny", "review"};

}  // namespace

std::string_view to_string(Decision decision) {
  return kDecisionNames[static_cast<std::size_t>(decision)];
}

std::optional<Decision> decision_from(std::string_view name) {
  for (std::size_t i = 1; i < kDecisionNames.size(); ++i) {
    if (kDecisionNames[i] == name) return static_cast<Decision>(i);
  }
  return std::nullopt;
}

}  // namespace sluice::record
