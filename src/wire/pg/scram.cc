#include "wire/pg/scram.h"

#include <array>
#include <cassert>

#include "core/encoding.h"
#include "core/random.h"
#include "wire/pg/scram_attributes.h"

namespace sluice::wire::pg {
namespace {

constexpr std::size_t kNonceBytes = 18;  // of randomness, as libpq; a multiple of 3 needs no base64 padding

// saslname: a comma would end the attribute, an equals sign begins an escape.
std::string escape_name(std::string_view name) {
  std::string out;
  for (char c : name) {
    if (c == ',') {
      out += "=2C";
    } else if (c == '=') {
      out += "=3D";
    } else {
      out += c;
    }
  }
  return out;
}

struct ServerFirst {
  std::string_view nonce;
  ByteVector salt;
  std::uint32_t iterations = 0;
};

Result<ServerFirst> parse_server_first(std::string_view message, std::string_view client_nonce) {
  if (message.size() > kMaxScramMessage)
    return fail(Errc::too_large, "SCRAM: the server's first message is too long");
  ScramAttributes in{message};
  ServerFirst first;
  first.nonce = in.take_nonce();
  first.salt = in.take_base64('s');
  first.iterations = in.take_number('i');
  if (!in.finished() || first.salt.empty())
    return fail(Errc::malformed, "SCRAM: malformed first message of the server");
  if (!first.nonce.starts_with(client_nonce) || first.nonce.size() == client_nonce.size()) {
    return fail(Errc::malformed, "SCRAM: the server's nonce does not extend ours");
  }
  if (first.iterations > kMaxScramIterations) {
    return fail(Errc::too_large, "SCRAM: the server asks for {} iterations, more than {}", first.iterations,
                kMaxScramIterations);
  }
  return first;
}

}  // namespace

std::string make_scram_nonce() {
  std::array<std::uint8_t, kNonceBytes> random;
  fill_random(random);
  return to_base64(random);
}

Digest salted_password(std::string_view password, const ScramSalt& salt) {
  return pbkdf2_sha256(password, salt.salt, salt.iterations);
}

ScramClient::ScramClient(ChannelBinding binding) : ScramClient(std::move(binding), "", make_scram_nonce()) {}

ScramClient::ScramClient(ChannelBinding binding, std::string_view user, std::string nonce)
    : binding_(std::move(binding)),
      nonce_(std::move(nonce)),
      client_first_bare_("n=" + escape_name(user) + ",r=" + nonce_) {}

std::string ScramClient::client_first() {
  state_ = state_ == State::start ? State::expect_server_first : State::failed;
  return std::string{binding_.gs2_header()} + client_first_bare_;
}

Result<ScramSalt> ScramClient::on_server_first(std::string_view message) {
  if (std::exchange(state_, State::failed) != State::expect_server_first) {
    return fail(Errc::malformed, "SCRAM: a first message of the server out of turn");
  }
  if (binding_.bound() && binding_.data().empty()) {
    return fail(Errc::invalid_argument, "SCRAM: channel binding without the certificate's hash");
  }
  TRY(auto first, parse_server_first(message, nonce_));
  server_first_ = message;
  server_nonce_ = first.nonce;
  state_ = State::expect_salted_password;
  return ScramSalt{std::move(first.salt), first.iterations};
}

std::string ScramClient::client_final(const Digest& salted_password) {
  const bool in_turn = std::exchange(state_, State::failed) == State::expect_salted_password;
  assert(in_turn);
  if (!in_turn) return {};
  auto client_key = hmac_sha256(salted_password, as_bytes("Client Key"));
  auto server_key = hmac_sha256(salted_password, as_bytes("Server Key"));

  auto bound = std::string{binding_.gs2_header()}.append(binding_.data());
  auto client_final = "c=" + to_base64(as_bytes(bound)) + ",r=" + server_nonce_;
  auto exchange = client_first_bare_ + "," + server_first_ + "," + client_final;
  auto client_signature = hmac_sha256(sha256(client_key), as_bytes(exchange));
  server_signature_ = hmac_sha256(server_key, as_bytes(exchange));
  state_ = State::expect_server_final;
  return client_final + ",p=" + to_base64(scram_xor(client_key, client_signature));
}

Result<void> ScramClient::on_server_final(std::string_view message) {
  if (std::exchange(state_, State::failed) != State::expect_server_final) {
    return fail(Errc::malformed, "SCRAM: a final message of the server out of turn");
  }
  if (message.size() > kMaxScramMessage)
    return fail(Errc::too_large, "SCRAM: the server's final message is too long");
  if (message.starts_with("e="))
    return fail(Errc::unauthenticated, "SCRAM: the server refused the credential");
  ScramAttributes in{message};
  auto signature = in.take_base64('v');
  if (!in.finished()) return fail(Errc::malformed, "SCRAM: malformed final message of the server");
  if (!equal_constant_time(signature, server_signature_)) {
    return fail(Errc::unauthenticated, "SCRAM: the server did not prove that it knows the credential");
  }
  state_ = State::verified;
  return {};
}

}  // namespace sluice::wire::pg
