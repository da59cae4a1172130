#include "wire/pg/encode.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "core/byte_writer.h"
#include "wire/pg/sqlstate.h"

namespace sluice::wire::pg {
namespace {

// One message being appended. The first problem sticks; `finish` then takes the message back and says what it
// was.
class Draft {
 public:
  explicit Draft(std::string& out)
      : out_(out), start_(out.size()), length_at_(ByteWriter{out}.reserve_u32()) {}
  template <class Type>
  Draft(std::string& out, Type type)
      : out_(out), start_(out.size()), length_at_((out.push_back(static_cast<char>(type)), out.size())) {
    ByteWriter{out}.reserve_u32();
  }

  Draft& u8(std::uint8_t v) { return fits(1) ? (ByteWriter{out_}.u8(v), *this) : *this; }
  Draft& u16(std::uint16_t v) { return fits(2) ? (ByteWriter{out_}.u16(v), *this) : *this; }
  Draft& u32(std::uint32_t v) { return fits(4) ? (ByteWriter{out_}.u32(v), *this) : *this; }
  Draft& i16(std::int16_t v) { return u16(static_cast<std::uint16_t>(v)); }
  Draft& i32(std::int32_t v) { return u32(static_cast<std::uint32_t>(v)); }
  Draft& bytes(Bytes v) {
    if (fits(v.size())) out_.append(as_text(v));
    return *this;
  }
  Draft& text(std::string_view v) { return bytes(as_bytes(v)); }
  Draft& cstring(std::string_view v) {
    if (v.find('\0') != v.npos) problem_ = Errc::invalid_argument;
    return text(v).u8(0);
  }
  // A text that would end its list if it were empty.
  Draft& name(std::string_view v) {
    if (v.empty()) problem_ = Errc::invalid_argument;
    return cstring(v);
  }
  // The count in front of a list of 16-bit length.
  Draft& count(std::size_t n) {
    if (n > std::numeric_limits<std::uint16_t>::max()) problem_ = Errc::too_large;
    return u16(static_cast<std::uint16_t>(n));
  }
  Draft& value(const Value& v) {
    if (!v) return i32(-1);
    return fits(v->size()) ? i32(static_cast<std::int32_t>(v->size())).bytes(*v) : *this;
  }
  Draft& formats(std::span<const Format> codes) {
    count(codes.size());
    for (auto code : codes) u16(static_cast<std::uint16_t>(code));
    return *this;
  }

  Result<void> finish() {
    if (!problem_) {
      ByteWriter to{out_};
      to.patch_u32(length_at_, to.size_since(length_at_));
      return {};
    }
    out_.resize(start_);
    if (*problem_ == Errc::too_large)
      return fail(Errc::too_large, "a message would exceed the protocol's limits");
    return fail(*problem_, "a text for the PostgreSQL protocol contains a NUL byte, or a name is empty");
  }

 private:
  // In 64 bits and before appending: the length word can neither wrap nor go negative.
  bool fits(std::uint64_t more) {
    if (more > kMaxEncodedMessage - std::min<std::uint64_t>(kMaxEncodedMessage, out_.size() - length_at_)) {
      problem_ = Errc::too_large;
    }
    return !problem_;
  }

