// SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677), the server's side: checks that a client knows a
// secret of which only a verifier is stored. Like ScramClient a state machine of text in, text out; every
// error is final.
//
//   ScramServer scram{verifier, certificate_hash};
//   TRY(auto challenge, scram.on_client_first(initial.mechanism, initial.response));
//   TRY(auto outcome, scram.on_client_final(response));   // send it, then AuthenticationOk
//
// For a name that does not exist, run the exchange with `ScramVerifier::mock`, so that names cannot be
// guessed from how it goes. Not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "core/crypto.h"
#include "core/result.h"
#include "wire/pg/scram.h"

namespace sluice::wire::pg {

inline constexpr std::uint32_t kDefaultScramIterations = 4096;  // PostgreSQL's; RFC 7677's least
inline constexpr std::size_t kScramSaltBytes = 16;

struct ScramVerifier {
  std::uint32_t iterations = kDefaultScramIterations;
  ByteVector salt;
  Digest stored_key{};
  Digest server_key{};

  // With a fresh salt.
  static ScramVerifier make(std::string_view password, std::uint32_t iterations = kDefaultScramIterations);
  static ScramVerifier make(std::string_view password, ByteVector salt, std::uint32_t iterations);
  // Matches no password. The salt is the same each time for one name, as a real one would be; `key` keeps it
  // unguessable.
  static ScramVerifier mock(Bytes key, std::string_view name);

  // PostgreSQL's form: "SCRAM-SHA-256$<iterations>:<salt>$<stored key>:<server key>".
  static Result<ScramVerifier> parse(std::string_view text);
  std::string format() const;
};

class ScramServer {
 public:
  // `certificate_hash` as in ChannelBinding::tls_server_end_point; empty if PLUS was not offered to the
  // client.
  ScramServer(ScramVerifier verifier, Bytes certificate_hash);
  // With a nonce of the caller's, for the RFC's test vectors only.
  ScramServer(ScramVerifier verifier, Bytes certificate_hash, std::string nonce);

  Result<std::string> on_client_first(std::string_view mechanism, std::string_view message);
  Result<std::string> on_client_final(std::string_view message);
  bool verified() const { return state_ == State::verified; }

 private:
  enum class State : std::uint8_t { expect_client_first, expect_client_final, verified, failed };

  Result<void> check_binding(std::string_view mechanism, std::string_view flag);

  State state_ = State::expect_client_first;
  ScramVerifier verifier_;
  std::string certificate_hash_;
  std::string nonce_;
  std::string binding_;         // what c= must decode to
  std::string first_messages_;  // client-first-message-bare "," server-first-message
};

}  // namespace sluice::wire::pg
