// SQLite behind four names: a Database, Transactions on it, the Rows that queries answer, and Results for all
// errors.
//
//   TRY(auto database, Database::open(path, options));
//   TRY(auto tx, database->begin(Access::write));
//   TRY(auto changed, tx.run("UPDATE tokens SET revoked = ?1 WHERE id = ?2", now, id));
//   CHECK_OK(tx.query("SELECT id FROM tokens", [&](const Row& row) { ids.push_back(row.text(0)); }));
//   return tx.commit();                       // a transaction that is not committed is rolled back
//
// Statements run inside a transaction only, and a transaction holds the database's lock: so a Database may be
// shared by threads, and each transaction is one step for all others. Prepared statements are kept by their
// SQL text, which must therefore be constant; values are always bound. Arguments bind as ?1, ?2, ... in
// order. The database is opened in WAL mode with foreign keys on and a bound on how long it waits for a lock.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/bytes.h"
#include "core/clock.h"
#include "core/crypto.h"
#include "core/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace sluice::store {

// One row of an answer; valid inside the callback only. A column of another type reads as zero or empty.
class Row {
 public:
  explicit Row(sqlite3_stmt* statement) : statement_(statement) {}
  std::string text(int column) const;
  std::int64_t integer(int column) const;
  std::uint64_t number(int column) const { return static_cast<std::uint64_t>(integer(column)); }
  bool flag(int column) const { return integer(column) != 0; }
  bool is_null(int column) const;
  Bytes blob(int column) const;  // valid until the next row
  Digest digest(int column) const;
  WallTime time(int column) const { return WallTime{Nanoseconds{integer(column)}}; }
  std::optional<WallTime> optional_time(int column) const;
  std::optional<std::uint64_t> optional_number(int column) const;

 private:
  sqlite3_stmt* statement_;
};

enum class Access : std::uint8_t { read, write };

// What a commit survives: a killed process, or also a power cut (one fdatasync). Earlier commits gain from
// later syncs.
enum class Durable : std::uint8_t { process, host };

class Database;

class Transaction {
 public:
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();  // rolls back what was not committed

  // Runs one statement and answers how many rows it changed.
  template <class... Args>
  Result<std::uint64_t> run(std::string_view sql, const Args&... args) {
    TRY(auto* statement, prepare(sql));
    int index = 0;
    const bool bound = (bind(statement, ++index, args) && ...);
    return finish(statement, bound, [](const Row&) {});
  }

  // Calls `on_row(const Row&)` for each row.
  template <class OnRow, class... Args>
  Result<void> query(std::string_view sql, OnRow&& on_row, const Args&... args) {
    TRY(auto* statement, prepare(sql));
    int index = 0;
    const bool bound = (bind(statement, ++index, args) && ...);
    CHECK_OK(finish(statement, bound, on_row));
    return {};
  }

  Result<void> commit();

 private:
  friend class Database;
  Transaction(Database& database, std::unique_lock<std::mutex> lock);

  Result<sqlite3_stmt*> prepare(std::string_view sql);
  static bool bind(sqlite3_stmt* statement, int index, std::string_view value);
  static bool bind(sqlite3_stmt* statement, int index, const std::string& value);
  static bool bind(sqlite3_stmt* statement, int index, const char* value);
  static bool bind(sqlite3_stmt* statement, int index, std::int64_t value);
  static bool bind(sqlite3_stmt* statement, int index, std::uint64_t value);
  static bool bind(sqlite3_stmt* statement, int index, std::uint32_t value) {
    return bind(statement, index, std::int64_t{value});
  }
  static bool bind(sqlite3_stmt* statement, int index, std::uint16_t value) {
    return bind(statement, index, std::int64_t{value});
  }
  static bool bind(sqlite3_stmt* statement, int index, bool value) {
    return bind(statement, index, std::int64_t{value ? 1 : 0});
  }
  static bool bind(sqlite3_stmt* statement, int index, Bytes value);
  static bool bind(sqlite3_stmt* statement, int index, const Digest& value) {
    return bind(statement, index, Bytes{value});
  }
  static bool bind(sqlite3_stmt* statement, int index, WallTime value) {
    return bind(statement, index, std::int64_t{value.time_since_epoch().count()});
  }
  static bool bind(sqlite3_stmt* statement, int index, std::nullptr_t);
  template <class T>
    requires std::is_enum_v<T>
  static bool bind(sqlite3_stmt* statement, int index, T value) {
    return bind(statement, index, static_cast<std::int64_t>(value));
  }
  template <class T>
  static bool bind(sqlite3_stmt* statement, int index, const std::optional<T>& value) {
    return value ? bind(statement, index, *value) : bind(statement, index, nullptr);
  }

  // Steps through all rows, resets the statement, and answers the number of changed rows.
  template <class OnRow>
  Result<std::uint64_t> finish(sqlite3_stmt* statement, bool bound, OnRow&& on_row) {
    while (bound) {
      TRY(const bool more, step(statement));
      if (!more) return changes(statement);
      on_row(Row{statement});
    }
    return cannot_bind(statement);
  }
  Result<bool> step(sqlite3_stmt* statement);
  Result<std::uint64_t> changes(sqlite3_stmt* statement);
  Result<std::uint64_t> cannot_bind(sqlite3_stmt* statement);

  Database* database_;
  std::unique_lock<std::mutex> lock_;
  bool open_ = true;
};

class Database {
 public:
  struct Options {
    bool exclusive = false;  // nobody else may open it meanwhile
  };

  // Creates the file (0600) when it is missing. An empty path is a private database in memory.
  static Result<std::unique_ptr<Database>> open(const std::filesystem::path& path, Options options);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  Result<Transaction> begin(Access access, Durable durable = Durable::host);

  // A constant script, outside of transactions: schema and pragmas.
  Result<void> execute(const char* script);

 private:
  friend class Transaction;
  Database() = default;
  Error error(std::string_view doing) const;

  sqlite3* handle_ = nullptr;
  std::unordered_map<std::string, sqlite3_stmt*> statements_;
  std::optional<Durable> durable_;
  std::mutex mutex_;
};

}  // namespace sluice::store
