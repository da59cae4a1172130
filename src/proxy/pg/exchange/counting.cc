#include "proxy/pg/exchange/counting.h"

#include <algorithm>

namespace sluice::proxy::pg {

bool is_read(const Operation& operation) {
  switch (operation.verb) {
    case Verb::search:
    case Verb::fetch:
    case Verb::scroll:
    case Verb::export_: return true;
    default: return false;
  }
}

bool returns_records(const Operation& operation) {
  switch (operation.verb) {
    case Verb::search:
    case Verb::fetch:
    case Verb::scroll:
    case Verb::export_:
    case Verb::write:
    case Verb::remove: return true;
    default: return false;
  }
}

bool only_names(const Plan& plan) {
  return plan.kind == PlanKind::prepare || plan.kind == PlanKind::declare;
}

bool must_count(const Plan& plan, const Operation& operation, const Obligations& obligations) {
  if (!obligations.max_records || !is_read(operation)) return false;
  const auto& most =
      plan.kind == PlanKind::fetch ? plan.inner->operation->records.max : operation.records.max;
  return !most || *most > *obligations.max_records;
}

std::int32_t rows_to_ask(std::uint64_t left, std::int32_t client_max) {
  constexpr std::uint64_t kMost = 0x7FFFFFFF;
  auto rows = std::min(left, kMost - 1) + 1;
  if (client_max > 0) rows = std::min(rows, static_cast<std::uint64_t>(client_max));
  return static_cast<std::int32_t>(rows);
}

}  // namespace sluice::proxy::pg
