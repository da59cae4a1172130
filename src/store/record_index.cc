#include "store/record_index.h"

#include <charconv>

namespace sluice::store {
namespace {

using namespace record;

// Rises with every change of the schema: an index of another version is made anew from the segments.
constexpr std::int64_t kVersion = 1;

// Unsigned 64-bit numbers are kept as SQLite's signed ones, bit by bit; they are compared for equality only.
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
  system         TEXT NOT NULL,
  role           TEXT NOT NULL,
  upstream_user  TEXT NOT NULL,
  client_address TEXT NOT NULL,
  client_name    TEXT NOT NULL,
  token_id       TEXT NOT NULL,
  started        INTEGER NOT NULL,
  ended          INTEGER,
  end_reason     TEXT NOT NULL DEFAULT '',
  operations     INTEGER NOT NULL DEFAULT 0,
  denials        INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX sessions_by_time ON sessions(started);
CREATE INDEX sessions_by_principal ON sessions(principal, started);

CREATE TABLE statements (
  id     INTEGER PRIMARY KEY,
  digest BLOB NOT NULL UNIQUE,
  text   TEXT NOT NULL
) STRICT;
CREATE VIRTUAL TABLE statement_words USING fts5(
  text, content = 'statements', content_rowid = 'id', tokenize = "unicode61 tokenchars '_'");

CREATE TABLE operations (
  id          INTEGER PRIMARY KEY,
  shard       INTEGER NOT NULL,
  seq         INTEGER NOT NULL,
  session     INTEGER NOT NULL,
  operation   INTEGER NOT NULL,
  time        INTEGER NOT NULL,
  system      TEXT NOT NULL,
  verb        INTEGER NOT NULL,
  class       TEXT NOT NULL,
  statement   INTEGER NOT NULL REFERENCES statements(id),
  decision    INTEGER NOT NULL,
  rule        TEXT NOT NULL,
  reason      TEXT NOT NULL,
  review      TEXT NOT NULL,
  status      TEXT NOT NULL DEFAULT '',
  error_class TEXT NOT NULL DEFAULT '',
  records     INTEGER NOT NULL DEFAULT 0,
  bytes       INTEGER NOT NULL DEFAULT 0,
  masked      INTEGER NOT NULL DEFAULT 0,
  duration    INTEGER NOT NULL DEFAULT 0,
  ids         TEXT NOT NULL DEFAULT '',
  UNIQUE (shard, seq)
) STRICT;
CREATE INDEX operations_by_time ON operations(time);
CREATE INDEX operations_by_session ON operations(session, operation);
CREATE INDEX operations_by_statement ON operations(statement);

CREATE TABLE relations (
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE operation_relations (
  relation  INTEGER NOT NULL,
  operation INTEGER NOT NULL,
  PRIMARY KEY (relation, operation)
) STRICT, WITHOUT ROWID;
CREATE INDEX relations_of_operation ON operation_relations(operation);

CREATE TABLE record_ids (
  record    TEXT NOT NULL,
  relation  INTEGER NOT NULL,
  operation INTEGER NOT NULL,
  PRIMARY KEY (record, relation, operation)
) STRICT, WITHOUT ROWID;
)sql";

constexpr const char* kDrop = R"sql(
DROP TABLE IF EXISTS positions;
DROP TABLE IF EXISTS sessions;
DROP TABLE IF EXISTS statement_words;
DROP TABLE IF EXISTS operation_relations;
DROP TABLE IF EXISTS record_ids;
DROP TABLE IF EXISTS relations;
DROP TABLE IF EXISTS operations;
DROP TABLE IF EXISTS statements;
)sql";

constexpr const char* kSetVersion = "PRAGMA user_version = 1";

// Every word a phrase of its own, quoted: nothing in it can be FTS5 syntax, and all must be there.
std::string match_all_words(std::string_view text) {
  std::string out;
  auto is_space = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (!text.empty()) {
    std::size_t n = 0;
    while (n < text.size() && !is_space(text[n])) ++n;
    if (n > 0) {
      out += out.empty() ? "\"" : " AND \"";
      for (char c : text.substr(0, n)) {
        if (c == '"') out += '"';
        if (c != '\0') out += c;
      }
      out += '"';
    }
    text.remove_prefix(std::min(text.size(), n + 1));
  }
  return out;
}

// "<time>.<row>" of the last answer: the next page is what comes after it.
struct Cursor {
  std::int64_t time = 0;
  std::int64_t row = 0;
};
Result<std::optional<Cursor>> parse_cursor(std::string_view text) {
  if (text.empty()) return std::optional<Cursor>{};
  Cursor cursor;
  const auto* end = text.data() + text.size();
  auto time = std::from_chars(text.data(), end, cursor.time);
  if (time.ec != std::errc{} || time.ptr == end || *time.ptr != '.') {
    return fail(Errc::invalid_argument, "the cursor is not one of this index");
  }
  auto row = std::from_chars(time.ptr + 1, end, cursor.row);
  if (row.ec != std::errc{} || row.ptr != end)
    return fail(Errc::invalid_argument, "the cursor is not one of this index");
  return std::optional{cursor};
}
std::string format_cursor(std::int64_t time, std::int64_t row) {
  return fmt::format("{}.{}", time, row);
}

template <class... Texts>
Result<void> check_lengths(const Texts&... texts) {
  bool ok = ((!texts || texts->size() <= kMaxQueryText) && ...);
  if (!ok) return fail(Errc::too_large, "a condition of a search has at most {} bytes", kMaxQueryText);
  return {};
}

std::size_t page_size(std::size_t limit) {
  return std::clamp<std::size_t>(limit, 1, kMaxPage);
}

std::int64_t as_signed(std::uint64_t v) {
  return static_cast<std::int64_t>(v);
}

}  // namespace

