// What the client says, message by message. A handler that has to wait answers with a Pause and leaves
// nothing behind: the same message is handed to it again.
#include "proxy/pg/exchange.h"

#include <ranges>

#include "core/encoding.h"
#include "proxy/pg/carried_columns.h"
#include "proxy/pg/recorded_parameters.h"
#include "proxy/pg/refusal.h"
#include "systems/postgres/describe/recorded_text.h"
#include "systems/postgres/sql/tokens.h"
#include "wire/pg/sqlstate.h"

namespace sluice::proxy::pg {

using namespace wire::pg;

namespace {

// A LIMIT-less read is asked for one row more than its bound leaves, so that "exactly the bound" and "more"
// differ.
std::int32_t rows_to_ask(std::uint64_t left, std::int32_t client_max) {
  constexpr std::uint64_t kMost = 0x7FFFFFFF;
  auto rows = std::min(left, kMost - 1) + 1;
  if (client_max > 0) rows = std::min(rows, static_cast<std::uint64_t>(client_max));
  return static_cast<std::int32_t>(rows);
}

bool is_read(const Operation& operation) {
  switch (operation.verb) {
    case Verb::search:
    case Verb::fetch:
    case Verb::scroll:
    case Verb::export_: return true;
    default: return false;
  }
}

// Its answer holds no record, though its operation is that of the statement which it names.
bool only_names(const Plan& plan) {
  return plan.kind == PlanKind::prepare || plan.kind == PlanKind::declare;
}

// The reply has to be counted: nothing in the request keeps it within its bound. The parts of a cursor that
// FETCH asks for add up, so it is the cursor's own statement that has to keep within it.
bool must_count(const Plan& plan, const Operation& operation, const Obligations& obligations) {
  if (!obligations.max_records || !is_read(operation)) return false;
  const auto& most =
      plan.kind == PlanKind::fetch ? plan.inner->operation->records.max : operation.records.max;
  return !most || *most > *obligations.max_records;
}

// What of the statement's text an approval holds for: all of it, except that the vector of a search may be
// another of the same dimension unless the rule says otherwise.
Digest digest_for_review(const Plan& plan, bool bind_vectors) {
  if (bind_vectors || plan.operation->searches.empty()) return sha256(as_bytes(plan.source));
  return sha256(as_bytes(postgres::text_without_vectors(plan.source)));
}

ErrorFields undefined_statement(std::string_view name) {
  return render_error(sqlstate::kInvalidStatementName,
                      name.empty() ? std::string{"unnamed prepared statement does not exist"}
                                   : fmt::format("prepared statement \"{}\" does not exist", name));
}

ErrorFields undefined_portal(std::string_view name) {
  return render_error(sqlstate::kInvalidCursorName, fmt::format("portal \"{}\" does not exist", name));
}

}  // namespace

// --- framing
// --------------------------------------------------------------------------------------------------------

Step Exchange::on_client(Bytes received) {
  Step step;
  while (step.consumed < received.size()) {
    if (final_) return {step.consumed, Pause::close};
    if (waiting_) return {step.consumed, Pause::review};
    if (catalogue_read_) return {step.consumed, Pause::server};
    if (pending_.size() >= limits_.pipeline) {
      flush_for_answers();
      return {step.consumed, Pause::server};
    }
    const auto rest = received.subspan(step.consumed);

    if (copy_left_ > 0) {  // the rest of a CopyData whose header went before
      const auto piece =
          rest.first(static_cast<std::size_t>(std::min<std::uint64_t>(copy_left_, rest.size())));
      // The server has the header: it must get as many bytes as that says, whatever has become of the COPY.
      if (copying_in_) {
        forward_copy(piece);
      } else {
        gateway_.fill_copy(piece.size());
      }
      copy_left_ -= piece.size();
      step.consumed += piece.size();
      continue;
    }
    auto frame = frame_frontend(rest, limits_.message_bytes);
    if (!frame) return {step.consumed, protocol_violation(frame.error().detail)};
    if (!frame->has_header()) return step;
    if (!frame->complete()) {
      if (frame->type != FrontendType::copy_data || !copying_in_) return step;
      forward_copy(rest);  // passed on in pieces: a COPY may be of any size
      copy_left_ = frame->size - rest.size();
      step.consumed += rest.size();
      continue;
    }
    const auto raw = rest.first(static_cast<std::size_t>(frame->size));
    const auto pause = one_client_message(*frame, raw);
    if (pause == Pause::server) {
      flush_for_answers();
    } else if (pause == Pause::none) {
      flushed_ = false;
      note_pipeline(frame->type);
    }
    if (pause == Pause::server || pause == Pause::catalogue || pause == Pause::review)
      return {step.consumed, pause};
    hold_end_.reset();
    step.consumed += raw.size();
    if (pause == Pause::close) return {step.consumed, pause};
  }
  if (final_) step.pause = Pause::close;
  return step;
}

Pause Exchange::one_client_message(const FrontendFrame& frame, Bytes raw) {
  if (frame.type == FrontendType::terminate) {
    closing_ = {record::SessionEndReason::client_closed, ""};
    final_ = closing_;
    return Pause::close;
  }
  if (skip_to_sync_ && frame.type != FrontendType::sync) return Pause::none;
  if (const auto pause = at_barrier(frame.type); pause != Pause::none) return pause;
  if (cancelled_early_) {
    cancelled_early_ = false;
    auto error = render_error(sqlstate::kQueryCanceled, "canceling statement due to user request");
    if (frame.type == FrontendType::query) return refuse_query(std::move(error));
    if (frame.type == FrontendType::parse || frame.type == FrontendType::bind) {
      return refuse_in_pipeline(std::move(error));
    }
  }
  switch (frame.type) {
    case FrontendType::query: return on_query(frame.payload, raw);
    case FrontendType::parse: return on_parse(frame.payload, raw);
    case FrontendType::bind: return on_bind(frame.payload, raw);
    case FrontendType::describe: return on_describe(frame.payload);
    case FrontendType::execute: return on_execute(frame.payload, raw);
    case FrontendType::close: return on_close(frame.payload);
    case FrontendType::sync:
      if (!frame.payload.empty()) return protocol_violation("a Sync with a body");
      return on_sync();
    case FrontendType::flush:
      if (!frame.payload.empty()) return protocol_violation("a Flush with a body");
      gateway_.flush();
      return Pause::none;
    case FrontendType::copy_data:
    case FrontendType::copy_done:
    case FrontendType::copy_fail: return on_copy_message(frame, raw);
    case FrontendType::function_call: {
      const Denial denial{Reason::protocol, "", "function calls by the fast path are not allowed",
                          "Call the function in a statement."};
      return refuse_query(render(gate_.refuse_unread(denial, "FunctionCall")));
    }
    case FrontendType::password: return protocol_violation("a password out of turn");
    case FrontendType::terminate: break;
  }
  return Pause::none;
}

void Exchange::note_pipeline(FrontendType type) {
  switch (type) {
    case FrontendType::parse:
    case FrontendType::bind:
    case FrontendType::describe:
    case FrontendType::execute:
    case FrontendType::close: in_pipeline_ = true; break;
    case FrontendType::query:
    case FrontendType::sync: in_pipeline_ = false; break;
    default: break;
  }
}

// A counted read must be over before the server hears anything that depends on its success.
Pause Exchange::at_barrier(FrontendType next) {
  if (!barrier_) return Pause::none;
  if (pending_.empty()) {
    barrier_ = false;
    return Pause::none;
  }
  const bool sync_is_harmless =
      next == FrontendType::sync && transaction_ == TransactionStatus::idle && !written_since_sync_;
  return sync_is_harmless ? Pause::none : Pause::server;
}

// The server keeps the answers of a pipeline back until it hears Sync or Flush, and the client may send
// neither before it is read on.
void Exchange::flush_for_answers() {
  if (flushed_ || pending_.empty()) return;
  switch (pending_.back().kind) {
    case Pending::Kind::query:
    case Pending::Kind::fail_query:
    case Pending::Kind::sync:
    case Pending::Kind::catalogue: return;
    default: break;
  }
  gateway_.flush();
  flushed_ = true;
}

// --- the catalogue
// --------------------------------------------------------------------------------------------------

// Statements are planned against what the database looks like now. What is on its way may change that.
Pause Exchange::need_catalogue(std::string_view sql) {
  if (schema_change_pending()) return Pause::server;
  if (planner_.catalogue() && !catalogue_stale_ && !path_stale_ && store_.version() == store_seen_ &&
      (!store_.poll_due() || may_not_follow_a_query(sql))) {
    return Pause::none;
  }
  if (transaction_ == TransactionStatus::failed && planner_.catalogue())
    return Pause::none;  // cannot be read now
  return pending_.empty() ? Pause::catalogue : Pause::server;
}

// SET TRANSACTION must come before any query of its transaction, also before ours.
bool Exchange::may_not_follow_a_query(std::string_view sql) const {
  if (transaction_ == TransactionStatus::idle && !in_pipeline_) return false;
  const auto token = postgres::sql::next_token(sql, 0);
  const auto word = sql.substr(token.begin, token.end - token.begin);
  return std::ranges::equal(word, std::string_view{"set"}, {},
                            [](char c) { return static_cast<char>(c | 0x20); });
}

PlanContext Exchange::plan_context() {
  return {names_, gate_.masks(), gate_.vouched_functions(), gate_.facts().principal->name, session_text_};
}

// --- refusals
// -------------------------------------------------------------------------------------------------------

ErrorFields Exchange::render(const gate::Refusal& refusal) const {
  return render_denial(refusal.denial, refusal.operation.get(), gate_.facts().id, refusal.id);
}

Pause Exchange::refuse_query(ErrorFields error) {
  if (pending_.empty() && transaction_ != TransactionStatus::in_transaction) {
    tell_client(error);
    encode_ready_for_query(to_client_.own(), transaction_);
    to_client_.commit();
    return Pause::none;
  }
  gateway_.fail_in_query();
  auto& pending = pending_.emplace_back();
  pending.kind = Pending::Kind::fail_query;
  pending.error = std::make_unique<ErrorFields>(std::move(error));
  return Pause::none;
}

Pause Exchange::refuse_in_pipeline(ErrorFields error) {
  gateway_.fail_in_pipeline();
  auto& pending = pending_.emplace_back();
  pending.kind = Pending::Kind::fail_pipeline;
  pending.error = std::make_unique<ErrorFields>(std::move(error));
  skip_to_sync_ = true;
  return Pause::none;
}

// --- reviews
// --------------------------------------------------------------------------------------------------------

// The answer while a review is missing: wait, or an error at once where waiting would hold locks or has
// lasted enough.
std::expected<Pause, ErrorFields> Exchange::hold_or_refuse(const gate::Wait& wait, bool running) {
  std::string why;
  if (hold_end_ == HoldEnd::cancelled) {
    if (!running) {
      (void)gate_.refuse(wait,
                         {Reason::review_required, wait.terms.rule,
                          fmt::format("cancelled while it waited for review {}", wait.review.value), ""});
    }
    return std::unexpected(render_error(sqlstate::kQueryCanceled, "canceling statement due to user request"));
  }
  if (hold_end_ == HoldEnd::timed_out || wait.terms.hold.count() == 0) {
    why = fmt::format("review {} is needed and not given yet", wait.review.value);
  } else if (transaction_ == TransactionStatus::in_transaction && written_in_transaction_) {
    why = fmt::format("review {} is needed; a transaction that has written is not kept waiting",
                      wait.review.value);
  }
  if (why.empty()) return hold(wait);
  Denial denial{Reason::review_required, wait.terms.rule, std::move(why),
                fmt::format("Once approved (sluice review approve {}), send the same statement again.",
                            wait.review.value)};
  if (running) return std::unexpected(render_denial(denial, wait.operation.get(), gate_.facts().id, wait.id));
  return std::unexpected(render(gate_.refuse(wait, std::move(denial))));
}

gate::Execution Exchange::execution_of(const Plan& plan, const Portal* portal, const Prepared* prepared,
                                       bool for_review, bool bind_vectors) {
  gate::Execution execution;
  if (portal != nullptr) {
    execution.parameters = portal->parameters_digest;
    params_ = recorded_parameters(as_bytes(portal->parameters), plan);
    execution.params = params_;
  }
  if (!for_review) return execution;
  auto& reviewed = execution.reviewed;
  for (const auto& schema : planner_.search_path()) reviewed.search_path.append(schema).append(",");
  reviewed.statement = digest_for_review(plan, bind_vectors);
  reviewed.objects = plan.objects;
  if (portal != nullptr && prepared != nullptr) {
    reviewed.parameters = review::digest_parameters(
        reviewed_parameters(as_bytes(portal->parameters), plan, prepared->parameter_types), bind_vectors);
  } else {
    reviewed.parameters = review::digest_parameters({}, false);
  }
  return execution;
}

// What nobody could read may speak of masked fields.
std::string Exchange::unread_text(std::string_view sql) const {
  using postgres::Literals;
  return postgres::recorded_text(sql, gate_.masks()->empty() ? Literals::shown : Literals::hidden);
}

// --- simple query
// ---------------------------------------------------------------------------------------------------

Pause Exchange::on_query(Bytes payload, Bytes raw) {
  auto query = Query::parse(payload);
  if (!query) return protocol_violation(query.error().detail);
  if (const auto pause = need_catalogue(query->sql); pause != Pause::none) return pause;
  if (query->sql.size() > limits_.statement_bytes) {
    return refuse_query(render_error(sqlstate::kProgramLimitExceeded,
                                     "the statement is longer than this gateway reads", {},
                                     "Use COPY for bulk data."));
  }
  planner_.set_fresh(tried_fresh_catalogue_);
  auto plans = planner_.plan_query(query->sql, plan_context());
  if (!plans) {
    if (wants_fresh_catalogue(plans.error())) return need_catalogue();
    gate_.refuse_unread({Reason::not_understood, "", plans.error().message, ""}, unread_text(query->sql));
    return refuse_query(std::move(plans.error()));
  }
  tried_fresh_catalogue_ = false;
  return run_query(std::move(*plans), raw);
}

std::expected<Planner::Plans, ErrorFields> Exchange::plan_text(std::string_view sql) {
  planner_.set_fresh(tried_fresh_catalogue_);
  return planner_.plan(sql, plan_context());
}

// An unknown name may be one that was created a moment ago by somebody else: look once.
bool Exchange::wants_fresh_catalogue(const ErrorFields& error) {
  if (error.sqlstate != sqlstate::kUndefinedTable || tried_fresh_catalogue_) {
    tried_fresh_catalogue_ = false;
    return false;
  }
  tried_fresh_catalogue_ = true;
  if (transaction_ == TransactionStatus::failed) return false;
  catalogue_stale_ = true;
  return true;
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
    if (plan->denial) return refuse_query(render(gate_.refuse(std::move(proposal), plan->denial)));
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
      auto clamped = planner_.clamp(*plan, *proposal.obligations().max_records, plan_context());
      if (!clamped) return refuse_query(render(gate_.refuse(std::move(proposal), clamped.error())));
      plan = std::move(*clamped);
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

  Pending pending;
  pending.kind = Pending::Kind::query;
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

  if (rewritten) {
    std::string sql;
    for (const auto& plan : plans) {
      if (!sql.empty()) sql.append("; ");
      sql.append(plan->text);
    }
    scratch_.clear();
    if (auto encoded = encode_query(scratch_, sql); !encoded) {
      for (auto& run : pending.runs) finish_run(run, record::OutcomeStatus::failed, "", std::nullopt);
      return refuse_query(render_error(sqlstate::kProgramLimitExceeded, encoded.error().detail));
    }
    to_server_.send(*pending.runs.front().permit, as_bytes(scratch_));
  } else {
    to_server_.send(*pending.runs.front().permit, raw);
  }
  // A simple query ends the unnamed statement and portal.
  names_.set_statement("", nullptr);
  names_.set_portal("", nullptr);
  for (auto& run : pending.runs) begin_effects(run);
  pending_.push_back(std::move(pending));
  barrier_ |= counted_before;
  return Pause::none;
}

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

// --- extended query
// -------------------------------------------------------------------------------------------------

Pause Exchange::on_parse(Bytes payload, Bytes raw) {
  auto parse = Parse::parse(payload);
  if (!parse) return protocol_violation(parse.error().detail);
  if (const auto pause = need_catalogue(parse->sql); pause != Pause::none) return pause;
  if (!parse->statement.empty() && names_.statement(parse->statement)) {
    return refuse_in_pipeline(
        render_error(sqlstate::kDuplicatePreparedStatement,
                     fmt::format("prepared statement \"{}\" already exists", parse->statement)));
  }
  if (names_.statement_count() >= kMaxStatements) {
    return refuse_in_pipeline(
        render_error(sqlstate::kProgramLimitExceeded, "too many prepared statements in this session"));
  }
  if (parse->sql.size() > limits_.statement_bytes) {
    return refuse_in_pipeline(
        render_error(sqlstate::kProgramLimitExceeded, "the statement is longer than this gateway reads"));
  }
  auto plans = plan_text(parse->sql);
  if (!plans) {
    if (wants_fresh_catalogue(plans.error())) return need_catalogue();
    gate_.refuse_unread({Reason::not_understood, "", plans.error().message, ""}, unread_text(parse->sql));
    return refuse_in_pipeline(std::move(plans.error()));
  }
  tried_fresh_catalogue_ = false;
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
  auto& pending = pending_.emplace_back();
  pending.kind = Pending::Kind::parse;
  pending.prepared = prepared;
  pending.changes.emplace_back(names_.set_statement(parse->statement, std::move(prepared)));
  return Pause::none;
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
    auto& closing = pending_.emplace_back();
    closing.kind = Pending::Kind::close;
    closing.hidden = true;
    prepared.upstream_name = names_.next_statement_name();
  }
  if (auto error = send_parse(prepared)) return error;
  auto& pending = pending_.emplace_back();
  pending.kind = Pending::Kind::parse;
  pending.hidden = true;
  return std::nullopt;
}

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
  if (names_.portal_count() >= kMaxPortals) {
    return refuse_in_pipeline(
        render_error(sqlstate::kProgramLimitExceeded, "too many portals in this session"));
  }
  if (auto error = refresh_prepared(*prepared, bind->statement.empty()))
    return refuse_in_pipeline(std::move(*error));

  auto portal = std::make_shared<Portal>();
  portal->statement = prepared;
  portal->plan = prepared->plan;
  portal->parameters_digest = sha256(bind->parameter_section);
  if (bind->parameter_section.size() <= kMaxKeptParameters)
    portal->parameters = as_text(bind->parameter_section);
  portal->operation =
      prepared->plan->parsed
          ? planner_.bind(*prepared->plan, bound_values(bind->parameter_section, prepared->parameter_types),
                          plan_context())
          : prepared->plan->operation;
  portal->result_formats = as_text(bind->result_formats.raw());
  if (prepared->shape_formats == portal->result_formats) portal->shape = prepared->shape;
  if (!bind->portal.empty()) portal->upstream_name = names_.next_portal_name();

  const bool formats_stay = portal->plan->carried == 0 || bind->result_formats.size() < 2;
  if (bind->portal.empty() && bind->statement.empty() && formats_stay) {
    to_server_.send(*prepared->permit, raw);
  } else {
    const auto formats =
        formats_stay ? std::string{} : formats_with(bind->result_section, portal->plan->carried);
    scratch_.clear();
    if (auto encoded =
            encode_bind(scratch_, portal->upstream_name, prepared->upstream_name, bind->parameter_section,
                        formats_stay ? bind->result_section : as_bytes(formats));
        !encoded) {
      return refuse_in_pipeline(render_error(sqlstate::kProgramLimitExceeded, encoded.error().detail));
    }
    to_server_.send(*prepared->permit, as_bytes(scratch_));
  }
  auto& pending = pending_.emplace_back();
  pending.kind = Pending::Kind::bind;
  pending.changes.emplace_back(names_.set_portal(bind->portal, std::move(portal)));
  return Pause::none;
}

