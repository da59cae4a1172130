// What the server says beside results: errors, notices, settings and notifications. Of statements on masked
// relations it is reduced, because its messages quote data; and errors are where they could quote more than
// the reply may carry.
#include "proxy/pg/exchange/exchange.h"

#include <charconv>

#include "proxy/pg/exchange/refusal.h"
#include "proxy/pg/session/session_settings.h"
#include "wire/pg/sqlstate.h"

namespace sluice::proxy::pg {

using namespace wire::pg;

namespace {

// Whether the catalogue has an object of this kind and name: then a message may name it.
bool is_catalogue_name(const postgres::Catalogue& catalogue, DiagnosticName kind, std::string_view name) {
  for (const auto& relation : catalogue.contents().relations) {
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
        if (std::ranges::find(relation.indexes, name, &postgres::Index::name) != relation.indexes.end() ||
            std::ranges::find(relation.constraints, name, &postgres::Constraint::name) !=
                relation.constraints.end()) {
          return true;
        }
        break;
      case DiagnosticName::data_type: break;
    }
  }
  return false;
}

bool returns_records(Verb verb) {
  return verb == Verb::search || verb == Verb::fetch || verb == Verb::scroll || verb == Verb::export_;
}

// Whether the values in an error would pass by the policy: a failed cast quotes its argument, which
// string_agg may have made of all records. Where the reply is bounded they would not be counted, and who may
// only count has not been allowed to read.
bool errors_could_evade(const Operation& operation, const Ruling& ruling) {
  const auto reads = [](const CollectionUse& use) { return has(use.access, Access::read); };
  if (std::ranges::none_of(operation.collections, reads)) return false;
  if (returns_records(operation.verb) || std::ranges::any_of(operation.also, returns_records)) {
    return ruling.obligations.max_records || !ruling.quotas.empty();
  }
  return operation.verb == Verb::count || operation.verb == Verb::aggregate;
}

// Errors that quote no stored value: those about the client's own text (the server says where in it, which it
// does only before it runs anything), about privileges, the transaction, other sessions and resources.
bool quotes_no_record(const Diagnostics& diagnostics) {
  constexpr std::array<std::string_view, 5> kClasses = {"25", "40", "53", "55", "57"};
  const auto sqlstate = diagnostics.find('C').value_or("");
  return position_of(diagnostics) || sqlstate == sqlstate::kInsufficientPrivilege ||
         std::ranges::find(kClasses, sqlstate.substr(0, 2)) != kClasses.end();
}

// Errors that come before anything has run, or from outside: whether they come does not hang on what a search has
// found. (One about another session's lock may.)
bool hangs_on_no_row(const Diagnostics& diagnostics) {
  return position_of(diagnostics) || diagnostics.find('C').value_or("").starts_with("57");
}

// A position counts in the text that the server got; what the client wrote may lack what was put in.
std::string position_in_source(const Plan& plan, std::string_view position) {
  std::uint32_t at = 0;
  std::from_chars(position.data(), position.data() + position.size(), at);
  const auto before = plan.insertion.before(at);
  return before == 0 ? std::string{} : std::to_string(before);
}

// A position in one statement of a query string, as it is in the whole.
std::string position_behind(std::uint32_t characters, std::string_view position) {
  std::uint32_t at = 0;
  std::from_chars(position.data(), position.data() + position.size(), at);
  return at == 0 ? std::string{} : std::to_string(std::uint64_t{characters} + at);
}

}  // namespace

// What a statement on masked relations makes the server say is reduced: its messages quote data.
DiagnosticLevel Exchange::diagnostic_level() {
  if (requests_.empty()) return gate_.masks()->empty() ? DiagnosticLevel::verbatim : DiagnosticLevel::reduced;
  const auto masked = [](const std::shared_ptr<const Plan>& plan) { return plan && plan->touches_masked; };
  const auto& front = requests_.front();
  bool reduced = front.prepared && masked(front.prepared->plan);
  reduced |= front.portal && masked(front.portal->plan);
  for (const auto& run : front.runs) reduced |= masked(run.plan);
  return reduced ? DiagnosticLevel::reduced : DiagnosticLevel::verbatim;
}

