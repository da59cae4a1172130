#include "store/connection_rows.h"

namespace sluice::store {
namespace {

Result<void> write_roles(Transaction& tx, const Connection& connection) {
  CHECK_OK(tx.run("DELETE FROM connection_roles WHERE connection = ?1", connection.name));
  std::int64_t position = 0;
  for (const auto& role : connection.roles) {
    CHECK_OK(
        tx.run("INSERT INTO connection_roles(connection, position, alias, upstream_user, credential_kind, "
               "credential_reference) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
               connection.name, position, role.alias, role.upstream_user, role.credential.kind,
               role.credential.reference));
    for (const auto& group : role.groups) {
      CHECK_OK(tx.run(
          "INSERT OR IGNORE INTO connection_role_groups(connection, position, name) VALUES (?1, ?2, ?3)",
          connection.name, position, group));
    }
    ++position;
  }
  return {};
}

}  // namespace

Result<std::vector<Connection>> ConnectionRows::connections() {
  TRY(auto tx, database_.begin(Access::read));
  std::map<std::string, Connection> found;
  CHECK_OK(tx.query(
      "SELECT name, system, host, port, database, tls, tls_ca_file, disabled, version, sessions_from "
      "FROM connections",
      [&](const Row& row) {
        Connection connection;
        connection.name = row.text(0);
        connection.system = row.text(1);
        connection.host = row.text(2);
        connection.port = static_cast<std::uint16_t>(row.integer(3));
        connection.database = row.text(4);
        connection.tls = static_cast<UpstreamTls>(row.integer(5));
        connection.tls_ca_file = row.text(6);
        connection.disabled = row.flag(7);
        connection.version = row.number(8);
        connection.sessions_from = row.number(9);
        found.emplace(connection.name, std::move(connection));
      }));
  // Positions count from zero without gaps, so a role's place in the list is its position.
  CHECK_OK(
      tx.query("SELECT connection, alias, upstream_user, credential_kind, credential_reference "
               "FROM connection_roles ORDER BY connection, position",
               [&](const Row& row) {
                 ConnectionRole role;
                 role.alias = row.text(1);
                 role.upstream_user = row.text(2);
                 role.credential = {static_cast<CredentialSource::Kind>(row.integer(3)), row.text(4)};
                 found[row.text(0)].roles.push_back(std::move(role));
               }));
  CHECK_OK(tx.query(
      "SELECT connection, position, name FROM connection_role_groups ORDER BY connection, position, name",
      [&](const Row& row) {
        auto& roles = found[row.text(0)].roles;
        if (row.number(1) < roles.size()) roles[row.number(1)].groups.push_back(row.text(2));
      }));
  std::vector<Connection> out;
  for (auto& [name, connection] : found) out.push_back(std::move(connection));
  return out;
}

Result<void> ConnectionRows::add_connection(const Connection& connection) {
  TRY(auto tx, database_.begin(Access::write));
  TRY(const auto added,
      tx.run("INSERT OR IGNORE INTO connections(name, system, host, port, database, tls, tls_ca_file, "
             "disabled, version, sessions_from) "
             "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1, 1)",
             connection.name, connection.system, connection.host, connection.port, connection.database,
             connection.tls, connection.tls_ca_file, connection.disabled));
  if (added == 0) return fail(Errc::conflict, "connection \"{}\" exists already", connection.name);
  CHECK_OK(write_roles(tx, connection));
  return tx.commit();
}

Result<void> ConnectionRows::update_connection(const Connection& connection,
                                               std::optional<std::uint64_t> expected_version,
                                               identity::OpenSessions sessions) {
  TRY(auto tx, database_.begin(Access::write));
  std::optional<std::uint64_t> version;
  CHECK_OK(tx.query(
      "SELECT version FROM connections WHERE name = ?1", [&](const Row& row) { version = row.number(0); },
      connection.name));
  if (!version) return fail(Errc::not_found, "there is no connection \"{}\"", connection.name);
  if (expected_version && *expected_version != *version) {
    return fail(Errc::conflict, "connection \"{}\" has changed meanwhile: it is at version {}",
                connection.name, *version);
  }
  CHECK_OK(
      tx.run("UPDATE connections SET system = ?2, host = ?3, port = ?4, database = ?5, tls = ?6, "
             "tls_ca_file = ?7, disabled = ?8, version = version + 1, "
             "sessions_from = iif(?9, sessions_from, version + 1) WHERE name = ?1",
             connection.name, connection.system, connection.host, connection.port, connection.database,
             connection.tls, connection.tls_ca_file, connection.disabled,
             sessions == identity::OpenSessions::go_on));
  CHECK_OK(write_roles(tx, connection));
  return tx.commit();
}

Result<void> ConnectionRows::remove_connection(std::string_view name) {
  TRY(auto tx, database_.begin(Access::write));
  TRY(const auto removed, tx.run("DELETE FROM connections WHERE name = ?1", name));
  if (removed == 0) return fail(Errc::not_found, "there is no connection \"{}\"", name);
  return tx.commit();
}

}  // namespace sluice::store
