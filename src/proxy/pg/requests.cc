#include "proxy/pg/requests.h"

#include <ranges>

namespace sluice::proxy::pg {

bool Requests::answers_held_back() const {
  if (queue_.empty()) return false;
  switch (queue_.back().kind) {
    case Request::Kind::query:
    case Request::Kind::fail_query:
    case Request::Kind::sync:
    case Request::Kind::catalogue: return false;
    default: return true;
  }
}

bool Requests::schema_change_ahead() const {
  return std::ranges::any_of(queue_, [](const Request& request) {
    return std::ranges::any_of(request.runs | std::views::drop(request.current),
                               [](const Run& run) { return run.plan->kind == PlanKind::schema_change; });
  });
}

bool Requests::copy_in_ahead() const {
  if (queue_.empty()) return false;
  const auto& last = queue_.back();
  return std::ranges::any_of(last.runs | std::views::drop(last.current), [](const Run& run) {
    return run.plan->kind == PlanKind::copy_in && !run.stopped && !run.finished;
  });
}

}  // namespace sluice::proxy::pg
