// The simple query: a string of statements that the server runs as one. All of them may pass, or none does.
#include "proxy/pg/exchange/exchange.h"

#include "proxy/pg/exchange/counting.h"
#include "proxy/pg/exchange/refusal.h"
#include "wire/pg/sqlstate.h"

namespace sluice::proxy::pg {

using namespace wire::pg;

Pause Exchange::on_query(Bytes payload, Bytes raw) {
  auto query = Query::parse(payload);
  if (!query) return protocol_violation(query.error().detail);
  if (const auto pause = need_catalogue(query->sql); pause != Pause::none) return pause;
  if (query->sql.size() > limits_.statement_bytes) {
    return refuse_query(render_error(sqlstate::kProgramLimitExceeded,
                                     "the statement is longer than this gateway reads", {},
                                     "Use COPY for bulk data."));
  }
  auto planned = plan_text(query->sql, Templates::yes);
  if (!planned) return Pause::errand;
  auto& plans = planned->plans;
  if (!plans) {
    if (catalogue_.wants_another_look(plans.error(), state_)) return need_catalogue();
    if (planned->names_moved) {
      begin_string(std::move(planned->parts));
      return Pause::none;
    }
    gate_.refuse_unread({Reason::not_understood, "", plans.error().message, ""}, planned->unread);
    return refuse_query(std::move(plans.error()));
  }
  if (!planned->parts.empty()) {
    begin_string(std::move(planned->parts));
    return Pause::none;
  }
  const auto pause = run_query(std::move(*plans), raw);
  if (pause != Pause::errand) catalogue_.statement_planned();  // the next look plans the same, as freshly
  return pause;
}

Pause Exchange::run_query(Planner::Plans plans, Bytes raw) {
  // Decide all, then review all, then admit all: if one may not pass, none does.
  std::vector<gate::Proposal> proposals;
  bool rewritten = false;
  bool counted_before = false;
  bool wrote_before = false;
  for (auto& plan : plans) {
    auto proposal = gate_.decide(plan->operation);
    if (proposal.denied()) return refuse_query(render(gate_.refuse(std::move(proposal))));
    if (auto denial = plan->denial ? plan->denial : take_tests(*plan))
      return refuse_query(render(gate_.refuse(std::move(proposal), std::move(denial))));
    // The server runs the whole string before anybody knows whether the read stays within its bound. An error
    // there would take back what came before it in the string, and nothing after it would be run.
    const bool counted = !only_names(*plan) && !proposal.obligations().clamp &&
                         must_count(*plan, *plan->operation, proposal.obligations());
    const bool lasting = plan->writes || plan->kind == PlanKind::commit;
    if ((counted_before && lasting) || (wrote_before && counted)) {
      const Denial denial{Reason::over_limit, proposal.obligations().bound_rule,
                          "a write and a read without LIMIT cannot be sent in one query string",
                          "Send the statements one by one, or give the read a LIMIT."};
      return refuse_query(render(gate_.refuse(std::move(proposal), denial)));
    }
    counted_before |= counted;
    wrote_before |= plan->writes;
    if (proposal.obligations().clamp) {
      auto clamped = clamp(plan, *proposal.obligations().max_records);
      if (!clamped) return Pause::errand;
      if (!*clamped) return refuse_query(render(gate_.refuse(std::move(proposal), clamped->error())));
      plan = std::move(**clamped);
    }
    rewritten |= plan->rewritten;
    proposals.push_back(std::move(proposal));
  }
  for (std::size_t i = 0; i < plans.size(); ++i) {
    if (!proposals[i].needs_review()) continue;
    const bool bind_vectors = proposals[i].ruling().review.bind_vectors;
    auto asked = gate_.review(proposals[i], execution_of(*plans[i], nullptr, nullptr, true, bind_vectors));
    if (auto* wait = std::get_if<gate::Wait>(&asked)) {
      auto held = hold_or_refuse(*wait);
      return held ? *held : refuse_query(std::move(held.error()));
    }
    if (auto* refusal = std::get_if<gate::Refusal>(&asked)) {
      return refuse_query(render(gate_.refuse(std::move(proposals[i]), refusal->denial)));
    }
  }

  std::shared_ptr<Encoded> message;
  if (rewritten || raw.size() > kLoopBytes) {
    std::size_t bytes = rewritten ? 0 : raw.size();
    for (const auto& plan : plans) bytes += rewritten ? plan->text.size() : 0;
    message = encode(plans.front(), bytes, [plans, rewritten, raw] {
      Encoded made;
      if (!rewritten) {
        made.message = as_text(raw);
        return made;
      }
      std::string sql;
      for (const auto& plan : plans) {
        if (!sql.empty()) sql.append("; ");
        sql.append(plan->text);
      }
      made.result = encode_query(made.message, sql);
      return made;
    });
    if (!message) return Pause::errand;
    if (!message->result)
      return refuse_query(render_error(sqlstate::kProgramLimitExceeded, message->result.error().detail));
  }

  Request pending;
  pending.kind = Request::Kind::query;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    const bool for_review = proposals[i].obligations().over == Over::review || proposals[i].needs_review();
    const auto execution =
        execution_of(*plans[i], nullptr, nullptr, for_review, proposals[i].ruling().review.bind_vectors);
    auto admission = gate_.admit(std::move(proposals[i]), execution);
    auto* permit = std::get_if<gate::Permit>(&admission);
    if (permit == nullptr) {
      for (auto& run : pending.runs) finish_run(run, record::OutcomeStatus::failed, "", std::nullopt);
      if (auto* refusal = std::get_if<gate::Refusal>(&admission)) return refuse_query(render(*refusal));
      auto held = hold_or_refuse(std::get<gate::Wait>(admission));
      return held ? *held : refuse_query(std::move(held.error()));
    }
    pending.runs.push_back(make_run(plans[i], std::move(*permit)));
  }

  if (message) {
    to_server_.send(*pending.runs.front().permit, std::move(message->message));
  } else {
    to_server_.send(*pending.runs.front().permit, raw);
  }
  // A simple query ends the unnamed statement and portal.
  names_.set_statement("", nullptr);
  names_.set_portal("", nullptr);
  for (auto& run : pending.runs) begin_run(run);
  requests_.add(std::move(pending));
  barrier_ |= counted_before;
  return Pause::none;
}

}  // namespace sluice::proxy::pg
