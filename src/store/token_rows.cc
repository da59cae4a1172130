#include "store/token_rows.h"

namespace sluice::store {

Result<std::vector<identity::TokenEntry>> TokenRows::tokens() {
  TRY(auto tx, database_.begin(Access::read));
  std::vector<identity::TokenEntry> out;
  CHECK_OK(tx.query(
      "SELECT id, hash, principal, label, created, created_by, expires, revoked FROM tokens ORDER BY id",
      [&](const Row& row) {
        out.push_back({.id = TokenId{row.text(0)},
                       .hash = row.digest(1),
                       .principal = row.text(2),
                       .label = row.text(3),
                       .created = row.time(4),
                       .created_by = row.text(5),
                       .expires = row.optional_time(6),
                       .revoked = row.optional_time(7)});
      }));
  return out;
}

Result<void> TokenRows::add_token(const identity::TokenEntry& token) {
  TRY(auto tx, database_.begin(Access::write));
  bool exists = false;
  CHECK_OK(tx.query(
      "SELECT 1 FROM principals WHERE name = ?1", [&](const Row&) { exists = true; }, token.principal));
  if (!exists) return fail(Errc::not_found, "there is no principal \"{}\"", token.principal);
  CHECK_OK(
      tx.run("INSERT INTO tokens(id, hash, principal, label, created, created_by, expires, revoked) "
             "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
             token.id.value, token.hash, token.principal, token.label, token.created, token.created_by,
             token.expires, token.revoked));
  return tx.commit();
}

Result<void> TokenRows::revoke_token(const TokenId& id, WallTime when) {
  TRY(auto tx, database_.begin(Access::write));
  TRY(const auto changed,
      tx.run("UPDATE tokens SET revoked = coalesce(revoked, ?2) WHERE id = ?1", id.value, when));
  if (changed == 0) return fail(Errc::not_found, "there is no token \"{}\"", id.value);
  return tx.commit();
}

}  // namespace sluice::store
