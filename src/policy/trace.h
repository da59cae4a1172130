// Trace: what each rule had to say about one operation, for `sluice policy explain` and the UI.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::policy {

// The parts of a `match`. `none`: all of it held.
enum class Clause : std::uint8_t {
  none,
  principal_name,
  principal_kind,
  principal_groups,
  principal_roles,
  principal_claims,
  principal_owner,
  connection,
  system,
  client_network,
  verb,
  collection,
  fields,
  records,
  vectors,
  time,
  except,
};
// As written in a policy: "principal.groups", "client_network"; "" for none.
std::string_view to_string(Clause clause);

struct TraceStep {
  std::string rule;
  std::string file;
  std::uint32_t line = 0;
  bool shadow = false;
  bool matched = false;    // as a rule that restricts, or grants, or both
  bool granted = false;    // its allow holds, for every collection; of several verbs, for one of them
  std::string verbs;       // of several, those for which it matched; empty: all, or none
  Clause failed{};         // why it did not match: the first clause that failed
  std::string collection;  // where it failed or matched, when that depends on the collection
  std::string effects;     // what the rule does, in words
};

struct Trace {
  std::vector<TraceStep> steps;  // all rules, in policy order
};

}  // namespace sluice::policy
