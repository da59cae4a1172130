// Results: their descriptions, their rows, and the end of the statement that they answer. Rows are counted
// before they are passed on, looked at for the record, and freed of the keys that the gateway asked for.
#include "proxy/pg/exchange/exchange.h"

#include "proxy/pg/exchange/carried_columns.h"
#include "proxy/pg/exchange/refusal.h"
#include "proxy/pg/exchange/reply_masks.h"
#include "wire/pg/sqlstate.h"

namespace sluice::proxy::pg {

using namespace wire::pg;

namespace {

// The number of cells that a DataRow says it has.
std::optional<std::size_t> cell_count(Bytes payload) {
  if (payload.size() < 2) return std::nullopt;
  return std::size_t{payload[0]} << 8 | payload[1];
}

}  // namespace

// --- rows ---

Pause Exchange::on_data_row(const BackendFrame& frame, Bytes raw) {
  auto* run = requests_.current_run();
  if (run == nullptr || !run->meter) return server_violation("DataRow out of turn");
  if (run->stopped) return Pause::none;
  if (const auto pause = count_record(*run); pause != Pause::none || run->stopped) return pause;
  if (!run->observed) begin_observation(*run);
  if (run->shape && cell_count(frame.payload) != run->shape->columns.size()) {
    return server_violation("DataRow does not fit its RowDescription");
  }
  if (run->plan->search && !count_probe(*run, frame)) return Pause::none;
  if (run->plan->outputs && has_cells(*run->plan->outputs)) return on_row_with_cells(*run, frame);
  if (!frame.complete() || !run->shape) {
    reply_.skip_row();
  } else if (auto taken = reply_.take_row(*run->shape, frame.payload); !taken) {
    return server_violation(taken.error().detail);
  }
  if (run->plan->carried == 0) {
    pass(run, raw);
    return Pause::none;
  }
  return pass_row_without_keys(*run, frame);
}

// A row with values that are masked here: first of all, so that neither client nor record gets them.
Pause Exchange::on_row_with_cells(Run& run, const BackendFrame& frame) {
  if (!frame.complete()) {
    stop_with(run, render_error(sqlstate::kProgramLimitExceeded,
                                fmt::format("sluice: a row of more than {} bytes cannot be masked",
                                            limits_.held_row_bytes),
                                {}, "Leave its long columns out."));
    return Pause::none;
  }
  if (!run.shape || masker_ == nullptr)
    return server_violation("rows to be masked came without a description");
  const auto masked = row_with_masks(frame.payload, *run.shape, *run.plan->outputs, *masker_);
  if (!masked) return server_violation(masked.error().detail);
  if (auto taken = reply_.take_row(*run.shape, as_bytes(*masked)); !taken)
    return server_violation(taken.error().detail);
  const auto row = row_without(as_bytes(*masked), masked->size(), run.plan->carried);
  if (!row) return server_violation("DataRow lacks the keys that were asked for");
  // Copied, whatever its size: what is relayed must stay where it is until it is sent.
  scratch_ = row->header;
  scratch_.append(*masked, row->skip);
  pass_own(&run, scratch_);
  return Pause::none;
}

Pause Exchange::pass_row_without_keys(Run& run, const BackendFrame& frame) {
  constexpr std::size_t kCopied = 4096;  // bytes; below, one copy costs less than two more pieces to send
  const auto row = row_without(frame.payload, frame.size - kHeaderSize, run.plan->carried);
  if (!row) return server_violation("DataRow lacks the keys that were asked for");
  const auto rest = frame.payload.subspan(row->skip);
  scratch_ = row->header;
  if (rest.size() <= kCopied) {
    scratch_.append(as_text(rest));
    pass_own(&run, scratch_);
  } else {
    pass_own(&run, scratch_);
    pass(&run, rest);
  }
  return Pause::none;
}

Pause Exchange::count_record(Run& run) {
  resume(run);
  for (;;) {
    const auto verdict = run.meter->row();
    if (verdict == gate::Verdict::pass) return Pause::none;
    const auto pause = stop_run(run, verdict);
    if (pause != Pause::none || run.stopped) return pause;  // else a review has lifted the bound: count again
  }
}

void Exchange::begin_observation(Run& run) {
  run.observed = true;
  if (!run.shape && run.portal) run.shape = run.portal->shape;
  reply_.begin(run.shape.get());
}

// --- descriptions ---

Pause Exchange::on_row_description(Bytes payload, Bytes raw) {
  if (requests_.empty()) return server_violation("RowDescription out of turn");
  auto& front = requests_.front();
  const auto* catalogue = planner_.catalogue().get();
  std::uint16_t carried = 0;
  if (front.kind == Request::Kind::describe_portal) {
    // Executions of a prepared statement are described alike, and the portal has the statement's shape.
    const auto& portal = *front.portal;
    if (portal.shape && portal.shape->is_of(payload, portal.plan->carried, catalogue)) {
      const auto pause = front.hidden ? Pause::none : pass_description(nullptr, payload, raw, *portal.plan);
      requests_.pop_front();
      return pause;
    }
  }
  auto description = RowDescription::parse(payload);
  if (!description) return server_violation(description.error().detail);
  const Plan* plan = nullptr;
  switch (front.kind) {
    case Request::Kind::query: {
      auto* run = requests_.current_run();
      if (run == nullptr) return server_violation("RowDescription after the last statement");
      if (run->shape) return server_violation("a second RowDescription");
      if (const auto shown = shows_masked(*description, *run->plan)) return incident(*shown);
      carried = run->plan->carried;
      run->shape = ResultShape::make(payload, *description, run->permit->operation(), carried, catalogue);
      return run->stopped ? Pause::none : pass_description(run, payload, raw, *run->plan);
    }
    case Request::Kind::describe_statement:
      plan = front.prepared->plan.get();
      carried = plan->carried;
      front.prepared->shape =
          ResultShape::make(payload, *description, *front.prepared->plan->operation, carried, catalogue);
      front.prepared->shape_formats.clear();
      break;
    case Request::Kind::describe_portal: {
      auto& portal = *front.portal;
      plan = portal.plan.get();
      carried = plan->carried;
      portal.shape = ResultShape::make(payload, *description, *portal.operation, carried, catalogue);
      if (portal.statement) {
        portal.statement->shape = portal.shape;
        portal.statement->shape_formats = portal.result_formats;
      }
      break;
    }
    default: return server_violation("RowDescription out of turn");
  }
  if (const auto shown = shows_masked(*description, *plan)) return incident(*shown);
  const auto pause = front.hidden ? Pause::none : pass_description(nullptr, payload, raw, *plan);
  requests_.pop_front();
  return pause;
}

std::optional<std::string> Exchange::shows_masked(const RowDescription& description, const Plan& plan) {
  if (!plan.masking || planner_.catalogue() == nullptr) return std::nullopt;
  return unmasked_column(description, *plan.masking, *planner_.catalogue(), plan.outputs.get(), plan.carried);
}

// The rewriting has failed: not a value of this may leave, and somebody must look into it.
Pause Exchange::incident(const std::string& column) {
  gate_.incident("masking", fmt::format("a reply would have shown {} as it is stored", column));
  cancel_server_ = true;
  abandon(record::OutcomeStatus::failed);
  return close_with(record::SessionEndReason::failed, sqlstate::kInternalError,
                    fmt::format("the reply would have shown {}, which is masked", column));
}

Pause Exchange::pass_description(Run* run, Bytes payload, Bytes raw, const Plan& plan) {
  const auto carried = plan.carried;
  if (carried == 0 && !plan.outputs) {
    pass(run, raw);
    return Pause::none;
  }
  std::string told;
  if (plan.outputs) {
    auto with = description_with_origins(payload, *plan.outputs, carried);
    if (!with) return server_violation(with.error().detail);
    told = *std::move(with);
    payload = as_bytes(told);
  }
  scratch_.clear();
  if (!description_without(scratch_, payload, carried)) {
    return server_violation("RowDescription lacks the keys that were asked for");
  }
  pass_own(run, scratch_);
  return Pause::none;
}

// --- ends ---

Pause Exchange::on_command_complete(Bytes payload, Bytes raw) {
  auto* run = requests_.current_run();
  if (run == nullptr || !run->meter) return server_violation("CommandComplete out of turn");
  std::optional<std::uint64_t> affected;
  if (!payload.empty()) {
    auto complete = CommandComplete::parse(payload);
    if (!complete) return server_violation(complete.error().detail);
    const auto verb = run->permit->operation().verb;
    if (verb == Verb::write || verb == Verb::remove) affected = complete->rows();
  }
  if (!run->stopped && count_probe_without_rows(*run)) {
    pass(run, raw);
    if (!finish_run(*run, record::OutcomeStatus::ok, "", affected)) return Pause::close;
  }
  effects_.complete(*run);
  // A pipeline goes on behind its ROLLBACK before the server says Ready.
  const auto kind = run->plan->kind;
  if (state_.transaction == TransactionStatus::failed && ends_part_of_transaction(kind)) {
    state_.transaction = kind == PlanKind::other_transaction
                             ? TransactionStatus::in_transaction  // ROLLBACK TO
                             : TransactionStatus::idle;
  }
  requests_.end_current_run();
  return Pause::none;
}

Pause Exchange::on_portal_suspended(Bytes raw) {
  auto* run = requests_.current_run();
  if (run == nullptr || requests_.front().kind != Request::Kind::execute) {
    return server_violation("PortalSuspended out of turn");
  }
  if (!run->stopped) {
    pass(run, raw);
    if (!finish_run(*run, record::OutcomeStatus::suspended, "", std::nullopt)) return Pause::close;
  }
  effects_.complete(*run);
  requests_.end_current_run();
  return Pause::none;
}

}  // namespace sluice::proxy::pg
