// Event: lets coroutines sleep until another on the same thread wakes them, or a time passes.
//
//   co_await event.wait();                 // until notify()
//   bool woken = co_await event.wait_for(std::chrono::seconds{5});
//
// A notify() that comes before the wait is remembered (once). Of several that wait, one goes on per notify();
// the others look again. Not thread-safe: post to the owner's Loop first.
#pragma once

#include <chrono>
#include <vector>

#include "net/loop.h"

namespace sluice::net {

class Event final : Loop::Waiting {
 public:
  explicit Event(const asio::any_io_executor& executor) : Waiting(Loop::of(executor)) {}
  ~Event() override = default;

  void notify();
  Task<> wait();
  Task<bool> wait_for(std::chrono::nanoseconds limit);  // true: notified; false: the time passed

 private:
  auto next_notify();
  void wake_all();
  void give_up(std::vector<Loop::Job>& waiters) override;

  std::vector<Loop::Job> waiting_;
  bool notified_ = false;
};

}  // namespace sluice::net
