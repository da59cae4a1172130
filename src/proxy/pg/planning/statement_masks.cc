#include "proxy/pg/planning/statement_masks.h"

#include <algorithm>

#include "proxy/pg/exchange/refusal.h"
#include "systems/postgres/describe/recorded_text.h"
#include "wire/pg/sqlstate.h"

namespace sluice::proxy::pg {
namespace {

using namespace wire::pg;
namespace rewrite = postgres::rewrite;

constexpr std::string_view kTooLarge = "the statement has many columns in reach";

// How many of a relation's masked columns the reply asks for.
std::uint32_t masked_output(const Operation& operation, const rewrite::MaskedUse& masked) {
  const auto use = std::ranges::find(operation.collections, masked.relation, &CollectionUse::name);
  if (use == operation.collections.end()) return 0;
  const auto count = use->all_fields
                         ? std::ssize(masked.columns)
                         : std::ranges::count_if(masked.columns, [&](const std::string& column) {
                             return std::ranges::find(use->output_fields, column) != use->output_fields.end();
                           });
  return static_cast<std::uint32_t>(count);
}

// A condition on a masked column sees masked values; without a word the empty answer would look like the
// truth.
std::string warn_of_conditions(const std::vector<rewrite::MaskedUse>& uses) {
  std::string columns;
  for (const auto& use : uses) {
    for (const auto& column : use.in_conditions) {
      if (!columns.empty()) columns.append(", ");
      columns.append(use.relation).append(".").append(column);
    }
  }
  return columns.empty() ? columns : "sluice: a condition compares masked values of " + columns;
}

// What is compared with a masked field is as telling as the field.
void hide_literals(Plan& plan) {
  auto operation = std::make_shared<Operation>(*plan.operation);
  operation->text = postgres::recorded_text(plan.source, postgres::Literals::hidden);
  plan.operation = std::move(operation);
}

// As a plan keeps them; null when there are none.
std::shared_ptr<const std::vector<rewrite::MaskedOutput>> shared(std::vector<rewrite::MaskedOutput> outputs) {
  if (outputs.empty()) return nullptr;
  return std::make_shared<const std::vector<rewrite::MaskedOutput>>(std::move(outputs));
}

// One column more is carried where the candidates of searches are counted.
void follow_search(Plan& plan, const std::optional<rewrite::MaskedSearch>& search) {
  plan.search = search ? std::make_shared<const rewrite::MaskedSearch>(*search) : nullptr;
  if (search && search->counted) ++plan.carried;
}

}  // namespace

void take_over(Plan& plan, rewrite::Rewritten rewritten) {
  plan.text = std::move(rewritten.sql);
  plan.rewritten = true;
  plan.outputs = shared(std::move(rewritten.outputs));
  follow_search(plan, rewritten.search);
  plan.tests = std::move(rewritten.tests);
}

bool is_too_large(const ErrorFields& error) {
  return error.sqlstate == sqlstate::kProgramLimitExceeded && error.message == kTooLarge;
}

std::optional<ErrorFields> apply_masks(Plan& plan, const rewrite::RewriteInput& input) {
  auto result = rewrite::rewrite(input);
  if (auto* rewritten = std::get_if<rewrite::Rewritten>(&result)) {
    plan.touches_masked = !rewritten->masked.empty();
    plan.written = std::move(rewritten->written);
    const auto tells = [](const rewrite::MaskedUse& use) { return use.in_expressions || use.written; };
    if (std::ranges::any_of(rewritten->masked, tells)) hide_literals(plan);
    for (const auto& use : rewritten->masked) plan.masked_fields += masked_output(*plan.operation, use);
    plan.warning = warn_of_conditions(rewritten->masked);
    take_over(plan, std::move(*rewritten));
  } else if (auto* denial = std::get_if<Denial>(&result)) {
    plan.denial = std::move(*denial);
    plan.touches_masked = true;
    hide_literals(plan);
  } else if (auto* missing = std::get_if<rewrite::NeedsCatalogue>(&result)) {
    return undefined_table(missing->relation);
  } else if (std::holds_alternative<rewrite::TooLarge>(result)) {
    return render_error(sqlstate::kProgramLimitExceeded, std::string{kTooLarge});
  } else if (input.plan.in_force() && plan.body->kind == postgres::sql::StatementKind::vacuum) {
    plan.touches_masked = true;  // VERBOSE tells how large the statistics of each relation have become
  }
  return std::nullopt;
}

}  // namespace sluice::proxy::pg
