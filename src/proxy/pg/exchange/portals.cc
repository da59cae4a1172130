// Bind, Describe, Execute and Close. Every Execute is an operation of its own: decided, recorded and counted,
// with one bound for all executions of a portal.
#include "proxy/pg/exchange/exchange.h"

#include "proxy/pg/exchange/carried_columns.h"
#include "proxy/pg/exchange/counting.h"
#include "proxy/pg/exchange/recorded_parameters.h"
#include "proxy/pg/exchange/refusal.h"
#include "wire/pg/sqlstate.h"

namespace sluice::proxy::pg {

using namespace wire::pg;

namespace {

ErrorFields undefined_statement(std::string_view name) {
  return render_error(sqlstate::kInvalidStatementName,
                      name.empty() ? std::string{"unnamed prepared statement does not exist"}
                                   : fmt::format("prepared statement \"{}\" does not exist", name));
}

ErrorFields undefined_portal(std::string_view name) {
  return render_error(sqlstate::kInvalidCursorName, fmt::format("portal \"{}\" does not exist", name));
}

ErrorFields outdated_portal() {
  return render_error(sqlstate::kInvalidCursorName,
                      "sluice: the policy or the schema has changed, and the portal was closed", {},
                      "Bind and execute the statement again.");
}

}  // namespace

Pause Exchange::on_bind(Bytes payload, Bytes raw) {
  auto bind = Bind::parse(payload);
  if (!bind) return protocol_violation(bind.error().detail);
  auto prepared = names_.statement(bind->statement);
  if (!prepared) return refuse_in_pipeline(undefined_statement(bind->statement));
  if (const auto pause = need_catalogue(); pause != Pause::none) return pause;
  if (!bind->portal.empty() && names_.portal(bind->portal)) {
    return refuse_in_pipeline(
        render_error(sqlstate::kDuplicateCursor, fmt::format("cursor \"{}\" already exists", bind->portal)));
  }
  if (!names_.has_room_for_portal(bind->portal)) return refuse_in_pipeline(too_many("portals"));
  const auto refreshed = refresh_prepared(*prepared, bind->statement.empty());
  if (!refreshed) return refuse_in_pipeline(refreshed.error());
  if (*refreshed != Pause::none) return *refreshed;
  const auto operation = bind_values(*prepared, *bind);
  if (!operation) return Pause::errand;
  const auto looked = look_at_values(*prepared, *bind);
  if (!looked) return Pause::errand;

  // The message under the gateway's names, or as it is.
  const auto carried = prepared->plan->carried;
  const bool formats_stay = carried == 0 || bind->result_formats.size() < 2;
  const bool stays = bind->portal.empty() && bind->statement.empty() && formats_stay;
  auto write = [bind = *bind, formats_stay, carried, statement = prepared->upstream_name](
                   std::string& out, std::string_view portal) {
    const auto formats = formats_stay ? std::string{} : formats_with(bind.result_section, carried);
    return encode_bind(out, portal, statement, bind.parameter_section,
                       formats_stay ? bind.result_section : as_bytes(formats));
  };
  std::string name = bind->portal.empty() ? "" : names_.next_portal_name();
  std::shared_ptr<Encoded> large;
  scratch_.clear();
  Result<void> encoded;
  if (raw.size() > kLoopBinding) {
    large = encode(prepared->plan, raw.size(), [write, raw, stays, name] {
      Encoded made{.name = name};
      if (stays) {
        made.message = as_text(raw);
      } else {
        made.result = write(made.message, name);
      }
      return made;
    });
    if (!large) return Pause::errand;
    name = large->name;
    encoded = large->result;
  } else if (!stays) {
    encoded = write(scratch_, name);
  }
  if (!encoded)
    return refuse_in_pipeline(render_error(sqlstate::kProgramLimitExceeded, encoded.error().detail));

  auto portal = std::make_shared<Portal>();
  portal->statement = prepared;
  portal->plan = prepared->plan;
  if (looked->denial) {
    auto refused = std::make_shared<Plan>(*portal->plan);
    refused->denial = looked->denial;
    portal->plan = std::move(refused);
  }
  portal->parameters_digest = looked->digest;
  if (bind->parameter_section.size() <= kMaxKeptParameters)
    portal->parameters = as_text(bind->parameter_section);
  portal->operation = operation;
  portal->result_formats = as_text(bind->result_formats.raw());
  if (prepared->shape_formats == portal->result_formats) portal->shape = prepared->shape;
  portal->upstream_name = std::move(name);
  if (large) {
    to_server_.send(*prepared->permit, std::move(large->message));
  } else {
    to_server_.send(*prepared->permit, stays ? raw : as_bytes(scratch_));
  }
  auto& pending = requests_.add(Request::Kind::bind);
  pending.changes.emplace_back(names_.set_portal(bind->portal, std::move(portal)));
  return Pause::none;
}

Pause Exchange::on_describe(Bytes payload) {
  auto describe = Describe::parse(payload);
  if (!describe) return protocol_violation(describe.error().detail);
  Request pending;
  std::string_view name;
  if (describe->object == NamedObject::statement) {
    pending.prepared = names_.statement(describe->name);
    if (!pending.prepared) return refuse_in_pipeline(undefined_statement(describe->name));
    pending.kind = Request::Kind::describe_statement;
    name = pending.prepared->upstream_name;
  } else {
    pending.portal = names_.portal(describe->name);
    if (!pending.portal) return refuse_in_pipeline(undefined_portal(describe->name));
    pending.kind = Request::Kind::describe_portal;
    name = pending.portal->upstream_name;
  }
  gateway_.describe(describe->object, name);
  requests_.add(std::move(pending));
  return Pause::none;
}

// Whether what is open was made under masks that no longer hold for it.
bool Exchange::differs_now(const Plan& plan) {
  if (planner_.is_current(plan, plan_context())) return false;
  if (plan.touches_masked) return true;
  if (plan.basis.masks == gate_.masks()->id) return false;
  if (plan.inner || plan.large) return true;  // what a large one would be now is not found out here
  const auto now = planner_.plan(plan.source, plan_context());
  return !now || now->size() != 1 || now->front()->touches_masked;
}

// What the server looks up when it executes the portal is decided as it is then.
std::expected<Pause, ErrorFields> Exchange::look_up_again(Portal& portal) {
  if (names_may_move()) return Pause::server;
  if (catalogue_.is_outdated() && state_.transaction != TransactionStatus::failed)
    return requests_.empty() ? Pause::catalogue : Pause::server;
  if (planner_.is_current(*portal.plan, plan_context())) return Pause::none;
  if (portal.plan->large) return std::unexpected(outdated_portal());
  auto now = planner_.plan(portal.plan->source, plan_context());
  if (!now || now->size() != 1 || now->front()->text != portal.plan->text)
    return std::unexpected(outdated_portal());
  portal.plan = std::move(now->front());
  portal.operation = portal.plan->operation;
  return Pause::none;
}

Pause Exchange::on_execute(Bytes payload, Bytes raw) {
  auto execute = Execute::parse(payload);
  if (!execute) return protocol_violation(execute.error().detail);
  auto portal = names_.portal(execute->portal);
  if (!portal) return refuse_in_pipeline(undefined_portal(execute->portal));
  if (finds_names_late(*portal->plan)) {
    const auto looked_up = look_up_again(*portal);
    if (!looked_up) return refuse_in_pipeline(looked_up.error());
    if (*looked_up != Pause::none) return *looked_up;
  }
  const auto& plan = portal->plan;
  // Its rewrite would differ now; what is open was made under rules that no longer hold.
  if (differs_now(*plan)) return refuse_in_pipeline(outdated_portal());

  auto proposal = gate_.decide(portal->operation);
  if (proposal.denied()) return refuse_in_pipeline(render(gate_.refuse(std::move(proposal))));
  if (auto denial = plan->denial ? plan->denial : take_tests(*plan))
    return refuse_in_pipeline(render(gate_.refuse(std::move(proposal), std::move(denial))));
  if (proposal.obligations().clamp &&
      (plan->clamped_to == 0 || plan->clamped_to > *proposal.obligations().max_records)) {
    return refuse_in_pipeline(render_error(sqlstate::kInvalidCursorName,
                                           "sluice: the policy has changed, and the portal was closed", {},
                                           "Bind and execute the statement again."));
  }
  const bool for_review = proposal.needs_review() || proposal.obligations().over == Over::review;
  const bool bind_vectors = proposal.ruling().review.bind_vectors;
  auto execution = execution_of(*plan, portal.get(), portal->statement.get(), for_review, bind_vectors);
  auto admission = gate_.admit(std::move(proposal), execution);
  if (auto* refusal = std::get_if<gate::Refusal>(&admission)) return refuse_in_pipeline(render(*refusal));
  if (auto* wait = std::get_if<gate::Wait>(&admission)) {
    auto held = hold_or_refuse(*wait);
    return held ? *held : refuse_in_pipeline(std::move(held.error()));
  }
  auto run = make_run(plan, std::move(std::get<gate::Permit>(admission)));
  run.portal = portal;
  begin_run(run);
  resume(run);

  const auto* newest = requests_.newest();
  const bool asked =
      newest != nullptr && newest->kind == Request::Kind::describe_portal && newest->portal == portal;
  if (!portal->shape && !asked && is_read(*portal->operation)) {
    // Without a description nobody knows which columns are keys. The client did not ask, so it does not hear.
    gateway_.describe(NamedObject::portal, portal->upstream_name);
    auto& described = requests_.add(Request::Kind::describe_portal);
    described.portal = portal;
    described.hidden = true;
  }
  Request pending;
  pending.kind = Request::Kind::execute;
  pending.portal = portal;
  pending.client_limit = !execute->unlimited();
  auto max_rows = execute->max_rows;
  if (const auto left = run.meter->remaining_rows();
      left && must_count(*plan, *portal->operation, run.permit->obligations())) {
    max_rows = rows_to_ask(*left, execute->max_rows);
    pending.server_limit = true;
    barrier_ = true;
  }
  barrier_ |= plan->search != nullptr;  // it may be stopped as well (probing.cc)
  if (max_rows == execute->max_rows && portal->upstream_name.empty()) {
    to_server_.send(*run.permit, raw);
  } else {
    scratch_.clear();
    if (auto encoded = encode_execute(scratch_, portal->upstream_name, max_rows); !encoded) {
      finish_run(run, record::OutcomeStatus::failed, "", std::nullopt);
      effects_.undo(run);
      return refuse_in_pipeline(render_error(sqlstate::kProgramLimitExceeded, encoded.error().detail));
    }
    to_server_.send(*run.permit, as_bytes(scratch_));
  }
  pending.runs.push_back(std::move(run));
  requests_.add(std::move(pending));
  return Pause::none;
}

Pause Exchange::on_close(Bytes payload) {
  auto close = Close::parse(payload);
  if (!close) return protocol_violation(close.error().detail);
  Request pending;
  pending.kind = Request::Kind::close;
  std::string name{"slc_none"};  // closing what does not exist is no error
  if (close->object == NamedObject::statement) {
    if (auto prepared = names_.statement(close->name)) name = prepared->upstream_name;
    pending.changes.emplace_back(names_.set_statement(close->name, nullptr));
  } else {
    if (auto portal = names_.portal(close->name)) name = portal->upstream_name;
    pending.changes.emplace_back(names_.set_portal(close->name, nullptr));
  }
  gateway_.close(close->object, name);
  requests_.add(std::move(pending));
  return Pause::none;
}

}  // namespace sluice::proxy::pg