Pause Exchange::on_describe(Bytes payload) {
  auto describe = Describe::parse(payload);
  if (!describe) return protocol_violation(describe.error().detail);
  Pending pending;
  std::string_view name;
  if (describe->object == NamedObject::statement) {
    pending.prepared = names_.statement(describe->name);
    if (!pending.prepared) return refuse_in_pipeline(undefined_statement(describe->name));
    pending.kind = Pending::Kind::describe_statement;
    name = pending.prepared->upstream_name;
  } else {
    pending.portal = names_.portal(describe->name);
    if (!pending.portal) return refuse_in_pipeline(undefined_portal(describe->name));
    pending.kind = Pending::Kind::describe_portal;
    name = pending.portal->upstream_name;
  }
  gateway_.describe(describe->object, name);
  pending_.push_back(std::move(pending));
  return Pause::none;
}

// Whether what is open was made under masks that no longer hold for it.
bool Exchange::differs_now(const Plan& plan) {
  if (planner_.is_current(plan, plan_context())) return false;
  if (plan.touches_masked) return true;
  if (plan.basis.masks == gate_.masks()->id) return false;
  if (plan.inner) return true;
  const auto now = planner_.plan(plan.source, plan_context());
  return !now || now->size() != 1 || now->front()->touches_masked;
}

