// What the server says beside results: errors, notices, settings and notifications. Of statements on masked
// relations it is reduced, because its messages quote data.
#include "proxy/pg/exchange.h"

#include <charconv>

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

// A position counts in the text that the server got; what the client wrote may lack what was put in.
std::string position_in_source(const Plan& plan, std::string_view position) {
  std::uint32_t at = 0;
  std::from_chars(position.data(), position.data() + position.size(), at);
  const auto before = plan.insertion.before(at);
  return before == 0 ? std::string{} : std::to_string(before);
}

}  // namespace

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

}  // namespace sluice::proxy::pg
