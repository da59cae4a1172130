#include "proxy/pg/exchange/effects.h"

namespace sluice::proxy::pg {

void Effects::begin(Run& run) {
  const auto& plan = *run.plan;
  switch (plan.kind) {
    case PlanKind::prepare: {
      auto prepared = std::make_shared<Prepared>();
      prepared->upstream_name = plan.upstream_object;
      prepared->plan = plan.inner;
      run.changes.emplace_back(names_.set_statement(plan.object, std::move(prepared)));
      break;
    }
    case PlanKind::deallocate:
      if (plan.object.empty()) {
        names_.drop_all_statements(run.changes);
      } else {
        run.changes.emplace_back(names_.set_statement(plan.object, nullptr));
      }
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
      if (plan.object.empty()) {
        names_.drop_all_portals(run.changes);
      } else {
        run.changes.emplace_back(names_.set_portal(plan.object, nullptr));
      }
      break;
    case PlanKind::discard_all:
      names_.drop_all_statements(run.changes);
      names_.drop_all_portals(run.changes);
      break;
    default: break;
  }
  run.counted = plan.kind == PlanKind::fetch ? names_.portal(plan.object) : run.portal;
  if (plan.writes) {
    written_in_transaction_ = true;
    written_since_sync_ = true;
  }
}

void Effects::complete(Run& run) {
  run.changes.clear();
  switch (run.plan->kind) {
    case PlanKind::set:
      if (may_be_path(run.plan->setting)) catalogue_.path_changed();
      break;
    case PlanKind::commit:
    case PlanKind::rollback:
    case PlanKind::other_transaction: catalogue_.part_of_transaction_ended(); break;
    case PlanKind::discard_all:
      catalogue_.path_changed();
      catalogue_.temporary_tables_dropped();
      break;
    case PlanKind::schema_change: catalogue_.schema_changed(); break;
    default: break;
  }
}

void Effects::undo(Request& request) {
  for (auto run = request.runs.rbegin(); run != request.runs.rend(); ++run) names_.undo(run->changes);
  names_.undo(request.changes);
}

void Effects::end_transaction() {
  names_.end_transaction();
  written_in_transaction_ = false;
  catalogue_.end_transaction();
}

}  // namespace sluice::proxy::pg
