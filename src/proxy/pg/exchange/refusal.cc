#include "proxy/pg/exchange/refusal.h"

#include <fmt/ranges.h>

#include "wire/pg/sqlstate.h"

namespace sluice::proxy::pg {
namespace {

using namespace wire::pg;

std::string_view sqlstate_of(Reason reason) {
  switch (reason) {
    case Reason::record_unavailable:
      return "58030";  // io_error: nothing may pass while the record is not writable
    case Reason::protocol: return sqlstate::kFeatureNotSupported;
    default: return "42501";  // insufficient_privilege
  }
}

std::string what(const Operation& operation) {
  std::vector<std::string_view> names;
  for (const auto& use : operation.collections) names.push_back(use.name);
  if (names.empty()) return std::string{to_string(operation.verb)};
  return fmt::format("{} on {}", to_string(operation.verb), fmt::join(names, ", "));
}

}  // namespace

ErrorFields render_denial(const Denial& denial, const Operation* operation, SessionId session,
                          OperationId id) {
  ErrorFields fields;
  fields.sqlstate = sqlstate_of(denial.reason);
  fields.message = "sluice: " + denial.message;
  if (operation != nullptr && denial.rule.empty()) {
    fields.detail = fmt::format("Refused ({}): {}. Operation {}.", to_string(denial.reason), what(*operation),
                                format_operation(session, id));
  } else if (operation != nullptr) {
    fields.detail = fmt::format("Rule \"{}\" refused ({}): {}. Operation {}.", denial.rule,
                                to_string(denial.reason), what(*operation), format_operation(session, id));
  } else {
    fields.detail = fmt::format("Operation {}.", format_operation(session, id));
  }
  fields.hint = denial.hint;
  return fields;
}

ErrorFields render_error(std::string_view sqlstate, std::string message, std::string detail,
                         std::string hint) {
  ErrorFields fields;
  fields.sqlstate = sqlstate;
  fields.message = std::move(message);
  fields.detail = std::move(detail);
  fields.hint = std::move(hint);
  return fields;
}

ErrorFields undefined_table(std::string_view name) {
  return render_error(sqlstate::kUndefinedTable, fmt::format("relation \"{}\" does not exist", name), {},
                      "Sluice knows it neither: names are resolved along the session's search_path.");
}

ErrorFields too_many(std::string_view objects) {
  return render_error(sqlstate::kProgramLimitExceeded,
                      fmt::format("too many {} in this session, or too much text in what it keeps", objects),
                      {}, "Close those that are no longer needed.");
}

ErrorFields render_warning(std::string message) {
  ErrorFields fields;
  fields.severity = Severity::warning;
  fields.sqlstate = "01000";
  fields.message = std::move(message);
  return fields;
}

ErrorFields render_hold(const ReviewId& review, const ReviewTerms& terms) {
  ErrorFields fields;
  fields.severity = Severity::notice;
  fields.sqlstate = "00000";
  fields.message = fmt::format("sluice: review {} is needed by rule \"{}\"; waiting up to {} s", review.value,
                               terms.rule, terms.hold.count());
  fields.detail = fmt::format("It may be approved by: {}.", fmt::join(terms.by, ", "));
  fields.hint = fmt::format("Ask an approver to run: sluice review approve {}", review.value);
  return fields;
}

}  // namespace sluice::proxy::pg
