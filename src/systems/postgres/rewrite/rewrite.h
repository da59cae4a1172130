// Masking at the source: turns a statement on masked relations into one that only ever sees masked values, or
// refuses.
//
//   auto plan = MaskPlan::compile(*catalogue, *obligations.masks);            // cached by the caller
//   auto result = rewrite::rewrite({statement, *catalogue, path, *plan});
//   switch on result: Unchanged -> send the text as it is; Rewritten -> send .sql; Denial -> tell the client;
//                     NeedsCatalogue -> read the catalogue anew, then ask again with `fresh`;
//                     TooLarge -> ask again on another thread
//
// What is rewritten: SELECT (joins, WITH, sub-selects, LATERAL, set operations, aggregates, windows, VALUES),
// DECLARE CURSOR, COPY (query) TO STDOUT, COPY relation TO STDOUT and FROM STDIN, INSERT, UPDATE, DELETE,
// MERGE (deparse_modify.cc), CREATE TABLE AS, PREPARE and EXPLAIN of these. What defines, locks or empties a
// masked relation is judged by ddl_rules.h. Any other statement class that names a masked relation is
// refused, and so is what could run code that reads one (DO, CREATE FUNCTION, triggers, foreign tables, ...),
// while any mask is in force.
//
// The result of a rewrite is parsed again and checked before it is handed out (verify.h). Pure; thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "model/decision.h"
#include "systems/postgres/catalogue/view.h"
#include "systems/postgres/rewrite/carried_keys.h"
#include "systems/postgres/rewrite/checks/vouch.h"
#include "systems/postgres/rewrite/masks/mask_plan.h"
#include "systems/postgres/rewrite/masks/own_output.h"
#include "systems/postgres/sql/parse.h"

namespace sluice::postgres::rewrite {

// Names of columns that are in reach, added up over all levels and passes. WITH queries that each join the
// one before twice double them with every link; sixty relations as wide as the server allows fit.
inline constexpr std::size_t kMaxNames = 100'000;
// What can be gone through in less than 5 ms.
inline constexpr std::size_t kMaxNamesAtOnce = 8'000;

struct RewriteInput {
  const sql::ParsedStatement& statement;
  const Catalogue& catalogue;
  SearchPath search_path;  // as the session tracks it
  const MaskPlan& plan;
  // The catalogue has just been read, or found unchanged, for this statement: a relation that it does not
  // know is a temporary one, or the server's to refuse.
  bool fresh = false;
  // At most so many rows from the outermost select (`over: clamp`); see clamp.h for what can be clamped.
  std::optional<std::uint64_t> clamp;
  // Put in front of the columns of the outermost select (carried_keys.h).
  std::vector<CarriedKey> keys;
  VouchOptions vouch;
  // With less than kMaxNames, a statement that has more is not refused, but TooLarge to be rewritten here.
  std::size_t max_names = kMaxNames;
};

// A masked relation that a statement uses.
struct MaskedUse {
  std::string relation;              // "public.docs"
  std::vector<std::string> columns;  // masked columns that the statement refers to, in column order
  std::vector<std::string>
      in_conditions;  // of these, the ones that WHERE, ON or HAVING compare: with masked values
  bool in_expressions =
      false;             // some column other than a vector stands within an expression, beside other operands
  bool written = false;  // some masked column is written
  std::vector<std::string> rules;  // whose masks these are
};

// An output column of the statement that is a masked column as it stands.
struct MaskedOutput {
  std::uint16_t column = 0;  // of the client's columns, from 0
  Oid relation = 0;          // what it is a column of: RowDescription shall say so
  std::int16_t attnum = 0;
  std::shared_ptr<const CellMask> cell;  // the reply carries the value itself, to be masked so; or nullptr
};

// Searches of masked vectors in a statement: how many records they choose from says how much an answer tells
// about one of them.
struct MaskedSearch {
  struct Level {
    std::string collection;   // whose records it chooses from: "public.docs"
    std::string records_of;   // where these are stored: of a view what it reads, where it hands the key on
    bool many = false;        // surely kMostCandidates or more; else the reply says it, or nobody knows
    std::uint64_t depth = 0;  // how many records its answer has at most; 0: the reply says it
  };
  std::vector<Level> levels;
  // In front of the columns, behind the keys, stands what CarriedCandidates::parse() reads of each level.
  bool counted = false;
  // The rows of the reply are the answer of the only search; else a reply without rows tells as well.
  bool rows_are_its_answer = false;
};
inline constexpr std::size_t kMostCandidates = 1'000;  // more are not counted
inline constexpr std::size_t kFewCandidates = 20;      // so many, or fewer, are named

// What the database says of one level: "40" candidates, or "2:31:32", and the keys of records as hexadecimal
// texts: of all candidates where these are few, otherwise of the level's answer where the rows of the reply
// are something else.
struct CarriedCandidates {
  std::optional<std::size_t> count;
  std::optional<std::size_t> depth;  // as MaskedSearch::Level::depth, of a parameter: "40/10"
  std::vector<std::string> keys;
  // Of all levels, separated by ";"; fewer than `levels`: it is not what was asked for.
  static std::vector<CarriedCandidates> parse(std::string_view text);
};

// A comparison with masked values that is answered from the values themselves: each value that is tried tells
// something.
struct ValueTest {
  std::string collection;
  std::size_t values = 0;
  bool of_one_record = false;  // which the statement names by its key
};

// The statement touches nothing masked: its text passes as it is.
struct Unchanged {};

struct Rewritten {
  std::string sql;
  std::vector<MaskedUse> masked;  // empty when the statement was rewritten to pin names or to clamp it only
  std::vector<WrittenParameter> written;
  std::vector<MaskedOutput> outputs;  // in order of their columns
  std::optional<MaskedSearch> search;
  std::vector<ValueTest> tests;
};

// The statement names a relation that the snapshot does not know.
struct NeedsCatalogue {
  std::string relation;
};

// More names are in reach than RewriteInput::max_names: to be asked again with kMaxNames, where time is no
// matter.
struct TooLarge {};

using RewriteResult = std::variant<Unchanged, Rewritten, Denial, NeedsCatalogue, TooLarge>;

// Why a deparse ended.
using Refusal = std::variant<Denial, NeedsCatalogue, TooLarge>;

RewriteResult rewrite(const RewriteInput& input);

}  // namespace sluice::postgres::rewrite
