// Operation: what a request does, in one vendor-neutral form. Every system maps its requests to it, and
// policy, review, budget, masking, record and UI read nothing else.
//
// A mapper that is not sure says `Verb::unknown` with a reason; it never guesses down. Verbs are ordered by
// nothing: a statement that does several things becomes several operations, or carries the most consequential
// verb and names every collection that it touches.
//
// An Operation is immutable once mapped; prepared statements share one between executions
// (`shared_ptr<const>`).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/crypto.h"
#include "model/query_sketch.h"

namespace sluice {

// On-disk and API values: never renumber.
enum class Verb : std::uint8_t {
  unknown = 0,
  search = 1,  // nearest neighbours: ORDER BY distance LIMIT k
  fetch = 2,   // records by unique key
  scroll = 3,  // any other read of records
  count = 4,
  aggregate = 5,  // aggregates that keep no value
  write = 6,
  remove = 7,
  export_ = 8,  // shown as "export": bulk copies out
  schema = 9,
  admin = 10,
  metadata = 11,  // catalogue reads
  session = 12,   // BEGIN, SET and the like
};
inline constexpr int kVerbCount = 13;
std::string_view to_string(Verb verb);
std::optional<Verb> verb_from(std::string_view name);

// How a collection is touched; a bit set.
enum class Access : std::uint8_t { none = 0, read = 1, write = 2, define = 4 };
constexpr Access operator|(Access a, Access b) {
  return Access(std::uint8_t(a) | std::uint8_t(b));
}
constexpr bool has(Access set, Access bit) {
  return (std::uint8_t(set) & std::uint8_t(bit)) != 0;
}

// One collection (table, index, tenant) that an operation touches. For PostgreSQL the name is "schema.table".
struct CollectionUse {
  std::string name;
  Access access = Access::read;
  std::vector<std::string> output_fields;  // asked for; empty with `all_fields` false: none leaves as a value
  std::vector<std::string> tested_fields;  // used in filters, joins, sorts, groups and expressions
  bool all_fields = false;                 // `*` or a whole row
};

// One nearest-neighbour search inside an operation.
struct VectorSearch {
  std::string collection;
  std::string field;
  std::string metric;                         // "l2", "inner_product", "cosine", "l1", "hamming", "jaccard"
  std::optional<std::uint32_t> dimension;     // of the query vector, when it is a literal
  std::optional<Digest> query_digest;         // of the literal; parameters are digested when bound
  std::shared_ptr<const QuerySketch> sketch;  // of the query vector, where it was asked for and could be read
  bool returns_score = false;
};

// The distinct records whose values the reply can carry (ARCHITECTURE.md, "Words"; not rows).
struct RecordBound {
  std::optional<std::uint64_t> max;  // nullopt: nothing in the request bounds it
  bool from_parameter = false;       // LIMIT $1: bounded only once its value is bound
  // Where nothing bounds it: about how many records the collections that it reads hold, by the database's own
  // statistics. Informs people, never decides; nullopt: not known.
  std::optional<std::uint64_t> estimate;
};

struct Operation {
  std::string system;  // "postgres"
  Verb verb = Verb::unknown;
  std::vector<Verb>
      also;  // what it does beside `verb`, weaker ones left out: policy must allow each of them too
  std::string statement_class;  // the system's own name: "SELECT", "CREATE TABLE", "POST /points/search"
  std::vector<CollectionUse> collections;
  std::vector<VectorSearch> searches;
  RecordBound records;
  std::uint64_t records_per_row = 1;  // the most that one row can carry: a join of two tables, two
  bool rows_hold_many =
      false;  // a row can carry any number of records (json_agg): rows cannot be counted for them
  bool returns_vectors = false;
  bool returns_scores = false;
  std::vector<std::string> functions;  // called, outside the vouched set: "public.f_email"
  std::string text;                    // as recorded: bounded, vector literals and secrets elided
  std::uint64_t fingerprint = 0;       // same for statements that differ in literals only
  std::string missing_relation;  // a name that resolves to nothing: the client hears its system's own error
  std::string unknown_reason;    // for Verb::unknown: what was not understood, shown to the client
};

}  // namespace sluice
