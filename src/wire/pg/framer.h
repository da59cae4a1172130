// Cuts a PostgreSQL byte stream (protocol 3.x) into messages, without copying and without waiting for the end
// of a large one.
//
//   TRY(auto frame, frame_frontend(received));
//   if (!frame.has_header()) return read_more(frame.missing);
//   if (frame.complete()) { handle(frame.type, frame.payload); consume(frame.size); }
//   else relay_or_wait(frame);             // type and size are known, `missing` bytes of the body are still
//   to come
//
// A stream starts with untyped packets: use `frame_startup` until it has answered `startup` or
// `cancel_request`. An error is final: the stream has lost its meaning and must be closed. Answers depend
// only on the bytes, not on how they arrived: what is wrong is an error as soon as the bytes that make it
// wrong are there. Frames are views into the given bytes. Sizes are in bytes and held in 64 bits: a length on
// the wire is a signed 32-bit number and the sum with its type byte must not wrap. Source: PostgreSQL manual,
// chapter "Frontend/Backend Protocol"; the limits of the server and of libpq are named where they are ours
// too.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "core/bytes.h"
#include "core/result.h"

namespace sluice::wire::pg {

// The server's MAX_STARTUP_PACKET_LENGTH: what it would refuse is not read here either, before anyone is
// known.
inline constexpr std::uint64_t kMaxStartupPacket = 10'000;
// Passwords, tokens and SASL steps, length word included. The server's PG_MAX_AUTH_TOKEN_LENGTH is a byte
// less; JWTs of real identity providers stay below 10 KB.
inline constexpr std::uint64_t kMaxPasswordMessage = 64 * 1024;
// Describe, Execute, Close, Sync and the like: the server's PQ_SMALL_MESSAGE_LIMIT.
inline constexpr std::uint64_t kMaxSmallFrontendMessage = 10'000;
// Query, Parse, Bind, CopyData unless configured otherwise. The server would take 1 GiB; a gateway holds a
// statement whole to understand it, and 256 MiB is far above any real one.
inline constexpr std::uint64_t kDefaultMaxFrontendMessage = 256ULL * 1024 * 1024;
// DataRow and CopyData, which can be relayed in pieces: the server cannot build a message above MaxAllocSize,
// 1 GiB.
inline constexpr std::uint64_t kDefaultMaxBackendMessage = 1024ULL * 1024 * 1024;
// Backend messages that are looked at as a whole (errors, row descriptions, copy headers, notifications):
// bounds what a hostile upstream can make one session hold. 1,664 columns, the server's most, describe in
// under 150 KB.
inline constexpr std::uint64_t kMaxHeldBackendMessage = 16ULL * 1024 * 1024;
// All other backend messages: libpq takes a longer one for lost synchronisation.
inline constexpr std::uint64_t kMaxSmallBackendMessage = 30'000;

inline constexpr std::size_t kHeaderSize = 5;         // type byte and length word
inline constexpr std::size_t kStartupHeaderSize = 8;  // length word and request code
inline constexpr std::size_t kMinCancelKey = 4;       // bytes; the only size in protocol 3.0
inline constexpr std::size_t kMaxCancelKey = 256;     // bytes; protocol 3.2

inline constexpr std::uint32_t protocol_version(std::uint16_t major, std::uint16_t minor) {
  return std::uint32_t{major} << 16 | minor;
}
inline constexpr std::uint32_t kProtocol30 = protocol_version(3, 0);
inline constexpr std::uint32_t kProtocol32 = protocol_version(3, 2);
inline constexpr std::uint32_t kCancelRequestCode = protocol_version(1234, 5678);
inline constexpr std::uint32_t kSslRequestCode = protocol_version(1234, 5679);
inline constexpr std::uint32_t kGssEncRequestCode = protocol_version(1234, 5680);

// The one-byte answers to SSLRequest and GSSENCRequest. Both sides must have nothing more buffered at this
// moment: plaintext behind the request or behind the answer is an injection (CVE-2021-23214, CVE-2021-23222,
// CVE-2021-3935).
inline constexpr char kTlsAccepted = 'S';
inline constexpr char kEncryptionRefused = 'N';

enum class FrontendType : std::uint8_t {
  bind = 'B',
  close = 'C',
  copy_data = 'd',
  copy_done = 'c',
  copy_fail = 'f',
  describe = 'D',
  execute = 'E',
  flush = 'H',
  function_call = 'F',
  parse = 'P',
  password =
      'p',  // PasswordMessage, SASLInitialResponse, SASLResponse, GSSResponse: told apart by what was asked
  query = 'Q',
  sync = 'S',
  terminate = 'X',
};

enum class BackendType : std::uint8_t {
  authentication = 'R',
  backend_key_data = 'K',
  bind_complete = '2',
  close_complete = '3',
  command_complete = 'C',
  copy_both_response = 'W',
  copy_data = 'd',
  copy_done = 'c',
  copy_in_response = 'G',
  copy_out_response = 'H',
  data_row = 'D',
  empty_query_response = 'I',
  error_response = 'E',
  function_call_response = 'V',
  negotiate_protocol_version = 'v',
  no_data = 'n',
  notice_response = 'N',
  notification_response = 'A',
  parameter_description = 't',
  parameter_status = 'S',
  parse_complete = '1',
  portal_suspended = 's',
  ready_for_query = 'Z',
  row_description = 'T',
};

// Names as in the manual ("CopyData"), for logs and error texts.
std::string_view to_string(FrontendType type);
std::string_view to_string(BackendType type);

template <class Type>
struct Frame {
  Type type{};
  std::uint64_t size =
      0;          // the whole message with type byte and length word; 0 while the header is incomplete
  Bytes payload;  // as much of the body as is there
  std::uint64_t missing = 0;  // bytes to come until the header is complete, or, once it is, until the body is

