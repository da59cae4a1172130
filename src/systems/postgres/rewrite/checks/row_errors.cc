#include "systems/postgres/rewrite/checks/row_errors.h"

#include <algorithm>
#include <array>
#include <span>

#include "systems/postgres/sql/conjuncts.h"
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

// Of these all values compare with each other.
constexpr std::array<std::string_view, 17> kPlainTypes = {
    "bool", "bpchar",  "date", "float4", "float8",    "int2",        "int4", "int8",     "jsonb",
    "name", "numeric", "oid",  "text",   "timestamp", "timestamptz", "uuid", "tsvector",
};
constexpr std::array<std::string_view, 3> kDates = {"date", "timestamp", "timestamptz"};
constexpr std::array<std::string_view, 7> kComparisons = {"=", "<>", "!=", "<", "<=", ">", ">="};
constexpr std::array<std::string_view, 6> kDistances = {"<->", "<=>", "<#>", "<+>", "<~>", "<%>"};
constexpr std::array<std::string_view, 6> kDistanceFunctions = {
    "cosine_distance", "inner_product",          "l1_distance",
    "l2_distance",     "negative_inner_product", "vector_distance"};
// Functions without arguments that answer the same throughout a statement.
constexpr std::array<std::string_view, 6> kSameForAll = {
    "current_database", "current_schema", "now", "pg_backend_pid", "statement_timestamp", "version",
};

constexpr std::string_view kText = "text";
constexpr std::string_view kBool = "bool";

// Text types convert into each other, and into nothing else.
std::string_view family(std::string_view type) {
  return type == "varchar" ? kText : type;
}

// `text`, or another plain type without modifiers; empty: something else.
std::string_view plain_type(const TypeName& type) {
  if (!is_builtin_name(type.names) || !type.typmods.empty() || !type.array_bounds.empty() || type.setof ||
      type.percent_type)
    return {};
  const auto name = family(type.names.back());
  return is_one_of(kPlainTypes, name) ? name : std::string_view{};
}

// Made of literals and parameters only.
bool is_same_for_all(const Expr& expr) {
  const auto all = [](Exprs nodes) {
    return std::ranges::all_of(nodes, [](const Expr* node) { return is_same_for_all(*node); });
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
      if (it.name.empty() || it.star || it.over != nullptr || it.filter != nullptr || !it.order_by.empty())
        return false;
      if (it.args.empty()) return is_builtin_name(it.name) && is_one_of(kSameForAll, it.name.back());
      return all(it.args);
    }
    default: return false;
  }
}

class Totality {
 public:
  explicit Totality(const TypeOf& types, bool for_each_row = false)
      : types_(types), for_each_row_(for_each_row) {}

  // A value that is handed on, sorted or grouped by.
  bool passes(const Expr* expr) const {
    if (expr == nullptr || expr->kind == ExprKind::column || expr->kind == ExprKind::parameter) return true;
    if (!for_each_row_ && is_same_for_all(*expr)) return true;
    if (!type_of(expr, for_each_row_).empty()) return true;
    if (const auto* row = as<RowExpr>(expr)) return std::ranges::all_of(row->args, by_passing());
    if (const auto* it = as<OperatorExpr>(expr)) return is_distance(expr) || is_score(*it);
    const auto* call = as<FunctionCall>(expr);
    return call != nullptr && (is_distance(expr) || collects(*call) || ranks(*call));
  }

  // WHERE: what stands beside AND in it comes in one order for all rows.
  bool passes_as_where(const Expr* condition) const {
    bool total = true;
    each_conjunct(condition, [&](const Expr* each) {
      total = total && ((!for_each_row_ && is_same_for_all(*each)) || type_of(each, for_each_row_) == kBool);
    });
    return total;
  }

  // Other conditions, of which a statement may have several: which of them is come upon first depends on the row.
  bool passes_as_condition(const Expr* expr) const { return expr == nullptr || type_of(expr, true) == kBool; }

  bool passes(const Window& window) const {
    return std::ranges::all_of(window.partition_by, by_passing()) && passes(window.order_by) &&
           (window.start_offset == nullptr || window.start_offset->kind == ExprKind::constant) &&
           (window.end_offset == nullptr || window.end_offset->kind == ExprKind::constant);
  }

  bool passes(List<SortItem> items) const {
    return std::ranges::all_of(items, [&](const SortItem& item) { return passes(item.expr); });
  }

 private:
  // Where a FILTER says of which rows it is computed.
  bool passes_if_chosen(const Expr* expr) const {
    return expr->kind == ExprKind::column || expr->kind == ExprKind::constant || !type_of(expr, true).empty();
  }
  bool passes_if_chosen(List<SortItem> items) const {
    return std::ranges::all_of(items, [&](const SortItem& item) { return passes_if_chosen(item.expr); });
  }