  std::string& out_;
  std::size_t start_;
  std::size_t length_at_;
  std::optional<Errc> problem_;
};

template <class Type>
void append_empty(std::string& out, Type type) {
  ByteWriter{out}.u8(static_cast<std::uint8_t>(type)).u32(4);
}

}  // namespace

// --- towards the upstream ------------------------------------------------------------------------

Result<void> encode_startup_message(std::string& out, std::uint32_t version,
                                    std::span<const StartupParameter> parameters) {
  Draft draft{out};
  draft.u32(version);
  for (const auto& parameter : parameters) {
    draft.name(parameter.name).cstring(parameter.value);
  }
  draft.u8(0);
  return draft.finish();
}

void encode_ssl_request(std::string& out) {
  ByteWriter{out}.u32(8).u32(kSslRequestCode);
}

Result<void> encode_cancel_request(std::string& out, std::uint32_t process_id, Bytes secret_key) {
  return Draft{out}.u32(kCancelRequestCode).u32(process_id).bytes(secret_key).finish();
}

Result<void> encode_password_message(std::string& out, std::string_view password) {
  return Draft{out, FrontendType::password}.cstring(password).finish();
}

Result<void> encode_sasl_initial_response(std::string& out, std::string_view mechanism,
                                          std::string_view response) {
  return Draft{out, FrontendType::password}.cstring(mechanism).value(as_bytes(response)).finish();
}

Result<void> encode_sasl_response(std::string& out, std::string_view response) {
  return Draft{out, FrontendType::password}.text(response).finish();
}

Result<void> encode_query(std::string& out, std::string_view sql) {
  return Draft{out, FrontendType::query}.cstring(sql).finish();
}

Result<void> encode_parse(std::string& out, std::string_view statement, std::string_view sql,
                          std::span<const std::uint32_t> parameter_types) {
  Draft draft{out, FrontendType::parse};
  draft.cstring(statement).cstring(sql).count(parameter_types.size());
  for (auto type : parameter_types) draft.u32(type);
  return draft.finish();
}

Result<void> encode_parse(std::string& out, std::string_view statement, std::string_view sql,
                          const Oids& types) {
  Draft draft{out, FrontendType::parse};
  return draft.cstring(statement).cstring(sql).count(types.size()).bytes(types.raw()).finish();
}

Result<void> encode_bind(std::string& out, std::string_view portal, std::string_view statement,
                         Bytes parameter_section, Bytes result_section) {
  Draft draft{out, FrontendType::bind};
  return draft.cstring(portal).cstring(statement).bytes(parameter_section).bytes(result_section).finish();
}

Result<void> encode_bind(std::string& out, std::string_view portal, std::string_view statement,
                         std::span<const Format> parameter_formats, std::span<const Value> parameters,
                         std::span<const Format> result_formats) {
  Draft draft{out, FrontendType::bind};
  draft.cstring(portal).cstring(statement).formats(parameter_formats).count(parameters.size());
  for (const auto& parameter : parameters) draft.value(parameter);
  return draft.formats(result_formats).finish();
}

Result<void> encode_describe(std::string& out, NamedObject object, std::string_view name) {
  return Draft{out, FrontendType::describe}.u8(static_cast<std::uint8_t>(object)).cstring(name).finish();
}

Result<void> encode_execute(std::string& out, std::string_view portal, std::int32_t max_rows) {
  return Draft{out, FrontendType::execute}.cstring(portal).i32(max_rows).finish();
}

Result<void> encode_close(std::string& out, NamedObject object, std::string_view name) {
  return Draft{out, FrontendType::close}.u8(static_cast<std::uint8_t>(object)).cstring(name).finish();
}

void encode_flush(std::string& out) {
  append_empty(out, FrontendType::flush);
}
void encode_sync(std::string& out) {
  append_empty(out, FrontendType::sync);
}
void encode_terminate(std::string& out) {
  append_empty(out, FrontendType::terminate);
}
void encode_copy_done(std::string& out) {
  append_empty(out, FrontendType::copy_done);
}

Result<void> encode_copy_fail(std::string& out, std::string_view message) {
  return Draft{out, FrontendType::copy_fail}.cstring(message).finish();
}

Result<void> encode_copy_data(std::string& out, Bytes data) {
  return Draft{out, FrontendType::copy_data}.bytes(data).finish();
}

// --- towards the client --------------------------------------------------------------------------

namespace {

Draft authentication(std::string& out, Authentication::Kind kind) {
  Draft draft{out, BackendType::authentication};
  draft.u32(static_cast<std::uint32_t>(kind));
  return draft;
}

void append_authentication(std::string& out, Authentication::Kind kind) {
  ByteWriter{out}
      .u8(static_cast<std::uint8_t>(BackendType::authentication))
      .u32(8)
      .u32(static_cast<std::uint32_t>(kind));
}

}  // namespace

void encode_authentication_ok(std::string& out) {
  append_authentication(out, Authentication::Kind::ok);
}

void encode_authentication_cleartext_password(std::string& out) {
  append_authentication(out, Authentication::Kind::cleartext_password);
}

Result<void> encode_authentication_sasl(std::string& out, std::span<const std::string_view> mechanisms) {
  auto draft = authentication(out, Authentication::Kind::sasl);
  for (auto mechanism : mechanisms) draft.name(mechanism);
  return draft.u8(0).finish();
}

Result<void> encode_authentication_sasl_continue(std::string& out, std::string_view message) {
  return authentication(out, Authentication::Kind::sasl_continue).text(message).finish();
}

Result<void> encode_authentication_sasl_final(std::string& out, std::string_view message) {
  return authentication(out, Authentication::Kind::sasl_final).text(message).finish();
}

Result<void> encode_negotiate_protocol_version(std::string& out, std::uint32_t newest_version,
                                               std::span<const std::string_view> unrecognised_options) {
  Draft draft{out, BackendType::negotiate_protocol_version};
  // The manual says "newest minor version"; the server has always sent, and libpq reads, the whole version
  // word.
  draft.u32(newest_version).u32(static_cast<std::uint32_t>(unrecognised_options.size()));
  for (auto option : unrecognised_options) draft.cstring(option);
  return draft.finish();
}

Result<void> encode_backend_key_data(std::string& out, std::uint32_t process_id, Bytes secret_key) {
  return Draft{out, BackendType::backend_key_data}.u32(process_id).bytes(secret_key).finish();
}

Result<void> encode_parameter_status(std::string& out, std::string_view name, std::string_view value) {
  return Draft{out, BackendType::parameter_status}.cstring(name).cstring(value).finish();
}

void encode_ready_for_query(std::string& out, TransactionStatus status) {
  ByteWriter{out}
      .u8(static_cast<std::uint8_t>(BackendType::ready_for_query))
      .u32(5)
      .u8(static_cast<std::uint8_t>(status));
}

void encode_parse_complete(std::string& out) {
  append_empty(out, BackendType::parse_complete);
}
void encode_bind_complete(std::string& out) {
  append_empty(out, BackendType::bind_complete);
}
void encode_close_complete(std::string& out) {
  append_empty(out, BackendType::close_complete);
}
void encode_no_data(std::string& out) {
  append_empty(out, BackendType::no_data);
}
void encode_portal_suspended(std::string& out) {
  append_empty(out, BackendType::portal_suspended);
}
void encode_empty_query_response(std::string& out) {
  append_empty(out, BackendType::empty_query_response);
}

Result<void> encode_parameter_description(std::string& out, std::span<const std::uint32_t> types) {
  Draft draft{out, BackendType::parameter_description};
  draft.count(types.size());
  for (auto type : types) draft.u32(type);
  return draft.finish();
}

Result<void> encode_row_description(std::string& out, std::span<const FieldDescription> fields) {
  Draft draft{out, BackendType::row_description};
  draft.count(fields.size());
  for (const auto& field : fields) {
    draft.cstring(field.name)
        .u32(field.table_oid)
        .i16(field.column_number)
        .u32(field.type_oid)
        .i16(field.type_size)
        .i32(field.type_modifier)
        .u16(static_cast<std::uint16_t>(field.format));
  }
  return draft.finish();
}

Result<void> encode_data_row(std::string& out, std::span<const Value> columns) {
  Draft draft{out, BackendType::data_row};
  draft.count(columns.size());
  for (const auto& column : columns) draft.value(column);
  return draft.finish();
}

Result<void> encode_command_complete(std::string& out, std::string_view tag) {
  return Draft{out, BackendType::command_complete}.cstring(tag).finish();
}

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::debug: return "DEBUG";
    case Severity::log: return "LOG";
    case Severity::info: return "INFO";
    case Severity::notice: return "NOTICE";
    case Severity::warning: return "WARNING";
    case Severity::error: return "ERROR";
    case Severity::fatal: return "FATAL";
    case Severity::panic: return "PANIC";
  }
  return "ERROR";
}

