#include "store/migrations.h"

#include <array>

namespace sluice::store {
namespace {

struct Migration {
  int number;
  const char* sql;
};

// Times are nanoseconds since the epoch; enumerations are the on-disk values of their C++ types.
constexpr std::array kMigrations = {
    Migration{1, R"sql(
CREATE TABLE principals (
  name     TEXT PRIMARY KEY,
  kind     INTEGER NOT NULL,
  owner    TEXT NOT NULL,
  disabled INTEGER NOT NULL,
  epoch    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- kind: 1 group, 2 role
CREATE TABLE memberships (
  principal TEXT NOT NULL REFERENCES principals(name) ON DELETE CASCADE,
  kind      INTEGER NOT NULL,
  name      TEXT NOT NULL,
  PRIMARY KEY (principal, kind, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE claims (
  principal TEXT NOT NULL REFERENCES principals(name) ON DELETE CASCADE,
  name      TEXT NOT NULL,
  value     TEXT NOT NULL,
  PRIMARY KEY (principal, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE tokens (
  id         TEXT PRIMARY KEY,
  hash       BLOB NOT NULL CHECK (length(hash) = 32),
  principal  TEXT NOT NULL REFERENCES principals(name) ON DELETE CASCADE,
  label      TEXT NOT NULL,
  created    INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  expires    INTEGER,
  revoked    INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX tokens_by_principal ON tokens(principal);

CREATE TABLE connections (
  name        TEXT PRIMARY KEY,
  system      TEXT NOT NULL,
  host        TEXT NOT NULL,
  port        INTEGER NOT NULL,
  database    TEXT NOT NULL,
  tls         INTEGER NOT NULL,
  tls_ca_file TEXT NOT NULL,
  disabled    INTEGER NOT NULL,
  version     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE connection_roles (
  connection           TEXT NOT NULL REFERENCES connections(name) ON DELETE CASCADE,
  position             INTEGER NOT NULL,
  alias                TEXT NOT NULL,
  upstream_user        TEXT NOT NULL,
  credential_kind      INTEGER NOT NULL,
  credential_reference TEXT NOT NULL,
  PRIMARY KEY (connection, position),
  UNIQUE (connection, alias)
) STRICT, WITHOUT ROWID;

CREATE TABLE connection_role_groups (
  connection TEXT NOT NULL,
  position   INTEGER NOT NULL,
  name       TEXT NOT NULL,
  PRIMARY KEY (connection, position, name),
  FOREIGN KEY (connection, position) REFERENCES connection_roles(connection, position) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE reviews (
  sequence          INTEGER PRIMARY KEY,
  id                TEXT NOT NULL UNIQUE,
  digest            BLOB NOT NULL CHECK (length(digest) = 32),
  principal         TEXT NOT NULL,
  connection        TEXT NOT NULL,
  role              TEXT NOT NULL,
  system            TEXT NOT NULL,
  verb              INTEGER NOT NULL,
  statement         TEXT NOT NULL,
  max_records       INTEGER,
  estimated_records INTEGER,
  client_address    TEXT NOT NULL,
  session           TEXT NOT NULL,
  operation         TEXT NOT NULL,
  rule              TEXT NOT NULL,
  approvals         INTEGER NOT NULL,
  uses              INTEGER NOT NULL,
  valid_for_seconds INTEGER NOT NULL,
  hold_seconds      INTEGER NOT NULL,
  bind_vectors      INTEGER NOT NULL,
  state             INTEGER NOT NULL,
  opened            INTEGER NOT NULL,
  expires           INTEGER NOT NULL,
  uses_left         INTEGER NOT NULL
) STRICT;
CREATE INDEX reviews_by_state ON reviews(state, expires);

-- kind: 1 collection, 2 mask, 3 approver that the rule names
CREATE TABLE review_items (
  review   TEXT NOT NULL REFERENCES reviews(id) ON DELETE CASCADE,
  kind     INTEGER NOT NULL,
  position INTEGER NOT NULL,
  value    TEXT NOT NULL,
  PRIMARY KEY (review, kind, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE review_votes (
  review   TEXT NOT NULL REFERENCES reviews(id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  approver TEXT NOT NULL,
  approve  INTEGER NOT NULL,
  comment  TEXT NOT NULL,
  at       INTEGER NOT NULL,
  PRIMARY KEY (review, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE budget_steps (
  account      TEXT NOT NULL,
  step_seconds INTEGER NOT NULL,
  step         INTEGER NOT NULL,
  taken        INTEGER NOT NULL,
  PRIMARY KEY (account, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE facts (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
)sql"},
    // Sessions do not outlive the gateway's process, so that none is older than any version here.
    Migration{2, "ALTER TABLE connections ADD COLUMN sessions_from INTEGER NOT NULL DEFAULT 0;"},
    // They outlive the connection of that name: whoever adds it again finds what was masked masked.
    Migration{3, R"sql(
CREATE TABLE upstream_names (
  place      INTEGER PRIMARY KEY,
  connection TEXT NOT NULL,
  database   TEXT NOT NULL,
  relation   INTEGER NOT NULL,
  attnum     INTEGER NOT NULL,
  name       TEXT NOT NULL,
  UNIQUE (connection, database, relation, attnum, name)
) STRICT;
)sql"},
};

}  // namespace

int latest_migration() {
  return kMigrations.back().number;
}

Result<void> migrate(Database& database) {
  int current = 0;
  {
    TRY(auto tx, database.begin(Access::read));
    CHECK_OK(
        tx.query("PRAGMA user_version", [&](const Row& row) { current = static_cast<int>(row.integer(0)); }));
  }
  if (current > latest_migration()) {
    return fail(Errc::unsupported,
                "the database was written by a newer Sluice (schema {}, this one knows {})", current,
                latest_migration());
  }
  for (const auto& migration : kMigrations) {
    if (migration.number <= current) continue;
    const auto script =
        fmt::format("BEGIN IMMEDIATE; {} PRAGMA user_version = {}; COMMIT;", migration.sql, migration.number);
    if (auto applied = database.execute(script.c_str()); !applied) {
      if (!database.execute("ROLLBACK")) return fail(Errc::storage_failed, "cannot roll back a migration");
      return fail(applied.error().code, "migration {}: {}", migration.number, applied.error().detail);
    }
  }
  return {};
}

}  // namespace sluice::store
