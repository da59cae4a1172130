// Scopes: what the names of a select level mean, as far as the rewrite has to know. Names are resolved as in
// PostgreSQL's parse_relation.c: a column name is looked for level by level from the inside out; only when no
// level has such a column it may mean a whole row.
//
// The rewrite does not depend on complete knowledge. Functions and unknown relations have columns that are
// not known here; a name that may be one of those is `certain == false`, and everything that is only allowed
// for a masked column (the k-NN form) asks for certainty.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "systems/postgres/catalogue/view.h"
#include "systems/postgres/rewrite/deparse/knn.h"
#include "systems/postgres/rewrite/masks/mask_plan.h"
#include "systems/postgres/sql/ast.h"

namespace sluice::postgres::rewrite {

// Output columns of a FROM item or a select.
struct Columns {
  std::vector<std::string> names;
  bool known = false;             // false: there may be others
  std::set<std::string> vectors;  // of a sub-select: names of columns that hand on a masked vector
  std::set<std::string>
      masked;  // of a WITH query that changes data: names of columns that hold masked values
};

// One FROM item under the name by which expressions refer to it.
struct Entry {
  std::string alias;
  const Relation* relation = nullptr;  // of a plain relation
  const RelationMask* mask = nullptr;  // of a masked one
  const sql::RangeVar* var = nullptr;
  bool has_own_alias = false;  // `docs d`: then `public.docs.id` does not name it
  bool only = false;           // ONLY: without inheritance children and partitions
  bool target = false;         // what a statement writes, or EXCLUDED: the real relation, nothing hidden
  bool visible = true;         // false: inside of a join that has an alias of its own
  Columns columns;             // for a relation: aligned with relation->columns, renamed by the alias
};

// Where a name stands in the entries of a scope: as column `column` of entry `entry`.
struct NamePlace {
  std::size_t entry = 0;
  std::size_t column = 0;
};
// The columns of a wide scope by their names, made when it is first asked. Of a name without a qualifier all
// that it may mean is looked for, and statements with many of both exist.
struct NameIndex {
  std::size_t entries = 0;  // of the scope when it was made: they only become more
  std::size_t open = 0;     // visible ones that may have other columns
  bool used = false;        // false: few names, which are gone through one by one
  std::unordered_map<std::string_view, std::vector<NamePlace>> places;
};

struct Scope {
  const Scope* outer = nullptr;
  std::vector<Entry> entries;
  mutable NameIndex index;
  const sql::SelectStatement* select = nullptr;
  std::optional<Knn> knn;
};

// What a column reference means.
struct Meaning {
  enum class Kind : std::uint8_t { nothing, column, whole_row };
  Kind kind = Kind::nothing;
  const Entry* entry = nullptr;  // the first that fits
  std::size_t index = 0;         // into entry->columns
  const Scope* scope = nullptr;
  bool certain = false;                                          // no other entry can be meant
  std::vector<std::pair<const Entry*, std::size_t>> candidates;  // all that may be meant, for columns
};

Meaning resolve(const sql::ColumnRef& ref, const Scope& scope);
// The entry that a qualifier names: {"d"} or {"public", "docs"}.
const Entry* find_entry(sql::Names qualifier, const Scope& scope);

// One column of what a `*` yields.
struct StarColumn {
  std::string alias;  // of its FROM item; empty: merged by USING or NATURAL, so that the bare name means it
  std::string name;
};
// All columns that the star of a FROM item yields, in order; nullopt: not all of them are known. (star.cc)
std::optional<std::vector<StarColumn>> star_columns(const sql::FromItem& item, const Scope& scope);
// The name by which expressions refer to a FROM item; empty: none. (star.cc)
std::string alias_of(const sql::FromItem& item);

// Whether this column of an entry is a masked vector, of a relation or handed on by a sub-select.
bool is_masked_vector(const Entry& entry, std::size_t index);

// ctid, xmin, xmax, cmin, cmax, tableoid: of a relation, not of what it holds.
bool is_system_column(std::string_view name);

// How a masked relation is used by a statement, gathered in the first pass over it.
struct Usage {
  const Relation* relation = nullptr;
  const RelationMask* mask = nullptr;
  std::set<std::int16_t> columns;        // referred to
  std::set<std::int16_t> bare_columns;   // referred to outside of aggregates
  std::set<std::int16_t> hidden;         // needed in clear, for the k-NN form or to be masked on the reply
  std::set<std::int16_t> hashed;         // the same, with something else in place of null
  std::set<std::int16_t> in_conditions;  // masked ones that WHERE, ON or HAVING compare
  bool in_expressions = false;           // a masked one other than a vector stands beside other operands
  bool all_columns = false;
  std::vector<std::string> stored_conditions;  // tested within the derived table (stored_conditions.cc)
  bool ordered = false;                        // its rows must come in an order that tells nothing
  bool fenced = false;                         // and nothing may be computed from them before they do
  bool hands_on() const { return !hidden.empty() || !hashed.empty(); }
};
using Usages = std::map<const sql::RangeVar*, Usage>;

}  // namespace sluice::postgres::rewrite
