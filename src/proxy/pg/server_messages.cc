// What the server says, message by message: each answers the oldest request that is outstanding. The server
// is untrusted input like the client: what fits no request, or no state, ends the session.
#include "proxy/pg/exchange.h"

#include <charconv>
#include <ranges>

#include "core/log.h"
#include "proxy/pg/carried_columns.h"
#include "proxy/pg/refusal.h"
#include "proxy/pg/session_settings.h"
#include "wire/pg/sqlstate.h"

namespace sluice::proxy::pg {

using namespace wire::pg;

namespace {

// ParameterStatus that clients know (manual, "Asynchronous Operations"); others stay here.
constexpr std::array<std::string_view, 16> kReportedParameters = {
    "DateStyle",
    "IntervalStyle",
    "TimeZone",
    "application_name",
    "client_encoding",
    "default_transaction_read_only",
    "in_hot_standby",
    "integer_datetimes",
    "is_superuser",
    "scram_iterations",
    "search_path",
    "server_encoding",
    "server_version",
    "session_authorization",
    "standard_conforming_strings",
    "geqo",
};

bool returns_records(const Operation& operation) {
  switch (operation.verb) {
    case Verb::search:
    case Verb::fetch:
    case Verb::scroll:
    case Verb::export_:
    case Verb::write:
    case Verb::remove: return true;
    default: return false;
  }
}

// The number of cells that a DataRow says it has.
std::optional<std::size_t> cell_count(Bytes payload) {
  if (payload.size() < 2) return std::nullopt;
  return std::size_t{payload[0]} << 8 | payload[1];
}

// A position counts in the text that the server got; what the client wrote may lack what was put in.
std::string position_in_source(const Plan& plan, std::string_view position) {
  std::uint32_t at = 0;
  std::from_chars(position.data(), position.data() + position.size(), at);
  const auto before = plan.insertion.before(at);
  return before == 0 ? std::string{} : std::to_string(before);
}

bool is_binary_copy_trailer(Bytes payload) {
  return payload.size() == 2 && payload[0] == 0xFF && payload[1] == 0xFF;
}

}  // namespace

// --- framing
// --------------------------------------------------------------------------------------------------------

Step Exchange::on_server(Bytes received) {
  Step step;
  while (step.consumed < received.size()) {
    if (final_) return {step.consumed, Pause::close};
    if (waiting_) return {step.consumed, Pause::review};
    const auto rest = received.subspan(step.consumed);
    if (relay_left_ > 0) {
      const auto piece =
          rest.first(static_cast<std::size_t>(std::min<std::uint64_t>(relay_left_, rest.size())));
      if (relay_shown_) pass(current_run(), piece);
      relay_left_ -= piece.size();
      step.consumed += piece.size();
      continue;
    }
    auto frame = frame_backend(rest);
    if (!frame) return {step.consumed, server_violation(frame.error().detail)};
    if (!frame->has_header()) break;
    const bool data = frame->type == BackendType::data_row || frame->type == BackendType::copy_data;
    // A huge row is passed on in pieces: its beginning now, the rest as it comes. Not before as much of it is
    // there as would be held of a smaller one: the number of its cells and the keys in front must be read.
    const bool in_pieces =
        data && frame->size > limits_.held_row_bytes && rest.size() >= limits_.held_row_bytes;
    if (!frame->complete() && !in_pieces) break;
    const auto raw = frame->complete() ? rest.first(static_cast<std::size_t>(frame->size)) : rest;
    const auto pause = one_server_message(*frame, raw);
    if (pause == Pause::review) {
      if (const auto recorded = end_of_part(); recorded != Pause::none) return {step.consumed, recorded};
      return {step.consumed, pause};
    }
    if (!frame->complete()) {
      relay_left_ = frame->size - raw.size();
      relay_shown_ = pause == Pause::none && current_run() != nullptr && !current_run()->stopped;
    }
    step.consumed += raw.size();
    if (pause == Pause::close) return {step.consumed, pause};
  }
  step.pause = final_ ? Pause::close : end_of_part();
  return step;
}

// Before a part of an unfinished reply leaves, its count and digest are recorded.
Pause Exchange::end_of_part() {
  auto* run = current_run();
  if (run == nullptr || !run->meter || run->finished) return Pause::none;
  if (auto recorded = run->meter->chunk(); !recorded) return record_failed(recorded.error());
  return Pause::none;
}

Pause Exchange::one_server_message(const BackendFrame& frame, Bytes raw) {
  stop_overdue();
  if (!pending_.empty() && pending_.front().kind == Pending::Kind::catalogue &&
      frame.type != BackendType::parameter_status && frame.type != BackendType::notice_response) {
    return on_catalogue_message(frame);
  }
  switch (frame.type) {
    case BackendType::data_row: return on_data_row(frame, raw);
    case BackendType::row_description: return on_row_description(frame.payload, raw);
    case BackendType::command_complete: return on_command_complete(frame.payload, raw);
    case BackendType::empty_query_response: return on_command_complete(Bytes{}, raw);
    case BackendType::portal_suspended: return on_portal_suspended(raw);
    case BackendType::error_response: return on_error(frame.payload);
    case BackendType::notice_response: return on_notice(frame.payload);
    case BackendType::parameter_status: return on_parameter_status(frame.payload);
    case BackendType::notification_response: return on_notification(raw);
    case BackendType::ready_for_query: return on_ready(frame.payload, raw);
    case BackendType::copy_in_response:
    case BackendType::copy_out_response: return on_copy_response(frame.type, frame.payload, raw);
    case BackendType::copy_data: return on_copy_out_data(frame, raw);
    case BackendType::copy_done:
      if (auto* run = current_run(); run != nullptr && !run->stopped) pass(run, raw);
      return Pause::none;
    case BackendType::parse_complete:
    case BackendType::bind_complete:
    case BackendType::close_complete:
    case BackendType::no_data:
    case BackendType::parameter_description: return on_completion(frame.type, raw);
    case BackendType::authentication:
    case BackendType::backend_key_data:
    case BackendType::copy_both_response:
    case BackendType::function_call_response:
    case BackendType::negotiate_protocol_version: break;
  }
  return server_violation(fmt::format("{} out of turn", to_string(frame.type)));
}

// --- passing on
// -----------------------------------------------------------------------------------------------------

Exchange::Run* Exchange::current_run() {
  if (pending_.empty()) return nullptr;
  auto& front = pending_.front();
  return front.current < front.runs.size() ? &front.runs[front.current] : nullptr;
}

void Exchange::pass(Run* run, Bytes raw) {
  to_client_.relay(raw);
  if (run != nullptr && run->meter && !run->finished) run->meter->sent(raw);
}

void Exchange::pass_own(Run* run, const std::string& message) {
  to_client_.own().append(message);
  to_client_.commit();
  if (run != nullptr && run->meter && !run->finished) run->meter->sent_own(message);
}

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

// --- rows
// -----------------------------------------------------------------------------------------------------------

Pause Exchange::on_data_row(const BackendFrame& frame, Bytes raw) {
  auto* run = current_run();
  if (run == nullptr || !run->meter) return server_violation("DataRow out of turn");
  if (run->stopped) return Pause::none;
  if (const auto pause = count_record(*run); pause != Pause::none || run->stopped) return pause;
  if (!run->observed) begin_observation(*run);
  if (run->shape && cell_count(frame.payload) != run->shape->columns.size()) {
    return server_violation("DataRow does not fit its RowDescription");
  }
  if (!frame.complete() || !run->shape) {
    ids_.set_unknown();
    sample_.count_row();
  } else if (sample_.wants_more() || !run->shape->keys.empty() || !run->shape->all_known) {
    auto row = DataRow::parse(frame.payload);
    if (!row) return server_violation(row.error().detail);
    observe_row(*run->shape, *row, sample_, ids_);
  } else {
    sample_.count_row();
  }
  if (run->plan->carried == 0) {
    pass(run, raw);
    return Pause::none;
  }
  return pass_row_without_keys(*run, frame);
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
  sample_.clear();
  ids_.clear();
  if (!run.shape && run.portal) run.shape = run.portal->shape;
  if (!run.shape) return;
  std::vector<std::string_view> names;
  for (const auto& column : run.shape->columns | std::views::drop(run.shape->carried))
    names.push_back(column.name);
  sample_.set_columns(names);
}

Pause Exchange::on_row_description(Bytes payload, Bytes raw) {
  if (pending_.empty()) return server_violation("RowDescription out of turn");
  auto& front = pending_.front();
  const auto* catalogue = planner_.catalogue().get();
  std::uint16_t carried = 0;
  if (front.kind == Pending::Kind::describe_portal) {
    // Executions of a prepared statement are described alike, and the portal has the statement's shape.
    const auto& portal = *front.portal;
    if (portal.shape && portal.shape->is_of(payload, portal.plan->carried, catalogue)) {
      const auto pause =
          front.hidden ? Pause::none : pass_description(nullptr, payload, raw, portal.plan->carried);
      pending_.pop_front();
      return pause;
    }
  }
  auto description = RowDescription::parse(payload);
  if (!description) return server_violation(description.error().detail);
  switch (front.kind) {
    case Pending::Kind::query: {
      auto* run = current_run();
      if (run == nullptr) return server_violation("RowDescription after the last statement");
      if (run->shape) return server_violation("a second RowDescription");
      carried = run->plan->carried;
      run->shape = ResultShape::make(payload, *description, run->permit->operation(), carried, catalogue);
      return run->stopped ? Pause::none : pass_description(run, payload, raw, carried);
    }
    case Pending::Kind::describe_statement:
      carried = front.prepared->plan->carried;
      front.prepared->shape =
          ResultShape::make(payload, *description, *front.prepared->plan->operation, carried, catalogue);
      front.prepared->shape_formats.clear();
      break;
    case Pending::Kind::describe_portal: {
      auto& portal = *front.portal;
      carried = portal.plan->carried;
      portal.shape = ResultShape::make(payload, *description, *portal.operation, carried, catalogue);
      if (portal.statement) {
        portal.statement->shape = portal.shape;
        portal.statement->shape_formats = portal.result_formats;
      }
      break;
    }
    default: return server_violation("RowDescription out of turn");
  }
  const auto pause = front.hidden ? Pause::none : pass_description(nullptr, payload, raw, carried);
  pending_.pop_front();
  return pause;
}

Pause Exchange::pass_description(Run* run, Bytes payload, Bytes raw, std::uint16_t carried) {
  if (carried == 0) {
    pass(run, raw);
    return Pause::none;
  }
  scratch_.clear();
  if (!description_without(scratch_, payload, carried)) {
    return server_violation("RowDescription lacks the keys that were asked for");
  }
  pass_own(run, scratch_);
  return Pause::none;
}

// --- bounds
// ---------------------------------------------------------------------------------------------------------

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
        hold_end_.reset();
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
void Exchange::stop_with(Run& run, ErrorFields error) {
  scratch_.clear();
  encode_error_response(scratch_, error);
  pass_own(&run, scratch_);
  run.stopped = true;
  finish_run(run, record::OutcomeStatus::stopped, error.sqlstate, std::nullopt);
  auto& front = pending_.front();
  if (copying_in_) {  // the server waits for data, where it does not look for a cancel
    gateway_.copy_fail("stopped by the gateway");
    copying_in_ = false;
  } else if (front.kind == Pending::Kind::query) {
    cancel_server_ = true;
  }
  if (front.kind == Pending::Kind::query) return;
  if (!front.server_limit) cancel_server_ = true;
  const bool synced =
      std::ranges::any_of(pending_, [](const auto& p) { return p.kind == Pending::Kind::sync; });
  if (synced) return;
  // Nothing after this may take effect on the server either.
  gateway_.fail_in_pipeline();
  auto& failing = pending_.emplace_back();
  failing.kind = Pending::Kind::fail_pipeline;
  failing.hidden = true;
  skip_to_sync_ = true;
}

// --- ends of statements
// ---------------------------------------------------------------------------------------------

Pause Exchange::on_command_complete(Bytes payload, Bytes raw) {
  auto* run = current_run();
  if (run == nullptr || !run->meter) return server_violation("CommandComplete out of turn");
  std::optional<std::uint64_t> affected;
  if (!payload.empty()) {
    auto complete = CommandComplete::parse(payload);
    if (!complete) return server_violation(complete.error().detail);
    const auto verb = run->permit->operation().verb;
    if (verb == Verb::write || verb == Verb::remove) affected = complete->rows();
  }
  if (!run->stopped) {
    pass(run, raw);
    if (!finish_run(*run, record::OutcomeStatus::ok, "", affected)) return Pause::close;
  }
  complete_effects(*run);
  next_run();
  return Pause::none;
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

Pause Exchange::on_portal_suspended(Bytes raw) {
  auto* run = current_run();
  if (run == nullptr || pending_.front().kind != Pending::Kind::execute) {
    return server_violation("PortalSuspended out of turn");
  }
  if (!run->stopped) {
    pass(run, raw);
    if (!finish_run(*run, record::OutcomeStatus::suspended, "", std::nullopt)) return Pause::close;
  }
  complete_effects(*run);
  next_run();
  return Pause::none;
}

// --- errors and notices
// ---------------------------------------------------------------------------------------------

// What a statement on masked relations makes the server say is reduced: its messages quote data.
DiagnosticLevel Exchange::diagnostic_level() {
  if (pending_.empty()) return gate_.masks()->empty() ? DiagnosticLevel::verbatim : DiagnosticLevel::reduced;
  const auto masked = [](const std::shared_ptr<const Plan>& plan) { return plan && plan->touches_masked; };
  const auto& front = pending_.front();
  bool reduced = front.prepared && masked(front.prepared->plan);
  reduced |= front.portal && masked(front.portal->plan);
  for (const auto& run : front.runs) reduced |= masked(run.plan);
  return reduced ? DiagnosticLevel::reduced : DiagnosticLevel::verbatim;
}

bool Exchange::is_catalogue_name(DiagnosticName kind, std::string_view name) {
  const auto& catalogue = planner_.catalogue();
  if (!catalogue) return false;
  for (const auto& relation : catalogue->contents().relations) {
    switch (kind) {
      case DiagnosticName::schema:
        if (relation.schema == name) return true;
        break;
      case DiagnosticName::table:
        if (relation.name == name) return true;
        break;
      case DiagnosticName::column:
        if (relation.column(name) != nullptr) return true;
        break;
      case DiagnosticName::constraint:
        if (std::ranges::any_of(relation.indexes, [&](const auto& index) { return index.name == name; }))
          return true;
        break;
      case DiagnosticName::data_type: break;
    }
  }
  return false;
}

Pause Exchange::on_error(Bytes payload) {
  auto diagnostics = Diagnostics::parse(payload);
  if (!diagnostics) return server_violation(diagnostics.error().detail);
  auto fields = reduce(*diagnostics, diagnostic_level(), [this](DiagnosticName kind, std::string_view name) {
    return is_catalogue_name(kind, name);
  });
  if (pending_.empty()) {  // it ends the session: shut down, terminated, timed out
    tell_client(fields);
    closing_ = {record::SessionEndReason::upstream_closed, fields.sqlstate};
    final_ = closing_;
    return Pause::close;
  }
  auto& front = pending_.front();
  if (front.kind == Pending::Kind::sync) return server_violation("ErrorResponse in answer to Sync");

  auto* run = current_run();
  const bool told = run != nullptr && run->stopped;
  if (front.error) fields = *front.error;
  const auto* plan = run != nullptr ? run->plan.get() : front.prepared ? front.prepared->plan.get() : nullptr;
  if (plan != nullptr && plan->rewritten) fields.position = position_in_source(*plan, fields.position);
  // A key that was put in may have been renamed a moment ago by somebody else: the next statement looks
  // again.
  if (plan != nullptr && plan->carried > 0 && fields.sqlstate == sqlstate::kUndefinedColumn)
    catalogue_stale_ = true;
  if (!told && !front.hidden && !front.silent) {
    scratch_.clear();
    encode_error_response(scratch_, fields);
    pass_own(run, scratch_);
  } else if (front.hidden && front.kind != Pending::Kind::fail_pipeline) {
    tell_client(fields);  // of a step that the gateway took for the client: its request fails for it
  }
  if (run != nullptr && !run->finished) {
    const auto status = fields.sqlstate == sqlstate::kQueryCanceled ? record::OutcomeStatus::cancelled
                                                                    : record::OutcomeStatus::upstream_error;
    if (!finish_run(*run, status, fields.sqlstate, std::nullopt)) return Pause::close;
  }
  undo_changes(front);
  for (std::size_t i = front.current + 1; i < front.runs.size(); ++i) {
    if (!finish_run(front.runs[i], record::OutcomeStatus::failed, "", std::nullopt)) return Pause::close;
  }
  front.current = front.runs.size();
  copying_in_ = false;
  if (front.kind == Pending::Kind::query || front.kind == Pending::Kind::fail_query) return Pause::none;
  return drop_until_sync();
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

// After an error the server skips everything up to the next Sync, and so do our books.
Pause Exchange::drop_until_sync() {
  // Newest first, so that a name set twice ends as it was before both.
  std::size_t end = 0;
  while (end < pending_.size() && pending_[end].kind != Pending::Kind::sync) ++end;
  for (std::size_t i = end; i-- > 0;) {
    if (i > 0) {
      for (auto& run : pending_[i].runs) {
        if (!finish_run(run, record::OutcomeStatus::failed, "", std::nullopt)) return Pause::close;
      }
    }
    undo_changes(pending_[i]);
  }
  if (end == pending_.size()) skip_to_sync_ = true;
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(end));
  return Pause::none;
}

Pause Exchange::on_notice(Bytes payload) {
  auto diagnostics = Diagnostics::parse(payload);
  if (!diagnostics) return server_violation(diagnostics.error().detail);
  if (!pending_.empty() && pending_.front().hidden) return Pause::none;
  encode_notice_response(to_client_.own(), reduce(*diagnostics, diagnostic_level()));
  to_client_.commit();
  return Pause::none;
}

Pause Exchange::on_parameter_status(Bytes payload) {
  auto status = ParameterStatus::parse(payload);
  if (!status) return server_violation(status.error().detail);
  if (pinned_value(status->name) && !means_pinned_value(status->name, status->value)) {
    gate_.incident("pin_drift", status->name);
    abandon(record::OutcomeStatus::failed);
    return close_with(record::SessionEndReason::protocol_violation, "57P01",
                      fmt::format("the setting \"{}\" has changed under the session", status->name));
  }
  if (std::ranges::find(kReportedParameters, status->name) == kReportedParameters.end()) return Pause::none;
  const auto value =
      status->name == "application_name" ? std::string_view{gate_.facts().client_name} : status->value;
  if (auto encoded = encode_parameter_status(to_client_.own(), status->name, value); !encoded) {
    return server_violation(encoded.error().detail);
  }
  to_client_.commit();
  return Pause::none;
}

// A payload is free text from anybody's statement: it passes only where nothing is masked.
Pause Exchange::on_notification(Bytes raw) {
  if (gate_.masks()->empty()) pass(nullptr, raw);
  return Pause::none;
}

// --- COPY
// -----------------------------------------------------------------------------------------------------------

Pause Exchange::on_copy_response(BackendType type, Bytes payload, Bytes raw) {
  auto* run = current_run();
  auto response = CopyResponse::parse(payload);
  if (!response) return server_violation(response.error().detail);
  const bool in = type == BackendType::copy_in_response;
  if (run == nullptr || run->plan->kind != (in ? PlanKind::copy_in : PlanKind::copy_out)) {
    return server_violation(fmt::format("{} out of turn", to_string(type)));
  }
  copying_in_ = in;
  if (!run->stopped) pass(run, raw);
  return Pause::none;
}

Pause Exchange::on_copy_out_data(const BackendFrame& frame, Bytes raw) {
  auto* run = current_run();
  if (run == nullptr || run->plan->kind != PlanKind::copy_out)
    return server_violation("CopyData out of turn");
  if (run->stopped) return Pause::none;
  // The server sends one row per message; the trailer of the binary form is none.
  if (!is_binary_copy_trailer(frame.payload)) {
    if (const auto pause = count_record(*run); pause != Pause::none || run->stopped) return pause;
  }
  if (!run->observed) {
    begin_observation(*run);
    ids_.set_unknown();
  }
  sample_.count_row();
  pass(run, raw);
  return Pause::none;
}

// --- acknowledgements
// -----------------------------------------------------------------------------------------------

Pause Exchange::on_completion(BackendType type, Bytes raw) {
  if (pending_.empty()) return server_violation(fmt::format("{} out of turn", to_string(type)));
  auto& front = pending_.front();
  const auto kind = front.kind;
  bool fits = false;
  bool last = true;
  switch (type) {
    case BackendType::parse_complete: fits = kind == Pending::Kind::parse; break;
    case BackendType::bind_complete: fits = kind == Pending::Kind::bind; break;
    case BackendType::close_complete: fits = kind == Pending::Kind::close; break;
    case BackendType::no_data:
      fits = kind == Pending::Kind::describe_statement || kind == Pending::Kind::describe_portal;
      break;
    case BackendType::parameter_description:
      fits = kind == Pending::Kind::describe_statement;
      last = false;
      break;
    default: break;
  }
  if (!fits) return server_violation(fmt::format("{} out of turn", to_string(type)));
  if (!front.hidden) pass(nullptr, raw);
  if (last) pending_.pop_front();
  return Pause::none;
}

Pause Exchange::on_ready(Bytes payload, Bytes raw) {
  auto ready = ReadyForQuery::parse(payload);
  if (!ready) return server_violation(ready.error().detail);
  if (pending_.empty()) return server_violation("ReadyForQuery out of turn");
  auto& front = pending_.front();
  switch (front.kind) {
    case Pending::Kind::query:
    case Pending::Kind::fail_query:
    case Pending::Kind::sync: break;
    default: return server_violation("ReadyForQuery before the answers that are due");
  }
  if (front.current < front.runs.size())
    return server_violation("ReadyForQuery before the last statement's end");
  if (front.kind == Pending::Kind::query && ready->status == TransactionStatus::in_transaction &&
      std::ranges::any_of(front.runs, &Run::stopped)) {
    // The client was told of an error that the server knows nothing of: its transaction fails all the same.
    gateway_.fail_in_query();
    front = Pending{};
    front.kind = Pending::Kind::fail_query;
    front.silent = true;
    return Pause::none;
  }
  if (!front.hidden) pass(nullptr, raw);
  pending_.pop_front();
  transaction_ = ready->status;
  if (transaction_ == TransactionStatus::idle) end_transaction();
  return Pause::none;
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
