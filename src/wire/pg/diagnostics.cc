#include "wire/pg/diagnostics.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "wire/pg/sqlstate.h"

namespace sluice::wire::pg {
namespace {

Severity severity_of(const Diagnostics& diagnostics) {
  using enum Severity;
  // V is never translated, but servers before 9.6 do not send it.
  auto word = diagnostics.find('V').or_else([&] { return diagnostics.find('S'); }).value_or("");
  for (auto severity : {debug, log, info, notice, warning, error, fatal, panic}) {
    if (word == to_string(severity)) return severity;
  }
  return error;
}

struct TextField {
  char code;
  std::string ErrorFields::* text;
};
constexpr auto kTextFields = std::to_array<TextField>({
    {'S', &ErrorFields::localized_severity},
    {'M', &ErrorFields::message},
    {'D', &ErrorFields::detail},
    {'H', &ErrorFields::hint},
    {'P', &ErrorFields::position},
    {'p', &ErrorFields::internal_position},
    {'q', &ErrorFields::internal_query},
    {'W', &ErrorFields::where},
    {'s', &ErrorFields::schema},
    {'t', &ErrorFields::table},
    {'c', &ErrorFields::column},
    {'d', &ErrorFields::data_type},
    {'n', &ErrorFields::constraint},
    {'F', &ErrorFields::file},
    {'L', &ErrorFields::line},
    {'R', &ErrorFields::routine},
});

struct NameField {
  char code;
  DiagnosticName kind;
  std::string ErrorFields::* text;
};
constexpr auto kNameFields = std::to_array<NameField>({
    {'s', DiagnosticName::schema, &ErrorFields::schema},
    {'t', DiagnosticName::table, &ErrorFields::table},
    {'c', DiagnosticName::column, &ErrorFields::column},
    {'d', DiagnosticName::data_type, &ErrorFields::data_type},
    {'n', DiagnosticName::constraint, &ErrorFields::constraint},
});

}  // namespace

ErrorFields reduce(const Diagnostics& diagnostics, DiagnosticLevel level, const KnownName& known) {
  ErrorFields fields{.severity = severity_of(diagnostics)};
  auto sqlstate = diagnostics.find('C').value_or("");
  fields.sqlstate = is_sqlstate(sqlstate) ? sqlstate : sqlstate::kInternalError;
  if (level == DiagnosticLevel::verbatim) {
    for (const auto& [code, text] : kTextFields) fields.*text = diagnostics.find(code).value_or("");
    return fields;
  }
  fields.message = condition_text(fields.sqlstate);
  for (const auto& [code, kind, text] : kNameFields) {
    auto name = diagnostics.find(code);
    if (name && known && known(kind, *name)) fields.*text = *name;
  }
  return fields;
}

std::optional<std::uint32_t> position_of(const Diagnostics& diagnostics) {
  auto text = diagnostics.find('P').value_or("");
  std::uint32_t position = 0;
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), position);
  if (problem != std::errc{} || end != text.data() + text.size() || position == 0) return std::nullopt;
  return position;
}

}  // namespace sluice::wire::pg