  bool has_header() const { return size != 0; }
  bool complete() const { return size != 0 && missing == 0; }
};
using FrontendFrame = Frame<FrontendType>;
using BackendFrame = Frame<BackendType>;

// `max_message` bounds the messages that carry data or statements; the other kinds have their own, smaller
// limits.
Result<FrontendFrame> frame_frontend(Bytes received, std::uint64_t max_message = kDefaultMaxFrontendMessage);
Result<BackendFrame> frame_backend(Bytes received, std::uint64_t max_message = kDefaultMaxBackendMessage);

struct StartupFrame {
  enum class Kind : std::uint8_t { incomplete, ssl_request, gssenc_request, cancel_request, startup };
  Kind kind = Kind::incomplete;
  std::uint32_t version = 0;  // of a `startup`: the protocol asked for, major 3
  std::uint64_t size = 0;     // the whole packet; 0 while its length word is incomplete
  Bytes payload;              // what follows the request code; only when complete
  std::uint64_t missing = 0;  // bytes to come before asking again

  bool complete() const { return kind != Kind::incomplete; }
};

// The first packets of a connection. Errors: `malformed` and `too_large` (close without an answer: this may
// not even be PostgreSQL), `unsupported` for a major version other than 3 (the client understands an
// ErrorResponse).
Result<StartupFrame> frame_startup(Bytes received);

// True if the first byte of a connection is that of a TLS record: TLS without SSLRequest
// (`sslnegotiation=direct`). No start-up packet within the limit begins with it.
inline bool starts_with_tls(Bytes received) {
  return !received.empty() && received[0] == 0x16;
}

// The upstream's one-byte answer to SSLRequest: true to start TLS, false if refused. Anything else is an
// error, also an ErrorResponse: what comes before TLS is nobody's word (CVE-2024-10977).
Result<bool> parse_tls_answer(std::uint8_t answer);

}  // namespace sluice::wire::pg
