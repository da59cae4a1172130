// Replies that end before the server's: at the bound of their records, at the end of a budget, and where the
// policy or the principal is no longer what permitted them. The client gets the error now; the rest of what
// the server says is swallowed, and the server is made to stop.
#include "proxy/pg/exchange/exchange.h"

#include "proxy/pg/exchange/refusal.h"

namespace sluice::proxy::pg {

using namespace wire::pg;

// The reply has reached what it may carry: the record at hand does not leave.
Pause Exchange::stop_run(Run& run, gate::Verdict verdict) {
  const auto& permit = *run.permit;
  const auto& obligations = permit.obligations();
  Denial denial;
  switch (verdict) {
    case gate::Verdict::pass: return Pause::none;
    case gate::Verdict::over_limit:
      denial = {
          Reason::over_limit, obligations.bound_rule,
          obligations.bound_message.empty()
              ? fmt::format("the reply was stopped after {} records", *obligations.max_records)
              : obligations.bound_message,
          obligations.bound_hint.empty() ? "Add a LIMIT, or narrow the filter." : obligations.bound_hint};
      break;
    case gate::Verdict::over_budget:
      denial = {Reason::over_budget, permit.ruling().budgets.empty() ? "" : permit.ruling().budgets.front(),
                "the budget of this window is used up; the reply was stopped",
                "Wait until the window has moved on."};
      break;
    case gate::Verdict::needs_review: {
      const auto* prepared = run.portal ? run.portal->statement.get() : nullptr;
      const auto execution =
          execution_of(*run.plan, run.portal.get(), prepared, true, permit.ruling().review.bind_vectors);
      auto asked = gate_.review_rest(permit, execution);
      if (auto* wait = std::get_if<gate::Wait>(&asked)) {
        auto held = hold_or_refuse(*wait, true);
        hold_.forget_end();
        if (held) return *held;
        stop_with(run, std::move(held.error()));
        return Pause::none;
      }
      if (auto* approved = std::get_if<gate::Permit>(&asked)) {
        run.permit.emplace(std::move(*approved));
        if (run.meter->extend(*run.permit)) return Pause::none;
      }
      denial = {Reason::review_rejected, permit.ruling().review.rule,
                "the review of this reply was not granted", ""};
      if (auto* refusal = std::get_if<gate::Refusal>(&asked)) denial = refusal->denial;
      break;
    }
  }
  stop_with(run, render_denial(denial, &permit.operation(), gate_.facts().id, permit.id()));
  return Pause::none;
}

// Cuts a running reply: the client gets the error now, the rest of what the server says to it is swallowed.
void Exchange::stop_with(Run& run, ErrorFields error, bool over) {
  scratch_.clear();
  encode_error_response(scratch_, error);
  pass_own(&run, scratch_);
  run.stopped = true;
  finish_run(run, record::OutcomeStatus::stopped, error.sqlstate, std::nullopt);
  auto& front = requests_.front();
  if (copying_in_) {  // the server waits for data, where it does not look for a cancel
    gateway_.copy_fail("stopped by the gateway");
    copying_in_ = false;
  } else if (!over && (front.kind == Request::Kind::query || !front.server_limit)) {
    cancel_server_ = true;
  }
  if (front.kind == Request::Kind::query) return;
  if (requests_.sync_ahead()) return;
  // Nothing after this may take effect on the server either.
  gateway_.fail_in_pipeline();
  auto& failing = requests_.add(Request::Kind::fail_pipeline);
  failing.hidden = true;
  skip_to_sync_ = true;
}

void Exchange::policy_changed() {
  for (auto& request : requests_) {
    for (auto& run : request.runs) {
      if (!run.permit || run.finished || run.stopped) continue;
      if (auto denial = gate_.still_permitted(*run.permit)) {
        run.overdue = std::make_unique<ErrorFields>(
            render_denial(*denial, &run.permit->operation(), gate_.facts().id, run.permit->id()));
      }
    }
  }
  stop_overdue();
}

// Replies come in the order of the requests, so only the oldest can be cut; the others are when it is their
// turn. A row or a CopyData that is on its way in pieces is finished first: nobody could read on from its
// middle.
void Exchange::stop_overdue() {
  auto* run = requests_.current_run();
  if (run == nullptr || !run->overdue || relay_left_ > 0 || copy_left_ > 0) return;
  const auto error = std::exchange(run->overdue, nullptr);
  if (!run->stopped && !run->finished) stop_with(*run, std::move(*error));
}

}  // namespace sluice::proxy::pg
