// Masks of views and materialised views, by the lineage of their columns (catalogue/lineage.h): a column that
// hands on a masked one has its mask, one that is computed from masked ones is hidden whole, the strongest
// mask wins, and what a policy says of the view itself adds up.
//
//   ViewMasks views(catalogue, wanted);   // `wanted`: masks of tables, and what patterns say of views
//   views.spread();                       // adds those that views inherit
//   if (const std::string* why = views.refusal(oid)) ...
//
// A view is not rewritten but wrapped like a table, so that its owner's rights and its barrier stay. So it
// must not tell anything by its rows: where these depend on a masked column (a condition, GROUP BY, DISTINCT,
// ORDER BY, ...) it is refused. PostgreSQL leaves out columns that nobody reads, and with them errors that
// computing them may raise (1 / (salary - 100)), but not everywhere: where it may compute one all the same
// (in a WITH query, below UNION or DISTINCT, with a volatile function), the view is refused as well. None of
// that holds for what a materialised view has stored; but all of it when it is made anew.
//
// Internal to this folder.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "systems/postgres/catalogue/view.h"
#include "systems/postgres/rewrite/masks/wanted_mask.h"

namespace sluice::postgres::rewrite {

class ViewMasks {
 public:
  ViewMasks(const Catalogue& catalogue, std::map<Oid, Wanted>& wanted)
      : catalogue_(catalogue), wanted_(wanted) {}

  void spread();

  // Why a view that reads masked relations cannot be read; nullptr: it can, or it reads none.
  const std::string* refusal(Oid view) const;
  // Why a materialised view must not be refreshed: it computes something from masked columns, and other
  // columns that bear on it may be written. nullopt: it may, or it is none.
  std::optional<std::string> why_refreshing_tells(const Relation& view) const;
  // It reads something masked, at whatever depth.
  bool reads_masked(Oid view) const { return reading_masked_.contains(view); }
  // In the order in which they read each other, what is read first.
  const std::vector<Oid>& reading_masked() const { return order_; }

 private:
  void resolve(const Relation& start);
  void settle(const Relation& view);
  std::optional<std::string> look_at(const Relation& view);
  std::optional<std::string> why_rows_tell(const Relation& view) const;
  std::optional<std::string> why_reading_tells(const Relation& view) const;
  // The mask of an origin; one without a name means that the snapshot does not know it.
  struct Origin {
    std::optional<WantedMask> mask;
    bool known = true;
  };
  Origin origin(const ColumnOrigin& of) const;
  Origin strongest(const ViewColumn& column) const;
  bool computes(const ViewColumn& column) const;
  std::string name(const ColumnOrigin& of) const;

  const Catalogue& catalogue_;
  std::map<Oid, Wanted>& wanted_;
  std::unordered_set<Oid> settled_;
  std::unordered_set<Oid> reading_masked_;
  std::vector<Oid> order_;
  std::unordered_map<Oid, std::string> refusals_;
  // Columns of views that are computed from masked ones when they are read.
  std::set<ColumnOrigin> computed_;
};

}  // namespace sluice::postgres::rewrite
