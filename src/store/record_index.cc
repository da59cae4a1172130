#include "store/record_index.h"

#include "core/byte_writer.h"
#include "core/case_fold.h"
#include "record/index_scan.h"

namespace sluice::store {
namespace {

using namespace record;

// Rises with every change of the schema or of record/index_filter.h: an index of another version is made anew
// from the segments.
constexpr std::int64_t kVersion = 3;
constexpr const char* kSetVersion = "PRAGMA user_version = 3";

// Statements that are remembered by their key, so that a usual one costs no question; forgotten all at once.
constexpr std::size_t kRememberedStatements = 4096;

// Unsigned 64-bit numbers are kept as SQLite's signed ones, bit by bit; they are compared for equality only.
// What is looked for without its case stands in a column `…_folded` (core/case_fold.h).
constexpr const char* kSchema = R"sql(
CREATE TABLE positions (
  shard    INTEGER PRIMARY KEY,
  log_id   BLOB NOT NULL,
  segment  INTEGER NOT NULL,
  at       INTEGER NOT NULL,
  seq      INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions (
  id             INTEGER PRIMARY KEY,
  shard          INTEGER NOT NULL,
  seq            INTEGER NOT NULL,
  segment        INTEGER NOT NULL,
  segment_seq    INTEGER NOT NULL,
  principal      TEXT NOT NULL,
  kind           INTEGER NOT NULL,
  connection     TEXT NOT NULL,
  principal_folded  TEXT NOT NULL,
  connection_folded TEXT NOT NULL,
  system         TEXT NOT NULL,
  role           TEXT NOT NULL,
  upstream_user  TEXT NOT NULL,
  client_address TEXT NOT NULL,
  client_name    TEXT NOT NULL,
  token_id       TEXT NOT NULL,
  started        INTEGER NOT NULL,
  ended          INTEGER,
  end_reason     TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX sessions_by_time ON sessions(started);
CREATE INDEX sessions_by_principal ON sessions(principal_folded, started);

-- Kinds of statements: those that differ in constants only share one.
CREATE TABLE statements (
  id     INTEGER PRIMARY KEY,
  digest BLOB NOT NULL UNIQUE,
  verbs  INTEGER NOT NULL,
  text   TEXT NOT NULL
) STRICT;
CREATE VIRTUAL TABLE statement_words USING fts5(
  text, content = 'statements', content_rowid = 'id', tokenize = "ascii tokenchars '_'");
CREATE TABLE relations (
  id   INTEGER PRIMARY KEY,
  name   TEXT NOT NULL UNIQUE,
  folded TEXT NOT NULL
) STRICT;
CREATE INDEX relations_by_folded ON relations(folded);
CREATE TABLE statement_relations (
  statement INTEGER NOT NULL,
  relation  INTEGER NOT NULL,
  PRIMARY KEY (statement, relation)
) STRICT, WITHOUT ROWID;

CREATE TABLE stretches (
  id         INTEGER PRIMARY KEY,
  shard      INTEGER NOT NULL,
  segment    INTEGER NOT NULL,
  first_seq  INTEGER NOT NULL,
  end_seq    INTEGER NOT NULL,
  oldest     INTEGER NOT NULL,
  newest     INTEGER NOT NULL,
  named      BLOB NOT NULL,
  filter     BLOB NOT NULL,
  UNIQUE (shard, first_seq)
) STRICT;
CREATE INDEX stretches_by_time ON stretches(newest);
CREATE TABLE stretch_groups (
  stretch      INTEGER NOT NULL,
  session      INTEGER NOT NULL,
  statement    INTEGER NOT NULL,
  decision     INTEGER NOT NULL,
  operations   INTEGER NOT NULL,
  first_offset INTEGER NOT NULL,
  first_seq    INTEGER NOT NULL,
  last_seq     INTEGER NOT NULL,
  PRIMARY KEY (stretch, session, statement, decision)
) STRICT, WITHOUT ROWID;
CREATE INDEX groups_by_session ON stretch_groups(session);

-- What came in a later stretch than the intent.
CREATE TABLE late_outcomes (
  shard       INTEGER NOT NULL,
  intent      INTEGER NOT NULL,
  status      TEXT NOT NULL,
  error_class TEXT NOT NULL,
  records     INTEGER NOT NULL,
  bytes       INTEGER NOT NULL,
  masked      INTEGER NOT NULL,
  duration    INTEGER NOT NULL,
  ids         TEXT NOT NULL,
  PRIMARY KEY (shard, intent)
) STRICT, WITHOUT ROWID;
CREATE TABLE late_record_ids (
  record   TEXT NOT NULL,
  relation INTEGER NOT NULL,
  shard    INTEGER NOT NULL,
  intent   INTEGER NOT NULL,
  PRIMARY KEY (record, relation, shard, intent)
) STRICT, WITHOUT ROWID;
)sql";

// Of this version and of those before it.
constexpr const char* kDrop = R"sql(
DROP TABLE IF EXISTS positions;
DROP TABLE IF EXISTS sessions;
DROP TABLE IF EXISTS statement_words;
DROP TABLE IF EXISTS statement_relations;
DROP TABLE IF EXISTS stretches;
DROP TABLE IF EXISTS stretch_groups;
DROP TABLE IF EXISTS late_outcomes;
DROP TABLE IF EXISTS late_record_ids;
DROP TABLE IF EXISTS operation_relations;
DROP TABLE IF EXISTS record_ids;
DROP TABLE IF EXISTS relations;
DROP TABLE IF EXISTS operations;
DROP TABLE IF EXISTS statements;
)sql";

// Pairs of numbers, little-endian.
std::string encode_references(const std::vector<StretchReference>& references) {
  std::string out;
  ByteWriter writer{out};
  for (const auto& reference : references) writer.u64le(reference.seq).u64le(reference.offset);
  return out;
}

}  // namespace

Result<std::unique_ptr<RecordIndex>> RecordIndex::open(const std::filesystem::path& path,
                                                       std::filesystem::path record) {
  std::unique_ptr<RecordIndex> index{new RecordIndex{std::move(record)}};
  TRY(index->writing_, Database::open(path, {}));
  std::int64_t version = 0;
  {
    TRY(auto tx, index->writing_->begin(Access::read));
    CHECK_OK(tx.query("PRAGMA user_version", [&](const Row& row) { version = row.integer(0); }));
  }
  if (version != kVersion) CHECK_OK(index->clear());
  if (!path.empty()) {
    TRY(index->reading_, Database::open(path, {}));
  }
  return index;
}

Result<void> RecordIndex::clear() {
  roll_back();
  CHECK_OK(writing_->execute(kDrop));
  CHECK_OK(writing_->execute(kSchema));
  return writing_->execute(kSetVersion);
}

Result<std::vector<IndexedPosition>> RecordIndex::positions() {
  std::vector<IndexedPosition> out;
  TRY(auto tx, writing_->begin(Access::read));
  CHECK_OK(
      tx.query("SELECT shard, log_id, segment, at, seq FROM positions ORDER BY shard", [&](const Row& row) {
        IndexedPosition position{
            .shard = static_cast<std::uint16_t>(row.integer(0)),
            .position = {.segment = row.number(2), .offset = row.number(3), .seq = row.number(4)}};
        auto id = row.blob(1);
        std::copy_n(id.begin(), std::min(id.size(), position.log_id.size()), position.log_id.begin());
        out.push_back(position);
      }));
  return out;
}

Result<void> RecordIndex::begin() {
  transaction_.reset();
  // It can be made anew: a power cut may take the last transactions, never their order.
  TRY(auto tx, writing_->begin(Access::write, Durable::process));
  transaction_.emplace(std::move(tx));
  return {};
}

Result<void> RecordIndex::commit() {
  auto done = transaction_->commit();
  transaction_.reset();
  if (!done) statements_.clear();
  return done;
}

void RecordIndex::roll_back() {
  transaction_.reset();
  statements_.clear();  // some of the rows were made in that transaction
}

Result<void> RecordIndex::set_position(const IndexedPosition& p) {
  CHECK_OK(transaction_->run(
      "INSERT OR REPLACE INTO positions (shard, log_id, segment, at, seq) VALUES (?1,?2,?3,?4,?5)", p.shard,
      Bytes{p.log_id}, p.position.segment, p.position.offset, p.position.seq));
  return {};
}

Result<void> RecordIndex::session_started(const Header& header, const SessionFacts& facts,
                                          const Position& segment) {
  CHECK_OK(transaction_->run(
      "INSERT OR REPLACE INTO sessions (id, shard, seq, segment, segment_seq, principal, kind, connection, "
      "system, role, "
      "upstream_user, client_address, client_name, token_id, started, principal_folded, connection_folded) "
      "VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17)",
      facts.id.value, header.shard, header.seq, segment.segment, segment.seq, facts.principal->name,
      facts.principal->kind, facts.connection, facts.system, facts.role, facts.upstream_user,
      facts.client_address, facts.client_name, facts.token_id, header.time, fold_case(facts.principal->name),
      fold_case(facts.connection)));
  return {};
}

Result<void> RecordIndex::session_ended(const Header& header, const SessionEnd& end) {
  CHECK_OK(transaction_->run("UPDATE sessions SET ended = ?2, end_reason = ?3 WHERE id = ?1",
                             header.session.value, header.time, to_string(end.reason)));
  return {};
}

Result<std::int64_t> RecordIndex::relation_row(std::string_view name) {
  std::optional<std::int64_t> row;
  CHECK_OK(transaction_->query(
      "SELECT id FROM relations WHERE name = ?1", [&](const Row& r) { row = r.integer(0); }, name));
  if (row) return *row;
  CHECK_OK(transaction_->query(
      "INSERT INTO relations (name, folded) VALUES (?1, ?2) RETURNING id",
      [&](const Row& r) { row = r.integer(0); }, name, fold_case(name)));
  if (!row) return fail(Errc::storage_failed, "a relation could not be indexed");
  return *row;
}

Result<std::int64_t> RecordIndex::statement(const StatementKind& kind) {
  std::string key{kind.key};
  if (const auto known = statements_.find(key); known != statements_.end()) return known->second;
  const auto digest = sha256(as_bytes(key));
  std::optional<std::int64_t> row;
  CHECK_OK(transaction_->query(
      "SELECT id FROM statements WHERE digest = ?1", [&](const Row& r) { row = r.integer(0); }, digest));
  if (!row) {
    CHECK_OK(transaction_->query(
        "INSERT INTO statements (digest, verbs, text) VALUES (?1, ?2, ?3) RETURNING id",
        [&](const Row& r) { row = r.integer(0); }, digest, kind.verbs, kind.shape));
    if (!row) return fail(Errc::storage_failed, "a statement could not be indexed");
    CHECK_OK(
        transaction_->run("INSERT INTO statement_words (rowid, text) VALUES (?1, ?2)", *row, kind.shape));
    for (const auto& use : *kind.collections) {
      TRY(auto relation, relation_row(use.name));
      CHECK_OK(transaction_->run(
          "INSERT OR IGNORE INTO statement_relations (statement, relation) VALUES (?1, ?2)", *row, relation));
    }
  }
  if (statements_.size() >= kRememberedStatements) statements_.clear();
  statements_.emplace(std::move(key), *row);
  return *row;
}

Result<void> RecordIndex::stretch(const Stretch& s) {
  std::optional<std::int64_t> row;
  CHECK_OK(transaction_->query(
      "INSERT INTO stretches (shard, segment, first_seq, end_seq, oldest, newest, named, filter) "
      "VALUES (?1,?2,?3,?4,?5,?6,?7,?8) ON CONFLICT (shard, first_seq) DO UPDATE SET end_seq = ?4, oldest = "
      "?5, newest = ?6, named = ?7, filter = ?8 RETURNING id",
      [&](const Row& r) { row = r.integer(0); }, s.shard, s.segment, s.first_seq, s.end_seq, s.oldest,
      s.newest, as_bytes(encode_references(s.references)), as_bytes(s.filter)));
  if (!row) return fail(Errc::storage_failed, "a stretch could not be indexed");
  for (const auto& g : s.groups) {
    CHECK_OK(transaction_->run(
        "INSERT OR REPLACE INTO stretch_groups (stretch, session, statement, decision, operations, "
        "first_offset, first_seq, last_seq) VALUES (?1,?2,?3,?4,?5,?6,?7,?8)",
        *row, g.session.value, g.statement, g.decision, g.operations, g.first_offset, g.first_seq,
        g.last_seq));
  }
  return {};
}

Result<void> RecordIndex::late_outcome(const Header& header, std::uint64_t intent,
                                       const OutcomeEntry* outcome) {
  FoundOperation found;
  take_outcome(found, outcome);
  CHECK_OK(transaction_->run(
      "INSERT OR REPLACE INTO late_outcomes (shard, intent, status, error_class, records, bytes, masked, "
      "duration, ids) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9)",
      header.shard, intent, found.status, found.error_class, found.records, found.bytes, found.masked,
      found.duration.count(), found.ids));
  return {};
}

Result<void> RecordIndex::late_record_id(const Header& header, std::uint64_t intent,
                                         std::string_view collection, std::string_view id) {
  TRY(auto relation, relation_row(collection));
  CHECK_OK(transaction_->run(
      "INSERT OR IGNORE INTO late_record_ids (record, relation, shard, intent) VALUES (?1, ?2, ?3, ?4)", id,
      relation, header.shard, intent));
  return {};
}

}  // namespace sluice::store
