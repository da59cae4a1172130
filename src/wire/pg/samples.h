// Test support: one message of every kind, as real clients and servers send them, written out as bytes and
// not made by our own encoders.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice::wire::pg {

struct Sample {
  std::string_view name;
  std::string bytes;
  bool open_ended =
      false;  // the body ends where the message ends: a shorter or longer one is still well-formed
};

// A string literal with its embedded NULs.
template <std::size_t N>
std::string literal(const char (&text)[N]) {
  return {text, N - 1};
}

inline std::vector<Sample> startup_samples() {
  return {
      {"SSLRequest", literal("\0\0\0\x08\x04\xd2\x16\x2f")},
      {"GSSENCRequest", literal("\0\0\0\x08\x04\xd2\x16\x30")},
      {"CancelRequest 3.0", literal("\0\0\0\x10\x04\xd2\x16\x2e\0\0\x12\x34\xde\xad\xbe\xef")},
      {"CancelRequest 3.2", literal("\0\0\0\x2c\x04\xd2\x16\x2e\0\0\x12\x34"
                                    "0123456789abcdef0123456789abcdef")},
      {"StartupMessage of psql", literal("\0\0\0\x4d\0\x03\0\0user\0alice\0database\0docs\0application_"
                                         "name\0psql\0client_encoding\0UTF8\0\0")},
      {"StartupMessage 3.2 with an option", literal("\0\0\0\x22\0\x03\0\x02user\0bob\0_pq_.command\0on\0\0")},
  };
}

inline std::vector<Sample> frontend_samples() {
  return {
      {"Query", literal("Q\0\0\0\x0dSELECT 1\0")},
      {"empty Query", literal("Q\0\0\0\x05\0")},
      {"Parse", literal("P\0\0\0\x2as1\0SELECT * FROM t WHERE a = $1\0\0\x01\0\0\0\x17")},
      {"unnamed Parse without types", literal("P\0\0\0\x11\0SELECT $1\0\0\0")},
      {"Bind, text, one NULL", literal("B\0\0\0\x1bp1\0s1\0\0\0\0\x02\0\0\0\x03"
                                       "abc\xff\xff\xff\xff\0\0")},
      {"Bind, binary", literal("B\0\0\0\x18\0\0\0\x01\0\x01\0\x01\0\0\0\x04\0\0\0\x2a\0\x01\0\x01")},
      {"Describe statement", literal("D\0\0\0\x08Ss1\0")},
      {"Describe portal", literal("D\0\0\0\x06P\0")},
      {"Execute", literal("E\0\0\0\x0bp1\0\0\0\0\x64")},
      {"Close", literal("C\0\0\0\x08Ss1\0")},
      {"Flush", literal("H\0\0\0\x04")},
      {"Sync", literal("S\0\0\0\x04")},
      {"Terminate", literal("X\0\0\0\x04")},
      {"CopyData",
       literal("d\0\0\0\x0c"
               "1\thello\n"),
       true},
      {"CopyDone", literal("c\0\0\0\x04")},
      {"CopyFail", literal("f\0\0\0\x0c"
                           "aborted\0")},
      {"PasswordMessage", literal("p\0\0\0\x0bsecret\0")},
      {"FunctionCall", literal("F\0\0\0\x0e\0\0\x04\xd2\0\0\0\0\0\0"), true},
  };
}

inline std::vector<Sample> backend_samples() {
  return {
      {"AuthenticationOk", literal("R\0\0\0\x08\0\0\0\0")},
      {"AuthenticationCleartextPassword", literal("R\0\0\0\x08\0\0\0\x03")},
      {"AuthenticationMD5Password", literal("R\0\0\0\x0c\0\0\0\x05salt")},
      {"AuthenticationSASL", literal("R\0\0\0\x2a\0\0\0\x0aSCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0")},
      {"AuthenticationSASLContinue", literal("R\0\0\0\x10\0\0\0\x0br=nonce,"), true},
      {"AuthenticationSASLFinal", literal("R\0\0\0\x0c\0\0\0\x0cv=AA"), true},
      {"BackendKeyData 3.0", literal("K\0\0\0\x0c\0\0\x12\x34\xde\xad\xbe\xef")},
      {"ParameterStatus", literal("S\0\0\0\x19"
                                  "client_encoding\0UTF8\0")},
      {"ReadyForQuery", literal("Z\0\0\0\x05I")},
      {"RowDescription", literal("T\0\0\0\x33\0\x02"
                                 "id\0\0\0\x40\0\0\x01\0\0\0\x17\0\x04\xff\xff\xff\xff\0\0"
                                 "email\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\x01")},
      {"DataRow", literal("D\0\0\0\x10\0\x02\0\0\0\x02"
                          "42\xff\xff\xff\xff")},
      {"DataRow without columns", literal("D\0\0\0\x06\0\0")},
      {"CommandComplete", literal("C\0\0\0\x0dSELECT 1\0")},
      {"EmptyQueryResponse", literal("I\0\0\0\x04")},
      {"ErrorResponse", literal("E\0\0\0\x69SERROR\0VERROR\0C22P02\0Minvalid input syntax for type integer: "
                                "\"x\"\0P8\0Fnumutils.c\0"
                                "L323\0Rpg_strtoint32\0\0")},
      {"ErrorResponse without SQLSTATE", literal("E\0\0\0\x10SERROR\0Mno\0\0")},
      {"NoticeResponse", literal("N\0\0\0\x23SNOTICE\0VNOTICE\0C00000\0Mhello\0\0")},
      {"ParseComplete", literal("1\0\0\0\x04")},
      {"BindComplete", literal("2\0\0\0\x04")},
      {"CloseComplete", literal("3\0\0\0\x04")},
      {"NoData", literal("n\0\0\0\x04")},
      {"PortalSuspended", literal("s\0\0\0\x04")},
      {"ParameterDescription", literal("t\0\0\0\x0e\0\x02\0\0\0\x17\0\0\0\x19")},
      {"CopyInResponse", literal("G\0\0\0\x0b\0\0\x02\0\0\0\0")},
      {"CopyOutResponse, binary", literal("H\0\0\0\x09\x01\0\x01\0\x01")},
      {"CopyBothResponse", literal("W\0\0\0\x07\0\0\0")},
      {"CopyData",
       literal("d\0\0\0\x0c"
               "1\thello\n"),
       true},
      {"CopyDone", literal("c\0\0\0\x04")},
      {"NotificationResponse", literal("A\0\0\0\x15\0\0\x12\x34"
                                       "channel\0hey!\0")},
      {"NegotiateProtocolVersion", literal("v\0\0\0\x19\0\x03\0\0\0\0\0\x01_pq_.command\0")},
      {"FunctionCallResponse", literal("V\0\0\0\x0a\0\0\0\x02hi")},
  };
}

}  // namespace sluice::wire::pg
