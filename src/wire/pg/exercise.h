// Test support, shared by unit tests and fuzzers: parses any message, touches every byte that its views
// promise, and encodes it again. Strict parsers and one canonical form mean that the result must be the bytes
// that came in.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "wire/pg/encode.h"
#include "wire/pg/messages.h"

namespace sluice::wire::pg {

// The message as encoded from its parsed form; nullopt for kinds that Sluice never sends.
using Reencoded = Result<std::optional<std::string>>;

namespace exercise_detail {

// Reads every byte, so that the address sanitizer sees a view that leaves its buffer.
inline void touch(Bytes bytes) {
  volatile unsigned sum = 0;
  for (auto byte : bytes) sum = sum + byte;
}
inline void touch(std::string_view text) {
  touch(as_bytes(text));
}
inline void touch(const Value& value) {
  if (value) touch(*value);
}

template <class Codec>
std::vector<typename Codec::Item> collect(const Sequence<Codec>& items) {
  std::vector<typename Codec::Item> all;
  for (const auto& item : items) all.push_back(item);
  return all;
}
inline std::vector<Format> collect(const FormatCodes& codes) {
  std::vector<Format> all;
  for (std::size_t i = 0; i < codes.size(); ++i) all.push_back(codes[i]);
  return all;
}

inline Reencoded done(Result<void> encoded, std::string out) {
  if (!encoded) return std::unexpected(encoded.error());
  return out;
}

inline Reencoded bind(Bytes payload) {
  TRY(auto bind, Bind::parse(payload));
  std::string by_section;
  std::string by_part;
  for (std::size_t i = 0; i < bind.parameters.size(); ++i) (void)bind.parameter_formats.of(i);
  CHECK_OK(encode_bind(by_section, bind.portal, bind.statement, bind.parameter_section, bind.result_section));
  auto parameters = collect(bind.parameters);
  for (const auto& parameter : parameters) touch(parameter);
  CHECK_OK(encode_bind(by_part, bind.portal, bind.statement, collect(bind.parameter_formats), parameters,
                       collect(bind.result_formats)));
  if (by_section != by_part) return fail(Errc::internal, "Bind: its two encodings differ");
  return by_section;
}

inline Reencoded password(Bytes payload) {
  // What the bytes mean depends on the exchange, so all three readings are tried.
  touch(payload);
  if (auto initial = SASLInitialResponse::parse(payload)) {
    touch(initial->mechanism);
    touch(initial->response);
  }
  TRY(auto message, PasswordMessage::parse(payload));
  std::string out;
  return done(encode_password_message(out, message.password), out);
}

inline Reencoded diagnostics(Bytes payload) {
  TRY(auto message, Diagnostics::parse(payload));
  for (const auto& field : message.fields) touch(field.value);
  return std::nullopt;
}

inline Reencoded authentication(Bytes payload) {
  TRY(auto message, Authentication::parse(payload));
  touch(message.data);
  std::string out;
  switch (message.kind) {
    case Authentication::Kind::ok: return encode_authentication_ok(out), out;
    case Authentication::Kind::cleartext_password: return encode_authentication_cleartext_password(out), out;
    case Authentication::Kind::sasl:
      return done(encode_authentication_sasl(out, collect(message.mechanisms)), out);
    case Authentication::Kind::sasl_continue:
      return done(encode_authentication_sasl_continue(out, as_text(message.data)), out);
    case Authentication::Kind::sasl_final:
      return done(encode_authentication_sasl_final(out, as_text(message.data)), out);
    default: return std::nullopt;
  }
}

}  // namespace exercise_detail

inline Reencoded exercise(FrontendType type, Bytes payload) {
  using namespace exercise_detail;
  std::string out;
  switch (type) {
    case FrontendType::bind: return bind(payload);
    case FrontendType::close: {
      TRY(auto message, Close::parse(payload));
      return done(encode_close(out, message.object, message.name), out);
    }
    case FrontendType::copy_data: return done(encode_copy_data(out, payload), out);
    case FrontendType::copy_fail: {
      TRY(auto message, CopyFail::parse(payload));
      return done(encode_copy_fail(out, message.message), out);
    }
    case FrontendType::describe: {
      TRY(auto message, Describe::parse(payload));
      return done(encode_describe(out, message.object, message.name), out);
    }
    case FrontendType::execute: {
      TRY(auto message, Execute::parse(payload));
      return done(encode_execute(out, message.portal, message.max_rows), out);
    }
    case FrontendType::function_call: {
      CHECK_OK(FunctionCall::parse(payload));
      return std::nullopt;
    }
    case FrontendType::parse: {
      TRY(auto message, Parse::parse(payload));
      std::string other;
      CHECK_OK(encode_parse(other, message.statement, message.sql, collect(message.parameter_types)));
      CHECK_OK(encode_parse(out, message.statement, message.sql, message.parameter_types));
      if (out != other) return fail(Errc::internal, "Parse: its two encodings differ");
      return out;
    }
    case FrontendType::password: return password(payload);
    case FrontendType::query: {
      TRY(auto message, Query::parse(payload));
      return done(encode_query(out, message.sql), out);
    }
    case FrontendType::copy_done: {
      CHECK_OK(parse_empty(type, payload));
      return encode_copy_done(out), out;
    }
    case FrontendType::flush: {
      CHECK_OK(parse_empty(type, payload));
      return encode_flush(out), out;
    }
    case FrontendType::sync: {
      CHECK_OK(parse_empty(type, payload));
      return encode_sync(out), out;
    }
    case FrontendType::terminate: {
      CHECK_OK(parse_empty(type, payload));
      return encode_terminate(out), out;
    }
  }
  return fail(Errc::internal, "a frontend type that the framer must not let through");
}

inline Reencoded exercise(BackendType type, Bytes payload) {
  using namespace exercise_detail;
  std::string out;
  switch (type) {
    case BackendType::authentication: return authentication(payload);
    case BackendType::backend_key_data: {
      TRY(auto message, BackendKeyData::parse(payload));
      return done(encode_backend_key_data(out, message.process_id, message.secret_key), out);
    }
    case BackendType::command_complete: {
      TRY(auto message, CommandComplete::parse(payload));
      (void)message.rows();
      return done(encode_command_complete(out, message.tag), out);
    }
    case BackendType::copy_both_response:
    case BackendType::copy_in_response:
    case BackendType::copy_out_response: {
      TRY(auto message, CopyResponse::parse(payload));
      collect(message.column_formats);
      return std::nullopt;
    }
    case BackendType::copy_data: return done(encode_copy_data(out, payload), out);
    case BackendType::data_row: {
      TRY(auto message, DataRow::parse(payload));
      auto columns = collect(message.columns);
      for (const auto& column : columns) touch(column);
      return done(encode_data_row(out, columns), out);
    }
    case BackendType::error_response:
    case BackendType::notice_response: return diagnostics(payload);
    case BackendType::function_call_response: {
      TRY(auto message, FunctionCallResponse::parse(payload));
      touch(message.value);
      return std::nullopt;
    }
    case BackendType::negotiate_protocol_version: {
      TRY(auto message, NegotiateProtocolVersion::parse(payload));
      auto options = collect(message.unrecognised_options);
      return done(encode_negotiate_protocol_version(out, message.version, options), out);
    }
    case BackendType::notification_response: {
      TRY(auto message, NotificationResponse::parse(payload));
      touch(message.channel);
      touch(message.payload);
      return std::nullopt;
    }
    case BackendType::parameter_description: {
      TRY(auto message, ParameterDescription::parse(payload));
      return done(encode_parameter_description(out, collect(message.types)), out);
    }
    case BackendType::parameter_status: {
      TRY(auto message, ParameterStatus::parse(payload));
      return done(encode_parameter_status(out, message.name, message.value), out);
    }
    case BackendType::ready_for_query: {
      TRY(auto message, ReadyForQuery::parse(payload));
      return encode_ready_for_query(out, message.status), out;
    }
    case BackendType::row_description: {
      TRY(auto message, RowDescription::parse(payload));
      return done(encode_row_description(out, collect(message.fields)), out);
    }
    default: break;
  }
  CHECK_OK(parse_empty(type, payload));
  switch (type) {
    case BackendType::bind_complete: encode_bind_complete(out); break;
    case BackendType::close_complete: encode_close_complete(out); break;
    case BackendType::copy_done: encode_copy_done(out); break;
    case BackendType::empty_query_response: encode_empty_query_response(out); break;
    case BackendType::no_data: encode_no_data(out); break;
    case BackendType::parse_complete: encode_parse_complete(out); break;
    case BackendType::portal_suspended: encode_portal_suspended(out); break;
    default: return fail(Errc::internal, "a backend type that the framer must not let through");
  }
  return out;
}

}  // namespace sluice::wire::pg
