#include "wire/pg/scram_server.h"

#include <utility>

#include "core/encoding.h"
#include "core/random.h"
#include "wire/pg/scram_attributes.h"

namespace sluice::wire::pg {
namespace {

Result<Digest> digest_from(std::string_view base64) {
  auto bytes = from_base64(base64);
  Digest digest;
  if (!bytes || bytes->size() != digest.size()) return fail(Errc::malformed, "SCRAM verifier: malformed key");
  std::ranges::copy(*bytes, digest.begin());
  return digest;
}

// Takes the text up to `end` from the front of `rest`, and `end` with it.
std::string_view take_until(std::string_view& rest, char end) {
  auto at = rest.find(end);
  auto part = rest.substr(0, at);
  rest = at == rest.npos ? std::string_view{} : rest.substr(at + 1);
  return part;
}

}  // namespace

ScramVerifier ScramVerifier::make(std::string_view password, std::uint32_t iterations) {
  ByteVector salt(kScramSaltBytes);
  fill_random(salt);
  return make(password, std::move(salt), iterations);
}

ScramVerifier ScramVerifier::make(std::string_view password, ByteVector salt, std::uint32_t iterations) {
  auto salted_password = pbkdf2_sha256(password, salt, iterations);
  return {.iterations = iterations,
          .salt = std::move(salt),
          .stored_key = sha256(hmac_sha256(salted_password, as_bytes("Client Key"))),
          .server_key = hmac_sha256(salted_password, as_bytes("Server Key"))};
}

ScramVerifier ScramVerifier::mock(Bytes key, std::string_view name) {
  auto seed = hmac_sha256(key, as_bytes(name));
  ScramVerifier verifier{.salt = ByteVector(seed.begin(), seed.begin() + kScramSaltBytes)};
  fill_random(verifier.stored_key);
  fill_random(verifier.server_key);
  return verifier;
}

Result<ScramVerifier> ScramVerifier::parse(std::string_view text) {
  auto rest = text;
  if (take_until(rest, '$') != kScramSha256) return fail(Errc::malformed, "not a SCRAM-SHA-256 verifier");
  ScramVerifier verifier;
  auto iterations = parse_scram_number(take_until(rest, ':'));
  auto salt = from_base64(take_until(rest, '$'));
  if (!iterations || *iterations > kMaxScramIterations || !salt || salt->empty()) {
    return fail(Errc::malformed, "SCRAM verifier: malformed iterations or salt");
  }
  verifier.iterations = *iterations;
  verifier.salt = *std::move(salt);
  TRY(verifier.stored_key, digest_from(take_until(rest, ':')));
  TRY(verifier.server_key, digest_from(rest));
  return verifier;
}

std::string ScramVerifier::format() const {
  return fmt::format("{}${}:{}${}:{}", kScramSha256, iterations, to_base64(salt), to_base64(stored_key),
                     to_base64(server_key));
}

ScramServer::ScramServer(ScramVerifier verifier, Bytes certificate_hash)
    : ScramServer(std::move(verifier), certificate_hash, make_scram_nonce()) {}

ScramServer::ScramServer(ScramVerifier verifier, Bytes certificate_hash, std::string nonce)
    : verifier_(std::move(verifier)),
      certificate_hash_(as_text(certificate_hash)),
      nonce_(std::move(nonce)) {}

// RFC 5802, section 6. A client that could bind but believes that we cannot ("y") while we offered it has
// been lied to.
Result<void> ScramServer::check_binding(std::string_view mechanism, std::string_view flag) {
  const bool plus = mechanism == kScramSha256Plus;
  const bool offered = !certificate_hash_.empty();
  if ((!plus && mechanism != kScramSha256) || (plus && !offered)) {
    return fail(Errc::unsupported, "SCRAM: a mechanism that was not offered");
  }
  if (plus != (flag == "p=tls-server-end-point")) {
    return fail(Errc::malformed, "SCRAM: channel binding does not fit the mechanism");
  }
  if (flag == "y" && offered) {
    return fail(Errc::unauthenticated, "SCRAM: the offer of channel binding did not reach the client");
  }
  if (!plus && flag != "n" && flag != "y")
    return fail(Errc::malformed, "SCRAM: malformed channel binding flag");
  return {};
}

Result<std::string> ScramServer::on_client_first(std::string_view mechanism, std::string_view message) {
  if (std::exchange(state_, State::failed) != State::expect_client_first) {
    return fail(Errc::malformed, "SCRAM: a first message of the client out of turn");
  }
  if (message.size() > kMaxScramMessage)
    return fail(Errc::too_large, "SCRAM: the client's first message is too long");
  auto bare = message;
  auto flag = take_until(bare, ',');
  auto authorization_name = take_until(bare, ',');
  if (!authorization_name.empty())
    return fail(Errc::unsupported, "SCRAM: an authorization name is not supported");
  CHECK_OK(check_binding(mechanism, flag));
  ScramAttributes in{bare};
  in.take('n');  // the name in the start-up packet is the one that counts, as for the server
  auto client_nonce = in.take_nonce();
  if (!in.finished()) return fail(Errc::malformed, "SCRAM: malformed first message of the client");

  binding_ = message.substr(0, message.size() - bare.size());
  if (flag.starts_with('p')) binding_ += certificate_hash_;
  nonce_.insert(0, client_nonce);
  auto challenge = fmt::format("r={},s={},i={}", nonce_, to_base64(verifier_.salt), verifier_.iterations);
  first_messages_ = std::string{bare} + "," + challenge;
  state_ = State::expect_client_final;
  return challenge;
}

Result<std::string> ScramServer::on_client_final(std::string_view message) {
  if (std::exchange(state_, State::failed) != State::expect_client_final) {
    return fail(Errc::malformed, "SCRAM: a final message of the client out of turn");
  }
  if (message.size() > kMaxScramMessage)
    return fail(Errc::too_large, "SCRAM: the client's final message is too long");
  ScramAttributes in{message};
  auto binding = in.take_base64('c');
  auto nonce = in.take_nonce();
  auto without_proof = message.substr(0, message.size() - std::min(message.size(), in.rest().size() + 1));
  auto proof = in.take_base64('p');
  Digest client_key;
  if (!in.finished() || proof.size() != client_key.size()) {
    return fail(Errc::malformed, "SCRAM: malformed final message of the client");
  }
  if (!equal_constant_time(binding, as_bytes(binding_)) || nonce != nonce_) {
    return fail(Errc::unauthenticated, "SCRAM: channel binding or nonce do not match");
  }
  auto exchange = first_messages_ + "," + std::string{without_proof};
  std::ranges::copy(proof, client_key.begin());
  client_key = scram_xor(client_key, hmac_sha256(verifier_.stored_key, as_bytes(exchange)));
  if (!equal_constant_time(sha256(client_key), verifier_.stored_key)) {
    return fail(Errc::unauthenticated, "SCRAM: the client did not prove that it knows the secret");
  }
  state_ = State::verified;
  return "v=" + to_base64(hmac_sha256(verifier_.server_key, as_bytes(exchange)));
}

}  // namespace sluice::wire::pg
