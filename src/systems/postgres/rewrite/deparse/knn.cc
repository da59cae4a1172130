#include "systems/postgres/rewrite/deparse/knn.h"

#include <algorithm>

#include "systems/postgres/sql/expressions.h"

namespace sluice::postgres::rewrite {
namespace {

using namespace sql;

std::string_view schema_of(Names name) {
  return name.size() == 2 ? name.front() : std::string_view{};
}

bool is_vector_type(const TypeName& name, const Catalogue& catalogue, SearchPath path) {
  if (name.names.empty() || name.names.size() > 2 || name.setof || name.percent_type) return false;
  const Type* type = catalogue.find_type(path, schema_of(name.names), name.names.back());
  return type != nullptr && type->extension == "vector" && type->kind == TypeKind::base && type->element == 0;
}

// Types a query vector may pass through on its way: text, arrays of numbers, pgvector's.
bool is_query_type(const TypeName& name, const Catalogue& catalogue, SearchPath path) {
  if (is_vector_type(name, catalogue, path)) return true;
  if (name.names.empty() || name.names.size() > 2 || name.setof || name.percent_type) return false;
  const Type* type = catalogue.find_type(path, schema_of(name.names), name.names.back());
  return type != nullptr && type->schema == "pg_catalog" && type->kind == TypeKind::base;
}

// A literal or parameter, under casts to harmless types; an array of numbers.
bool is_query_vector(const Expr* expr, const Catalogue& catalogue, SearchPath path) {
  if (expr == nullptr) return false;
  switch (expr->kind) {
    case ExprKind::constant:
    case ExprKind::parameter: return true;
    case ExprKind::cast: {
      const auto& cast = static_cast<const TypeCast&>(*expr);
      return is_query_type(*cast.type, catalogue, path) && is_query_vector(cast.arg, catalogue, path);
    }
    case ExprKind::array:
      return std::ranges::all_of(static_cast<const ArrayExpr&>(*expr).elements, [](const Expr* element) {
        return element->kind == ExprKind::constant || element->kind == ExprKind::parameter;
      });
    default: return false;
  }
}

// The column, perhaps cast to a vector type.
const ColumnRef* as_vector_column(const Expr* expr, const Catalogue& catalogue, SearchPath path,
                                  const TypeCast*& cast) {
  if (const auto* outer = as<TypeCast>(expr)) {
    if (!is_vector_type(*outer->type, catalogue, path)) return nullptr;
    cast = outer;
    expr = outer->arg;
  }
  const auto* column = as<ColumnRef>(expr);
  return column != nullptr && !column->star ? column : nullptr;
}

struct Named {
  VectorDistance metric;
  const Expr* left;
  const Expr* right;
  std::string_view symbol;
  std::string_view function;
};

std::optional<Named> named_distance(const Expr& expr, const Catalogue& catalogue, SearchPath path) {
  if (const auto* operation = as<OperatorExpr>(&expr)) {
    if (operation->form != OperatorKind::plain || operation->left == nullptr || operation->right == nullptr ||
        operation->name.empty() || operation->name.size() > 2) {
      return std::nullopt;
    }
    auto metric = distance_operator(operation->symbol());
    if (!metric) return std::nullopt;
    if (!catalogue.find_operator(path, schema_of(operation->name), operation->symbol()).vector)
      return std::nullopt;
    return Named{*metric, operation->left, operation->right, operation->symbol(), {}};
  }
  const auto* call = as<FunctionCall>(&expr);
  if (call == nullptr || call->args.size() != 2 || call->name.empty() || call->name.size() > 2 ||
      call->star || call->distinct || call->variadic || call->over != nullptr || call->filter != nullptr ||
      !call->order_by.empty()) {
    return std::nullopt;
  }
  auto metric = distance_function(call->name.back());
  if (!metric) return std::nullopt;
  if (catalogue.find_function(path, schema_of(call->name), call->name.back()).facts.cls !=
      FunctionClass::vector) {
    return std::nullopt;
  }
  return Named{*metric, call->args[0], call->args[1], {}, call->name.back()};
}

bool is_number(const Expr* expr, std::int32_t value) {
  const auto* constant = as<Constant>(expr);
  return constant != nullptr && constant->value_kind == ConstantKind::integer && constant->integer == value;
}

}  // namespace

std::optional<DistanceOperands> distance_operands(const Expr& expr, const Catalogue& catalogue,
                                                  SearchPath path) {
  auto named = named_distance(expr, catalogue, path);
  if (!named) return std::nullopt;
  return DistanceOperands{named->left, named->right};
}

std::optional<Distance> as_distance(const Expr& expr, const Catalogue& catalogue, SearchPath path) {
  auto named = named_distance(expr, catalogue, path);
  if (!named) return std::nullopt;
  Distance distance;
  distance.expr = &expr;
  distance.left = named->left;
  distance.right = named->right;
  distance.symbol = named->symbol;
  distance.function = named->function;
  distance.metric = named->metric;
  distance.column = as_vector_column(named->left, catalogue, path, distance.cast);
  if (distance.column != nullptr && is_query_vector(named->right, catalogue, path)) return distance;
  distance.cast = nullptr;
  distance.column_is_left = false;
  distance.column = as_vector_column(named->right, catalogue, path, distance.cast);
  if (distance.column != nullptr && is_query_vector(named->left, catalogue, path)) return distance;
  return std::nullopt;
}

bool is_score(const Expr& value, const Distance& distance) {
  if (same_expression(&value, distance.expr)) return true;
  const auto* operation = as<OperatorExpr>(&value);
  if (operation == nullptr || operation->form != OperatorKind::plain || operation->name.size() != 1)
    return false;
  bool left = same_expression(operation->left, distance.expr);
  bool right = same_expression(operation->right, distance.expr);
  if (operation->symbol() == "-" && right) return operation->left == nullptr || is_number(operation->left, 1);
  if (operation->symbol() == "*")
    return (right && is_number(operation->left, -1)) || (left && is_number(operation->right, -1));
  return false;
}

}  // namespace sluice::postgres::rewrite
