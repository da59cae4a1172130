// CancelKeys: the gateway's own BackendKeyData, so that a client never learns the server's, and a
// CancelRequest finds the session that it means.
//
// Protocol 3.0 has room for a 32-bit "process id" and a 32-bit key; both are random here. Clients read the
// process id as a signed number, so it has 31 bits, and a guess has 63 to find. Thread-safe: a cancel request
// may arrive on another worker than its session.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <unordered_map>

namespace sluice::proxy::pg {

struct CancelKey {
  std::uint32_t process_id = 0;
  std::uint32_t secret = 0;
};

class CancelKeys {
 public:
  // `cancel` is called on the thread of the cancel request: it must post to the session's own worker.
  CancelKey add(std::function<void()> cancel);
  void remove(const CancelKey& key);
  // False for an unknown process id or a wrong key.
  bool cancel(const CancelKey& key);

 private:
  struct Entry {
    std::uint32_t secret;
    std::function<void()> cancel;
  };
  std::mutex mutex_;
  std::unordered_map<std::uint32_t, Entry> entries_;
};

}  // namespace sluice::proxy::pg