Pause Exchange::on_error(Bytes payload) {
  auto diagnostics = Diagnostics::parse(payload);
  if (!diagnostics) return server_violation(diagnostics.error().detail);
  auto level = diagnostic_level();
  const auto* about = requests_.current_run();
  const bool evades = level == DiagnosticLevel::verbatim && about != nullptr && about->permit &&
                      errors_could_evade(*about->plan->operation, about->permit->ruling()) &&
                      !quotes_no_record(*diagnostics);
  if (evades) level = DiagnosticLevel::reduced;
  auto fields = reduce(*diagnostics, level, [this](DiagnosticName kind, std::string_view name) {
    const auto& catalogue = planner_.catalogue();
    return catalogue && is_catalogue_name(*catalogue, kind, name);
  });
  if (evades) {
    fields.hint =
        "The database's own words could quote more records than the policy lets this statement return.";
  }
  if (requests_.empty()) {  // it ends the session: shut down, terminated, timed out
    tell_client(fields);
    closing_ = {record::SessionEndReason::upstream_closed, fields.sqlstate};
    final_ = closing_;
    return Pause::close;
  }
  auto& front = requests_.front();
  if (front.kind ==
      Request::Kind::sync) {  // the commit failed: a constraint that was deferred to it, for example
    tell_client(fields);
    return Pause::none;
  }

  auto* run = requests_.current_run();
  const bool told = run != nullptr && run->stopped;
  if (front.error) fields = *front.error;
  if (run != nullptr && !told && !hangs_on_no_row(*diagnostics)) {
    // Whether it comes may hang on what a search has found.
    if (auto denial = probe_of_failure(*run)) fields = *std::move(denial);
  }
  const auto* plan = run != nullptr ? run->plan.get() : front.prepared ? front.prepared->plan.get() : nullptr;
  if (plan != nullptr && plan->rewritten) fields.position = position_in_source(*plan, fields.position);
  if (front.of_string && string_ && !front.error) {
    fields.position = position_behind(string_->parts[string_->sent].characters_before, fields.position);
  }
  // A key that was put in may have been renamed a moment ago by somebody else: the next statement looks
  // again.
  if (plan != nullptr && plan->carried > 0 && fields.sqlstate == sqlstate::kUndefinedColumn)
    catalogue_.found_wrong();
  if (!told && !front.hidden && !front.silent) {
    scratch_.clear();
    encode_error_response(scratch_, fields);
    pass_own(run, scratch_);
  } else if (front.hidden && front.kind != Request::Kind::fail_pipeline) {
    tell_client(fields);  // of a step that the gateway took for the client: its request fails for it
  }
  if (run != nullptr && !run->finished) {
    const auto status = fields.sqlstate == sqlstate::kQueryCanceled ? record::OutcomeStatus::cancelled
                                                                    : record::OutcomeStatus::upstream_error;
    if (!finish_run(*run, status, fields.sqlstate, std::nullopt)) return Pause::close;
  }
  effects_.undo(front);
  for (std::size_t i = front.current + 1; i < front.runs.size(); ++i) {
    if (!finish_run(front.runs[i], record::OutcomeStatus::failed, "", std::nullopt)) return Pause::close;
  }
  front.current = front.runs.size();
  copying_in_ = false;
  if (front.kind == Request::Kind::query || front.kind == Request::Kind::fail_query) return Pause::none;
  return drop_until_sync();
}

// After an error the server skips everything up to the next Sync, and so do our books.
Pause Exchange::drop_until_sync() {
  // Newest first, so that a name set twice ends as it was before both.
  const auto end = requests_.before_sync();
  for (std::size_t i = end; i-- > 0;) {
    if (i > 0) {
      for (auto& run : requests_[i].runs) {
        if (!finish_run(run, record::OutcomeStatus::failed, "", std::nullopt)) return Pause::close;
      }
    }
    effects_.undo(requests_[i]);
  }
  if (end == requests_.size()) skip_to_sync_ = true;
  requests_.drop_first(end);
  return Pause::none;
}

Pause Exchange::on_notice(Bytes payload) {
  auto diagnostics = Diagnostics::parse(payload);
  if (!diagnostics) return server_violation(diagnostics.error().detail);
  if (!requests_.empty() && requests_.front().hidden) return Pause::none;
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
  if (!is_reported(status->name)) return Pause::none;
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
