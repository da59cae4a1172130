// Statement classes: what each is called, and what it does as far as its kind alone tells. The table that
// README.md beside this folder shows.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "model/operation.h"
#include "systems/postgres/sql/ast.h"

namespace sluice::postgres {

// "SELECT", "CREATE TABLE", "ALTER SYSTEM".
std::string_view statement_class(const sql::Statement& statement);

// Verbs of statements that need no look at what they read; nullopt: a query, a wrapper around one, or not
// understood.
std::optional<Verb> fixed_verb(const sql::Statement& statement);

// Everything that one statement does.
class Verbs {
 public:
  void add(Verb verb) { bits_ |= bit(verb); }
  bool has(Verb verb) const { return (bits_ & bit(verb)) != 0; }
  bool empty() const { return bits_ == 0; }
  // The most consequential one. `unknown` when empty.
  Verb main() const;
  // The others, without those that `main` or another one includes: of reads only the widest; none beside an
  // export; metadata and session only alone.
  std::vector<Verb> beside() const;

 private:
  static constexpr std::uint32_t bit(Verb verb) { return 1U << static_cast<unsigned>(verb); }
  std::uint32_t bits_ = 0;
};

}  // namespace sluice::postgres
