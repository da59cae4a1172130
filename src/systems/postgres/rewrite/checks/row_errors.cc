#include "systems/postgres/rewrite/checks/row_errors.h"

#include <algorithm>
#include <array>

#include "systems/postgres/sql/visit.h"

namespace sluice::postgres::rewrite {
namespace {

using namespace sql;

bool is_one_of(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

bool is_builtin_name(Names name) {
  return name.size() == 1 || (name.size() == 2 && name.front() == "pg_catalog");
}

// On the built-in types none of them fails; of others they are comparisons.
constexpr std::array<std::string_view, 13> kTotalOperators = {
    "=", "<>", "!=", "<", "<=", ">", ">=", "@>", "<@", "?", "->", "->>", "@@"};
constexpr std::array<std::string_view, 6> kDistances = {"<->", "<=>", "<#>", "<+>", "<~>", "<%>"};
constexpr std::array<std::string_view, 40> kTotalFunctions = {
    "any_value",    "array_agg",     "avg",
    "bool_and",     "bool_or",       "char_length",
    "concat",       "concat_ws",     "cosine_distance",
    "count",        "date_part",     "date_trunc",
    "dense_rank",   "every",         "extract",
    "first_value",  "inner_product", "json_agg",
    "jsonb_agg",    "l1_distance",   "l2_distance",
    "lag",          "last_value",    "lead",
    "left",         "length",        "lower",
    "max",          "md5",           "min",
    "octet_length", "rank",          "right",
    "row_number",   "similarity",    "string_agg",
    "sum",          "ts_rank",       "ts_rank_cd",
    "upper",
};

// Functions without arguments that answer the same throughout a statement.
constexpr std::array<std::string_view, 6> kSameForAll = {
    "current_database", "current_schema", "now", "pg_backend_pid", "statement_timestamp", "version",
};

bool is_text(const TypeName& type) {
  return is_builtin_name(type.names) && type.typmods.empty() && type.array_bounds.empty() && !type.setof &&
         !type.percent_type && (type.names.back() == "text" || type.names.back() == "varchar");
}

class Totality {
 public:
  // `chosen`: whether it is computed may depend on the row.
  bool fails(const Expr* expr, bool chosen) const {
    if (expr == nullptr) return false;
    if (is_same_for_all(*expr)) return chosen && may_fail_when_run(*expr);
    const auto any = [&](Exprs nodes, bool choosing) {
      return std::ranges::any_of(nodes, [&](const Expr* node) { return fails(node, choosing); });
    };
    switch (expr->kind) {
      case ExprKind::column: return false;
      case ExprKind::boolean: {
        const auto& it = static_cast<const BooleanExpr&>(*expr);
        return any(it.args, chosen || it.op == BooleanOperator::or_);
      }
      case ExprKind::null_test: return fails(static_cast<const NullTest&>(*expr).arg, chosen);
      case ExprKind::boolean_test: return fails(static_cast<const BooleanTest&>(*expr).arg, chosen);
      case ExprKind::collate: return fails(static_cast<const CollateExpr&>(*expr).arg, chosen);
      case ExprKind::row: return any(static_cast<const RowExpr&>(*expr).args, chosen);
      case ExprKind::list: return any(static_cast<const ExprList&>(*expr).items, chosen);
      case ExprKind::coalesce: return any(static_cast<const CoalesceExpr&>(*expr).args, true);
      case ExprKind::min_max: return any(static_cast<const MinMaxExpr&>(*expr).args, chosen);
      case ExprKind::named_argument: return fails(static_cast<const NamedArgument&>(*expr).arg, chosen);
      case ExprKind::case_: {
        const auto& it = static_cast<const CaseExpr&>(*expr);
        return fails(it.arg, chosen) || fails(it.otherwise, true) ||
               std::ranges::any_of(it.whens, [&](const CaseWhen& when) {
                 return fails(when.condition, true) || fails(when.result, true);
               });
      }
      case ExprKind::cast: {
        const auto& it = static_cast<const TypeCast&>(*expr);
        return !is_text(*it.type) || fails(it.arg, chosen);
      }
      case ExprKind::operation: return operation_fails(static_cast<const OperatorExpr&>(*expr), chosen);
      case ExprKind::call: return call_fails(static_cast<const FunctionCall&>(*expr), chosen);
      default: return true;
    }
  }

  bool fails(const Window& window) const {
    const auto by = [&](const Expr* expr) { return fails(expr, false); };
    return std::ranges::any_of(window.partition_by, by) ||
           std::ranges::any_of(window.order_by, [&](const SortItem& item) { return by(item.expr); });
  }

 private:
  // Made of literals and parameters only.
  bool is_same_for_all(const Expr& expr) const {
    const auto all = [&](Exprs nodes) {
      return std::ranges::all_of(nodes, [&](const Expr* node) { return is_same_for_all(*node); });
    };
    switch (expr.kind) {
      case ExprKind::constant:
      case ExprKind::parameter:
      case ExprKind::sql_value: return true;
      case ExprKind::cast: return is_same_for_all(*static_cast<const TypeCast&>(expr).arg);
      case ExprKind::array: return all(static_cast<const ArrayExpr&>(expr).elements);
      case ExprKind::list: return all(static_cast<const ExprList&>(expr).items);
      case ExprKind::row: return all(static_cast<const RowExpr&>(expr).args);
      case ExprKind::operation: {
        const auto& it = static_cast<const OperatorExpr&>(expr);
        return (it.left == nullptr || is_same_for_all(*it.left)) &&
               (it.right == nullptr || is_same_for_all(*it.right));
      }
      case ExprKind::call: {
        const auto& it = static_cast<const FunctionCall&>(expr);
        if (it.args.empty() && (it.star || !is_one_of(kSameForAll, it.name.back()))) return false;
        return all(it.args) && it.over == nullptr && it.filter == nullptr && it.order_by.empty();
      }
      default: return false;
    }
  }

  // A literal gets its type, and fails, when the statement is read.
  static bool may_fail_when_run(const Expr& expr) {
    if (const auto* cast = as<TypeCast>(&expr)) {
      return cast->arg->kind != ExprKind::constant &&
             (!is_text(*cast->type) || may_fail_when_run(*cast->arg));
    }
    return expr.kind != ExprKind::constant && expr.kind != ExprKind::parameter &&
           expr.kind != ExprKind::sql_value;
  }

  static bool is_distance(const Expr* expr) {
    const auto* it = as<OperatorExpr>(expr);
    return it != nullptr && it->form == OperatorKind::plain && is_one_of(kDistances, it->symbol());
  }

  // 1 - distance, distance * -1: they stay within their type's range.
  bool is_score(const OperatorExpr& it) const {
    if (it.symbol().size() != 1 || !std::string_view("-+*").contains(it.symbol().front())) return false;
    const bool left = it.left == nullptr || it.left->kind == ExprKind::constant;
    return (left && is_distance(it.right)) ||
           (is_distance(it.left) && it.right != nullptr && it.right->kind == ExprKind::constant);
  }

  bool operation_fails(const OperatorExpr& it, bool chosen) const {
    const bool parts = fails(it.left, chosen) || fails(it.right, chosen);
    switch (it.form) {
      case OperatorKind::plain:
        if (is_one_of(kDistances, it.symbol())) return chosen || parts;
        return parts || (!is_one_of(kTotalOperators, it.symbol()) && !is_score(it));
      case OperatorKind::any:
      case OperatorKind::all:
        return parts || it.right == nullptr || !is_same_for_all(*it.right) ||
               !is_one_of(kTotalOperators, it.symbol());
      case OperatorKind::distinct:
      case OperatorKind::not_distinct:
      case OperatorKind::null_if:
      case OperatorKind::in:
      case OperatorKind::between:
      case OperatorKind::not_between:
      case OperatorKind::between_symmetric:
      case OperatorKind::not_between_symmetric: return parts;
      case OperatorKind::like:
      case OperatorKind::ilike: {
        // A pattern must not end in its escape, which shows only where a text matches up to there.
        const auto* pattern = as<Constant>(it.right);
        return parts || pattern == nullptr || pattern->text.contains('\\');
      }
      case OperatorKind::similar: return true;
    }
    return true;
  }

  bool call_fails(const FunctionCall& it, bool chosen) const {
    if (it.name.empty() || it.within_group || it.variadic) return true;
    const bool known = is_one_of(kTotalFunctions, it.name.back());
    if (!known || (it.over != nullptr && fails(*it.over)) || fails(it.filter, chosen)) return true;
    if (std::ranges::any_of(it.order_by, [&](const SortItem& item) { return fails(item.expr, chosen); }))
      return true;
    return std::ranges::any_of(it.args, [&](const Expr* arg) { return fails(arg, chosen); });
  }
};

class Finder : public Visitor {
 public:
  void on_statement(const Statement& statement) override {
    switch (statement.kind) {
      case StatementKind::select:
      case StatementKind::copy:
      case StatementKind::prepare:
      case StatementKind::declare_cursor:
      case StatementKind::explain: return;
      default: found = true;  // what it writes may fail as well
    }
  }

  void on_select(const SelectStatement& node) override {
    for (const Target& target : node.targets) look(target.value);
    look(node.where);
    look(node.having);
    for (const Expr* each : node.distinct_on) look(each);
    for (const Expr* each : node.group_by) look(each);
    for (const SortItem& item : node.order_by) look(item.expr);
    for (const auto* window : node.windows) found = found || totality_.fails(*window);
    for (const auto& row : node.values) {
      for (const Expr* each : row) look(each);
    }
    found = found || (node.with != nullptr && node.with->recursive);
    // How many rows are asked for must be known before the first of them.
    found = found || has_column(node.limit) || has_column(node.offset);
  }

  void on_from(const FromItem& item) override {
    if (const auto* join = as<JoinItem>(&item)) look(join->on);
    if (item.kind == FromKind::table_func || item.kind == FromKind::unknown) found = true;
    const auto* functions = as<FunctionItem>(&item);
    if (functions == nullptr) return;
    for (const FromFunction& each : functions->functions) {
      const auto* call = as<FunctionCall>(each.call);
      if (call == nullptr) continue;
      for (const Expr* arg : call->args) found = found || has_column(arg);
    }
  }

  bool found = false;

 private:
  void look(const Expr* expr) { found = found || totality_.fails(expr, false); }
  static bool has_column(const Expr* expr) {
    return expr != nullptr && expr->kind != ExprKind::constant && expr->kind != ExprKind::parameter &&
           !(expr->kind == ExprKind::cast && !has_column(static_cast<const TypeCast*>(expr)->arg));
  }

  Totality totality_;
};

}  // namespace

bool errs_by_row(const Statement& statement) {
  Finder finder;
  visit(statement, finder);
  return finder.found;
}

bool errs_by_row(const Expr* expr) {
  return Totality{}.fails(expr, false);
}

}  // namespace sluice::postgres::rewrite
