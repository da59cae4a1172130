// Parse: statements that are prepared now and executed later. They may be prepared when an execution could be
// permitted; each execution is decided again (portals.cc), and before it is bound, the statement is brought
// up to date with policy and catalogue.
#include "proxy/pg/exchange/exchange.h"

#include "proxy/pg/exchange/refusal.h"
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
  auto planned = plan_text(parse->sql, Templates::no);
  if (!planned) return Pause::errand;
  auto& plans = planned->plans;
  if (!plans) {
    if (catalogue_.wants_another_look(plans.error(), state_)) return need_catalogue();
    gate_.refuse_unread({Reason::not_understood, "", plans.error().message, ""}, planned->unread);
    return refuse_in_pipeline(std::move(plans.error()));
  }
  const auto prepare = [&] {
    if (plans->size() != 1) {
      return refuse_in_pipeline(
          render_error(sqlstate::kSyntaxError, "cannot insert multiple commands into a prepared statement"));
    }
    auto prepared = std::make_shared<Prepared>();
    prepared->plan = std::move(plans->front());
    for (const auto type : parse->parameter_types) prepared->parameter_types.push_back(type);
    const auto decided = decide_prepared(*prepared);
    if (!decided) return refuse_in_pipeline(decided.error());
    if (*decided != Pause::none) return *decided;

    if (parse->statement.empty() && !prepared->plan->rewritten && raw.size() <= kLoopBytes) {
      to_server_.send(*prepared->permit, raw);
    } else {
      const auto message = encode_prepared(*prepared, !parse->statement.empty());
      if (!message) return Pause::errand;
      if (!message->result) {
        return refuse_in_pipeline(
            render_error(sqlstate::kProgramLimitExceeded, message->result.error().detail));
      }
      prepared->upstream_name = message->name;
      to_server_.send(*prepared->permit, std::move(message->message));
    }
    auto& pending = requests_.add(Request::Kind::parse);
    pending.prepared = prepared;
    pending.changes.emplace_back(names_.set_statement(parse->statement, std::move(prepared)));
    return Pause::none;
  };
  const auto pause = prepare();
  if (pause != Pause::errand) catalogue_.statement_planned();  // the next look plans the same, as freshly
  return pause;
}

// The Parse of it, with a new name of the gateway's if `named`; null: Pause::errand.
std::shared_ptr<Exchange::Encoded> Exchange::encode_prepared(const Prepared& prepared, bool named) {
  const auto& plan = prepared.plan;
  return encode(
      plan, plan->text.size(),
      [plan, types = prepared.parameter_types, name = named ? names_.next_statement_name() : std::string{}] {
        Encoded out;
        out.name = name;
        out.result = encode_parse(out.message, name, plan->text, types);
        return out;
      });
}

// Whether this statement may be prepared at all; its executions are decided again. Nothing to do while the
// policy is the one that decided last.
Exchange::PauseOrError Exchange::decide_prepared(Prepared& prepared) {
  if (prepared.permit && prepared.policy_version == gate_.policy_version()) return Pause::none;
  auto proposal = gate_.decide(prepared.plan->operation);
  const auto refused = [&](std::optional<Denial> why = std::nullopt) {
    return std::unexpected(render(gate_.refuse(std::move(proposal), std::move(why))));
  };
  if (proposal.denied()) return refused();
  if (prepared.plan->denial) return refused(prepared.plan->denial);
  if (auto denial = planner_.refuse_types(prepared.parameter_types, *gate_.masks()))
    return refused(std::move(denial));
  if (proposal.obligations().clamp) {
    const auto limit = *proposal.obligations().max_records;
    if (prepared.plan->clamped_to == 0 || prepared.plan->clamped_to > limit) {
      auto clamped = clamp(prepared.plan, limit);
      if (!clamped) return Pause::errand;
      if (!*clamped) return refused(clamped->error());
      prepared.plan = std::move(**clamped);
    }
  }
  prepared.permit = gate_.prepare(proposal);
  prepared.policy_version = gate_.policy_version();
  return Pause::none;
}

// Brings a prepared statement up to date with policy and catalogue. When what has to be sent differs now, it
// is parsed again on the server, under a new name, before it is bound.
Exchange::PauseOrError Exchange::refresh_prepared(Prepared& prepared, bool unnamed) {
  const auto before = prepared.plan;
  if (!planner_.is_current(*before, plan_context())) {
    auto planned = before->large ? plan_aside(before->source) : plan_text(before->source, Templates::no);
    if (!planned) return Pause::errand;
    if (!planned->plans) return std::unexpected(std::move(planned->plans.error()));
    if (planned->plans->size() != 1) {
      return std::unexpected(
          render_error(sqlstate::kSyntaxError, "the prepared statement cannot be planned again"));
    }
    prepared.plan = std::move(planned->plans->front());
    prepared.permit.reset();
  }
  const auto decided = decide_prepared(prepared);
  // Also where it may not run now: the server has the other text until it gets this one.
  prepared.outdated |= prepared.plan != before && prepared.plan->text != before->text;
  if (!decided || *decided != Pause::none || !prepared.outdated) return decided;

  const auto message = encode_prepared(prepared, !unnamed);
  if (!message) return Pause::errand;
  if (!message->result)
    return std::unexpected(render_error(sqlstate::kProgramLimitExceeded, message->result.error().detail));
  prepared.shape.reset();
  if (!unnamed) {
    gateway_.close(NamedObject::statement, prepared.upstream_name);
    auto& closing = requests_.add(Request::Kind::close);
    closing.hidden = true;
    prepared.upstream_name = message->name;
  }
  to_server_.send(*prepared.permit, std::move(message->message));
  prepared.outdated = false;
  auto& pending = requests_.add(Request::Kind::parse);
  pending.hidden = true;
  return Pause::none;
}

}  // namespace sluice::proxy::pg
