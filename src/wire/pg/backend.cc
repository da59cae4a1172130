#include "wire/pg/backend.h"

#include <bitset>
#include <charconv>

#include "wire/pg/strict.h"

namespace sluice::wire::pg {

bool Authentication::offers(std::string_view mechanism) const {
  for (auto offered : mechanisms) {
    if (offered == mechanism) return true;
  }
  return false;
}

Result<Authentication> Authentication::parse(Bytes payload) {
  ByteReader in{payload};
  Authentication message{.kind = static_cast<Kind>(in.u32())};
  if (!in.ok()) return malformed(in, "Authentication");
  switch (message.kind) {
    case Kind::ok:
    case Kind::kerberos_v5:
    case Kind::cleartext_password:
    case Kind::scm_credential:
    case Kind::gss:
    case Kind::sspi: break;
    case Kind::crypt_password: message.data = in.bytes(2); break;
    case Kind::md5_password: message.data = in.bytes(4); break;
    case Kind::gss_continue:
    case Kind::sasl_continue:
    case Kind::sasl_final: message.data = in.rest(); break;
    case Kind::sasl:
      message.mechanisms = Texts::read_to_zero(in);
      if (message.mechanisms.empty()) in.set_failed();
      break;
    default:
      return fail(Errc::unsupported, "the server asks for authentication method {}",
                  static_cast<std::uint32_t>(message.kind));
  }
  return finish(in, message, to_string(message.kind));
}

std::string_view to_string(Authentication::Kind kind) {
  using Kind = Authentication::Kind;
  switch (kind) {
    case Kind::ok: return "AuthenticationOk";
    case Kind::kerberos_v5: return "AuthenticationKerberosV5";
    case Kind::cleartext_password: return "AuthenticationCleartextPassword";
    case Kind::crypt_password: return "AuthenticationCryptPassword";
    case Kind::md5_password: return "AuthenticationMD5Password";
    case Kind::scm_credential: return "AuthenticationSCMCredential";
    case Kind::gss: return "AuthenticationGSS";
    case Kind::gss_continue: return "AuthenticationGSSContinue";
    case Kind::sspi: return "AuthenticationSSPI";
    case Kind::sasl: return "AuthenticationSASL";
    case Kind::sasl_continue: return "AuthenticationSASLContinue";
    case Kind::sasl_final: return "AuthenticationSASLFinal";
  }
  return "Authentication";
}

Result<BackendKeyData> BackendKeyData::parse(Bytes payload) {
  ByteReader in{payload};
  BackendKeyData message{in.u32(), in.rest()};
  if (message.secret_key.size() < kMinCancelKey || message.secret_key.size() > kMaxCancelKey) in.set_failed();
  return finish(in, message, "BackendKeyData");
}

Result<ParameterStatus> ParameterStatus::parse(Bytes payload) {
  ByteReader in{payload};
  ParameterStatus message;
  message.name = in.cstring();
  message.value = in.cstring();
  return finish(in, message, "ParameterStatus");
}

Result<ReadyForQuery> ReadyForQuery::parse(Bytes payload) {
  ByteReader in{payload};
  ReadyForQuery message{static_cast<TransactionStatus>(in.u8())};
  switch (message.status) {
    case TransactionStatus::idle:
    case TransactionStatus::in_transaction:
    case TransactionStatus::failed: break;
    default: in.set_failed();
  }
  return finish(in, message, "ReadyForQuery");
}

FieldDescription FieldDescriptionCodec::read(ByteReader& in) {
  FieldDescription field;
  field.name = in.cstring();
  field.table_oid = in.u32();
  field.column_number = in.i16();
  field.type_oid = in.u32();
  field.type_size = in.i16();
  field.type_modifier = in.i32();
  auto format = in.u16();
  if (format > 1) in.set_failed();
  field.format = static_cast<Format>(format);
  return field;
}

Result<RowDescription> RowDescription::parse(Bytes payload) {
  ByteReader in{payload};
  RowDescription message{Sequence<FieldDescriptionCodec>::read(in, in.u16())};
  return finish(in, message, "RowDescription");
}

Result<DataRow> DataRow::parse(Bytes payload) {
  ByteReader in{payload};
  DataRow message{Values::read(in, in.u16())};
  return finish(in, message, "DataRow");
}

std::optional<std::uint64_t> CommandComplete::rows() const {
  auto space = tag.rfind(' ');
  if (space == std::string_view::npos) return std::nullopt;
  auto word = tag.substr(space + 1);
  std::uint64_t count = 0;
  auto [end, problem] = std::from_chars(word.data(), word.data() + word.size(), count);
  if (problem != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return count;
}

Result<CommandComplete> CommandComplete::parse(Bytes payload) {
  ByteReader in{payload};
  CommandComplete message{in.cstring()};
  return finish(in, message, "CommandComplete");
}

std::optional<std::string_view> Diagnostics::find(char code) const {
  for (const auto& field : fields) {
    if (field.code == code) return field.value;
  }
  return std::nullopt;
}

Result<Diagnostics> Diagnostics::parse(Bytes payload) {
  ByteReader in{payload};
  Diagnostics message{Sequence<DiagnosticFieldCodec>::read_to_zero(in)};
  std::bitset<256> seen;
  for (const auto& field : message.fields) {
    auto bit = seen[static_cast<std::uint8_t>(field.code)];
    if (bit) return fail(Errc::malformed, "ErrorResponse or NoticeResponse has a field twice");
    bit = true;
  }
  return finish(in, message, "ErrorResponse or NoticeResponse");
}

Result<ParameterDescription> ParameterDescription::parse(Bytes payload) {
  ByteReader in{payload};
  ParameterDescription message{Oids::read(in, in.u16())};
  return finish(in, message, "ParameterDescription");
}

Result<CopyResponse> CopyResponse::parse(Bytes payload) {
  ByteReader in{payload};
  CopyResponse message;
  auto format = in.u8();
  if (format > 1) in.set_failed();
  message.format = static_cast<Format>(format);
  message.column_formats = FormatCodes::read(in);
  for (std::size_t i = 0; message.format == Format::text && i < message.column_formats.size(); ++i) {
    if (message.column_formats[i] != Format::text) in.set_failed();
  }
  return finish(in, message, "CopyResponse");
}

Result<NotificationResponse> NotificationResponse::parse(Bytes payload) {
  ByteReader in{payload};
  NotificationResponse message;
  message.process_id = in.u32();
  message.channel = in.cstring();
  message.payload = in.cstring();
  return finish(in, message, "NotificationResponse");
}

Result<NegotiateProtocolVersion> NegotiateProtocolVersion::parse(Bytes payload) {
  ByteReader in{payload};
  NegotiateProtocolVersion message;
  message.version = in.u32();
  message.unrecognised_options = Texts::read(in, in.u32());
  return finish(in, message, "NegotiateProtocolVersion");
}

Result<FunctionCallResponse> FunctionCallResponse::parse(Bytes payload) {
  ByteReader in{payload};
  FunctionCallResponse message{ValueCodec::read(in)};
  return finish(in, message, "FunctionCallResponse");
}

Result<void> parse_empty(BackendType type, Bytes payload) {
  if (!payload.empty()) return malformed(ByteReader{payload}, to_string(type));
  return {};
}

}  // namespace sluice::wire::pg