  std::function<bool(const Expr*)> by_passing() const {
    return [this](const Expr* expr) { return passes(expr); };
  }

  // The type of a value that cannot fail; empty: it may, or its type is not known. `chosen`: whether it is computed
  // may depend on the row.
  std::string_view type_of(const Expr* expr, bool chosen) const {
    if (expr == nullptr) return {};
    switch (expr->kind) {
      case ExprKind::column: return type_of_column(static_cast<const ColumnRef&>(*expr));
      case ExprKind::constant: return type_of_literal(static_cast<const Constant&>(*expr));
      case ExprKind::cast: return type_of_cast(static_cast<const TypeCast&>(*expr), chosen);
      case ExprKind::boolean: {
        // AND and OR end with the first that decides.
        const auto& it = static_cast<const BooleanExpr&>(*expr);
        return std::ranges::all_of(it.args, [&](const Expr* arg) { return type_of(arg, true) == kBool; })
                   ? kBool
                   : std::string_view{};
      }
      case ExprKind::null_test: {
        const Expr* arg = static_cast<const NullTest&>(*expr).arg;
        return arg->kind == ExprKind::column || !type_of(arg, chosen).empty() ? kBool : std::string_view{};
      }
      case ExprKind::boolean_test:
        return type_of(static_cast<const BooleanTest&>(*expr).arg, chosen) == kBool ? kBool
                                                                                    : std::string_view{};
      case ExprKind::coalesce: return common_type(static_cast<const CoalesceExpr&>(*expr).args);
      case ExprKind::min_max: return common_type(static_cast<const MinMaxExpr&>(*expr).args);
      case ExprKind::case_: return type_of_case(static_cast<const CaseExpr&>(*expr));
      case ExprKind::operation: return type_of_operation(static_cast<const OperatorExpr&>(*expr), chosen);
      case ExprKind::call: return type_of_call(static_cast<const FunctionCall&>(*expr), chosen);
      default: return {};
    }
  }

  std::string_view type_of_column(const ColumnRef& ref) const {
    const Type* type = ref.star ? nullptr : types_(ref);
    if (type == nullptr) return {};
    if (type->kind == TypeKind::enumeration) return type->name;
    const auto name = family(type->name);
    return type->schema == "pg_catalog" && is_one_of(kPlainTypes, name) ? name : std::string_view{};
  }

  static std::string_view type_of_literal(const Constant& literal) {
    switch (literal.value_kind) {
      case ConstantKind::text: return kText;
      case ConstantKind::integer: return "int4";
      case ConstantKind::number: return "numeric";
      case ConstantKind::boolean: return kBool;
      default: return {};
    }
  }

  // A literal gets its type, and fails, when the statement is read; a parameter may be given another one.
  std::string_view type_of_cast(const TypeCast& cast, bool chosen) const {
    const auto type = plain_type(*cast.type);
    if (type.empty() || cast.arg->kind == ExprKind::constant) return type;
    if (cast.arg->kind == ExprKind::parameter) return chosen && type != kText ? std::string_view{} : type;
    return type == kText && !type_of(cast.arg, chosen).empty() ? type : std::string_view{};
  }

  // Of values of which one is taken by row: all of one type, or literals beside it.
  std::string_view common_type(std::span<const Expr* const> values) const {
    std::string_view common;
    for (const Expr* value : values) {
      if (value->kind == ExprKind::constant) continue;
      const auto type = type_of(value, true);
      if (type.empty() || (!common.empty() && type != common)) return {};
      common = type;
    }
    if (!common.empty()) return common;
    for (const Expr* value : values) {
      const auto type = type_of(value, true);
      if (type.empty() || (!common.empty() && type != common)) return {};
      common = type;
    }
    return common;
  }

  std::string_view type_of_case(const CaseExpr& it) const {
    std::vector<const Expr*> results;
    for (const CaseWhen& when : it.whens) {
      const bool holds =
          it.arg == nullptr ? type_of(when.condition, true) == kBool : compare(it.arg, when.condition, true);
      if (!holds) return {};
      results.push_back(when.result);
    }
    if (it.otherwise != nullptr) results.push_back(it.otherwise);
    return common_type(results);
  }

  // Whether two values compare without a conversion that could fail.
  bool compare(const Expr* left, const Expr* right, bool chosen) const {
    if (left == nullptr || right == nullptr) return false;
    if (left->kind == ExprKind::constant || left->kind == ExprKind::parameter) std::swap(left, right);
    const auto type = type_of(left, chosen);
    if (type.empty() || left->kind == ExprKind::constant) return false;
    // Converted, if at all, before the statement is run.
    if (right->kind == ExprKind::constant) return true;
    const bool is_float = type == "float4" || type == "float8";
    if (right->kind == ExprKind::parameter) return !chosen || !is_float;
    if (type_of(right, chosen) == type) return true;
    return !chosen && is_one_of(kDates, type) && is_same_for_all(*right);
  }