Pause Exchange::on_execute(Bytes payload, Bytes raw) {
  auto execute = Execute::parse(payload);
  if (!execute) return protocol_violation(execute.error().detail);
  auto portal = names_.portal(execute->portal);
  if (!portal) return refuse_in_pipeline(undefined_portal(execute->portal));
  const auto& plan = portal->plan;
  if (differs_now(*plan)) {
    // Its rewrite would differ now; what is open was made under rules that no longer hold.
    return refuse_in_pipeline(
        render_error(sqlstate::kInvalidCursorName,
                     "sluice: the policy or the schema has changed, and the portal was closed", {},
                     "Bind and execute the statement again."));
  }

  auto proposal = gate_.decide(portal->operation);
  if (proposal.denied()) return refuse_in_pipeline(render(gate_.refuse(std::move(proposal))));
  if (plan->denial) return refuse_in_pipeline(render(gate_.refuse(std::move(proposal), plan->denial)));
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
  begin_effects(run);
  resume(run);

  if (!portal->shape && is_read(*portal->operation)) {
    // Without a description nobody knows which columns are keys. The client did not ask, so it does not hear.
    gateway_.describe(NamedObject::portal, portal->upstream_name);
    auto& described = pending_.emplace_back();
    described.kind = Pending::Kind::describe_portal;
    described.portal = portal;
    described.hidden = true;
  }
  Pending pending;
  pending.kind = Pending::Kind::execute;
  pending.portal = portal;
  pending.client_limit = !execute->unlimited();
  auto max_rows = execute->max_rows;
  if (const auto left = run.meter->remaining_rows();
      left && must_count(*plan, *portal->operation, run.permit->obligations())) {
    max_rows = rows_to_ask(*left, execute->max_rows);
    pending.server_limit = true;
    barrier_ = true;
  }
  if (max_rows == execute->max_rows && portal->upstream_name.empty()) {
    to_server_.send(*run.permit, raw);
  } else {
    scratch_.clear();
    if (auto encoded = encode_execute(scratch_, portal->upstream_name, max_rows); !encoded) {
      finish_run(run, record::OutcomeStatus::failed, "", std::nullopt);
      undo_changes(run.changes);
      return refuse_in_pipeline(render_error(sqlstate::kProgramLimitExceeded, encoded.error().detail));
    }
    to_server_.send(*run.permit, as_bytes(scratch_));
  }
  pending.runs.push_back(std::move(run));
  pending_.push_back(std::move(pending));
  return Pause::none;
}

