// The direct parts of an expression. A query inside of a sub-link is none: it has a level of its own.
#pragma once

#include "systems/postgres/sql/ast.h"

namespace sluice::postgres::sql {

// Calls visit(const Expr&) for each direct part, in the order of writing.
template <class Visit>
void for_each_part(const Expr& expr, Visit&& visit) {
  const auto one = [&](const Expr* part) {
    if (part != nullptr) visit(*part);
  };
  const auto all = [&](Exprs parts) {
    for (const auto* part : parts) one(part);
  };
  const auto steps = [&](List<Indirection> list) {
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
      const auto& it = static_cast<const OperatorExpr&>(expr);
      one(it.left);
      return one(it.right);
    }
    case ExprKind::boolean: return all(static_cast<const BooleanExpr&>(expr).args);
    case ExprKind::call: {
      const auto& it = static_cast<const FunctionCall&>(expr);
      all(it.args);
      for (const auto& item : it.order_by) one(item.expr);
      one(it.filter);
      if (it.over == nullptr) return;
      all(it.over->partition_by);
      for (const auto& item : it.over->order_by) one(item.expr);
      one(it.over->start_offset);
      return one(it.over->end_offset);
    }
    case ExprKind::cast: return one(static_cast<const TypeCast&>(expr).arg);
    case ExprKind::case_: {
      const auto& it = static_cast<const CaseExpr&>(expr);
      one(it.arg);
      for (const auto& when : it.whens) {
        one(when.condition);
        one(when.result);
      }
      return one(it.otherwise);
    }
    case ExprKind::sub_link: return one(static_cast<const SubLink&>(expr).test);
    case ExprKind::coalesce: return all(static_cast<const CoalesceExpr&>(expr).args);
    case ExprKind::min_max: return all(static_cast<const MinMaxExpr&>(expr).args);
    case ExprKind::array: return all(static_cast<const ArrayExpr&>(expr).elements);
    case ExprKind::row: return all(static_cast<const RowExpr&>(expr).args);
    case ExprKind::null_test: return one(static_cast<const NullTest&>(expr).arg);
    case ExprKind::boolean_test: return one(static_cast<const BooleanTest&>(expr).arg);
    case ExprKind::collate: return one(static_cast<const CollateExpr&>(expr).arg);
    case ExprKind::indirection: {
      const auto& it = static_cast<const IndirectionExpr&>(expr);
      one(it.arg);
      return steps(it.steps);
    }
    case ExprKind::grouping_func: return all(static_cast<const GroupingFunc&>(expr).args);
    case ExprKind::grouping_set: return all(static_cast<const GroupingSet&>(expr).content);
    case ExprKind::xml: {
      const auto& it = static_cast<const XmlExpr&>(expr);
      for (const auto& each : it.named_args) {
        steps(each.indirection);
        one(each.value);
      }
      return all(it.args);
    }
    case ExprKind::xml_serialize: return one(static_cast<const XmlSerialize&>(expr).arg);
    case ExprKind::named_argument: return one(static_cast<const NamedArgument&>(expr).arg);
    case ExprKind::multi_assign: return one(static_cast<const MultiAssign&>(expr).source);
    case ExprKind::list: return all(static_cast<const ExprList&>(expr).items);
  }
}

inline const Expr* without_casts(const Expr* expr) {
  while (const auto* cast = as<TypeCast>(expr)) expr = cast->arg;
  return expr;
}

}  // namespace sluice::postgres::sql
