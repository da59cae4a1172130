#include "systems/postgres/describe/settings.h"

#include <algorithm>

#include "systems/postgres/rewrite/visit.h"
#include "systems/postgres/sql/expr_parts.h"

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
class SetConfigCalls final : public rewrite::Visitor {
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
  rewrite::visit(statement, calls);
  return out;
}

}  // namespace sluice::postgres
