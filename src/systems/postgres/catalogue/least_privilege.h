// What a role of the database may do that no client of a gateway needs: as statements that take it away, so
// that the database itself is one more wall. `sluice doctor` prints them.
//
//   std::vector<PrivilegeAdvice> all;
//   for (const auto& row : answer of kExcessPrivileges in the role's own session)
//     add_least_privilege(all, row, masks_hold);
//
// The query reads the catalogue only, and is answered for CURRENT_USER: its attributes, the roles it is a
// member of over any number of steps, what it owns with them, and what was granted to it, to those roles and
// to PUBLIC. It is one simple query of several statements, in a transaction of its own; one of them answers
// rows. What the server's own roles (pg_monitor) bring is not told again beside the membership. Nothing here
// says that a role is safe: what its own tables are worth is the policy's to say.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::postgres {

// kind, what, object, grantee: names as SQL writes them.
extern const std::string_view kExcessPrivileges;
inline constexpr std::size_t kExcessPrivilegeColumns = 4;

struct PrivilegeAdvice {
  std::string statement;  // for an administrator of the database: "REVOKE pg_monitor FROM app;"
  std::string reason;     // one line
};

// Adds what a row says; to the reasons of the same statement, if it is there. Nothing for a row of another
// kind, or one that is of no consequence while no masks are in force.
void add_least_privilege(std::vector<PrivilegeAdvice>& all, std::span<const std::optional<std::string>> row,
                         bool masks_hold);

}  // namespace sluice::postgres
