// Appends the PostgreSQL messages that a gateway makes itself to a buffer of the caller, so that a batch
// leaves in one write. What is relayed unchanged is not encoded again: append its bytes.
//
// Encoders that take texts or lists answer a Result: a NUL inside a text (which would let a name smuggle
// fields) is `invalid_argument`, a message above `kMaxEncodedMessage` is `too_large`, and then the buffer is
// as it was before. Those that make ErrorResponse and NoticeResponse cannot fail: a text is cut at its first
// NUL and at `kMaxDiagnosticText`.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/result.h"
#include "wire/pg/backend.h"
#include "wire/pg/frontend.h"

namespace sluice::wire::pg {

// The server's MaxAllocSize: neither it nor libpq takes a longer message, and a 32-bit length cannot wrap
// below it.
inline constexpr std::uint64_t kMaxEncodedMessage = 0x3FFF'FFFF;
// Bytes of one text in an error or notice, cut at the end of a UTF-8 character. Longer ones help nobody.
inline constexpr std::size_t kMaxDiagnosticText = 64 * 1024;

// --- towards the upstream ------------------------------------------------------------------------

Result<void> encode_startup_message(std::string& out, std::uint32_t version,
                                    std::span<const StartupParameter> parameters);
void encode_ssl_request(std::string& out);
Result<void> encode_cancel_request(std::string& out, std::uint32_t process_id, Bytes secret_key);
Result<void> encode_password_message(std::string& out, std::string_view password);
Result<void> encode_sasl_initial_response(std::string& out, std::string_view mechanism,
                                          std::string_view response);
Result<void> encode_sasl_response(std::string& out, std::string_view response);

Result<void> encode_query(std::string& out, std::string_view sql);
Result<void> encode_parse(std::string& out, std::string_view statement, std::string_view sql,
                          std::span<const std::uint32_t> parameter_types = {});
Result<void> encode_parse(std::string& out, std::string_view statement, std::string_view sql,
                          const Oids& types);
// From the sections of a parsed Bind, under other names.
Result<void> encode_bind(std::string& out, std::string_view portal, std::string_view statement,
                         Bytes parameter_section, Bytes result_section);
Result<void> encode_bind(std::string& out, std::string_view portal, std::string_view statement,
                         std::span<const Format> parameter_formats, std::span<const Value> parameters,
                         std::span<const Format> result_formats);
Result<void> encode_describe(std::string& out, NamedObject object, std::string_view name);
Result<void> encode_execute(std::string& out, std::string_view portal, std::int32_t max_rows);
Result<void> encode_close(std::string& out, NamedObject object, std::string_view name);
void encode_flush(std::string& out);
void encode_sync(std::string& out);
void encode_terminate(std::string& out);
void encode_copy_done(std::string& out);
Result<void> encode_copy_fail(std::string& out, std::string_view message);
// The same bytes in both directions.
Result<void> encode_copy_data(std::string& out, Bytes data);

// --- towards the client --------------------------------------------------------------------------

void encode_authentication_ok(std::string& out);
void encode_authentication_cleartext_password(std::string& out);
Result<void> encode_authentication_sasl(std::string& out, std::span<const std::string_view> mechanisms);
Result<void> encode_authentication_sasl_continue(std::string& out, std::string_view message);
Result<void> encode_authentication_sasl_final(std::string& out, std::string_view message);
Result<void> encode_negotiate_protocol_version(std::string& out, std::uint32_t newest_version,
                                               std::span<const std::string_view> unrecognised_options);
Result<void> encode_backend_key_data(std::string& out, std::uint32_t process_id, Bytes secret_key);
Result<void> encode_parameter_status(std::string& out, std::string_view name, std::string_view value);
void encode_ready_for_query(std::string& out, TransactionStatus status);

void encode_parse_complete(std::string& out);
void encode_bind_complete(std::string& out);
void encode_close_complete(std::string& out);
void encode_no_data(std::string& out);
void encode_portal_suspended(std::string& out);
void encode_empty_query_response(std::string& out);
Result<void> encode_parameter_description(std::string& out, std::span<const std::uint32_t> types);
Result<void> encode_row_description(std::string& out, std::span<const FieldDescription> fields);
Result<void> encode_data_row(std::string& out, std::span<const Value> columns);
Result<void> encode_command_complete(std::string& out, std::string_view tag);

enum class Severity : std::uint8_t { debug, log, info, notice, warning, error, fatal, panic };
std::string_view to_string(Severity severity);  // "ERROR": the words of field V, never translated

// The fields of an ErrorResponse or NoticeResponse (manual, "Error and Notice Message Fields"). Empty means
// absent, except that an absent sqlstate is sent as XX000, since clients crash without one (CVE-2026-6666).
struct ErrorFields {
  Severity severity = Severity::error;  // V, and S unless `localized_severity` is given
  std::string localized_severity;       // S
  std::string sqlstate;                 // C, one of wire/pg/sqlstate.h
  std::string message;                  // M
  std::string detail;                   // D
  std::string hint;                     // H
  std::string position;                 // P: in characters, from 1
  std::string internal_position;        // p
  std::string internal_query;           // q
  std::string where;                    // W
  std::string schema;                   // s
  std::string table;                    // t
  std::string column;                   // c
  std::string data_type;                // d
  std::string constraint;               // n
  std::string file;                     // F
  std::string line;                     // L
  std::string routine;                  // R
};
void encode_error_response(std::string& out, const ErrorFields& fields);
void encode_notice_response(std::string& out, const ErrorFields& fields);

}  // namespace sluice::wire::pg
