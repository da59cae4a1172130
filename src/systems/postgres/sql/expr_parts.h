// The direct parts of an expression. A query inside of a sub-link is none: it has a level of its own.
#pragma once

#include "systems/postgres/sql/ast.h"

namespace sluice::postgres {

// Calls visit(const sql::Expr&) for each direct part, in the order of writing.
template <class Visit>
void for_each_part(const sql::Expr& expr, Visit&& visit) {
  using sql::ExprKind;
  const auto one = [&](const sql::Expr* part) {
    if (part != nullptr) visit(*part);
  };
  const auto all = [&](sql::Exprs parts) {
    for (const auto* part : parts) one(part);
  };
  const auto steps = [&](sql::List<sql::Indirection> list) {
    for (const auto& step : list) {
      one(step.lower);
      one(step.upper);
    }
  };
  switch (expr.kind) {
    case ExprKind::unknown:
    case ExprKind::column:
    case ExprKind::parameter:
    case ExprKind::constant:
    case ExprKind::sql_value:
    case ExprKind::default_:
    case ExprKind::current_of: return;
    case ExprKind::operation: {
      const auto& it = static_cast<const sql::OperatorExpr&>(expr);
      one(it.left);
      return one(it.right);
    }
    case ExprKind::boolean: return all(static_cast<const sql::BooleanExpr&>(expr).args);
    case ExprKind::call: {
      const auto& it = static_cast<const sql::FunctionCall&>(expr);
      all(it.args);
      for (const auto& item : it.order_by) one(item.expr);
      one(it.filter);
      if (it.over == nullptr) return;
      all(it.over->partition_by);
      for (const auto& item : it.over->order_by) one(item.expr);
      one(it.over->start_offset);
      return one(it.over->end_offset);
    }
    case ExprKind::cast: return one(static_cast<const sql::TypeCast&>(expr).arg);
    case ExprKind::case_: {
      const auto& it = static_cast<const sql::CaseExpr&>(expr);
      one(it.arg);
      for (const auto& when : it.whens) {
        one(when.condition);
        one(when.result);
      }
      return one(it.otherwise);
    }
    case ExprKind::sub_link: return one(static_cast<const sql::SubLink&>(expr).test);
    case ExprKind::coalesce: return all(static_cast<const sql::CoalesceExpr&>(expr).args);
    case ExprKind::min_max: return all(static_cast<const sql::MinMaxExpr&>(expr).args);
    case ExprKind::array: return all(static_cast<const sql::ArrayExpr&>(expr).elements);
    case ExprKind::row: return all(static_cast<const sql::RowExpr&>(expr).args);
    case ExprKind::null_test: return one(static_cast<const sql::NullTest&>(expr).arg);
    case ExprKind::boolean_test: return one(static_cast<const sql::BooleanTest&>(expr).arg);
    case ExprKind::collate: return one(static_cast<const sql::CollateExpr&>(expr).arg);
    case ExprKind::indirection: {
      const auto& it = static_cast<const sql::IndirectionExpr&>(expr);
      one(it.arg);
      return steps(it.steps);
    }
    case ExprKind::grouping_func: return all(static_cast<const sql::GroupingFunc&>(expr).args);
    case ExprKind::grouping_set: return all(static_cast<const sql::GroupingSet&>(expr).content);
    case ExprKind::xml: {
      const auto& it = static_cast<const sql::XmlExpr&>(expr);
      for (const auto& each : it.named_args) {
        steps(each.indirection);
        one(each.value);
      }
      return all(it.args);
    }
    case ExprKind::xml_serialize: return one(static_cast<const sql::XmlSerialize&>(expr).arg);
    case ExprKind::named_argument: return one(static_cast<const sql::NamedArgument&>(expr).arg);
    case ExprKind::multi_assign: return one(static_cast<const sql::MultiAssign&>(expr).source);
    case ExprKind::list: return all(static_cast<const sql::ExprList&>(expr).items);
  }
}

inline const sql::Expr* without_casts(const sql::Expr* expr) {
  while (const auto* cast = sql::as<sql::TypeCast>(expr)) expr = cast->arg;
  return expr;
}

}  // namespace sluice::postgres
