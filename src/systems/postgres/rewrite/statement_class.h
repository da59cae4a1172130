// Which statement classes may pass, and which relations a statement touches, while masks are in force.
#pragma once

#include <optional>
#include <string>

#include "model/decision.h"
#include "systems/postgres/rewrite/mask_plan.h"
#include "systems/postgres/sql/ast.h"

namespace sluice::postgres::rewrite {

// What runs, or makes the database run later, code that could read masked values in clear (DO, functions,
// triggers, rules, foreign tables, servers, casts): refused whatever it names. Also what would take a masked
// relation out of reach of its masks by renaming or moving it.
std::optional<Denial> refuse_statement_class(const sql::Statement& statement, const Catalogue& catalogue,
                                             SearchPath path, const MaskPlan& plan);

struct Touched {
  bool masked = false;          // reads a relation that is masked or carries masked data
  std::string changed;          // a masked or carrying relation that is written or defined; empty: none
  bool ambiguous_name = false;  // an unqualified name that is also the name of a masked relation
  std::string unknown;          // a relation that the catalogue does not know; empty: none
};
Touched touched_relations(const sql::Statement& statement, const Catalogue& catalogue, SearchPath path,
                          const MaskPlan& plan);

}  // namespace sluice::postgres::rewrite
