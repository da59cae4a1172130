#include "proxy/pg/exchange/requests.h"

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
  // A Sync that was sent along with it will be ignored.
  const auto last = std::ranges::find_if_not(queue_ | std::views::reverse, [](const Request& request) {
    return request.kind == Request::Kind::sync;
  });
  if (last == queue_.rend()) return false;
  return std::ranges::any_of(last->runs | std::views::drop(last->current), [](const Run& run) {
    return run.plan->kind == PlanKind::copy_in && !run.stopped && !run.finished;
  });
}

void Requests::drop_ignored_syncs() {
  while (queue_.size() > 1 && queue_[1].kind == Request::Kind::sync) queue_.erase(queue_.begin() + 1);
}

}  // namespace sluice::proxy::pg
