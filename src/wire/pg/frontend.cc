#include "wire/pg/frontend.h"

#include <algorithm>

#include "wire/pg/strict.h"

namespace sluice::wire::pg {
namespace {

// The server looks settings up without regard to ASCII case, so "A" and "a" are one name given twice.
bool same_setting(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

bool has_duplicate(const Sequence<StartupParameterCodec>& parameters) {
  std::size_t index = 0;
  for (const auto& parameter : parameters) {
    std::size_t before = 0;
    for (const auto& earlier : parameters) {
      if (before++ == index) break;
      if (same_setting(earlier.name, parameter.name)) return true;
    }
    ++index;
  }
  return false;
}

NamedObject read_object(ByteReader& in) {
  auto object = static_cast<NamedObject>(in.u8());
  if (object != NamedObject::statement && object != NamedObject::portal) in.set_failed();
  return object;
}

}  // namespace

std::optional<std::string_view> StartupMessage::find(std::string_view name) const {
  for (const auto& parameter : parameters) {
    if (parameter.name == name) return parameter.value;
  }
  return std::nullopt;
}

Result<StartupMessage> StartupMessage::parse(std::uint32_t version, Bytes payload) {
  ByteReader in{payload};
  auto parameters = Sequence<StartupParameterCodec>::read_to_zero(in);
  if (!in.finished()) return malformed(in, "StartupMessage");
  if (parameters.size() > kMaxStartupParameters) {
    return fail(Errc::too_large, "StartupMessage has {} parameters, more than {}", parameters.size(),
                kMaxStartupParameters);
  }
  if (has_duplicate(parameters)) return fail(Errc::malformed, "StartupMessage names a parameter twice");
  return StartupMessage{version, parameters};
}

Result<CancelRequest> CancelRequest::parse(Bytes payload) {
  ByteReader in{payload};
  CancelRequest message{in.u32(), in.rest()};
  if (message.secret_key.size() < kMinCancelKey || message.secret_key.size() > kMaxCancelKey) in.set_failed();
  return finish(in, message, "CancelRequest");
}

Result<PasswordMessage> PasswordMessage::parse(Bytes payload) {
  ByteReader in{payload};
  PasswordMessage message{in.cstring()};
  return finish(in, message, "PasswordMessage");
}

Result<SASLInitialResponse> SASLInitialResponse::parse(Bytes payload) {
  ByteReader in{payload};
  SASLInitialResponse message;
  message.mechanism = in.cstring();
  message.response = ValueCodec::read(in);
  return finish(in, message, "SASLInitialResponse");
}

Result<SASLResponse> SASLResponse::parse(Bytes payload) {
  return SASLResponse{payload};
}

Result<Query> Query::parse(Bytes payload) {
  ByteReader in{payload};
  Query message{in.cstring()};
  return finish(in, message, "Query");
}

Result<Parse> Parse::parse(Bytes payload) {
  ByteReader in{payload};
  Parse message;
  message.statement = in.cstring();
  message.sql = in.cstring();
  message.parameter_types = Oids::read(in, in.u16());
  return finish(in, message, "Parse");
}

Result<Bind> Bind::parse(Bytes payload) {
  ByteReader in{payload};
  Bind message;
  message.portal = in.cstring();
  message.statement = in.cstring();
  auto parameters_at = in.position();
  message.parameter_formats = FormatCodes::read(in);
  message.parameters = Values::read(in, in.u16());
  auto results_at = in.position();
  message.result_formats = FormatCodes::read(in);
  if (!message.parameter_formats.covers(message.parameters.size())) in.set_failed();
  message.parameter_section = payload.subspan(parameters_at, results_at - parameters_at);
  message.result_section = payload.subspan(results_at);
  return finish(in, message, "Bind");
}

Result<Describe> Describe::parse(Bytes payload) {
  ByteReader in{payload};
  Describe message;
  message.object = read_object(in);
  message.name = in.cstring();
  return finish(in, message, "Describe");
}

Result<Close> Close::parse(Bytes payload) {
  ByteReader in{payload};
  Close message;
  message.object = read_object(in);
  message.name = in.cstring();
  return finish(in, message, "Close");
}

Result<Execute> Execute::parse(Bytes payload) {
  ByteReader in{payload};
  Execute message;
  message.portal = in.cstring();
  message.max_rows = in.i32();
  return finish(in, message, "Execute");
}

Result<void> parse_empty(FrontendType type, Bytes payload) {
  if (!payload.empty()) return malformed(ByteReader{payload}, to_string(type));
  return {};
}

Result<FunctionCall> FunctionCall::parse(Bytes payload) {
  ByteReader in{payload};
  FunctionCall message{in.u32()};
  in.rest();
  return finish(in, message, "FunctionCall");
}

Result<CopyFail> CopyFail::parse(Bytes payload) {
  ByteReader in{payload};
  CopyFail message{in.cstring()};
  return finish(in, message, "CopyFail");
}

}  // namespace sluice::wire::pg
