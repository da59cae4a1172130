// What a client may send, named and laid out as in the PostgreSQL manual ("Message Formats"), as views.
//
//   TRY(auto bind, Bind::parse(frame.payload));
//
// `parse` takes the payload of a complete frame and is strict: every byte must be accounted for, every count
// is checked against the bytes that are left before it is believed, every text ends in its NUL. Errors are
// `malformed` and final. Texts are bytes: whether they are valid UTF-8 is for the caller to ask
// (core/encoding.h). Views live as long as the payload. Nothing here allocates, except an error's text.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/result.h"
#include "wire/pg/framer.h"
#include "wire/pg/views.h"

namespace sluice::wire::pg {

struct StartupParameter {
  std::string_view name;
  std::string_view value;
};
struct StartupParameterCodec {
  using Item = StartupParameter;
  static constexpr std::size_t kMinSize = 2;
  static Item read(ByteReader& in) {
    auto name = in.cstring();
    return {name, in.cstring()};
  }
};

// Drivers send about ten. The bound keeps the search for duplicates cheap before anyone is known.
inline constexpr std::size_t kMaxStartupParameters = 100;
// Names with this prefix ask for protocol extensions and are never settings.
inline constexpr std::string_view kProtocolOptionPrefix = "_pq_.";

struct StartupMessage {
  std::uint32_t version = 0;  // as in StartupFrame
  Sequence<StartupParameterCodec>
      parameters;  // in the client's order, `_pq_.` options among them; names are unique

  // nullopt if the parameter was not sent.
  std::optional<std::string_view> find(std::string_view name) const;
  // A name given twice is an error: the server takes the last one, other parsers the first.
  static Result<StartupMessage> parse(std::uint32_t version, Bytes payload);
};

inline bool is_protocol_option(const StartupParameter& parameter) {
  return parameter.name.starts_with(kProtocolOptionPrefix);
}

struct CancelRequest {
  std::uint32_t process_id = 0;
  Bytes secret_key;  // 4 bytes in protocol 3.0, up to 256 in 3.2
  static Result<CancelRequest> parse(Bytes payload);
};

struct PasswordMessage {
  std::string_view password;  // a credential: never log it, never put it in an error
  static Result<PasswordMessage> parse(Bytes payload);
};

struct SASLInitialResponse {
  std::string_view mechanism;
  std::optional<Bytes> response;  // nullopt: none was sent (length -1)
  static Result<SASLInitialResponse> parse(Bytes payload);
};

struct SASLResponse {
  Bytes response;
  static Result<SASLResponse> parse(Bytes payload);
};

struct Query {
  std::string_view sql;
  static Result<Query> parse(Bytes payload);
};

struct Parse {
  std::string_view statement;  // empty: the unnamed one
  std::string_view sql;
  Oids parameter_types;  // may be fewer than the statement's parameters; 0 leaves one open
  static Result<Parse> parse(Bytes payload);
};

struct Bind {
  std::string_view portal;        // empty: the unnamed one
  std::string_view statement;     // empty: the unnamed one
  FormatCodes parameter_formats;  // covers the parameters
  Values parameters;
  FormatCodes result_formats;
  // The wire bytes of the above two halves with their counts, to re-encode the message under other names.
  Bytes parameter_section;
  Bytes result_section;
  static Result<Bind> parse(Bytes payload);
};

// What Describe and Close speak of.
enum class NamedObject : std::uint8_t { statement = 'S', portal = 'P' };

struct Describe {
  NamedObject object{};
  std::string_view name;
  static Result<Describe> parse(Bytes payload);
};

struct Close {
  NamedObject object{};
  std::string_view name;
  static Result<Close> parse(Bytes payload);
};

struct Execute {
  std::string_view portal;
  std::int32_t max_rows = 0;
  bool unlimited() const { return max_rows <= 0; }  // the server takes a negative number for "all", too
  static Result<Execute> parse(Bytes payload);
};

// Flush, Sync, Terminate and CopyDone carry nothing; a body is an error.
Result<void> parse_empty(FrontendType type, Bytes payload);

// Recognised so that it can be refused by name: its arguments are not read.
struct FunctionCall {
  std::uint32_t function = 0;
  static Result<FunctionCall> parse(Bytes payload);
};

struct CopyFail {
  std::string_view message;
  static Result<CopyFail> parse(Bytes payload);
};

// CopyData has no inner form: its payload is the data.

}  // namespace sluice::wire::pg
