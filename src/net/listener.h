// Listener: accepts on one address, on every worker at once (SO_REUSEPORT: the kernel spreads connections
// over the cores, and a session never leaves the core that accepted it).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "net/runtime.h"
#include "net/socket.h"

namespace sluice::net {

class Listener {
 public:
  using OnAccept = std::function<void(Worker&, Socket)>;  // called on the worker's thread

  // Port 0 chooses a free one, the same for all workers; `port()` tells. Nothing is accepted before start().
  static Result<std::unique_ptr<Listener>> open(Runtime& runtime, const std::string& address,
                                                std::uint16_t port, OnAccept on_accept);
  void start();
  void stop();  // no further accepts; thread-safe
  std::uint16_t port() const { return port_; }

 private:
  Listener(Runtime& runtime, OnAccept on_accept) : runtime_(runtime), on_accept_(std::move(on_accept)) {}
  struct Acceptor {
    Acceptor(Loop& loop, int descriptor) : socket(loop, descriptor), watch(loop, descriptor) {}
    Socket socket;
    Loop::Watch watch;
  };
  Task<> accept_loop(Worker& worker, Acceptor& acceptor);

  Runtime& runtime_;
  OnAccept on_accept_;
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
  std::uint16_t port_ = 0;
};

}  // namespace sluice::net
