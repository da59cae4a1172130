// The conditions that must all hold: of `a AND (b AND c)` a, b and c.
#pragma once

#include "systems/postgres/sql/ast.h"

namespace sluice::postgres::rewrite {

// `visit` gets each of them; none of no condition.
template <class Visit>
void each_conjunct(const sql::Expr* condition, const Visit& visit) {
  if (condition == nullptr) return;
  const auto* both = sql::as<sql::BooleanExpr>(condition);
  if (both == nullptr || both->op != sql::BooleanOperator::and_) return visit(condition);
  for (const sql::Expr* each : both->args) each_conjunct(each, visit);
}

}  // namespace sluice::postgres::rewrite
