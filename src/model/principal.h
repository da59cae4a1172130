// Principal: the authenticated subject of a session, human or machine.
//
// A principal value is a snapshot taken from the directory (identity/directory.h) and immutable once shared.
// `epoch` rises with each revocation or change of membership; a session whose principal's epoch is behind
// re-reads it, and a session of a principal that is gone or disabled ends.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sluice {

// On-disk values: never renumber.
enum class PrincipalKind : std::uint8_t { human = 1, machine = 2 };

struct Principal {
  std::string name;  // unique, e.g. "ana" or "svc-rag"
  PrincipalKind kind = PrincipalKind::human;
  std::vector<std::string> groups;  // who they belong to: policy and role mapping match on these
  std::vector<std::string> roles;   // what they may do in Sluice itself: "admin", "auditor", "approver"
  std::map<std::string, std::string> claims;  // facts from the identity provider
  std::string owner;                          // of a machine: the human or team that answers for it
  bool disabled = false;
  std::uint64_t epoch = 0;
};

}  // namespace sluice