  std::string_view type_of_operation(const OperatorExpr& it, bool chosen) const {
    const auto when = [](bool holds, std::string_view type) { return holds ? type : std::string_view{}; };
    if (it.right == nullptr || !is_builtin_name(it.name)) return {};
    const auto* list = as<ExprList>(it.right);
    const bool literal = it.right->kind == ExprKind::constant;
    switch (it.form) {
      case OperatorKind::plain: {
        const auto symbol = it.symbol();
        if (is_one_of(kComparisons, symbol)) return when(compare(it.left, it.right, chosen), kBool);
        const auto left = type_of(it.left, chosen);
        const bool given = literal || it.right->kind == ExprKind::parameter;
        if (left == "jsonb") {
          if (symbol == "->") return when(given, "jsonb");
          if (symbol == "->>") return when(given, kText);
          if (symbol == "@>" || symbol == "?")
            return when(given || type_of(it.right, chosen) == "jsonb", kBool);
        }
        return when(left == "tsvector" && symbol == "@@" && !chosen && is_same_for_all(*it.right), kBool);
      }
      case OperatorKind::distinct:
      case OperatorKind::not_distinct: return when(compare(it.left, it.right, chosen), kBool);
      case OperatorKind::any:
      case OperatorKind::all:
        return when(!chosen && !type_of(it.left, chosen).empty() && is_one_of(kComparisons, it.symbol()) &&
                        is_same_for_all(*it.right),
                    kBool);
      case OperatorKind::in:
      case OperatorKind::between:
      case OperatorKind::not_between:
      case OperatorKind::between_symmetric:
      case OperatorKind::not_between_symmetric:
        return when(list != nullptr &&
                        std::ranges::all_of(list->items,
                                            [&](const Expr* item) { return compare(it.left, item, true); }),
                    kBool);
      case OperatorKind::like:
      case OperatorKind::ilike: {
        // A pattern must not end in its escape, which shows only where a text matches up to there.
        const auto* pattern = as<Constant>(it.right);
        return when(pattern != nullptr && !pattern->text.contains('\\') && type_of(it.left, chosen) == kText,
                    kBool);
      }
      case OperatorKind::null_if:
      case OperatorKind::similar: return {};
    }
    return {};
  }

  std::string_view type_of_call(const FunctionCall& it, bool chosen) const {
    if (!is_builtin_name(it.name) || it.within_group || it.variadic || it.over != nullptr) return {};
    const auto name = it.name.back();
    const auto argument = [&](std::size_t i) {
      return i < it.args.size() ? type_of(it.args[i], chosen) : "";
    };
    const auto is_literal = [&](std::size_t i) {
      return i < it.args.size() && it.args[i]->kind == ExprKind::constant;
    };
    const bool one = it.args.size() == 1;
    const bool two = it.args.size() == 2;
    if (one && argument(0) == kText) {
      if (name == "lower" || name == "upper" || name == "md5") return kText;
      if (name == "length" || name == "char_length") return "int4";
    }
    if (two && (name == "left" || name == "right") && argument(0) == kText && is_literal(1)) return kText;
    if (two && is_literal(0)) {
      if (name == "date_trunc" && argument(1).starts_with("timestamp")) return argument(1);
      if ((name == "date_part" || name == "extract") && is_one_of(kDates, argument(1))) return "numeric";
    }
    return type_of_aggregate(it);
  }

  std::string_view type_of_aggregate(const FunctionCall& it) const {
    const auto name = it.name.back();
    if (!passes_as_condition(it.filter) || !passes_if_chosen(it.order_by)) return {};
    if (name == "count" && (it.star || (it.args.size() == 1 && passes_if_chosen(it.args.front()))))
      return "int8";
    if (it.args.size() != 1) return {};
    const auto type = type_of(it.args.front(), true);
    if (type.empty() || it.args.front()->kind == ExprKind::constant) return {};
    if (name == "min" || name == "max" || name == "any_value") return type;
    if (name == "bool_and" || name == "bool_or" || name == "every")
      return type == kBool ? kBool : std::string_view{};
    if (name == "sum" || name == "avg") return "numeric";
    return {};
  }

  // Aggregates that keep what they are given.
  bool collects(const FunctionCall& it) const {
    constexpr std::array<std::string_view, 3> kCollections = {"array_agg", "json_agg", "jsonb_agg"};
    if (!is_builtin_name(it.name) || it.over != nullptr || it.within_group || it.args.empty()) return false;
    if (!passes_as_condition(it.filter) || !passes_if_chosen(it.order_by)) return false;
    const auto type = type_of(it.args.front(), true);
    if (it.name.back() == "string_agg")
      return it.args.size() == 2 && type == kText && it.args[1]->kind == ExprKind::constant;
    return it.args.size() == 1 && !type.empty() && is_one_of(kCollections, it.name.back());
  }

