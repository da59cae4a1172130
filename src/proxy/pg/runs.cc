// One operation on the server, from its permit to its outcome: what it does to the session's own names and
// state, in force at once because later messages of the same pipeline refer to it, and taken back if the
// server does not agree.
#include "proxy/pg/exchange.h"

#include "proxy/pg/counting.h"
#include "proxy/pg/refusal.h"

namespace sluice::proxy::pg {

using namespace wire::pg;

// --- its beginning ---

Exchange::Run Exchange::make_run(std::shared_ptr<const Plan> plan, gate::Permit permit) {
  Run run;
  run.plan = std::move(plan);
  run.permit.emplace(std::move(permit));
  run.meter.emplace(gate_, *run.permit);
  if (!must_count(*run.plan, run.permit->operation(), run.permit->obligations())) run.meter->lift_bound();
  return run;
}

// What a statement does to the session's own names is in force for what follows in the pipeline, and taken
// back if the server does not agree.
void Exchange::begin_effects(Run& run) {
  const auto& plan = *run.plan;
  if (!plan.warning.empty()) {
    encode_notice_response(to_client_.own(), render_warning(plan.warning));
    to_client_.commit();
  }
  switch (plan.kind) {
    case PlanKind::prepare: {
      auto prepared = std::make_shared<Prepared>();
      prepared->upstream_name = plan.upstream_object;
      prepared->plan = plan.inner;
      run.changes.emplace_back(names_.set_statement(plan.object, std::move(prepared)));
      break;
    }
    case PlanKind::deallocate:
      if (!plan.object.empty()) run.changes.emplace_back(names_.set_statement(plan.object, nullptr));
      break;
    case PlanKind::declare: {
      auto portal = std::make_shared<Portal>();
      portal->upstream_name = plan.upstream_object;
      portal->plan = plan.inner;
      portal->operation = plan.inner->operation;
      portal->hold = plan.hold_cursor;
      run.changes.emplace_back(names_.set_portal(plan.object, std::move(portal)));
      break;
    }
    case PlanKind::close_cursor:
      if (!plan.object.empty()) run.changes.emplace_back(names_.set_portal(plan.object, nullptr));
      break;
    default: break;
  }
  run.counted = plan.kind == PlanKind::fetch ? names_.portal(plan.object) : run.portal;
  if (plan.writes) {
    written_in_transaction_ = true;
    written_since_sync_ = true;
  }
}

// Not before those before it are over: only then is it known what they have sent.
void Exchange::resume(Run& run) {
  if (!run.counted || std::exchange(run.resumed, true)) return;
  run.meter->resume_at(run.counted->records);
}

// --- its end ---

// False when the outcome could not be recorded: then nothing of this part may be sent.
bool Exchange::finish_run(Run& run, record::OutcomeStatus status, std::string_view error_class,
                          std::optional<std::uint64_t> affected) {
  if (!run.meter || run.finished) return true;
  records_sent_ += run.meter->records();
  if (run.counted) run.counted->records += run.meter->records();
  const bool records = returns_records(run.permit->operation());
  auto written = run.meter->finish({.status = status,
                                    .error_class = error_class,
                                    .affected = affected,
                                    .masked = records ? run.plan->masked_fields * run.meter->rows() : 0,
                                    .ids = records && run.observed ? &ids_ : nullptr,
                                    .rows = run.observed ? &sample_ : nullptr});
  run.finished = true;
  if (!written) {
    record_failed(written.error());
    return false;
  }
  return true;
}

void Exchange::next_run() {
  auto& front = pending_.front();
  ++front.current;
  if (front.kind == Pending::Kind::execute) pending_.pop_front();
}

// What the server has confirmed.
void Exchange::complete_effects(Run& run) {
  run.changes.clear();
  switch (run.plan->kind) {
    case PlanKind::set:
      path_stale_ |= run.plan->setting.empty() || run.plan->setting == "search_path";
      path_changed_in_transaction_ |= path_stale_;
      break;
    case PlanKind::discard_all:
      path_stale_ = true;
      names_.drop_all_statements();
      names_.drop_all_portals();
      break;
    case PlanKind::deallocate:
      if (run.plan->object.empty()) names_.drop_all_statements();
      break;
    case PlanKind::close_cursor:
      if (run.plan->object.empty()) names_.drop_all_portals();
      break;
    case PlanKind::schema_change:
      catalogue_stale_ = true;
      schema_changed_ = true;
      break;
    default: break;
  }
}

void Exchange::undo_changes(std::vector<NameChange>& changes) {
  for (auto change = changes.rbegin(); change != changes.rend(); ++change) {
    std::visit([this](const auto& one) { names_.undo(one); }, *change);
  }
  changes.clear();
}

void Exchange::undo_changes(Pending& pending) {
  for (auto run = pending.runs.rbegin(); run != pending.runs.rend(); ++run) undo_changes(run->changes);
  undo_changes(pending.changes);
}

void Exchange::end_transaction() {
  names_.end_transaction();
  written_in_transaction_ = false;
  if (std::exchange(path_changed_in_transaction_, false)) path_stale_ = true;  // it may have been rolled back
  if (std::exchange(schema_changed_, false)) {
    catalogue_stale_ = true;
    store_.mark_stale();
  }
}

}  // namespace sluice::proxy::pg
