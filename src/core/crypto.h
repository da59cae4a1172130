// Cryptography from OpenSSL (SHA-256, HMAC, PBKDF2: with the CPU's SHA extensions) and libsodium (Ed25519),
// behind the few names that Sluice needs. Call `initialise_crypto()` once before anything else; all functions
// are thread-safe.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "core/result.h"

namespace sluice {

void initialise_crypto();

using Digest = std::array<std::uint8_t, 32>;

Digest sha256(Bytes data);
Digest hmac_sha256(Bytes key, Bytes data);
// RFC 8018, with HMAC-SHA-256: SCRAM's Hi().
Digest pbkdf2_sha256(std::string_view password, Bytes salt, std::uint32_t iterations);
bool equal_constant_time(Bytes a, Bytes b);

// SHA-256 over data that comes in pieces. One object may be used again after finish(). Not thread-safe; keep
// one per thread on hot paths, because making it costs more than hashing a small message.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  Sha256& update(Bytes data);
  Sha256& update(std::string_view text) { return update(as_bytes(text)); }
  Digest finish();  // the digest, and back to the start

 private:
  void* context_;  // SHA256_CTX
};

// Ed25519 (RFC 8032). The secret key is libsodium's 64-byte form (seed and public key).
struct SigningKey {
  std::array<std::uint8_t, 64> secret;
  std::array<std::uint8_t, 32> public_key;
};
using Signature = std::array<std::uint8_t, 64>;

SigningKey make_signing_key();
Signature sign(const SigningKey& key, Bytes message);
bool verify_signature(Bytes public_key, Bytes message, Bytes signature);

}  // namespace sluice
