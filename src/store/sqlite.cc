#include "store/sqlite.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace sluice::store {
namespace {

constexpr int kBusyMilliseconds = 2000;      // a lock held longer is held by another process for good
constexpr std::size_t kMaxStatements = 512;  // prepared ones; more means that somebody builds SQL from data

Errc code_of(int sqlite_code) {
  switch (sqlite_code & 0xFF) {
    case SQLITE_CONSTRAINT: return Errc::conflict;
    case SQLITE_TOOBIG: return Errc::too_large;
    default: return Errc::storage_failed;
  }
}

// SQLite would create it readable by everybody that the umask lets; the WAL takes over the file's mode.
Result<void> create_private(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return fail(Errc::storage_failed, "cannot open {}: {}", path.string(), std::strerror(errno));
  ::close(fd);
  return {};
}

}  // namespace

std::string Row::text(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return data == nullptr
             ? std::string{}
             : std::string(data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
}
std::int64_t Row::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}
bool Row::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

Bytes Row::blob(int column) const {
  const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column));
  return data == nullptr ? Bytes{}
                         : Bytes{data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

Digest Row::digest(int column) const {
  Digest out{};
  const auto bytes = blob(column);
  if (bytes.size() == out.size()) std::ranges::copy(bytes, out.begin());
  return out;
}

std::optional<WallTime> Row::optional_time(int column) const {
  return is_null(column) ? std::nullopt : std::optional{time(column)};
}
std::optional<std::uint64_t> Row::optional_number(int column) const {
  return is_null(column) ? std::nullopt : std::optional{number(column)};
}

Result<std::unique_ptr<Database>> Database::open(const std::filesystem::path& path, Options options) {
  if (!path.empty()) CHECK_OK(create_private(path));
  std::unique_ptr<Database> database{new Database};
  const auto name = path.empty() ? std::string(":memory:") : path.string();
  // NOMUTEX: our own lock is held whenever the handle is used.
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  if (sqlite3_open_v2(name.c_str(), &database->handle_, flags, nullptr) != SQLITE_OK) {
    return std::unexpected(database->error("cannot open " + name));
  }
  sqlite3_busy_timeout(database->handle_, kBusyMilliseconds);
  sqlite3_db_config(database->handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(database->handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  if (options.exclusive) CHECK_OK(database->execute("PRAGMA locking_mode = EXCLUSIVE"));
  CHECK_OK(database->execute("PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON;"));
  // In exclusive mode the lock is taken with the first write; taking it now says at once who is first.
  if (options.exclusive) CHECK_OK(database->execute("BEGIN IMMEDIATE; COMMIT;"));
  return database;
}

Database::~Database() {
  for (auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close_v2(handle_);
}

Result<void> Database::execute(const char* script) {
  std::lock_guard lock(mutex_);
  if (sqlite3_exec(handle_, script, nullptr, nullptr, nullptr) != SQLITE_OK) {
    return std::unexpected(error("cannot run a script"));
  }
  return {};
}

Result<Transaction> Database::begin(Access access, Durable durable) {
  std::unique_lock lock(mutex_);
  const auto exec = [&](const char* sql) {
    return sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) == SQLITE_OK;
  };
  if (access == Access::write && durable_ != durable) {
    if (!exec(durable == Durable::host ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL")) {
      return std::unexpected(error("cannot set durability"));
    }
    durable_ = durable;
  }
  if (!exec(access == Access::write ? "BEGIN IMMEDIATE" : "BEGIN")) {
    return std::unexpected(error("cannot begin a transaction"));
  }
  return Transaction{*this, std::move(lock)};
}

Error Database::error(std::string_view doing) const {
  if (handle_ == nullptr) return {Errc::storage_failed, fmt::format("{}: out of memory", doing)};
  const int code = sqlite3_extended_errcode(handle_);
  if ((code & 0xFF) == SQLITE_BUSY || (code & 0xFF) == SQLITE_LOCKED) {
    return {Errc::storage_failed, fmt::format("{}: another process uses the database", doing)};
  }
  return {code_of(code), fmt::format("{}: {}", doing, sqlite3_errmsg(handle_))};
}

Transaction::Transaction(Database& database, std::unique_lock<std::mutex> lock)
    : database_(&database), lock_(std::move(lock)) {}

Transaction::Transaction(Transaction&& other) noexcept
    : database_(other.database_), lock_(std::move(other.lock_)), open_(std::exchange(other.open_, false)) {}

Transaction::~Transaction() {
  if (open_) sqlite3_exec(database_->handle_, "ROLLBACK", nullptr, nullptr, nullptr);
}

Result<void> Transaction::commit() {
  if (!open_) return fail(Errc::internal, "the transaction is over");
  if (sqlite3_exec(database_->handle_, "COMMIT", nullptr, nullptr, nullptr) != SQLITE_OK) {
    return std::unexpected(database_->error("cannot commit"));  // the destructor rolls back
  }
  open_ = false;
  lock_.unlock();
  return {};
}

Result<sqlite3_stmt*> Transaction::prepare(std::string_view sql) {
  if (!open_) return fail(Errc::internal, "the transaction is over");
  auto& statements = database_->statements_;
  if (auto at = statements.find(std::string(sql)); at != statements.end()) return at->second;
  if (statements.size() >= kMaxStatements) return fail(Errc::internal, "too many prepared statements");
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(database_->handle_, sql.data(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) {
    return std::unexpected(database_->error("cannot prepare a statement"));
  }
  statements.emplace(sql, statement);
  return statement;
}

Result<bool> Transaction::step(sqlite3_stmt* statement) {
  const int code = sqlite3_step(statement);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  auto problem = database_->error("statement failed");
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  return std::unexpected(std::move(problem));
}

Result<std::uint64_t> Transaction::changes(sqlite3_stmt* statement) {
  const bool writes = sqlite3_stmt_readonly(statement) == 0;
  const auto changed = writes ? static_cast<std::uint64_t>(sqlite3_changes(database_->handle_)) : 0;
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  return changed;
}

Result<std::uint64_t> Transaction::cannot_bind(sqlite3_stmt* statement) {
  auto problem = database_->error("cannot bind a value");
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  return std::unexpected(std::move(problem));
}

// SQLITE_TRANSIENT copies: arguments may be temporaries.
bool Transaction::bind(sqlite3_stmt* statement, int index, std::string_view value) {
  return sqlite3_bind_text64(statement, index, value.data() == nullptr ? "" : value.data(), value.size(),
                             SQLITE_TRANSIENT, SQLITE_UTF8) == SQLITE_OK;
}
bool Transaction::bind(sqlite3_stmt* statement, int index, const std::string& value) {
  return bind(statement, index, std::string_view(value));
}
bool Transaction::bind(sqlite3_stmt* statement, int index, const char* value) {
  return bind(statement, index, std::string_view(value));
}
bool Transaction::bind(sqlite3_stmt* statement, int index, std::int64_t value) {
  return sqlite3_bind_int64(statement, index, value) == SQLITE_OK;
}
bool Transaction::bind(sqlite3_stmt* statement, int index, std::uint64_t value) {
  return bind(statement, index, static_cast<std::int64_t>(value));
}
bool Transaction::bind(sqlite3_stmt* statement, int index, Bytes value) {
  return sqlite3_bind_blob64(statement, index, value.empty() ? "" : static_cast<const void*>(value.data()),
                             value.size(), SQLITE_TRANSIENT) == SQLITE_OK;
}
bool Transaction::bind(sqlite3_stmt* statement, int index, std::nullptr_t) {
  return sqlite3_bind_null(statement, index) == SQLITE_OK;
}

}  // namespace sluice::store
