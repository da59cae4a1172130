#include "policy/trace.h"

#include <array>

namespace sluice::policy {

std::string_view to_string(Clause clause) {
  static constexpr std::array<std::string_view, 17> kNames = {"",
                                                              "principal.name",
                                                              "principal.kind",
                                                              "principal.groups",
                                                              "principal.roles",
                                                              "principal.claims",
                                                              "principal.owner",
                                                              "connection",
                                                              "system",
                                                              "client_network",
                                                              "verb",
                                                              "collection",
                                                              "fields",
                                                              "records",
                                                              "vectors",
                                                              "time",
                                                              "except"};
  return kNames[static_cast<std::size_t>(clause)];
}

}  // namespace sluice::policy
