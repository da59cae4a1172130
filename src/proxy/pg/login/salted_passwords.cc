#include "proxy/pg/login/salted_passwords.h"

#include <cstring>

#include "core/byte_writer.h"
#include "core/random.h"
#include "net/blocking.h"

namespace sluice::proxy::pg {

using wire::pg::ScramSalt;

SaltedPasswords::SaltedPasswords(boost::asio::thread_pool& pool) : pool_(pool) {
  fill_random(key_);
}

SaltedPasswords::~SaltedPasswords() {
  forget();
}

net::Task<Digest> SaltedPasswords::derive(const Secret& password, ScramSalt salt) {
  const auto name = name_of(password, salt);
  if (const auto known = find(name)) co_return *known;
  const auto salted =
      co_await net::run_blocking<Digest>(pool_, [own = password.clone(), own_salt = std::move(salt)] {
        return wire::pg::salted_password(own.reveal(), own_salt);
      });
  keep(name, salted);
  co_return salted;
}

std::size_t SaltedPasswords::size() const {
  std::scoped_lock lock{mutex_};
  return known_.size();
}

std::size_t SaltedPasswords::Hash::operator()(const Digest& digest) const {
  std::size_t out = 0;
  std::memcpy(&out, digest.data(), sizeof out);
  return out;
}

Digest SaltedPasswords::name_of(const Secret& password, const ScramSalt& salt) const {
  std::string text;
  ByteWriter{text}
      .u32(salt.iterations)
      .u32(static_cast<std::uint32_t>(salt.salt.size()))
      .bytes(salt.salt)
      .text(password.reveal());
  const Secret all{std::move(text)};  // wiped
  return hmac_sha256(key_, as_bytes(all.reveal()));
}

std::optional<Digest> SaltedPasswords::find(const Digest& name) const {
  std::scoped_lock lock{mutex_};
  const auto at = known_.find(name);
  return at == known_.end() ? std::nullopt : std::optional{at->second};
}

void SaltedPasswords::keep(const Digest& name, const Digest& salted) {
  std::scoped_lock lock{mutex_};
  if (known_.size() >= kMost) forget();
  known_.try_emplace(name, salted);
}

void SaltedPasswords::forget() {
  for (auto& [name, salted] : known_) wipe(salted);
  known_.clear();
}

}  // namespace sluice::proxy::pg
