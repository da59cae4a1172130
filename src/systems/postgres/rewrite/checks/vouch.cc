#include "systems/postgres/rewrite/checks/vouch.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "systems/postgres/catalogue/counters.h"
#include "systems/postgres/rewrite/checks/missing_values.h"
#include "systems/postgres/sql/names.h"
#include "systems/postgres/sql/visit.h"

namespace sluice::postgres::rewrite {
namespace {

using namespace sql;

// Names that CREATE TABLE takes for types and that are none (parse_utilcmd.c, transformColumnDefinition).
constexpr std::array<std::string_view, 6> kSerialTypes = {"bigserial", "serial",  "serial2",
                                                          "serial4",   "serial8", "smallserial"};

// Functions that make arrays and rows of their arguments, or take several of one type.
constexpr std::array<std::string_view, 8> kMakeValues = {"json_populate_record",
                                                         "json_populate_recordset",
                                                         "jsonb_populate_record",
                                                         "jsonb_populate_record_valid",
                                                         "jsonb_populate_recordset",
                                                         "lag",
                                                         "lead",
                                                         "width_bucket"};
bool makes_values(std::string_view function) {
  return function.starts_with("array_") || function == "populate_record" ||
         std::ranges::binary_search(kMakeValues, function);
}

// How far the write-ahead log has come. How much an UPDATE adds to it tells how much of the old row is the
// same as the new one, a masked value among it (statement_class.cc, EXPLAIN (WAL)).
constexpr std::array<std::string_view, 5> kPlacesInLog = {
    "pg_current_wal_flush_lsn", "pg_current_wal_insert_lsn", "pg_current_wal_lsn", "pg_last_wal_receive_lsn",
    "pg_last_wal_replay_lsn"};

class Voucher : public Visitor {
 public:
  Voucher(const Catalogue& catalogue, SearchPath path, const VouchOptions& options)
      : catalogue_(catalogue), path_(path), options_(options) {}

  std::optional<Denial> take() {
    for (const Checked& each : checked_) {
      if (makes_values_ || std::ranges::find(names_, each.row) != names_.end()) refuse_checked(each);
    }
    for (const Counted& each : counted_) {
      if (may_count(each)) refuse_relation(each.view->qualified_name(), Danger::reads_statistics);
    }
    return std::move(denial_);
  }

  void on_expr(const Expr& expr) override {
    switch (expr.kind) {
      case ExprKind::array: makes_values_ = true; return;
      case ExprKind::call: return check_call(static_cast<const FunctionCall&>(expr));
      case ExprKind::operation: return check_operation(static_cast<const OperatorExpr&>(expr));
      case ExprKind::sub_link: {
        const auto& link = static_cast<const SubLink&>(expr);
        if (link.form == SubLinkKind::array) makes_values_ = true;
        if (link.test == nullptr) return;
        return link.operator_name.empty() ? check_symbol("=") : check_operator(link.operator_name);
      }
      case ExprKind::case_:
        if (static_cast<const CaseExpr&>(expr).arg != nullptr) check_symbol("=");
        return;
      case ExprKind::column: {
        const auto& column = static_cast<const ColumnRef&>(expr);
        if (!column.parts.empty()) names_.push_back(column.parts.back());
        takes_whole_rows_ |= column.star;
        if (column.parts.size() > 1 && !column.star) check_row_function(column.parts.back());
        return;
      }
      case ExprKind::indirection:
        for (const Indirection& step : static_cast<const IndirectionExpr&>(expr).steps) {
          if (step.kind == Indirection::Kind::field) check_row_function(step.field);
        }
        return;
      default: return;
    }
  }

  void on_from(const FromItem& item) override {
    if (const auto* join = as<JoinItem>(&item);
        join != nullptr && (join->natural || !join->using_columns.empty())) {
      check_symbol("=");
    }
    if (const auto* join = as<JoinItem>(&item)) {
      names_.insert(names_.end(), join->using_columns.begin(), join->using_columns.end());
      takes_whole_rows_ |= join->natural || join->alias != nullptr;
    }
  }

  void on_statement(const Statement& statement) override {
    takes_whole_rows_ |= statement.kind == StatementKind::copy &&
                         static_cast<const CopyStatement&>(statement).relation != nullptr;
  }

  void on_sort(const SortItem& item) override {
    if (!item.using_operator.empty()) check_operator(item.using_operator);
  }

