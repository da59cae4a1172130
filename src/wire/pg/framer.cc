#include "wire/pg/framer.h"

#include "core/byte_reader.h"

namespace sluice::wire::pg {
namespace {

// What a type byte may carry. Zero, so that what the tables do not name is unknown.
enum class Kind : std::uint8_t { unknown = 0, small, password, held, bulk };
using Kinds = std::array<Kind, 256>;

template <class Type>
constexpr void set(Kinds& kinds, Kind kind, std::initializer_list<Type> types) {
  for (auto type : types) kinds[static_cast<std::uint8_t>(type)] = kind;
}

constexpr Kinds kFrontendKinds = [] {
  using enum FrontendType;
  Kinds kinds{};
  set(kinds, Kind::small, {close, copy_done, copy_fail, describe, execute, flush, sync, terminate});
  set(kinds, Kind::password, {password});
  set(kinds, Kind::bulk, {bind, copy_data, function_call, parse, query});
  return kinds;
}();

constexpr Kinds kBackendKinds = [] {
  using enum BackendType;
  Kinds kinds{};
  set(kinds, Kind::small,
      {authentication, backend_key_data, bind_complete, close_complete, command_complete, copy_done,
       empty_query_response, negotiate_protocol_version, no_data, parameter_status, parse_complete,
       portal_suspended, ready_for_query});
  set(kinds, Kind::held,
      {copy_both_response, copy_in_response, copy_out_response, error_response, function_call_response,
       notice_response, notification_response, parameter_description, row_description});
  set(kinds, Kind::bulk, {copy_data, data_row});
  return kinds;
}();

struct Limits {
  std::uint64_t small, password, held, bulk;