Pause Exchange::on_close(Bytes payload) {
  auto close = Close::parse(payload);
  if (!close) return protocol_violation(close.error().detail);
  Pending pending;
  pending.kind = Pending::Kind::close;
  std::string name{"slc_none"};  // closing what does not exist is no error
  if (close->object == NamedObject::statement) {
    if (auto prepared = names_.statement(close->name)) name = prepared->upstream_name;
    pending.changes.emplace_back(names_.set_statement(close->name, nullptr));
  } else {
    if (auto portal = names_.portal(close->name)) name = portal->upstream_name;
    pending.changes.emplace_back(names_.set_portal(close->name, nullptr));
  }
  gateway_.close(close->object, name);
  pending_.push_back(std::move(pending));
  return Pause::none;
}

Pause Exchange::on_sync() {
  skip_to_sync_ = false;
  written_since_sync_ = false;
  gateway_.sync();
  auto& pending = pending_.emplace_back();
  pending.kind = Pending::Kind::sync;
  return Pause::none;
}

// --- COPY FROM STDIN
// ------------------------------------------------------------------------------------------------

// Data belongs to the COPY that the server has asked for; the server ignores it at any other time, and so
// does this.
Pause Exchange::on_copy_message(const FrontendFrame& frame, Bytes raw) {
  if (!copying_in_ && copy_is_awaited()) return Pause::server;
  stop_overdue();
  if (!copying_in_) return Pause::none;
  if (frame.type != FrontendType::copy_data) copying_in_ = false;
  forward_copy(raw);
  return Pause::none;
}

// A COPY is on its way, and the server has not said yet that it wants the data: some clients do not wait for
// that.
bool Exchange::copy_is_awaited() const {
  if (pending_.empty()) return false;
  const auto& last = pending_.back();
  return std::ranges::any_of(last.runs | std::views::drop(last.current), [](const Run& run) {
    return run.plan->kind == PlanKind::copy_in && !run.stopped && !run.finished;
  });
}

void Exchange::forward_copy(Bytes raw) {
  auto* run = current_run();
  if (run == nullptr || !run->permit) return;
  to_server_.send(*run->permit, raw);
}

}  // namespace sluice::proxy::pg
