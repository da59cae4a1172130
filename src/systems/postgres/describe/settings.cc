#include "systems/postgres/describe/settings.h"

#include <algorithm>

#include "systems/postgres/sql/expr_parts.h"
#include "systems/postgres/sql/visit.h"

namespace sluice::postgres {
namespace {

std::string lower(std::string_view text) {
  std::string out{text};
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  return out;
}

std::string constant_text(const sql::Constant& constant) {
  switch (constant.value_kind) {
    case sql::ConstantKind::integer: return std::to_string(constant.integer);
    case sql::ConstantKind::boolean: return constant.integer != 0 ? "on" : "off";
    default: return std::string{constant.text};
  }
}

// set_config('name', value, is_local), wherever it stands.
class SetConfigCalls final : public sql::Visitor {
 public:
  explicit SetConfigCalls(SettingChanges& changes) : changes_(changes) {}
  void on_expr(const sql::Expr& expr) override {
    const auto* call = sql::as<sql::FunctionCall>(&expr);
    if (call == nullptr || call->name.empty() || call->name.back() != "set_config") return;
    const auto* name =
        call->args.empty() ? nullptr : sql::as<sql::Constant>(without_casts(call->args.front()));
    if (name == nullptr || name->value_kind != sql::ConstantKind::text) {
      changes_.computed = true;
      return;
    }
    SettingChanges::Change change;
    change.name = lower(name->text);
    changes_.computed |= change.name == "search_path" || change.name == "application_name";
    const auto* value =
        call->args.size() > 1 ? sql::as<sql::Constant>(without_casts(call->args[1])) : nullptr;
    if (value != nullptr) change.value = constant_text(*value);
    changes_.changes.push_back(std::move(change));
  }

 private:
  SettingChanges& changes_;
};

// Not behind a cast: that can be to a domain, whose check is a function of somebody's.
const sql::Constant* text_constant(const sql::Expr* expr) {
  const auto* constant = expr == nullptr ? nullptr : sql::as<sql::Constant>(expr);
  return constant != nullptr && constant->value_kind == sql::ConstantKind::text ? constant : nullptr;
}

bool is_column_name(const sql::Expr* expr) {
  const auto* column = expr == nullptr ? nullptr : sql::as<sql::ColumnRef>(expr);
  return column != nullptr && !column->star && column->parts.size() == 1 && column->parts.front() == "name";
}

// FROM pg_settings WHERE name = 'constant': the constant.
const sql::Constant* named_by_pg_settings(const sql::SelectStatement& select) {
  const auto* relation = select.from.size() != 1 ? nullptr : sql::as<sql::RangeVar>(select.from.front());
  if (relation == nullptr || relation->name != "pg_settings" || relation->alias != nullptr) return nullptr;
  if (!relation->catalog.empty() || (!relation->schema.empty() && relation->schema != "pg_catalog"))
    return nullptr;
  const auto* test = select.where == nullptr ? nullptr : sql::as<sql::OperatorExpr>(select.where);
  if (test == nullptr || test->form != sql::OperatorKind::plain || test->name.size() != 1 ||
      test->symbol() != "=")
    return nullptr;
  return is_column_name(test->left) ? text_constant(test->right) : nullptr;
}

// The setting of SELECT [pg_catalog.]set_config('setting', 'constant', constant), without anything that could
// run it another number of times than once; or of the form in which pg_dump sets what an older server may not
// have, with its row of pg_settings. Empty: anything else.
std::string only_setting(const sql::Statement& statement) {
  const auto* select = sql::as<sql::SelectStatement>(&statement);
  if (select == nullptr || select->is_values || select->set_operation != sql::SetOperation::none) return {};
  if (select->distinct || select->into != nullptr || !select->group_by.empty() || select->having != nullptr ||
      !select->windows.empty() || !select->order_by.empty() || select->offset != nullptr ||
      select->limit != nullptr || !select->locking.empty() || select->with != nullptr ||
      select->targets.size() != 1) {
    return {};
  }
  const auto* call = sql::as<sql::FunctionCall>(select->targets.front().value);
  if (call == nullptr || call->args.size() != 3 || call->name.empty() || call->name.back() != "set_config")
    return {};
  if (call->name.size() > 2 || (call->name.size() == 2 && call->name.front() != "pg_catalog")) return {};
  if (call->filter != nullptr || call->over != nullptr || call->variadic || call->distinct ||
      !call->order_by.empty())
    return {};
  if (text_constant(call->args[1]) == nullptr || sql::as<sql::Constant>(call->args[2]) == nullptr) return {};
  const bool bare = select->from.empty() && select->where == nullptr;
  const auto* name = bare                            ? text_constant(call->args[0])
                     : is_column_name(call->args[0]) ? named_by_pg_settings(*select)
                                                     : nullptr;
  return name == nullptr ? std::string{} : lower(name->text);
}

SettingChanges::Change from_set(const sql::VariableSetStatement& set) {
  SettingChanges::Change change;
  change.name = lower(set.name);
  change.reset = set.action != sql::SetKind::value && set.action != sql::SetKind::multi;
  change.local = set.local;
  for (const auto* arg : set.args) {
    const auto* constant = sql::as<sql::Constant>(without_casts(arg));
    if (constant == nullptr) continue;
    if (!change.value.empty()) change.value.append(", ");
    change.value.append(constant_text(*constant));
  }
  return change;
}

}  // namespace

SettingChanges setting_changes(const sql::Statement& statement) {
  SettingChanges out;
  if (const auto* set = sql::as<sql::VariableSetStatement>(&statement)) {
    if (set->action == sql::SetKind::reset_all) {
      out.changes.push_back({.name = "all", .reset = true, .value = {}, .local = false});
    } else if (set->action == sql::SetKind::multi) {
      // SET TRANSACTION and SET SESSION CHARACTERISTICS: isolation, read only, deferrable. SET TRANSACTION
      // SNAPSHOT has a constant instead.
      if (!set->args.empty()) out.changes.push_back(from_set(*set));
      for (const auto& option : set->options) {
        const bool flag = option.value_kind == sql::DefinedOption::ValueKind::integer ||
                          option.value_kind == sql::DefinedOption::ValueKind::boolean;
        const std::string_view value = !flag ? option.text : option.integer != 0 ? "on" : "off";
        out.changes.push_back(
            {.name = lower(option.name), .reset = false, .value = std::string{value}, .local = false});
      }
    } else {
      out.changes.push_back(from_set(*set));
    }
    return out;
  }
  if (const auto* discard = sql::as<sql::DiscardStatement>(&statement)) {
    if (discard->target == sql::DiscardTarget::all) {
      out.changes.push_back({.name = "all", .reset = true, .value = {}, .local = false});
    }
    return out;
  }
  SetConfigCalls calls{out};
  sql::visit(statement, calls);
  const auto name = only_setting(statement);
  if (name.empty() || name == "application_name") return out;
  out.computed = false;
  out.is_call = true;
  out.looks_at_pg_settings = !sql::as<sql::SelectStatement>(&statement)->from.empty();
  if (out.looks_at_pg_settings) {
    const auto* call =
        sql::as<sql::FunctionCall>(sql::as<sql::SelectStatement>(&statement)->targets.front().value);
    out.changes.push_back({.name = name,
                           .reset = false,
                           .value = std::string{text_constant(call->args[1])->text},
                           .local = false});
  }
  return out;
}

}  // namespace sluice::postgres