namespace {

// Up to the first NUL, and not more than clients can show; never in the middle of a UTF-8 character.
std::string_view cut(std::string_view text) {
  text = text.substr(0, text.find('\0'));
  if (text.size() <= kMaxDiagnosticText) return text;
  auto end = kMaxDiagnosticText;
  while (end > kMaxDiagnosticText - 4 && (static_cast<std::uint8_t>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

void append_field(ByteWriter& to, char code, std::string_view value) {
  auto text = cut(value);
  if (!text.empty()) to.u8(static_cast<std::uint8_t>(code)).cstring(text);
}

void append_diagnostics(std::string& out, BackendType type, const ErrorFields& fields) {
  ByteWriter to{out};
  to.u8(static_cast<std::uint8_t>(type));
  auto length = to.reserve_u32();
  auto sqlstate = is_sqlstate(fields.sqlstate) ? std::string_view{fields.sqlstate} : sqlstate::kInternalError;
  append_field(to, 'S',
               fields.localized_severity.empty() ? to_string(fields.severity)
                                                 : std::string_view{fields.localized_severity});
  append_field(to, 'V', to_string(fields.severity));
  append_field(to, 'C', sqlstate);
  append_field(to, 'M', fields.message.empty() ? condition_text(sqlstate) : fields.message);
  append_field(to, 'D', fields.detail);
  append_field(to, 'H', fields.hint);
  append_field(to, 'P', fields.position);
  append_field(to, 'p', fields.internal_position);
  append_field(to, 'q', fields.internal_query);
  append_field(to, 'W', fields.where);
  append_field(to, 's', fields.schema);
  append_field(to, 't', fields.table);
  append_field(to, 'c', fields.column);
  append_field(to, 'd', fields.data_type);
  append_field(to, 'n', fields.constraint);
  append_field(to, 'F', fields.file);
  append_field(to, 'L', fields.line);
  append_field(to, 'R', fields.routine);
  to.u8(0);
  to.patch_u32(length, to.size_since(length));
}

}  // namespace

void encode_error_response(std::string& out, const ErrorFields& fields) {
  append_diagnostics(out, BackendType::error_response, fields);
}

void encode_notice_response(std::string& out, const ErrorFields& fields) {
  append_diagnostics(out, BackendType::notice_response, fields);
}

}  // namespace sluice::wire::pg
