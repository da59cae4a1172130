#include "proxy/pg/requests.h"

#include <ranges>

namespace sluice::proxy::pg {

bool Requests::ready_ahead() const {
  return std::ranges::any_of(queue_, [](const Request& request) {
    return request.kind == Request::Kind::query || request.kind == Request::Kind::fail_query ||
           request.kind == Request::Kind::sync;
  });
}

bool Requests::answers_held_back() const {
  if (queue_.empty()) return false;
  switch (queue_.back().kind) {
    case Request::Kind::query:
    case Request::Kind::fail_query:
    case Request::Kind::sync:
    case Request::Kind::catalogue:
    case Request::Kind::open_transaction: return false;
    default: return true;
  }
}

bool Requests::names_may_move(bool end_may_move) const {
  const auto may_move = [&](const Run& run) {
    switch (run.plan->kind) {
      case PlanKind::schema_change:
      case PlanKind::discard_all: return true;
      case PlanKind::set: return may_be_path(run.plan->setting);
      case PlanKind::commit:
      case PlanKind::rollback:
      case PlanKind::other_transaction: return end_may_move;
      default: return false;
    }
  };
  return std::ranges::any_of(queue_, [&](const Request& request) {
    return std::ranges::any_of(request.runs | std::views::drop(request.current), may_move);
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
