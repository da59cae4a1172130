// What a server may send, named and laid out as in the PostgreSQL manual ("Message Formats"), as views. The
// upstream is untrusted input like any client; the same strictness and lifetimes as in wire/pg/frontend.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/result.h"
#include "wire/pg/framer.h"
#include "wire/pg/views.h"

namespace sluice::wire::pg {

// One type byte, many messages. Those that Sluice does not do upstream are named so that a refusal can name
// them.
struct Authentication {
  enum class Kind : std::uint32_t {
    ok = 0,
    kerberos_v5 = 2,
    cleartext_password = 3,
    crypt_password = 4,
    md5_password = 5,
    scm_credential = 6,
    gss = 7,
    gss_continue = 8,
    sspi = 9,
    sasl = 10,
    sasl_continue = 11,
    sasl_final = 12,
  };
  Kind kind{};
  Bytes
      data;  // md5_password: the 4-byte salt; sasl_continue, sasl_final, gss_continue: the mechanism's bytes
  Texts mechanisms;  // sasl: at least one
  bool offers(std::string_view mechanism) const;
  static Result<Authentication> parse(Bytes payload);
};
std::string_view to_string(Authentication::Kind kind);

struct BackendKeyData {
  std::uint32_t process_id = 0;
  Bytes secret_key;  // 4 to 256 bytes
  static Result<BackendKeyData> parse(Bytes payload);
};

struct ParameterStatus {
  std::string_view name;
  std::string_view value;
  static Result<ParameterStatus> parse(Bytes payload);
};

enum class TransactionStatus : std::uint8_t { idle = 'I', in_transaction = 'T', failed = 'E' };

struct ReadyForQuery {
  TransactionStatus status{};
  static Result<ReadyForQuery> parse(Bytes payload);
};

struct FieldDescription {
  std::string_view name;
  std::uint32_t table_oid = 0;     // 0: not a column of a table
  std::int16_t column_number = 0;  // pg_attribute.attnum; 0: not a column of a table
  std::uint32_t type_oid = 0;
  std::int16_t type_size = 0;       // pg_type.typlen; negative: variable width
  std::int32_t type_modifier = -1;  // pg_attribute.atttypmod
  Format format = Format::text;     // after Describe of a statement always text: not yet known
};
struct FieldDescriptionCodec {
  using Item = FieldDescription;
  static constexpr std::size_t kMinSize = 19;
  static Item read(ByteReader& in);
};

struct RowDescription {
  Sequence<FieldDescriptionCodec> fields;
  static Result<RowDescription> parse(Bytes payload);
};

struct DataRow {
  Values columns;
  static Result<DataRow> parse(Bytes payload);
};

struct CommandComplete {
  std::string_view tag;  // "SELECT 5", "INSERT 0 1", "BEGIN"
  // The last word as a number: the rows retrieved or affected. nullopt if the tag counts nothing.
  std::optional<std::uint64_t> rows() const;
  static Result<CommandComplete> parse(Bytes payload);
};

struct DiagnosticField {
  char code = 0;
  std::string_view value;
};
struct DiagnosticFieldCodec {
  using Item = DiagnosticField;
  static constexpr std::size_t kMinSize = 2;
  static Item read(ByteReader& in) {
    auto code = static_cast<char>(in.u8());
    return {code, in.cstring()};
  }
};

// ErrorResponse and NoticeResponse. No field is sure to be there, not even the SQLSTATE. No code comes twice.
struct Diagnostics {
  Sequence<DiagnosticFieldCodec> fields;
  std::optional<std::string_view> find(char code) const;
  static Result<Diagnostics> parse(Bytes payload);
};

struct ParameterDescription {
  Oids types;
  static Result<ParameterDescription> parse(Bytes payload);
};

// CopyInResponse, CopyOutResponse and CopyBothResponse.
struct CopyResponse {
  Format format{};
  FormatCodes column_formats;
  static Result<CopyResponse> parse(Bytes payload);
};

struct NotificationResponse {
  std::uint32_t process_id = 0;
  std::string_view channel;
  std::string_view payload;
  static Result<NotificationResponse> parse(Bytes payload);
};

struct NegotiateProtocolVersion {
  std::uint32_t version = 0;   // the newest that the server speaks, as in StartupMessage
  Texts unrecognised_options;  // `_pq_.` names
  static Result<NegotiateProtocolVersion> parse(Bytes payload);
};

struct FunctionCallResponse {
  Value value;
  static Result<FunctionCallResponse> parse(Bytes payload);
};

// ParseComplete, BindComplete, CloseComplete, NoData, PortalSuspended, EmptyQueryResponse and CopyDone carry
// nothing; a body is an error.
Result<void> parse_empty(BackendType type, Bytes payload);

// CopyData has no inner form: its payload is the data.

}  // namespace sluice::wire::pg
