// Parse: statements that are prepared now and executed later. They may be prepared when an execution could be
// permitted; each execution is decided again (portals.cc), and before it is bound, the statement is brought
// up to date with policy and catalogue.
#include "proxy/pg/exchange.h"

#include "proxy/pg/refusal.h"
#include "wire/pg/sqlstate.h"

namespace sluice::proxy::pg {

using namespace wire::pg;

Pause Exchange::on_parse(Bytes payload, Bytes raw) {
  auto parse = Parse::parse(payload);
  if (!parse) return protocol_violation(parse.error().detail);
  if (const auto pause = need_catalogue(parse->sql); pause != Pause::none) return pause;
  if (!parse->statement.empty() && names_.statement(parse->statement)) {
    return refuse_in_pipeline(
        render_error(sqlstate::kDuplicatePreparedStatement,
                     fmt::format("prepared statement \"{}\" already exists", parse->statement)));
  }
  if (!names_.has_room_for_statement(parse->statement))
    return refuse_in_pipeline(too_many("prepared statements"));
  if (parse->sql.size() > limits_.statement_bytes) {
    return refuse_in_pipeline(
        render_error(sqlstate::kProgramLimitExceeded, "the statement is longer than this gateway reads"));
  }
  auto plans = plan_text(parse->sql);
  if (!plans) {
    if (catalogue_.wants_another_look(plans.error(), state_)) return need_catalogue();
    gate_.refuse_unread({Reason::not_understood, "", plans.error().message, ""}, unread_text(parse->sql));
    return refuse_in_pipeline(std::move(plans.error()));
  }
  catalogue_.statement_planned();
  if (plans->size() != 1) {
    return refuse_in_pipeline(
        render_error(sqlstate::kSyntaxError, "cannot insert multiple commands into a prepared statement"));
  }
  auto prepared = std::make_shared<Prepared>();
  prepared->plan = std::move(plans->front());
  for (const auto type : parse->parameter_types) prepared->parameter_types.push_back(type);
  if (auto error = decide_prepared(*prepared)) return refuse_in_pipeline(std::move(*error));

  if (!parse->statement.empty()) prepared->upstream_name = names_.next_statement_name();
  if (parse->statement.empty() && !prepared->plan->rewritten) {
    to_server_.send(*prepared->permit, raw);
  } else if (auto error = send_parse(*prepared)) {
    return refuse_in_pipeline(std::move(*error));
  }
  auto& pending = requests_.add(Request::Kind::parse);
  pending.prepared = prepared;
  pending.changes.emplace_back(names_.set_statement(parse->statement, std::move(prepared)));
  return Pause::none;
}

std::expected<Planner::Plans, ErrorFields> Exchange::plan_text(std::string_view sql) {
  planner_.set_fresh(catalogue_.has_looked_again());
  return planner_.plan(sql, plan_context());
}

std::optional<ErrorFields> Exchange::send_parse(const Prepared& prepared) {
  scratch_.clear();
  auto encoded =
      encode_parse(scratch_, prepared.upstream_name, prepared.plan->text, prepared.parameter_types);
  if (!encoded) return render_error(sqlstate::kProgramLimitExceeded, encoded.error().detail);
  to_server_.send(*prepared.permit, as_bytes(scratch_));
  return std::nullopt;
}

// Whether this statement may be prepared at all; its executions are decided again. Nothing to do while the
// policy is the one that decided last.
std::optional<ErrorFields> Exchange::decide_prepared(Prepared& prepared) {
  if (prepared.permit && prepared.policy_version == gate_.policy_version()) return std::nullopt;
  auto proposal = gate_.decide(prepared.plan->operation);
  if (proposal.denied()) return render(gate_.refuse(std::move(proposal)));
  if (prepared.plan->denial) return render(gate_.refuse(std::move(proposal), prepared.plan->denial));
  if (auto denial = planner_.refuse_types(prepared.parameter_types, *gate_.masks()))
    return render(gate_.refuse(std::move(proposal), std::move(denial)));
  if (proposal.obligations().clamp) {
    const auto limit = *proposal.obligations().max_records;
    if (prepared.plan->clamped_to == 0 || prepared.plan->clamped_to > limit) {
      auto clamped = planner_.clamp(*prepared.plan, limit, plan_context());
      if (!clamped) return render(gate_.refuse(std::move(proposal), clamped.error()));
      prepared.plan = std::move(*clamped);
    }
  }
  prepared.permit = gate_.prepare(proposal);
  prepared.policy_version = gate_.policy_version();
  return std::nullopt;
}

// Brings a prepared statement up to date with policy and catalogue. When what has to be sent differs now, it
// is parsed again on the server, under a new name, before it is bound.
std::optional<ErrorFields> Exchange::refresh_prepared(Prepared& prepared, bool unnamed) {
  const auto before = prepared.plan;
  if (!planner_.is_current(*prepared.plan, plan_context())) {
    auto plans = planner_.plan(prepared.plan->source, plan_context());
    if (!plans) return std::move(plans.error());
    if (plans->size() != 1)
      return render_error(sqlstate::kSyntaxError, "the prepared statement cannot be planned again");
    prepared.plan = std::move(plans->front());
    prepared.permit.reset();
  }
  if (auto error = decide_prepared(prepared)) return error;
  if (prepared.plan->text == before->text) return std::nullopt;
  prepared.shape.reset();
  if (!unnamed) {
    gateway_.close(NamedObject::statement, prepared.upstream_name);
    auto& closing = requests_.add(Request::Kind::close);
    closing.hidden = true;
    prepared.upstream_name = names_.next_statement_name();
  }
  if (auto error = send_parse(prepared)) return error;
  auto& pending = requests_.add(Request::Kind::parse);
  pending.hidden = true;
  return std::nullopt;
}

}  // namespace sluice::proxy::pg
