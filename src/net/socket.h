// Socket: a connected TCP socket, non-blocking, with the Loop that it belongs to. Owns the descriptor.
#pragma once

#include "net/loop.h"

namespace sluice::net {

class Socket {
 public:
  Socket(Loop& loop, int descriptor) : loop_(&loop), descriptor_(descriptor) {}
  ~Socket() { close(); }
  Socket(Socket&& other) noexcept : loop_(other.loop_), descriptor_(std::exchange(other.descriptor_, -1)) {}
  Socket& operator=(Socket&&) = delete;

  Loop& loop() const { return *loop_; }
  int native_handle() const { return descriptor_; }
  bool is_open() const { return descriptor_ >= 0; }
  void close();

  tcp::endpoint remote_endpoint(boost::system::error_code& error) const;

 private:
  Loop* loop_;
  int descriptor_;
};

}  // namespace sluice::net
