// The conditions that must all hold: of `a AND (b AND c)` a, b and c.
#pragma once

#include "systems/postgres/sql/ast.h"

namespace sluice::postgres::sql {

// `visit` gets each of them; none of no condition.
template <class Visit>
void each_conjunct(const Expr* condition, const Visit& visit) {
  if (condition == nullptr) return;
  const auto* both = as<BooleanExpr>(condition);
  if (both == nullptr || both->op != BooleanOperator::and_) return visit(condition);
  for (const Expr* each : both->args) each_conjunct(each, visit);
}

}  // namespace sluice::postgres::sql
