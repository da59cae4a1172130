// SaltedPasswords: what SCRAM derives from the passwords of upstream roles, so that it is derived once and
// not for every session: a derivation takes a millisecond, or, where the server wants many iterations, a
// quarter of a second.
//
//   const Digest salted = co_await passwords.derive(password, salt);
//
// Derives on the pool's threads, never on a worker's. What is kept is as good as the password for that
// server; it is kept in memory only, like the credentials of open connections, wiped at the end, and found by
// a keyed digest of the password, so that a new password is another entry. Thread-safe; must outlive its
// coroutines.
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "core/crypto.h"
#include "core/secret.h"
#include "net/asio.h"
#include "wire/pg/scram.h"

namespace sluice::proxy::pg {

class SaltedPasswords {
 public:
  static constexpr std::size_t kMost =
      1024;  // entries: roles of all connections; beyond it all are forgotten

  explicit SaltedPasswords(boost::asio::thread_pool& pool);
  ~SaltedPasswords();
  SaltedPasswords(const SaltedPasswords&) = delete;
  SaltedPasswords& operator=(const SaltedPasswords&) = delete;

  net::Task<Digest> derive(const Secret& password, wire::pg::ScramSalt salt);

  std::size_t size() const;

 private:
  struct Hash {
    std::size_t operator()(const Digest& digest) const;
  };
  Digest name_of(const Secret& password, const wire::pg::ScramSalt& salt) const;
  std::optional<Digest> find(const Digest& name) const;
  void keep(const Digest& name, const Digest& salted);
  void forget();

  boost::asio::thread_pool& pool_;
  Digest key_{};  // of this process
  mutable std::mutex mutex_;
  std::unordered_map<Digest, Digest, Hash> known_;
};

}  // namespace sluice::proxy::pg
