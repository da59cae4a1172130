// The sanitiser of ErrorResponse and NoticeResponse: PostgreSQL's messages quote data (a failed cast prints
// the value, a violated constraint the whole row, a dynamic statement its text), so on statements that touch
// masked relations only what cannot carry a value passes.
//
//   TRY(auto diagnostics, Diagnostics::parse(frame.payload));
//   encode_error_response(out, reduce(diagnostics, DiagnosticLevel::reduced, is_known_name));
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "wire/pg/backend.h"
#include "wire/pg/encode.h"

namespace sluice::wire::pg {

enum class DiagnosticLevel : std::uint8_t {
  // The fields that the manual names, unchanged; others are dropped.
  verbatim,
  // Severity, SQLSTATE, the condition's own text, names that the caller vouches for. No position: the
  // server's counts in the text that was sent to it; the caller sets one mapped to the client's text.
  reduced,
};

enum class DiagnosticName : std::uint8_t { schema, table, column, data_type, constraint };

// True if the name is one of the catalogue (and so no value that a function raised under the guise of a
// name).
using KnownName = std::function<bool(DiagnosticName, std::string_view)>;

// A missing or malformed SQLSTATE becomes XX000, a missing or foreign severity ERROR. `known` is asked only
// for `reduced`; without one no name passes.
ErrorFields reduce(const Diagnostics& diagnostics, DiagnosticLevel level, const KnownName& known = {});

// Field P as a number, in characters from 1; nullopt if absent or not a number.
std::optional<std::uint32_t> position_of(const Diagnostics& diagnostics);

}  // namespace sluice::wire::pg
