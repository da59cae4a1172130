// Names in a query: which relations, sub-selects and expressions are in sight, and which fields of which
// collections a column stands for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/operation.h"
#include "systems/postgres/catalogue/view.h"
#include "systems/postgres/describe/extent.h"
#include "systems/postgres/sql/ast.h"

namespace sluice::postgres::reading {

// One field of one collection. `attnum` 0 is the whole row; negative ones are system columns.
struct Field {
  std::uint32_t collection = 0;
  std::int16_t attnum = 0;
  bool vector = false;    // of a vector type; of a whole row: it has such a column
  std::string_view name;  // in the catalogue, or a literal
  bool operator==(const Field& other) const {
    return collection == other.collection && attnum == other.attnum;
  }
};

// What a value is made of.
struct Lineage {
  std::vector<Field> fields;             // whose values are in it
  std::vector<std::uint32_t> distances;  // vector searches whose distance is in it, by index
  bool vector = false;                   // a vector made by a function: avg(embedding)

  void add(const Field& field);
  void add(const Lineage& other);
};

struct DerivedColumn {
  std::string_view name;
  Lineage lineage;
};

// What a sub-select, a common table, a function or an aliased join offers to the query around it.
struct Derived {
  std::vector<DerivedColumn> columns;
  // There may be further columns whose names are not known (a function's result); each is made of
  // `open_lineage`.
  bool open = false;
  Lineage open_lineage;
  Extent extent;
  ReadClass read = ReadClass::none;
  bool placeholder = false;  // a later table of WITH RECURSIVE, not described yet
};

// One name in FROM.
struct Source {
  std::string_view name;
  std::string_view schema;  // of a relation without alias
  const Relation* relation = nullptr;
  std::uint32_t collection = 0;      // with `relation`
  const Derived* derived = nullptr;  // without
  sql::Names column_names;           // from the alias: they replace the first columns' own
  bool qualified_only = false;       // the alias of JOIN ... USING (...) AS x
  bool lateral = false;
  bool inherit = true;
  bool carried = false;  // the query's output holds values of it
  bool keyed = false;    // at most as many rows as a unique key allows
  Extent extent;
  ReadClass read = ReadClass::scroll;
};

// One query level.
struct Scope {
  explicit Scope(Scope* around) : outer(around) {}

  Scope* outer;
  std::vector<Source> sources;
  std::vector<DerivedColumn>* outputs = nullptr;  // once known: what ORDER BY may name

  // What the expressions of this level were seen to do:
  bool aggregated = false;        // an aggregate, or GROUP BY
  bool other_than_count = false;  // an aggregate that is not count
  bool keeps_inputs = false;      // an aggregate whose result holds all its inputs
  bool expands_rows = false;      // a set-returning function in the output
  bool unbounded = false;         // an aggregate across levels: nothing can be proved
  Count extra = 0;                // records that each row carries beside those of its sources
  bool extra_from_sub_select = false;
  ReadClass sub_reads = ReadClass::none;  // of sub-selects in the output
};

// The collections that a statement touches, with the fields that leave as values and those that are tested.
class Collections {
 public:
  struct Entry {
    const Relation* relation = nullptr;
    std::string name;
    Access access = Access::none;
    bool system = false;
    bool all_fields = false;
    bool has_vectors = false;
    std::vector<std::string_view> output;
    std::vector<std::string_view> tested;
  };

  std::uint32_t add(const Relation& relation, Access access, bool has_vectors);
  // One that the catalogue does not hold: a relation that is created, a system relation.
  std::uint32_t add_named(std::string name, Access access, bool system);
  void output(const Field& field);
  void tested(const Field& field);
  // Nothing leaves: what was output counts as tested (EXPLAIN).
  void demote_outputs();

  bool touches_users() const;  // any relation that is not of the system
  std::vector<Entry>& entries() { return entries_; }
  const std::vector<Entry>& entries() const { return entries_; }
  std::vector<CollectionUse> uses() const;

 private:
  std::vector<Entry> entries_;
};

}  // namespace sluice::postgres::reading