  void on_type(const TypeName& name) override {
    if (name.names.empty() || name.names.size() > 2) return refuse_type(name);
    std::string_view schema = name.names.size() == 2 ? name.names.front() : std::string_view{};
    if (name.names.size() == 1 && std::ranges::binary_search(kSerialTypes, name.names.back())) return;
    const Type* type = catalogue_.find_type(path_, schema, name.names.back());
    if (type == nullptr || !type->vouched) refuse_type(name);
  }

  void on_relation(const RangeVar& var, RelationRole role, bool is_common_table) override {
    if (role == RelationRole::defined || is_common_table) return;
    const Relation* relation = catalogue_.find_relation(path_, var.schema, var.name);
    if (relation == nullptr) {
      if (auto danger = dangerous_system_relation(var.schema, var.name)) refuse_relation(var.name, *danger);
      return;
    }
    if (auto danger = dangerous_system_relation(relation->schema, relation->name)) {
      if (role == RelationRole::read && is_counter_view(relation->schema, relation->name)) {
        counted_.push_back({relation, &var});
        return;
      }
      return refuse_relation(relation->qualified_name(), *danger);
    }
    for (const Column& column : relation->columns) {
      const Type* type = catalogue_.type(column.type);
      if (type == nullptr || type->vouched) continue;
      if (type->kind == TypeKind::domain && role == RelationRole::read) {
        bool named = var.alias != nullptr && !var.alias->name.empty();
        checked_.push_back({relation, &column, named ? var.alias->name : var.name});
        continue;
      }
      refuse(fmt::format("column {}.{} is of type {}, which is not vouched for", relation->qualified_name(),
                         column.name, catalogue_.type_name(column.type)));
    }
  }

 private:
  // A column whose type checks its values by code that is not vouched for. It does so when a value becomes
  // one of the type, not when it is read. But an array, a row or an argument of the same type as the column
  // makes a literal beside it become one: array_append(array[c], 'x'), coalesce(t, '(1,x)'), lag(c, 1, 'x').
  struct Checked {
    const Relation* relation;
    const Column* column;
    std::string_view row;  // how the statement calls the relation's row
  };

  // A view of counters, of which only names may be read.
  struct Counted {
    const Relation* view;
    const RangeVar* var;
  };

  // Whether anything in the statement may mean a counter of it, by whatever way its columns are named.
  bool may_count(const Counted& each) const {
    const Alias* alias = each.var->alias;
    const bool named = alias != nullptr && !alias->name.empty();
    if (takes_whole_rows_ || (alias != nullptr && !alias->columns.empty())) return true;
    const std::string_view row = named ? alias->name : each.var->name;
    return std::ranges::any_of(names_, [&](std::string_view name) {
      return name == row || (each.view->column(name) != nullptr && !names_what_is_counted(name));
    });
  }

  void check_call(const FunctionCall& call) {
    if (!call.name.empty() && makes_values(call.name.back())) makes_values_ = true;
    if (call.name.empty() || call.name.size() > 2) return refuse_function(display_name(call.name), {});
    std::string_view schema = call.name.size() == 2 ? call.name.front() : std::string_view{};
    FunctionChoice choice = catalogue_.find_function(path_, schema, call.name.back());
    if (choice.facts.cls == FunctionClass::dangerous) {
      if (is_allowed_setting(call)) return;
      return refuse_function(display_name(call.name), choice.facts);
    }
    if (std::ranges::binary_search(kPlacesInLog, call.name.back())) {
      refuse(
          fmt::format("function {} tells how much has been logged, and so how much of a row has changed; it "
                      "is not available while masks are in force",
                      display_name(call.name)));
    }
    if (choice.facts.is_harmless()) return;
    if (auto entries = catalogue_.functions_named(path_, schema, call.name.back()); !entries.empty()) {
      return refuse_entries(entries);
    }
    refuse_function(display_name(call.name), choice.facts);
  }

  // With all that somebody needs who wants to vouch for them.
  void refuse_entries(const std::vector<const RoutineEntry*>& entries) {
    const auto unvouched = std::ranges::find_if(entries, [&](const RoutineEntry* entry) {
      return !catalogue_.function_facts(entry->oid).is_harmless();
    });
    const RoutineEntry& entry = unvouched == entries.end() ? *entries.front() : **unvouched;
    const std::string signature = catalogue_.signature(entry);
    refuse(fmt::format("function {} is not vouched for: it could read masked values", signature),
           entry.definition.empty()
               ? "It passes when a policy vouches for the functions that it is made of."
               : fmt::format(
                     "A policy can vouch for it: {{function: \"{}\", sha256: \"{}\", connection: [...]}}.",
                     signature, entry.definition));
  }

