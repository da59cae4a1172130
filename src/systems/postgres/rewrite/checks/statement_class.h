// Which statement classes may pass, and which relations a statement touches, while masks are in force.
#pragma once

#include <optional>
#include <string>
#include <unordered_set>

#include "model/decision.h"
#include "systems/postgres/rewrite/masks/mask_plan.h"
#include "systems/postgres/sql/ast.h"

namespace sluice::postgres::rewrite {

// What runs, or makes the database run later, code that could read masked values in clear (DO, functions,
// triggers, rules, foreign tables, servers, casts): refused whatever it names. Also what would take a masked
// relation out of reach of its masks by renaming or moving it.
std::optional<Denial> refuse_statement_class(const sql::Statement& statement, const Catalogue& catalogue,
                                             SearchPath path, const MaskPlan& plan);

struct Touched {
  bool masked = false;       // reads a relation that is masked or carries masked data, or writes one that is
                             // masked or tied to one (write_guards.h)
  bool defined = false;      // defines, locks or empties one in a harmless way
  std::string defined_name;  // which
  std::string changed;       // a masked or carrying relation that is changed in another way; empty: none
  bool ambiguous_name = false;  // an unqualified name that is also the name of a masked relation
  std::string unknown;          // a relation that the catalogue does not know; empty: none
};
// `harmless`: mentions that ddl_rules.h has passed.
Touched touched_relations(const sql::Statement& statement, const Catalogue& catalogue, SearchPath path,
                          const MaskPlan& plan,
                          const std::unordered_set<const sql::RangeVar*>& harmless = {});

}  // namespace sluice::postgres::rewrite
