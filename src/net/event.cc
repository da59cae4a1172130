#include "net/event.h"

namespace sluice::net {

void Event::notify() {
  notified_ = true;
  timer_.cancel();
}

Task<> Event::wait() {
  while (!notified_) {
    timer_.expires_at(asio::steady_timer::time_point::max());
    co_await timer_.async_wait(kNoThrow);
  }
  notified_ = false;
}

Task<bool> Event::wait_for(std::chrono::nanoseconds limit) {
  const auto until = asio::steady_timer::clock_type::now() + limit;
  while (!notified_ && asio::steady_timer::clock_type::now() < until) {
    timer_.expires_at(until);
    co_await timer_.async_wait(kNoThrow);
  }
  const bool woken = notified_;
  notified_ = false;
  co_return woken;
}

}  // namespace sluice::net
