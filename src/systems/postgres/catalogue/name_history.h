// NameHistory: what the relations and columns of a connection's databases have been called while the gateway
// watched. Masks are written for names, and hold for what had that name: a relation or column that somebody
// renames beside the gateway stays masked (docs/masking.md, "Renamed columns"). PostgreSQL knows a relation
// by its oid and a column by its number, and both outlive every new name.
//
//   history.restore(rows);                          // at start: what the last run had seen
//   history.follow(contents, Committed::yes);       // each catalogue that is read: `former` is filled in
//   store(history.take_changes());                  // every second
//   history.forget("docs", 16432, 3, "email");      // an operator has moved the policy to the new name
//
// Tables, views, materialised views, foreign tables and composite types that somebody made, and their
// columns; what is dropped is forgotten. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "systems/postgres/catalogue/view.h"

namespace sluice::postgres {

class NameHistory {
 public:
  // Names of one database that are kept: 20,000 tables with 25 columns. What does not fit is not followed,
  // and `is_full` says so.
  static constexpr std::size_t kMaxNames = 500'000;
  // Names of one column or relation. The first ones are kept.
  static constexpr std::size_t kMaxNamesOfOne = 16;

  struct Name {
    std::string database;
    Oid relation = 0;
    std::int16_t attnum = 0;  // 0: the relation itself
    std::string name;         // of a relation with its schema: "public.docs"
    auto operator<=>(const Name&) const = default;
  };

  // Whether others see what was read, or only the transaction that has changed it.
  enum class Committed : bool { no, yes };
  void follow(CatalogueContents& contents, Committed committed);

  // What was called otherwise before: its former name, and what it was last called.
  struct Former {
    Name name;
    std::string now;  // "public.docs" or "public.docs.contact"
  };
  std::vector<Former> former() const;
  // Masks hold no more because of this name. False: there is no such former name.
  bool forget(const Name& name);

  struct Changes {
    std::vector<Name> added;
    std::vector<Name> removed;
  };
  Changes take_changes();           // since the last call
  void give_back(Changes changes);  // they could not be stored: they come again
  void restore(std::span<const Name> names);
  bool is_full() const;

 private:
  struct Key {
    Oid relation = 0;
    std::int16_t attnum = 0;
    auto operator<=>(const Key&) const = default;
  };
  // In order of appearance; what it is called now is last.
  using Names = std::map<Key, std::vector<std::string>>;
  struct Database {
    Names names;
    std::size_t count = 0;
  };

  void note(const std::string& database, Database& known, Key key, const std::string& name);
  void drop_missing(const CatalogueContents& contents, Database& known);

  mutable std::mutex mutex_;
  std::map<std::string, Database, std::less<>> databases_;
  Changes changes_;
};

}  // namespace sluice::postgres
