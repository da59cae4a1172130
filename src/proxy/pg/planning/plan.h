// Plan: one SQL statement, understood: what it does (Operation), what is sent for it (the client's own text,
// or the rewritten one), and what it changes in the session's own state. Made by the planner (planner.h),
// immutable, shared by all executions of a prepared statement.
//
// `Basis` says what it was made from. When one of these has changed, the plan is stale and is made anew
// before it runs.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/crypto.h"
#include "model/decision.h"
#include "model/operation.h"
#include "systems/postgres/rewrite/carried_keys.h"
#include "systems/postgres/rewrite/masks/own_output.h"
#include "systems/postgres/rewrite/rewrite.h"
#include "systems/postgres/sql/parse.h"

namespace sluice::proxy::pg {

enum class PlanKind : std::uint8_t {
  statement,  // no effect on the session's own state beyond its result
  empty,      // no statement at all
  begin,
  commit,
  rollback,
  other_transaction,  // SAVEPOINT and its like
  set,                // `setting` and `value`
  prepare,            // `object`, `inner`
  execute,            // `object`, `inner`
  deallocate,         // `object`; empty: all
  declare,            // `object`, `inner`
  fetch,              // `object`, `inner`
  close_cursor,       // `object`; empty: all
  copy_in,
  copy_out,
  discard_all,
  schema_change,  // the catalogue is stale afterwards
};

struct Basis {
  std::uint64_t catalogue = 0;  // Catalogue::version
  std::uint64_t masks = 0;      // MaskSet::id
  std::string search_path;
  bool operator==(const Basis&) const = default;
};

struct Plan {
  std::shared_ptr<const Operation> operation;  // never null
  PlanKind kind = PlanKind::statement;
  std::string source;                 // the client's text of this statement alone
  std::string text;                   // what the server gets
  bool rewritten = false;             // text differs from source
  bool touches_masked = false;        // errors and notices are reduced
  std::uint32_t masked_fields = 0;    // of each record, the values that leave masked
  bool writes = false;                // it may change data: no hold after it inside a transaction
  bool hold_cursor = false;           // DECLARE ... WITH HOLD
  std::string object;                 // the client's name of a prepared statement or cursor
  std::string upstream_object;        // and the gateway's
  std::string setting;                // of `set`: the one setting, lower case; empty: several or all
  std::shared_ptr<const Plan> inner;  // of prepare, declare, execute and fetch: what is run
  std::string warning;                // sent with each execution: a condition compares masked values
  std::optional<Denial> denial;       // the request cannot be answered within its obligations: why
  std::uint64_t clamped_to = 0;       // the limit that was written into the text; 0: none
  // Of the result's columns, those that are masked columns as they stand; null: none.
  std::shared_ptr<const std::vector<postgres::rewrite::MaskedOutput>> outputs;
  // A search of masked vectors, whose answers are counted; null: none.
  std::shared_ptr<const postgres::rewrite::MaskedSearch> search;
  // Comparisons with hidden values, each of which is counted.
  std::vector<postgres::rewrite::ValueTest> tests;
  // The masks in force when it was made; null: none are.
  std::shared_ptr<const postgres::rewrite::MaskPlan> masking;
  std::uint16_t carried = 0;  // keys in front of the result's columns, which are not the client's
  postgres::rewrite::Insertion insertion;  // what alone was put into `text`, for the positions of errors
  std::vector<postgres::rewrite::WrittenParameter> written;  // looked at when they are bound
  std::vector<std::string> objects;                          // resolved, for reviews: "public.docs#16391"
  bool large = false;  // too large to be planned, described or written again on the loop (errands.h)
  // What an approval of a large one is bound to: its text, and that without its query vectors.
  std::shared_ptr<const std::array<Digest, 2>> digests;
  Basis basis;
  // The tree, which outlives its text: names that stand for this statement are described by it, and a bound
  // that depends on a parameter once that has a value.
  std::shared_ptr<const postgres::sql::ParsedSql> parsed;
  const postgres::sql::ParsedStatement* statement = nullptr;  // of `parsed`
  const postgres::sql::Statement* body = nullptr;  // of it, or the inner one of PREPARE and DECLARE
};

// Whether a change of this setting (Plan::setting) may be one of the search_path, along which names are
// resolved.
inline bool may_be_path(std::string_view setting) {
  return setting.empty() || setting == "search_path";
}
// Whether it ends the transaction or a part of it, which may take back what came before.
inline bool ends_part_of_transaction(PlanKind kind) {
  return kind == PlanKind::commit || kind == PlanKind::rollback || kind == PlanKind::other_transaction;
}

// What a statement does to the session's own state.
PlanKind kind_of(const postgres::sql::Statement& statement, const Operation& operation);
// Whether it may change data or definitions.
bool may_write(const Operation& operation);
// Whether the server looks its names up only when it is executed. Those of a query are looked up when it is
// bound; the query within COPY, EXECUTE or PREPARE, and what a definition names, are not.
bool finds_names_late(const Plan& plan);

}  // namespace sluice::proxy::pg
