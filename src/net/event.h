// Event: lets one coroutine sleep until another on the same thread wakes it, or a time passes.
//
//   co_await event.wait();                 // until notify()
//   bool woken = co_await event.wait_for(std::chrono::seconds{5});
//
// A notify() that comes before the wait is remembered (once). Not thread-safe: post to the owner's io_context
// first.
#pragma once

#include <chrono>

#include "net/asio.h"

namespace sluice::net {

class Event {
 public:
  explicit Event(asio::any_io_executor executor) : timer_(std::move(executor)) {}

  void notify();
  Task<> wait();
  Task<bool> wait_for(std::chrono::nanoseconds limit);  // true: notified; false: the time passed

 private:
  asio::steady_timer timer_;
  bool notified_ = false;
};

}  // namespace sluice::net