  bool is_allowed_setting(const FunctionCall& call) const {
    if (call.name.back() != "set_config" || !options_.may_set || call.args.size() != 3) return false;
    const auto* name = as<Constant>(call.args[0]);
    return name != nullptr && name->value_kind == ConstantKind::text && options_.may_set(name->text);
  }

  void check_operation(const OperatorExpr& operation) {
    switch (operation.form) {
      case OperatorKind::plain:
      case OperatorKind::any:
      case OperatorKind::all:
      case OperatorKind::in:
      case OperatorKind::like:
      case OperatorKind::ilike:
      case OperatorKind::similar: return check_operator(operation.name);
      case OperatorKind::distinct:
      case OperatorKind::not_distinct:
      case OperatorKind::null_if: return check_symbol("=");
      case OperatorKind::between:
      case OperatorKind::not_between:
      case OperatorKind::between_symmetric:
      case OperatorKind::not_between_symmetric:
        for (std::string_view symbol : {"<", "<=", ">", ">="}) check_symbol(symbol);
        return;
    }
  }

  void check_operator(Names name) {
    if (name.empty() || name.size() > 2) return refuse_operator(display_name(name));
    std::string_view schema = name.size() == 2 ? name.front() : std::string_view{};
    // IN and its like may come with the word as name; the symbols behind them are builtin.
    if (!catalogue_.find_operator(path_, schema, name.back()).vouched) refuse_operator(display_name(name));
  }
  void check_symbol(std::string_view symbol) {
    if (!catalogue_.find_operator(path_, "", symbol).vouched) refuse_operator(std::string(symbol));
  }

  void check_row_function(std::string_view name) {
    if (catalogue_.names_unvouched_row_function(name)) refuse_function(std::string(name), {});
  }

  void refuse_function(const std::string& name, FunctionFacts facts) {
    if (facts.cls == FunctionClass::dangerous) {
      return refuse(fmt::format("function {} {}; it is not available while masks are in force", name,
                                explain(facts.danger)));
    }
    refuse(fmt::format("function {} is not vouched for: it could read masked values", name),
           "Use built-in or pgvector functions, or ask for an exemption from the mask.");
  }
  void refuse_operator(const std::string& name) {
    refuse(fmt::format("operator {} is not vouched for: it could read masked values", name),
           fmt::format("Write OPERATOR(pg_catalog.{}) if the built-in one is meant.", name));
  }
  void refuse_type(const TypeName& name) {
    refuse(fmt::format("type {} is not vouched for: it could run code that reads masked values",
                       display_name(name.names)));
  }
  void refuse_checked(const Checked& checked) {
    refuse(fmt::format("column {}.{} is of type {}, whose check is not vouched for, and may not be made into "
                       "arrays or rows",
                       checked.relation->qualified_name(), checked.column->name,
                       catalogue_.type_name(checked.column->type)),
           "Cast it to the type under the domain.");
  }
  void refuse_relation(std::string_view name, Danger danger) {
    refuse(fmt::format("{} {}; it is not available while masks are in force", name, explain(danger)));
  }
  void refuse(std::string message, std::string hint = "") {
    if (!denial_) denial_ = Denial{Reason::masked_use, "", std::move(message), std::move(hint)};
  }

  const Catalogue& catalogue_;
  SearchPath path_;
  const VouchOptions& options_;
  std::optional<Denial> denial_;
  std::vector<Checked> checked_;
  std::vector<std::string_view> names_;  // columns, and rows, that the statement refers to
  std::vector<Counted> counted_;
  bool makes_values_ = false;
  bool takes_whole_rows_ = false;  // somewhere in the statement, of whatever
};

}  // namespace

std::optional<Denial> check_functions(const Statement& statement, const Catalogue& catalogue, SearchPath path,
                                      const VouchOptions& options) {
  Voucher voucher(catalogue, path, options);
  visit(statement, voucher);
  if (auto why = voucher.take()) return why;
  return refuse_missing_values(statement);
}

}  // namespace sluice::postgres::rewrite
