#define OPENSSL_SUPPRESS_DEPRECATED  // for SHA256_*; the reason is below

#include "core/crypto.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <sodium.h>

#include <cstdlib>
#include <utility>

namespace sluice {
namespace {

// Fetched once: EVP_sha256() would look the implementation up again at each use.
const EVP_MD* sha256_method() {
  static EVP_MD* method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return method;
}

void require(bool ok) {
  if (!ok) std::abort();  // out of memory or a broken OpenSSL: nothing that we hash could be trusted
}

SHA256_CTX* sha256_of(void* p) {
  return static_cast<SHA256_CTX*>(p);
}

}  // namespace

void initialise_crypto() {
  require(sodium_init() >= 0);
  require(sha256_method() != nullptr);
}

Digest sha256(Bytes data) {
  thread_local Sha256 hash;
  return hash.update(data).finish();
}

Digest hmac_sha256(Bytes key, Bytes data) {
  Digest out;
  unsigned length = out.size();
  require(HMAC(sha256_method(), key.data(), static_cast<int>(key.size()), data.data(), data.size(),
               out.data(), &length) != nullptr);
  return out;
}

Digest pbkdf2_sha256(std::string_view password, Bytes salt, std::uint32_t iterations) {
  Digest out;
  require(PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), salt.data(),
                            static_cast<int>(salt.size()), static_cast<int>(iterations), sha256_method(),
                            static_cast<int>(out.size()), out.data()) == 1);
  return out;
}

bool equal_constant_time(Bytes a, Bytes b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

// OpenSSL's plain SHA-256, deprecated in favour of EVP and there as long as OpenSSL 3 is: the same code with
// the CPU's extensions, without the context that EVP allocates and wipes for each message. For the record,
// which hashes about a hundred bytes several times per operation, that is 100 ns instead of 180.
Sha256::Sha256() : context_(new SHA256_CTX) {
  require(SHA256_Init(sha256_of(context_)) == 1);
}
Sha256::~Sha256() {
  delete sha256_of(context_);
}
Sha256::Sha256(Sha256&& other) noexcept : context_(std::exchange(other.context_, nullptr)) {}
Sha256& Sha256::operator=(Sha256&& other) noexcept {
  std::swap(context_, other.context_);
  return *this;
}

Sha256& Sha256::update(Bytes data) {
  require(SHA256_Update(sha256_of(context_), data.data(), data.size()) == 1);
  return *this;
}

Digest Sha256::finish() {
  Digest out;
  require(SHA256_Final(out.data(), sha256_of(context_)) == 1 && SHA256_Init(sha256_of(context_)) == 1);
  return out;
}

SigningKey make_signing_key() {
  SigningKey key;
  crypto_sign_keypair(key.public_key.data(), key.secret.data());
  return key;
}

Signature sign(const SigningKey& key, Bytes message) {
  Signature out;
  crypto_sign_detached(out.data(), nullptr, message.data(), message.size(), key.secret.data());
  return out;
}

bool verify_signature(Bytes public_key, Bytes message, Bytes signature) {
  return public_key.size() == crypto_sign_PUBLICKEYBYTES && signature.size() == crypto_sign_BYTES &&
         crypto_sign_verify_detached(signature.data(), message.data(), message.size(), public_key.data()) ==
             0;
}

}  // namespace sluice
