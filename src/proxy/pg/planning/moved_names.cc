#include "proxy/pg/planning/moved_names.h"

#include "proxy/pg/exchange/refusal.h"
#include "wire/pg/sqlstate.h"

namespace sluice::proxy::pg {
namespace {

using namespace wire::pg;

// Functions, operators and types are found along the search_path too, not only relations.
bool may_name_something(const Plan& plan) {
  switch (plan.kind) {
    // A definition behind a definition (types, then others): what it names of users' relations is in its
    // collections.
    case PlanKind::schema_change: return !plan.operation->collections.empty();
    case PlanKind::begin:
    case PlanKind::commit:
    case PlanKind::rollback:
    case PlanKind::other_transaction:
    case PlanKind::deallocate:
    case PlanKind::close_cursor:
    case PlanKind::fetch:
    case PlanKind::discard_all: return false;
    // set_config is a function.
    case PlanKind::set: return plan.body->kind != postgres::sql::StatementKind::variable_set;
    default: return true;
  }
}

}  // namespace

void MovedNames::pass(const Plan& plan) {
  if (in_transaction_ && ends_part_of_transaction(plan.kind))
    how_ = "may take back what the transaction has changed";
  if (plan.kind == PlanKind::schema_change) how_ = "changes the schema";
  if (plan.kind == PlanKind::discard_all || (plan.kind == PlanKind::set && may_be_path(plan.setting))) {
    how_ = "changes the search_path";
  }
}

std::optional<ErrorFields> MovedNames::refuse(const Plan& plan) const {
  if (how_.empty() || plan.denial || !may_name_something(plan)) return std::nullopt;
  const auto& collections = plan.operation->collections;
  return refuse(collections.empty() ? "the names in it" : std::string_view{collections.front().name});
}

std::optional<ErrorFields> MovedNames::refuse(std::string_view missing_relation) const {
  if (how_.empty()) return std::nullopt;
  return render_error(
      sqlstate::kFeatureNotSupported,
      fmt::format("sluice: an earlier statement of this query string {}, so that nobody can tell "
                  "beforehand what {} will be",
                  how_, missing_relation),
      {}, "Send the statements one by one.");
}

}  // namespace sluice::proxy::pg
