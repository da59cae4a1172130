#include "systems/postgres/sql/expressions.h"

#include <algorithm>

#include "systems/postgres/sql/column_name.h"

namespace sluice::postgres::sql {
namespace {

bool same_names(Names a, Names b) {
  return std::ranges::equal(a, b);
}

bool same_list(Exprs a, Exprs b) {
  return std::ranges::equal(a, b, same_expression);
}

bool same_type(const TypeName* a, const TypeName* b) {
  return same_names(a->names, b->names) && same_list(a->typmods, b->typmods) &&
         std::ranges::equal(a->array_bounds, b->array_bounds);
}

}  // namespace

const ColumnRef* column_under_casts(const Expr* expr) {
  while (const auto* cast = as<TypeCast>(expr)) expr = cast->arg;
  const auto* column = as<ColumnRef>(expr);
  return column != nullptr && !column->star ? column : nullptr;
}

bool same_expression(const Expr* a, const Expr* b) {
  if (a == nullptr || b == nullptr || a->kind != b->kind) return false;
  if (a == b) return true;
  switch (a->kind) {
    case ExprKind::column: {
      const auto& x = static_cast<const ColumnRef&>(*a);
      const auto& y = static_cast<const ColumnRef&>(*b);
      return x.star == y.star && same_names(x.parts, y.parts);
    }
    case ExprKind::parameter:
      return static_cast<const ParamRef&>(*a).number == static_cast<const ParamRef&>(*b).number;
    case ExprKind::constant: {
      const auto& x = static_cast<const Constant&>(*a);
      const auto& y = static_cast<const Constant&>(*b);
      return x.value_kind == y.value_kind && x.integer == y.integer && x.text == y.text;
    }
    case ExprKind::cast: {
      const auto& x = static_cast<const TypeCast&>(*a);
      const auto& y = static_cast<const TypeCast&>(*b);
      return same_type(x.type, y.type) && same_expression(x.arg, y.arg);
    }
    case ExprKind::array:
      return same_list(static_cast<const ArrayExpr&>(*a).elements,
                       static_cast<const ArrayExpr&>(*b).elements);
    case ExprKind::operation: {
      const auto& x = static_cast<const OperatorExpr&>(*a);
      const auto& y = static_cast<const OperatorExpr&>(*b);
      return x.form == OperatorKind::plain && y.form == OperatorKind::plain && same_names(x.name, y.name) &&
             same_expression(x.left, y.left) && same_expression(x.right, y.right);
    }
    case ExprKind::call: {
      const auto& x = static_cast<const FunctionCall&>(*a);
      const auto& y = static_cast<const FunctionCall&>(*b);
      auto simple = [](const FunctionCall& f) {
        return f.order_by.empty() && f.filter == nullptr && f.over == nullptr && !f.star && !f.distinct &&
               !f.variadic;
      };
      return simple(x) && simple(y) && same_names(x.name, y.name) && same_list(x.args, y.args);
    }
    default: return false;
  }
}

const Expr* sort_expression(const SortItem& item, const SelectStatement& select) {
  if (const auto* constant = as<Constant>(item.expr);
      constant != nullptr && constant->value_kind == ConstantKind::integer) {
    if (constant->integer < 1 || static_cast<std::size_t>(constant->integer) > select.targets.size())
      return nullptr;
    auto place = static_cast<std::size_t>(constant->integer);
    for (const Target& target : select.targets.first(place)) {
      if (is_star(target)) return nullptr;
    }
    return select.targets[place - 1].value;
  }
  const auto* column = as<ColumnRef>(item.expr);
  if (column != nullptr && !column->star && column->parts.size() == 1) {
    // An output name comes before a column of that name (SQL-92 rule, parse_clause.c
    // findTargetlistEntrySQL92).
    for (const Target& target : select.targets) {
      if (!is_star(target) && output_name(target) == column->parts[0]) return target.value;
    }
  }
  return item.expr;
}

}  // namespace sluice::postgres::sql
