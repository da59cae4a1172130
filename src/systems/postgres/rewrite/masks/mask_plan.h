// MaskPlan: a MaskSet bound to a catalogue. It says for each relation which columns are masked and with what
// expression, which relations may carry masked data under other names, and what of the policy cannot be done
// as asked.
//
//   auto plan = MaskPlan::compile(*catalogue, *obligations.masks);     // once per catalogue and MaskSet id
//   for (const auto& problem : plan->problems()) warn(problem);        // when the policy loads
//
// Immutable and thread-safe once made. Cost: one pass over all columns.
//
// How a policy's masks become columns:
//  * A field pattern covers a column, read broadly (model/pattern.h).
//  * In a json or jsonb column, a pattern without a dot also covers keys at any depth: they are removed at
//    the top level, and a value that still holds one deeper down becomes {}. Of a pattern with a dot that
//    lies inside of the column ("note.address") the path is removed (mask_json.h); a longer one, or one with
//    wildcards, masks the column whole.
//  * A composite column with a covered attribute, and a generated column that reads a masked one, are masked
//    whole.
//  * `partial` is computed at the source, for types that have parts. `hash` and `detect` need the value
//    itself, and only where it is output bare by the outermost query: there it leaves the database and is
//    masked on the way to the client (`ColumnMask::cell`). Everywhere else the statement sees the column
//    redacted. What cannot be done in a column's type is redacted too, which hides more, and a problem says
//    so. Hashes of one stored column are comparable with each other only (hash_scope.h).
//  * Partitions and inheritance relatives share masks by column name, because they share rows.
//  * Columns of views and materialised views are masked by their lineage (view_masks.h). Views whose rows
//    tell about masked columns, or that are not understood, and foreign tables, which may yield masked data,
//    are refused: `carries` says why.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "model/cell_mask.h"
#include "model/decision.h"
#include "systems/postgres/catalogue/view.h"
#include "systems/postgres/rewrite/masks/write_guards.h"

namespace sluice::postgres::rewrite {

struct ColumnMask {
  std::int16_t attnum = 0;
  std::string name;
  Mask mask = Mask::redact;
  // The masked value as SQL, in pieces around references to the column itself: one piece for a constant, more
  // for what is computed (JSON without some keys).
  std::vector<std::string> pieces;
  // The value that tells nothing, for a `partial` column where even that part must not be read: the planner's
  // estimates in EXPLAIN know the column's statistics. Empty: `pieces` will do. (JSON has conditions and
  // indexes of its own, which a plan shall show: there the costs are left out.)
  std::string unread;
  // Output bare, the value itself is fetched, and the reply's cells are masked so. nullptr: it is not.
  std::shared_ptr<const CellMask> cell;
  // What stands for null in such a column, as SQL; empty: null may show.
  std::string cell_null;
  std::vector<std::string> json_keys;  // what is removed from JSON (mask_json.h); empty: another mask
  bool vector = false;                 // of pgvector's types: usable in the k-NN form
  Scores scores = Scores::rank;        // for vectors
  bool answers_equality = false;       // `filters: equality` (equality_filters.cc)
  bool keep_order = false;
  bool write_allowed = false;  // by every mask on it
  std::string rule;

  bool reads_column() const { return pieces.size() > 1; }
  std::string value(std::string_view column_reference) const;
};

struct RelationMask {
  Oid relation = 0;
  std::vector<ColumnMask> columns;  // in attnum order
  // An index holds a masked column beside others, so an index scan returns rows in an order that tells about
  // it.
  bool order_leaks = false;
  // The columns of such indexes, by name and sorted: what a scan is chosen for.
  std::vector<std::string> order_columns;
  // Indexes that hold masked columns only, of which a mask shows something: where such an index has all that
  // is read, rows come in the order of what is hidden. The columns of each.
  std::vector<std::vector<std::int16_t>> lone_indexes;
  bool lone_below = false;  // of what a view reads, or of a relative, whose columns have other numbers
  // What orders rows without telling anything: the primary key, when no part of it is masked. Empty: there is
  // none.
  std::vector<std::string> order_key;

  bool view = false;  // or a materialised view

  const ColumnMask* column(std::int16_t attnum) const;
};

class MaskPlan {
 public:
  static std::shared_ptr<const MaskPlan> compile(const Catalogue& catalogue, const MaskSet& masks);

  // Some relation is masked: functions and operators must be vouched for in every statement (vouch.h).
  bool in_force() const { return !relations_.empty(); }
  const RelationMask* find(Oid relation) const;
  // Why a relation that is not masked itself cannot be read: it may yield masked data. nullptr: it cannot.
  const std::string* carries(Oid relation) const;
  // Why a materialised view must not be made anew: an error would tell. nullptr: it may.
  const std::string* refreshing_tells(Oid view) const;
  // What of a write to this relation would tell about masked columns, its own or others; nullptr: nothing.
  const WriteGuards* guards(Oid relation) const;
  // For some relation it matters what is computed before its rows are in order, or its conditions tested.
  bool order_matters() const { return order_matters_; }
  // Some masked or carrying relation, in whatever schema, has this name.
  bool is_sensitive_name(std::string_view name) const { return names_.contains(std::string(name)); }
  bool is_sensitive_schema(std::string_view schema) const { return schemas_.contains(std::string(schema)); }

  std::uint64_t catalogue_version() const { return catalogue_version_; }
  std::uint64_t mask_set_id() const { return mask_set_id_; }
  // One sentence each, for whoever loads the policy.
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  friend class PlanBuilder;
  std::unordered_map<Oid, RelationMask> relations_;
  bool order_matters_ = false;
  std::unordered_map<Oid, std::string> carriers_;
  std::unordered_map<Oid, std::string> refreshes_;
  WriteGuardsByRelation guards_;
  std::unordered_set<std::string> names_;
  std::unordered_set<std::string> schemas_;
  std::vector<std::string> problems_;
  std::uint64_t catalogue_version_ = 0;
  std::uint64_t mask_set_id_ = 0;
};

}  // namespace sluice::postgres::rewrite