Result<std::unique_ptr<RecordIndex>> RecordIndex::open(const std::filesystem::path& path) {
  std::unique_ptr<RecordIndex> index{new RecordIndex};
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
  transaction_.reset();
  CHECK_OK(writing_->execute(kDrop));
  CHECK_OK(writing_->execute(kSchema));
  return writing_->execute(kSetVersion);
}

// ---------------------------------------------------------------- filling

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
  return done;
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
      "upstream_user, client_address, client_name, token_id, started) "
      "VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15)",
      facts.id.value, header.shard, header.seq, segment.segment, segment.seq, facts.principal->name,
      facts.principal->kind, facts.connection, facts.system, facts.role, facts.upstream_user,
      facts.client_address, facts.client_name, facts.token_id, header.time));
  return {};
}

Result<void> RecordIndex::session_ended(const Header& header, const SessionEnd& end) {
  CHECK_OK(transaction_->run("UPDATE sessions SET ended = ?2, end_reason = ?3 WHERE id = ?1",
                             header.session.value, header.time, to_string(end.reason)));
  return {};
}

Result<std::int64_t> RecordIndex::statement_row(std::string_view text, const Digest& digest) {
  std::optional<std::int64_t> row;
  CHECK_OK(transaction_->query(
      "SELECT id FROM statements WHERE digest = ?1", [&](const Row& r) { row = r.integer(0); }, digest));
  if (row) return *row;
  CHECK_OK(transaction_->query(
      "INSERT INTO statements (digest, text) VALUES (?1, ?2) RETURNING id",
      [&](const Row& r) { row = r.integer(0); }, digest, text));
  if (!row) return fail(Errc::storage_failed, "a statement could not be indexed");
  CHECK_OK(transaction_->run("INSERT INTO statement_words (rowid, text) VALUES (?1, ?2)", *row, text));
  return *row;
}

Result<std::int64_t> RecordIndex::relation_row(std::string_view name) {
  std::optional<std::int64_t> row;
  CHECK_OK(transaction_->query(
      "SELECT id FROM relations WHERE name = ?1", [&](const Row& r) { row = r.integer(0); }, name));
  if (row) return *row;
  CHECK_OK(transaction_->query(
      "INSERT INTO relations (name) VALUES (?1) RETURNING id", [&](const Row& r) { row = r.integer(0); },
      name));
  if (!row) return fail(Errc::storage_failed, "a relation could not be indexed");
  return *row;
}

Result<void> RecordIndex::operation(const IndexedOperation& o) {
  TRY(auto statement, statement_row(o.text, o.text_digest));
  static const Operation kNotUnderstood;
  const auto& op = o.op == nullptr ? kNotUnderstood : *o.op;
  std::optional<std::int64_t> row;
  CHECK_OK(transaction_->query(
      "INSERT INTO operations (shard, seq, session, operation, time, system, verb, class, statement, "
      "decision, rule, "
      "reason, review) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13) ON CONFLICT DO NOTHING RETURNING "
      "id",
      [&](const Row& r) { row = r.integer(0); }, o.header.shard, o.header.seq, o.header.session.value,
      o.header.operation.value, o.header.time, op.system, op.verb, op.statement_class, statement, o.decision,
      o.rule, o.reason, o.review));
  if (!row) return {};  // known already
  for (const auto& collection : op.collections) {
    TRY(auto relation, relation_row(collection.name));
    CHECK_OK(transaction_->run(
        "INSERT OR IGNORE INTO operation_relations (relation, operation) VALUES (?1, ?2)", relation, *row));
  }
  CHECK_OK(transaction_->run(
      "UPDATE sessions SET operations = operations + 1, denials = denials + ?2 WHERE id = ?1",
      o.header.session.value, o.decision != Decision::permit));
  return {};
}

