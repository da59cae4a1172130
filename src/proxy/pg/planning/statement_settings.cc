#include "proxy/pg/planning/statement_settings.h"

#include "proxy/pg/session/session_settings.h"
#include "systems/postgres/describe/settings.h"
#include "systems/postgres/sql/names.h"

namespace sluice::proxy::pg {
namespace {

Denial refuse_setting(std::string_view name, std::string_view why) {
  return {Reason::protocol, "", fmt::format("the setting \"{}\" {}", name, why),
          "docs/postgres.md lists the settings that a session may change."};
}

}  // namespace

void check_settings(Plan& plan, const PlanContext& context, bool own_pg_settings) {
  const auto changes = postgres::setting_changes(*plan.body);
  if (changes.computed || (changes.looks_at_pg_settings && !own_pg_settings)) {
    plan.denial = refuse_setting("?", "is computed, so nobody can tell which one it is");
    return;
  }
  for (const auto& change : changes.changes) {
    if (change.name == "all") continue;  // back to what the start-up packet pinned
    switch (classify_setting(change.name)) {
      case SettingClass::free:
      case SettingClass::path: break;
      case SettingClass::pinned:
        if (!change.reset && !means_pinned_value(change.name, change.value)) {
          plan.denial = refuse_setting(change.name, fmt::format("must be {}", *pinned_value(change.name)));
          if (change.name == "row_security") {
            plan.denial->hint =
                "Row-level security stays in force for everybody; pg_dump takes --enable-row-security.";
          }
        }
        break;
      case SettingClass::identity:
        if (plan.kind != PlanKind::set || change.reset) break;
        plan.text = fmt::format("SET {} application_name TO {}", change.local ? "LOCAL" : "SESSION",
                                postgres::sql::quote_literal(upstream_application_name(
                                    context.principal, context.session, change.value)));
        plan.rewritten = true;
        break;
      case SettingClass::planner:
        if (context.masks->empty() || change.reset) break;
        // Libraries set these on their way (LlamaIndex: enable_bitmapscan), and do without.
        if (plan.kind == PlanKind::set && !changes.is_call) {
          plan.text = fmt::format("SET {} {} TO DEFAULT", change.local ? "LOCAL" : "SESSION",
                                  postgres::sql::quote_identifier(change.name));
          plan.rewritten = true;
          plan.warning =
              fmt::format("{} is not set: the planner is not the client's to steer where masks are in force",
                          change.name);
        } else {
          plan.denial = refuse_setting(
              change.name, "steers the planner, which is not the client's where masks are in force");
        }
        break;
      case SettingClass::refused: plan.denial = refuse_setting(change.name, "may not be changed"); break;
    }
  }
  if (changes.is_call && !plan.denial) plan.kind = PlanKind::set;
  if (plan.kind == PlanKind::set)
    plan.setting = changes.changes.size() == 1 ? changes.changes.front().name : "";
  if (plan.setting == "all") plan.setting.clear();
}

bool may_set(std::string_view setting) {
  const auto cls = classify_setting(setting);
  return cls == SettingClass::free || cls == SettingClass::path;
}

}  // namespace sluice::proxy::pg