  std::uint64_t of(Kind kind) const {
    switch (kind) {
      case Kind::unknown: return 0;
      case Kind::small: return small;
      case Kind::password: return password;
      case Kind::held: return held;
      case Kind::bulk: return bulk;
    }
    return 0;
  }
};

std::unexpected<Error> unknown_type(std::string_view sender, std::uint8_t type) {
  return fail(Errc::malformed, "unknown {} message type 0x{:02x}", sender, type);
}

template <class Type>
std::unexpected<Error> wrong_length(Type type, std::int32_t length, std::uint64_t limit) {
  if (length < 4) return fail(Errc::malformed, "{} has length {}, below 4", to_string(type), length);
  return fail(Errc::too_large, "{} of {} bytes is above the limit of {}", to_string(type), length, limit);
}

template <class Type>
Result<Frame<Type>> frame(Bytes received, const Kinds& kinds, const Limits& limits, std::string_view sender) {
  Frame<Type> answer;
  if (received.empty()) {
    answer.missing = kHeaderSize;
    return answer;
  }
  auto kind = kinds[received[0]];
  if (kind == Kind::unknown) return unknown_type(sender, received[0]);
  answer.type = static_cast<Type>(received[0]);
  if (received.size() < kHeaderSize) {
    answer.missing = kHeaderSize - received.size();
    return answer;
  }
  ByteReader in{received.subspan(1)};
  auto length = in.i32();
  auto limit = limits.of(kind);
  if (length < 4 || static_cast<std::uint64_t>(length) > limit)
    return wrong_length(answer.type, length, limit);
  auto body = static_cast<std::uint64_t>(length) - 4;
  answer.size = body + kHeaderSize;
  auto there = received.subspan(kHeaderSize);
  if (there.size() < body) {
    answer.payload = there;
    answer.missing = body - there.size();
  } else {
    answer.payload = there.first(body);
  }
  return answer;
}

// What may follow a start-up request code, and what the code asks for.
Result<void> check_startup(StartupFrame& packet, std::uint32_t code, std::uint64_t length) {
  using enum StartupFrame::Kind;
  switch (code) {
    case kSslRequestCode: packet.kind = ssl_request; break;
    case kGssEncRequestCode: packet.kind = gssenc_request; break;
    case kCancelRequestCode: packet.kind = cancel_request; break;
    default:
      if (code >> 16 != 3) {
        return fail(Errc::unsupported, "protocol {}.{} is not supported: this server speaks 3.0 to 3.2",
                    code >> 16, code & 0xFFFF);
      }
      packet.kind = startup;
      packet.version = code;
      return {};
  }
  auto body = length - kStartupHeaderSize;
  if (packet.kind == cancel_request ? body < 4 + kMinCancelKey || body > 4 + kMaxCancelKey : body != 0) {
    return fail(Errc::malformed, "start-up request {} has length {}", code & 0xFFFF, length);
  }
  return {};
}

}  // namespace

Result<FrontendFrame> frame_frontend(Bytes received, std::uint64_t max_message) {
  const Limits limits{
      .small = kMaxSmallFrontendMessage, .password = kMaxPasswordMessage, .held = 0, .bulk = max_message};
  return frame<FrontendType>(received, kFrontendKinds, limits, "frontend");
}

Result<BackendFrame> frame_backend(Bytes received, std::uint64_t max_message) {
  const Limits limits{
      .small = kMaxSmallBackendMessage, .password = 0, .held = kMaxHeldBackendMessage, .bulk = max_message};
  return frame<BackendType>(received, kBackendKinds, limits, "backend");
}

Result<StartupFrame> frame_startup(Bytes received) {
  StartupFrame packet;
  if (received.size() < 4) {
    packet.missing = kStartupHeaderSize - received.size();
    return packet;
  }
  ByteReader in{received};
  auto length = in.i32();
  if (length < static_cast<std::int32_t>(kStartupHeaderSize)) {
    return fail(Errc::malformed, "start-up packet has length {}, below {}", length, kStartupHeaderSize);
  }
  packet.size = static_cast<std::uint64_t>(length);
  if (packet.size > kMaxStartupPacket) {
    return fail(Errc::too_large, "start-up packet of {} bytes is above the limit of {}", packet.size,
                kMaxStartupPacket);
  }
  if (received.size() >= kStartupHeaderSize) CHECK_OK(check_startup(packet, in.u32(), packet.size));
  if (received.size() < packet.size) {
    packet.kind = StartupFrame::Kind::incomplete;
    packet.missing = packet.size - received.size();
    return packet;
  }
  packet.payload = received.first(packet.size).subspan(kStartupHeaderSize);
  return packet;
}

Result<bool> parse_tls_answer(std::uint8_t answer) {
  if (answer == kTlsAccepted) return true;
  if (answer == kEncryptionRefused) return false;
  return fail(Errc::unavailable, "the server answered SSLRequest with 0x{:02x}", answer);
}

std::string_view to_string(FrontendType type) {
  switch (type) {
    case FrontendType::bind: return "Bind";
    case FrontendType::close: return "Close";
    case FrontendType::copy_data: return "CopyData";
    case FrontendType::copy_done: return "CopyDone";
    case FrontendType::copy_fail: return "CopyFail";
    case FrontendType::describe: return "Describe";
    case FrontendType::execute: return "Execute";
    case FrontendType::flush: return "Flush";
    case FrontendType::function_call: return "FunctionCall";
    case FrontendType::parse: return "Parse";
    case FrontendType::password: return "PasswordMessage";
    case FrontendType::query: return "Query";
    case FrontendType::sync: return "Sync";
    case FrontendType::terminate: return "Terminate";
  }
  return "unknown";
}

std::string_view to_string(BackendType type) {
  switch (type) {
    case BackendType::authentication: return "Authentication";
    case BackendType::backend_key_data: return "BackendKeyData";
    case BackendType::bind_complete: return "BindComplete";
    case BackendType::close_complete: return "CloseComplete";
    case BackendType::command_complete: return "CommandComplete";
    case BackendType::copy_both_response: return "CopyBothResponse";
    case BackendType::copy_data: return "CopyData";
    case BackendType::copy_done: return "CopyDone";
    case BackendType::copy_in_response: return "CopyInResponse";
    case BackendType::copy_out_response: return "CopyOutResponse";
    case BackendType::data_row: return "DataRow";
    case BackendType::empty_query_response: return "EmptyQueryResponse";
    case BackendType::error_response: return "ErrorResponse";
    case BackendType::function_call_response: return "FunctionCallResponse";
    case BackendType::negotiate_protocol_version: return "NegotiateProtocolVersion";
    case BackendType::no_data: return "NoData";
    case BackendType::notice_response: return "NoticeResponse";
    case BackendType::notification_response: return "NotificationResponse";
    case BackendType::parameter_description: return "ParameterDescription";
    case BackendType::parameter_status: return "ParameterStatus";
    case BackendType::parse_complete: return "ParseComplete";
    case BackendType::portal_suspended: return "PortalSuspended";
    case BackendType::ready_for_query: return "ReadyForQuery";
    case BackendType::row_description: return "RowDescription";
  }
  return "unknown";
}

}  // namespace sluice::wire::pg
