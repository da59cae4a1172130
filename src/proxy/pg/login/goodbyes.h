// Goodbyes: how many of the clients that come while the gateway has all its sessions (limits.sessions) are
// told so.
//
//   if (!goodbyes.begin(now)) return;   // this one is closed without a word
//   ... TLS if asked for, FATAL 53300 ...
//   goodbyes.end();
//
// A client that hears nothing looks for the fault in the network, so it is worth a few words; but a word
// costs a TLS handshake, and whoever keeps the gateway full must not get them for free. Both bounds are per
// worker. CancelRequests come on connections of their own and are heard within the same bounds: a full
// gateway is when they are needed.
//
// Not thread-safe: one per worker.
#pragma once

#include <chrono>
#include <cstddef>

#include "core/clock.h"

namespace sluice::proxy::pg {

class Goodbyes {
 public:
  static constexpr std::size_t kAtOnce = 16;     // sockets and TLS states, some 50 KB each
  static constexpr std::size_t kPerSecond = 50;  // handshakes: about 5 % of a core with RSA-2048
  // For the whole of one: a client in good faith has sent its start-up packet after two round trips.
  static constexpr std::chrono::seconds kLimit{2};

  bool begin(SteadyTime now) {
    if (now - second_ >= std::chrono::seconds{1}) {
      second_ = now;
      begun_ = 0;
    }
    if (under_way_ == kAtOnce || begun_ == kPerSecond) return false;
    ++under_way_;
    ++begun_;
    return true;
  }
  void end() { --under_way_; }

 private:
  std::size_t under_way_ = 0;
  std::size_t begun_ = 0;  // in the second that began at:
  SteadyTime second_{};
};

}  // namespace sluice::proxy::pg