// The latest intent of that operation.
Result<std::optional<std::int64_t>> RecordIndex::operation_row(const Header& header) {
  std::optional<std::int64_t> row;
  CHECK_OK(transaction_->query(
      "SELECT id FROM operations WHERE session = ?1 AND operation = ?2 AND shard = ?3 ORDER BY seq DESC "
      "LIMIT 1",
      [&](const Row& r) { row = r.integer(0); }, header.session.value, header.operation.value, header.shard));
  return row;
}

Result<void> RecordIndex::outcome(const Header& header, const OutcomeEntry& o) {
  TRY(auto row, operation_row(header));
  CHECK_OK(
      transaction_->run("UPDATE operations SET status = ?2, error_class = ?3, records = ?4, bytes = ?5, "
                        "masked = ?6, duration = ?7, "
                        "ids = ?8 WHERE id = ?1",
                        row, to_string(o.status), o.error_class, o.records, o.bytes, o.masked, o.duration_ns,
                        to_string(o.ids_state)));
  return {};
}

Result<void> RecordIndex::unfinished(const Header& header) {
  TRY(auto row, operation_row(header));
  CHECK_OK(
      transaction_->run("UPDATE operations SET status = 'unfinished', ids = 'unknown' WHERE id = ?1", row));
  return {};
}

Result<void> RecordIndex::record_id(const Header& header, std::string_view collection, std::string_view id) {
  TRY(auto row, operation_row(header));
  if (!row) return {};
  TRY(auto relation, relation_row(collection));
  CHECK_OK(
      transaction_->run("INSERT OR IGNORE INTO record_ids (record, relation, operation) VALUES (?1, ?2, ?3)",
                        id, relation, *row));
  return {};
}

// ---------------------------------------------------------------- asking

Result<OperationPage> RecordIndex::search(const SearchQuery& q) {
  CHECK_OK(check_lengths(q.principal, q.connection, q.relation, q.text, q.record_id));
  TRY(auto cursor, parse_cursor(q.cursor));
  std::optional<std::string> words;
  if (q.text) words = match_all_words(*q.text);
  if (words && words->empty()) words.reset();
  std::optional<std::string> record;
  if (q.record_id) record = id_search_form(*q.record_id);

  // One of a fixed set of texts: each condition is there or not. With both a relation and a record, the
  // record must be of that relation.
  std::string sql =
      "SELECT o.id, o.shard, o.seq, o.session, o.operation, o.time, s.principal, s.connection, o.system, "
      "o.verb, "
      "o.class, t.text, o.decision, o.rule, o.reason, o.review, o.status, o.error_class, o.records, o.bytes, "
      "o.masked, "
      "o.duration, o.ids FROM operations o JOIN statements t ON t.id = o.statement "
      "LEFT JOIN sessions s ON s.id = o.session WHERE 1";
  if (q.principal) sql += " AND s.principal = ?1";
  if (q.connection) sql += " AND s.connection = ?2";
  if (record && q.relation) {
    sql +=
        " AND o.id IN (SELECT operation FROM record_ids WHERE record = ?6 AND relation = "
        "(SELECT id FROM relations WHERE name = ?3))";
  } else if (record) {
    sql += " AND o.id IN (SELECT operation FROM record_ids WHERE record = ?6)";
  } else if (q.relation) {
    sql +=
        " AND o.id IN (SELECT operation FROM operation_relations WHERE relation = "
        "(SELECT id FROM relations WHERE name = ?3))";
  }
  if (q.verb) sql += " AND o.verb = ?4";
  if (q.decision) sql += " AND o.decision = ?5";
  if (words) sql += " AND o.statement IN (SELECT rowid FROM statement_words WHERE statement_words MATCH ?7)";
  if (q.session) sql += " AND o.session = ?8";
  if (q.from) sql += " AND o.time >= ?9";
  if (q.to) sql += " AND o.time < ?10";
  if (cursor) sql += " AND (o.time, o.id) < (?11, ?12)";
  sql += " ORDER BY o.time DESC, o.id DESC LIMIT ?13";

  OperationPage page;
  std::vector<std::int64_t> rows;
  auto limit = page_size(q.limit);
  std::optional<std::uint64_t> session;
  if (q.session) session = q.session->value;
  TRY(auto tx, reader().begin(Access::read));
  CHECK_OK(tx.query(
      sql,
      [&](const Row& row) {
        rows.push_back(row.integer(0));
        page.operations.push_back({.shard = static_cast<std::uint16_t>(row.integer(1)),
                                   .seq = row.number(2),
                                   .time = row.time(5),
                                   .session = SessionId{row.number(3)},
                                   .operation = OperationId{row.number(4)},
                                   .principal = row.text(6),
                                   .connection = row.text(7),
                                   .system = row.text(8),
                                   .verb = static_cast<Verb>(row.integer(9)),
                                   .statement_class = row.text(10),
                                   .text = row.text(11),
                                   .decision = static_cast<Decision>(row.integer(12)),
                                   .rule = row.text(13),
                                   .reason = row.text(14),
                                   .review = row.text(15),
                                   .status = row.text(16),
                                   .error_class = row.text(17),
                                   .records = row.number(18),
                                   .bytes = row.number(19),
                                   .masked = row.number(20),
                                   .duration = Nanoseconds{row.integer(21)},
                                   .ids = row.text(22)});
      },
      q.principal, q.connection, q.relation, q.verb, q.decision, record, words, session, q.from, q.to,
      cursor ? std::optional{cursor->time} : std::nullopt, cursor ? std::optional{cursor->row} : std::nullopt,
      as_signed(limit + 1)));
  if (page.operations.size() > limit) {
    page.operations.pop_back();
    rows.pop_back();
    page.cursor = format_cursor(page.operations.back().time.time_since_epoch().count(), rows.back());
  }
  for (std::size_t i = 0; i < rows.size(); ++i) CHECK_OK(add_relations(page.operations[i], rows[i], tx));
  return page;
}

