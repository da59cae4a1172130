#include "model/operation.h"

#include <array>

namespace sluice {
namespace {

constexpr std::array<std::string_view, kVerbCount> kVerbNames = {
    "unknown", "search", "fetch",  "scroll", "count",    "aggregate", "write",
    "remove",  "export", "schema", "admin",  "metadata", "session"};

}  // namespace

std::string_view to_string(Verb verb) {
  return kVerbNames[static_cast<std::size_t>(verb)];
}

std::optional<Verb> verb_from(std::string_view name) {
  for (std::size_t i = 0; i < kVerbNames.size(); ++i) {
    if (kVerbNames[i] == name) return static_cast<Verb>(i);
  }
  return std::nullopt;
}

}  // namespace sluice