  bool ranks(const FunctionCall& it) const {
    constexpr std::array<std::string_view, 3> kRanks = {"row_number", "rank", "dense_rank"};
    constexpr std::array<std::string_view, 4> kNeighbours = {"lag", "lead", "first_value", "last_value"};
    if (!is_builtin_name(it.name) || it.over == nullptr || it.filter != nullptr || !passes(*it.over))
      return false;
    if (is_one_of(kRanks, it.name.back())) return it.args.empty();
    if (is_one_of(kNeighbours, it.name.back())) return it.args.size() == 1 && passes(it.args.front());
    FunctionCall alone = it;
    alone.over = nullptr;
    return !type_of_aggregate(alone).empty();
  }

  // Of a column to what is asked for; a cast would be one of the column.
  static bool is_distance(const Expr* expr) {
    const auto between = [](const Expr* one, const Expr* other) {
      return one != nullptr && other != nullptr && one->kind == ExprKind::column && is_same_for_all(*other);
    };
    if (const auto* it = as<OperatorExpr>(expr)) {
      return it->form == OperatorKind::plain && is_one_of(kDistances, it->symbol()) &&
             (between(it->left, it->right) || between(it->right, it->left));
    }
    const auto* call = as<FunctionCall>(expr);
    return call != nullptr && !call->name.empty() && call->args.size() == 2 && call->over == nullptr &&
           is_one_of(kDistanceFunctions, call->name.back()) &&
           (between(call->args[0], call->args[1]) || between(call->args[1], call->args[0]));
  }

  // 1 - distance, distance * -1: whole numbers keep it within its type.
  static bool is_score(const OperatorExpr& it) {
    const auto is_number = [](const Expr* expr) {
      const auto* literal = as<Constant>(expr);
      return literal != nullptr && literal->value_kind == ConstantKind::integer;
    };
    if (it.form != OperatorKind::plain || it.symbol().size() != 1 ||
        !std::string_view("-+*").contains(it.symbol().front()))
      return false;
    return ((it.left == nullptr || is_number(it.left)) && is_distance(it.right)) ||
           (is_distance(it.left) && is_number(it.right));
  }

  const TypeOf& types_;
  const bool for_each_row_;
};

bool joins_pass(const FromItem& item, const Totality& totality) {
  const auto* join = as<JoinItem>(&item);
  if (join == nullptr) return true;
  return totality.passes_as_condition(join->on) && joins_pass(*join->left, totality) &&
         joins_pass(*join->right, totality);
}

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
    found = found || (node.with != nullptr && node.with->recursive);
    // How many rows are asked for must be known before the first of them.
    found = found || is_computed(node.limit) || is_computed(node.offset);
  }

  void on_from(const FromItem& item) override {
    if (item.kind == FromKind::table_func || item.kind == FromKind::unknown) found = true;
    const auto* functions = as<FunctionItem>(&item);
    if (functions == nullptr) return;
    for (const FromFunction& each : functions->functions) {
      const auto* call = as<FunctionCall>(each.call);
      for (const Expr* arg : call == nullptr ? Exprs{} : call->args) found = found || !is_same_for_all(*arg);
    }
  }

  bool found = false;

 private:
  static bool is_computed(const Expr* expr) { return expr != nullptr && !is_same_for_all(*expr); }
};

}  // namespace

bool errs_by_row(const Statement& statement) {
  Finder finder;
  visit(statement, finder);
  return finder.found;
}

bool errs_by_row(const SelectStatement& level, const TypeOf& types, bool for_each_row) {
  const Totality totality(types, for_each_row);
  const auto passes = [&](const Expr* expr) { return totality.passes(expr); };
  const bool total =
      std::ranges::all_of(level.targets, [&](const Target& target) { return passes(target.value); }) &&
      totality.passes_as_where(level.where) && totality.passes_as_condition(level.having) &&
      std::ranges::all_of(level.distinct_on, passes) && std::ranges::all_of(level.group_by, passes) &&
      totality.passes(level.order_by) &&
      std::ranges::all_of(level.windows, [&](const Window* window) { return totality.passes(*window); }) &&
      std::ranges::all_of(level.from, [&](const FromItem* item) { return joins_pass(*item, totality); });
  return !total;
}

bool errs_by_row(const Expr& condition, const TypeOf& types) {
  return !Totality(types).passes_as_where(&condition);
}

}  // namespace sluice::postgres::rewrite