Result<void> RecordIndex::add_relations(FoundOperation& found, std::int64_t row, Transaction& tx) {
  return tx.query(
      "SELECT r.name FROM operation_relations o JOIN relations r ON r.id = o.relation WHERE o.operation = ?1 "
      "ORDER BY r.name",
      [&](const Row& r) { found.relations.push_back(r.text(0)); }, row);
}

namespace {

constexpr std::string_view kSessionColumns =
    "SELECT id, shard, seq, segment, segment_seq, principal, kind, connection, system, role, upstream_user, "
    "client_address, client_name, token_id, started, ended, end_reason, operations, denials FROM sessions";

FoundSession session_of(const Row& row) {
  return {.shard = static_cast<std::uint16_t>(row.integer(1)),
          .seq = row.number(2),
          .position = {.segment = row.number(3), .offset = kSegmentHeaderBytes, .seq = row.number(4)},
          .id = SessionId{row.number(0)},
          .principal = row.text(5),
          .kind = row.integer(6) == static_cast<std::int64_t>(PrincipalKind::machine) ? "machine" : "human",
          .connection = row.text(7),
          .system = row.text(8),
          .role = row.text(9),
          .upstream_user = row.text(10),
          .client_address = row.text(11),
          .client_name = row.text(12),
          .token_id = row.text(13),
          .started = row.time(14),
          .ended = row.optional_time(15),
          .end_reason = row.text(16),
          .operations = row.number(17),
          .denials = row.number(18)};
}

}  // namespace

Result<SessionPage> RecordIndex::sessions(const SessionQuery& q) {
  CHECK_OK(check_lengths(q.principal, q.connection));
  TRY(auto cursor, parse_cursor(q.cursor));
  std::string sql{kSessionColumns};
  sql += " WHERE 1";
  if (q.principal) sql += " AND principal = ?1";
  if (q.connection) sql += " AND connection = ?2";
  if (q.from) sql += " AND started >= ?3";
  if (q.to) sql += " AND started < ?4";
  if (cursor) sql += " AND (started, id) < (?5, ?6)";
  sql += " ORDER BY started DESC, id DESC LIMIT ?7";
  SessionPage page;
  auto limit = page_size(q.limit);
  TRY(auto tx, reader().begin(Access::read));
  CHECK_OK(tx.query(
      sql, [&](const Row& row) { page.sessions.push_back(session_of(row)); }, q.principal, q.connection,
      q.from, q.to, cursor ? std::optional{cursor->time} : std::nullopt,
      cursor ? std::optional{cursor->row} : std::nullopt, as_signed(limit + 1)));
  if (page.sessions.size() > limit) {
    page.sessions.pop_back();
    const auto& last = page.sessions.back();
    page.cursor = format_cursor(last.started.time_since_epoch().count(), as_signed(last.id.value));
  }
  return page;
}

Result<FoundSession> RecordIndex::session(SessionId id) {
  std::optional<FoundSession> found;
  std::string sql{kSessionColumns};
  sql += " WHERE id = ?1";
  TRY(auto tx, reader().begin(Access::read));
  CHECK_OK(tx.query(sql, [&](const Row& row) { found = session_of(row); }, id.value));
  if (!found) return fail(Errc::not_found, "there is no session {} in the record", to_string(id));
  return std::move(*found);
}

}  // namespace sluice::store
