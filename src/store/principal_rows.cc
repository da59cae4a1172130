#include "store/principal_rows.h"

namespace sluice::store {
namespace {

enum class Membership : std::uint8_t { group = 1, role = 2 };  // on-disk values

Result<void> write_memberships(Transaction& tx, const Principal& principal) {
  CHECK_OK(tx.run("DELETE FROM memberships WHERE principal = ?1", principal.name));
  CHECK_OK(tx.run("DELETE FROM claims WHERE principal = ?1", principal.name));
  constexpr const char* kInsert =
      "INSERT OR IGNORE INTO memberships(principal, kind, name) VALUES (?1, ?2, ?3)";
  for (const auto& group : principal.groups)
    CHECK_OK(tx.run(kInsert, principal.name, Membership::group, group));
  for (const auto& role : principal.roles) CHECK_OK(tx.run(kInsert, principal.name, Membership::role, role));
  for (const auto& [name, value] : principal.claims) {
    CHECK_OK(tx.run("INSERT INTO claims(principal, name, value) VALUES (?1, ?2, ?3)", principal.name, name,
                    value));
  }
  return {};
}

}  // namespace

Result<std::vector<Principal>> PrincipalRows::principals() {
  TRY(auto tx, database_.begin(Access::read));
  std::map<std::string, Principal> found;
  CHECK_OK(tx.query("SELECT name, kind, owner, disabled, epoch FROM principals", [&](const Row& row) {
    Principal principal;
    principal.name = row.text(0);
    principal.kind = static_cast<PrincipalKind>(row.integer(1));
    principal.owner = row.text(2);
    principal.disabled = row.flag(3);
    principal.epoch = row.number(4);
    found.emplace(principal.name, std::move(principal));
  }));
  CHECK_OK(tx.query("SELECT principal, kind, name FROM memberships ORDER BY principal, kind, name",
                    [&](const Row& row) {
                      auto& principal = found[row.text(0)];
                      const auto kind = static_cast<Membership>(row.integer(1));
                      (kind == Membership::group ? principal.groups : principal.roles).push_back(row.text(2));
                    }));
  CHECK_OK(tx.query("SELECT principal, name, value FROM claims",
                    [&](const Row& row) { found[row.text(0)].claims[row.text(1)] = row.text(2); }));
  std::vector<Principal> out;
  out.reserve(found.size());
  for (auto& [name, principal] : found) out.push_back(std::move(principal));
  return out;
}

Result<void> PrincipalRows::add_principal(const Principal& principal) {
  TRY(auto tx, database_.begin(Access::write));
  TRY(const auto added,
      tx.run(
          "INSERT OR IGNORE INTO principals(name, kind, owner, disabled, epoch) VALUES (?1, ?2, ?3, ?4, 1)",
          principal.name, principal.kind, principal.owner, principal.disabled));
  if (added == 0) return fail(Errc::conflict, "principal \"{}\" exists already", principal.name);
  CHECK_OK(write_memberships(tx, principal));
  return tx.commit();
}

Result<void> PrincipalRows::update_principal(const Principal& principal) {
  TRY(auto tx, database_.begin(Access::write));
  TRY(const auto changed,
      tx.run("UPDATE principals SET kind = ?2, owner = ?3, disabled = ?4, epoch = epoch + 1 WHERE name = ?1",
             principal.name, principal.kind, principal.owner, principal.disabled));
  if (changed == 0) return fail(Errc::not_found, "there is no principal \"{}\"", principal.name);
  CHECK_OK(write_memberships(tx, principal));
  return tx.commit();
}

Result<void> PrincipalRows::remove_principal(std::string_view name) {
  TRY(auto tx, database_.begin(Access::write));
  TRY(const auto removed, tx.run("DELETE FROM principals WHERE name = ?1", name));
  if (removed == 0) return fail(Errc::not_found, "there is no principal \"{}\"", name);
  return tx.commit();
}

}  // namespace sluice::store
