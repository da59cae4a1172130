#include "proxy/pg/session/cancel_keys.h"

#include "core/random.h"

namespace sluice::proxy::pg {

CancelKey CancelKeys::add(std::function<void()> cancel) {
  std::lock_guard lock(mutex_);
  for (;;) {
    const auto random = random_u64();
    const CancelKey key{static_cast<std::uint32_t>(random >> 32) & 0x7FFFFFFFu,
                        static_cast<std::uint32_t>(random)};
    if (key.process_id == 0 || entries_.contains(key.process_id)) continue;
    entries_.emplace(key.process_id, Entry{key.secret, std::move(cancel)});
    return key;
  }
}

void CancelKeys::remove(const CancelKey& key) {
  std::lock_guard lock(mutex_);
  entries_.erase(key.process_id);
}

bool CancelKeys::cancel(const CancelKey& key) {
  std::function<void()> action;
  {
    std::lock_guard lock(mutex_);
    const auto found = entries_.find(key.process_id);
    if (found == entries_.end() || found->second.secret != key.secret) return false;
    action = found->second.cancel;
  }
  action();
  return true;
}

}  // namespace sluice::proxy::pg
