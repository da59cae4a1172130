// SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677), the client's side: how Sluice proves an upstream
// credential and makes the upstream prove that it knows it, too.
//
//   ScramClient scram{ChannelBinding::none()};
//   send(scram.mechanism(), scram.client_first());
//   TRY(auto salt, scram.on_server_first(challenge));                      // AuthenticationSASLContinue
//   send(scram.client_final(salted_password(password.reveal(), salt)));    // the slow part: see below
//   CHECK_OK(scram.on_server_final(outcome));                              // AuthenticationSASLFinal
//   // AuthenticationOk counts only if scram.verified(): a server that skips the last step has proved nothing
//
// A wrong, early or repeated message is an error, after which every further step fails. The upstream is not
// trusted before the end: messages, nonce, salt and iteration count are bounded. Not thread-safe.
//
// `salted_password` is one PBKDF2: 1 ms for PostgreSQL's default of 4096 iterations, a quarter of a second
// for the most that is allowed. That is too long for a thread with other sessions, so the exchange stops
// there and leaves it to the caller where it is computed, and whether it is known from an earlier log-in.
//
// Passwords: ASCII is used as it is, which is what SASLprep yields. Others are used as their bytes, which is
// what libpq does where SASLprep fails; one that SASLprep would change (ligatures, full-width forms,
// non-ASCII spaces) must be configured in its normalised form.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "core/crypto.h"
#include "core/result.h"

namespace sluice::wire::pg {

inline constexpr std::string_view kScramSha256 = "SCRAM-SHA-256";
inline constexpr std::string_view kScramSha256Plus = "SCRAM-SHA-256-PLUS";

// PostgreSQL's default is 4096, OWASP's advice 600,000. A hostile upstream may ask for 4 billion: minutes of
// a core.
inline constexpr std::uint32_t kMaxScramIterations = 1'000'000;
// Bytes of a whole SCRAM message. Real ones stay under 200; PgBouncer's stack overflowed on a long nonce
// (CVE-2026-6665).
inline constexpr std::size_t kMaxScramMessage = 4096;

// What the client says about channel binding (the gs2 header).
class ChannelBinding {
 public:
  // No TLS, or a TLS library that cannot bind.
  static ChannelBinding none() { return ChannelBinding{"n,,", {}}; }
  // TLS, but the server did not offer PLUS. A server that did offer it fails the exchange: somebody removed
  // the offer.
  static ChannelBinding not_offered() { return ChannelBinding{"y,,", {}}; }
  // RFC 5929: the hash of the server's certificate, with the hash of its signature (SHA-256 in place of MD5
  // and SHA-1).
  static ChannelBinding tls_server_end_point(Bytes certificate_hash) {
    return ChannelBinding{"p=tls-server-end-point,,", std::string{as_text(certificate_hash)}};
  }

  std::string_view gs2_header() const { return header_; }
  std::string_view data() const { return data_; }
  bool bound() const { return header_.front() == 'p'; }

 private:
  ChannelBinding(std::string_view header, std::string data) : header_(header), data_(std::move(data)) {}
  std::string_view header_;
  std::string data_;
};

// 24 printable characters, fresh for every exchange.
std::string make_scram_nonce();

// What the server wants the password to be salted with.
struct ScramSalt {
  ByteVector salt;
  std::uint32_t iterations = 0;  // 1 to kMaxScramIterations
};

// RFC 5802's SaltedPassword. As good as the password for this server, so to be kept as carefully.
Digest salted_password(std::string_view password, const ScramSalt& salt);

class ScramClient {
 public:
  explicit ScramClient(ChannelBinding binding);
  // With a nonce of the caller's, for the RFC's test vectors only: printable ASCII without a comma.
  ScramClient(ChannelBinding binding, std::string_view user, std::string nonce);

  std::string_view mechanism() const { return binding_.bound() ? kScramSha256Plus : kScramSha256; }
  std::string client_first();
  Result<ScramSalt> on_server_first(std::string_view message);
  std::string client_final(const Digest& salted_password);  // once, after on_server_first has succeeded
  Result<void> on_server_final(std::string_view message);
  bool verified() const { return state_ == State::verified; }

 private:
  enum class State : std::uint8_t {
    start,
    expect_server_first,
    expect_salted_password,
    expect_server_final,
    verified,
    failed
  };

  State state_ = State::start;
  ChannelBinding binding_;
  std::string nonce_;
  std::string client_first_bare_;
  std::string server_first_;
  std::string server_nonce_;
  Digest server_signature_{};
};

}  // namespace sluice::wire::pg
