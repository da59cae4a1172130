#include "systems/postgres/sql/column_name.h"

namespace sluice::postgres::sql {
namespace {

// As in PostgreSQL: 2 is a name by right, 1 a fallback that a surrounding cast or CASE replaces, 0 none.
struct Figured {
  int strength = 0;
  std::string_view name;
};

Figured figure(const Expr* expr);

Figured figure_indirection(const IndirectionExpr& expr) {
  for (std::size_t i = expr.steps.size(); i-- > 0;) {
    if (expr.steps[i].kind == Indirection::Kind::field) return {2, expr.steps[i].field};
  }
  return figure(expr.arg);
}

Figured figure_sub_link(const SubLink& link) {
  switch (link.form) {
    case SubLinkKind::exists: return {2, "exists"};
    case SubLinkKind::array: return {2, "array"};
    case SubLinkKind::scalar: {
      const SelectStatement* query = link.query;
      while (query != nullptr && query->set_operation != SetOperation::none) query = query->left;
      if (query == nullptr) return {};
      if (query->is_values) return {2, "column1"};
      if (query->targets.empty()) return {};
      // The name of a star's first column is PostgreSQL's to find: empty, so that no name is written.
      return {2, output_name(query->targets[0])};
    }
    default: return {};
  }
}

std::string_view xml_name(XmlOperator op) {
  switch (op) {
    case XmlOperator::concat: return "xmlconcat";
    case XmlOperator::element: return "xmlelement";
    case XmlOperator::forest: return "xmlforest";
    case XmlOperator::parse: return "xmlparse";
    case XmlOperator::pi: return "xmlpi";
    case XmlOperator::root: return "xmlroot";
    case XmlOperator::serialize: return "xmlserialize";
    case XmlOperator::document: return "";
  }
  return "";
}

Figured figure(const Expr* expr) {
  if (expr == nullptr) return {};
  switch (expr->kind) {
    case ExprKind::column: {
      const auto& it = static_cast<const ColumnRef&>(*expr);
      if (it.star || it.parts.empty()) return {};
      return {2, it.parts.back()};
    }
    case ExprKind::indirection: return figure_indirection(static_cast<const IndirectionExpr&>(*expr));
    case ExprKind::call: return {2, static_cast<const FunctionCall&>(*expr).name.back()};
    case ExprKind::operation:
      if (static_cast<const OperatorExpr&>(*expr).form == OperatorKind::null_if) return {2, "nullif"};
      return {};
    case ExprKind::cast: {
      const auto& it = static_cast<const TypeCast&>(*expr);
      Figured inner = figure(it.arg);
      if (inner.strength > 1 || it.type == nullptr || it.type->names.empty()) return inner;
      return {1, it.type->names.back()};
    }
    case ExprKind::collate: return figure(static_cast<const CollateExpr&>(*expr).arg);
    case ExprKind::grouping_func: return {2, "grouping"};
    case ExprKind::sub_link: return figure_sub_link(static_cast<const SubLink&>(*expr));
    case ExprKind::case_: {
      Figured inner = figure(static_cast<const CaseExpr&>(*expr).otherwise);
      return inner.strength > 1 ? inner : Figured{1, "case"};
    }
    case ExprKind::array: return {2, "array"};
    case ExprKind::row: return {2, "row"};
    case ExprKind::coalesce: return {2, "coalesce"};
    case ExprKind::min_max: return {2, static_cast<const MinMaxExpr&>(*expr).greatest ? "greatest" : "least"};
    case ExprKind::sql_value: return {2, static_cast<const SqlValueFunction&>(*expr).name};
    case ExprKind::xml: {
      std::string_view name = xml_name(static_cast<const XmlExpr&>(*expr).op);
      return name.empty() ? Figured{} : Figured{2, name};
    }
    case ExprKind::xml_serialize: return {2, "xmlserialize"};
    default: return {};
  }
}

}  // namespace

std::string_view figure_column_name(const Expr& expr) {
  Figured figured = figure(&expr);
  return figured.strength == 0 ? "?column?" : figured.name;
}

std::string_view output_name(const Target& target) {
  if (!target.name.empty()) return target.name;
  if (target.value == nullptr || is_star(target)) return "";
  return figure_column_name(*target.value);
}

bool is_star(const Target& target) {
  if (const auto* column = as<ColumnRef>(target.value)) return column->star;
  const auto* path = as<IndirectionExpr>(target.value);
  return path != nullptr && !path->steps.empty() && path->steps.back().kind == Indirection::Kind::star;
}

}  // namespace sluice::postgres::sql
