// Definitions and masked relations: what may be done to a relation with masked columns (or one that carries
// masked data) besides reading and writing its rows.
//
// Harmless is what neither looks at masked values (an index on one, a change of its type, a constraint over
// it: errors and duplicates tell), nor takes a column out of reach of its masks (renaming, moving, attaching
// to other relations), nor plants code (triggers, rules, policies), nor has PostgreSQL compute masked values
// with open ones that the client has a hand in: a change of an open column's type is an UPDATE of all rows,
// and refused where that would be (write_guards.h); so are VALIDATE CONSTRAINT and ATTACH PARTITION for
// tables that refer to masked columns, and REFRESH of what is computed from them. What remains passes as the
// client wrote it, with its errors reduced. Everything else is refused with the reason.
#pragma once

#include <optional>
#include <unordered_set>

#include "model/decision.h"
#include "systems/postgres/rewrite/masks/mask_plan.h"
#include "systems/postgres/sql/ast.h"

namespace sluice::postgres::rewrite {

struct DefinitionRuling {
  std::optional<Denial> denial;
  std::unordered_set<const sql::RangeVar*> harmless;  // mentions of masked relations that may pass
};

DefinitionRuling rule_on_definition(const sql::Statement& statement, const Catalogue& catalogue,
                                    SearchPath path, const MaskPlan& plan);

}  // namespace sluice::postgres::rewrite
