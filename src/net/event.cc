#include "net/event.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace sluice::net {

void Event::notify() {
  notified_ = true;
  if (!waiting_.empty()) wake_all();
}

void Event::wake_all() {
  for (auto& waiter : std::exchange(waiting_, {})) loop().post(std::move(waiter));
}

void Event::give_up(std::vector<Loop::Job>& waiters) {
  std::ranges::move(std::exchange(waiting_, {}), std::back_inserter(waiters));
}

auto Event::next_notify() {
  return asio::async_initiate<const asio::use_awaitable_t<>, void()>(
      [this](auto handler) { waiting_.emplace_back(std::move(handler)); }, asio::use_awaitable);
}

Task<> Event::wait() {
  while (!notified_) co_await next_notify();
  notified_ = false;
}

Task<bool> Event::wait_for(std::chrono::nanoseconds limit) {
  const auto until = Loop::Clock::now() + limit;
  Loop::Timer timer{loop()};
  while (!notified_ && Loop::Clock::now() < until) {
    timer.set(until, [this] { wake_all(); });
    co_await next_notify();
  }
  co_return std::exchange(notified_, false);
}

}  // namespace sluice::net
