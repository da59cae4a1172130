#include "net/loop.h"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

namespace sluice::net {

Loop::Loop() {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  wakeup_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.ptr = nullptr}};
  // Only at start, and only without descriptors or memory: there is nothing to go on with.
  if (epoll_ < 0 || wakeup_ < 0 || ::epoll_ctl(epoll_, EPOLL_CTL_ADD, wakeup_, &event) != 0) std::abort();
}

// What waits holds coroutines, and those hold what waits: destroying one may end others, and even post.
Loop::~Loop() {
  shutdown();  // of Asio's services
  for (auto dead = take_what_waits(); !dead.empty(); dead = take_what_waits()) dead.clear();
  destroy();
  ::close(wakeup_);
  ::close(epoll_);
}

std::vector<Loop::Job> Loop::take_what_waits() {
  auto dead = std::exchange(jobs_, {});
  for (auto* job : {&posted_, &running_}) {
    std::ranges::move(*job, std::back_inserter(dead));
    job->clear();
  }
  for (auto* waiting = waiting_; waiting != nullptr; waiting = waiting->after_) waiting->give_up(dead);
  for (auto& [when, timer] : timers_) dead.push_back(std::exchange(timer->job_, nullptr));
  for (auto& [when, timer] : timers_) timer->set_ = false;
  timers_.clear();
  return dead;
}

Loop::Executor Loop::get_executor() noexcept {
  return Executor{*this};
}

Loop& Loop::of(const asio::any_io_executor& executor) {
  return static_cast<Loop&>(asio::query(executor, asio::execution::context));
}

// ---------------------------------------------------------------- running

void Loop::run() {
  thread_ = std::this_thread::get_id();
  while (!stopping_.load(std::memory_order_relaxed)) {
    handle_events(::epoll_wait(epoll_, events_.data(), kBatch, timeout()));
    run_timers();
    run_jobs();
    run_turn_ends();
  }
  thread_ = std::thread::id{};
}

void Loop::stop() {
  stopping_ = true;
  wake();
}

void Loop::post(Job job) {
  if (is_inside()) {
    jobs_.push_back(std::move(job));
    return;
  }
  {
    std::lock_guard lock(mutex_);
    posted_.push_back(std::move(job));
  }
  if (!woken_.exchange(true)) wake();
}

void Loop::wake() {
  const std::uint64_t one = 1;
  // It can only fail when the counter is full, and then the thread is awake.
  [[maybe_unused]] const auto written = ::write(wakeup_, &one, sizeof one);
}

// Milliseconds until something has to be done, rounded up so that a timer is over when it is looked at.
int Loop::timeout() const {
  if (!jobs_.empty()) return 0;
  if (timers_.empty()) return -1;
  const auto left = timers_.begin()->first - Clock::now();
  if (left <= left.zero()) return 0;
  constexpr auto kLongest = std::chrono::hours{1};
  return static_cast<int>(
      std::chrono::ceil<std::chrono::milliseconds>(std::min<std::chrono::nanoseconds>(left, kLongest))
          .count());
}

// A watch that goes away meanwhile takes itself out of the batch.
void Loop::handle_events(int count) {
  events_end_ = std::max(count, 0);
  for (events_left_ = events_end_; events_left_ > 0;) {
    const int some = std::min(events_left_, kStaged);
    handle_some({events_.data() + (events_end_ - events_left_), static_cast<std::size_t>(some)});
    events_left_ -= some;
    run_turn_ends();
  }
}

void Loop::handle_some(std::span<epoll_event> events) {
  for (const auto& event : events) {  // null: the wakeup, which is edge-triggered and never read, or gone
    if (event.data.ptr != nullptr) static_cast<Watch*>(event.data.ptr)->on_events(event.events);
  }
  for (const auto& event : events) {
    if (event.data.ptr != nullptr) static_cast<Watch*>(event.data.ptr)->go_on();
  }
}

void Loop::run_turn_ends() {
  for (std::size_t i = 0; i < turn_ends_.size(); ++i) {
    if (auto* end = turn_ends_[i]; end != nullptr) {
      end->armed_ = false;
      end->job_();
    }
  }
  turn_ends_.clear();
}

void Loop::run_timers() {
  if (timers_.empty()) return;
  const auto now = Clock::now();
  while (!timers_.empty() && timers_.begin()->first <= now) {
    auto* timer = timers_.begin()->second;
    timers_.erase(timers_.begin());
    timer->set_ = false;
    auto job = std::exchange(timer->job_, nullptr);
    job();
  }
}

// Those that are there now; what they post comes after the next look at the sockets.
void Loop::run_jobs() {
  running_.swap(jobs_);
  if (woken_.load(std::memory_order_relaxed)) {
    woken_ = false;  // before the look: a job posted after it wakes again
    std::lock_guard lock(mutex_);
    std::ranges::move(posted_, std::back_inserter(running_));
    posted_.clear();
  }
  for (auto& job : running_) std::exchange(job, nullptr)();
  running_.clear();
}

// ---------------------------------------------------------------- watches

Loop::Waiting::Waiting(Loop& loop) : loop_(loop), after_(loop.waiting_) {
  if (after_ != nullptr) after_->before_ = this;
  loop_.waiting_ = this;
}

Loop::Waiting::~Waiting() {
  (before_ != nullptr ? before_->after_ : loop_.waiting_) = after_;
  if (after_ != nullptr) after_->before_ = before_;
}

Loop::Watch::Watch(Loop& loop, int descriptor) : Waiting(loop), descriptor_(descriptor) {
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.ptr = this}};
  // Without it nothing would ever be ready: it is as if the peer had gone.
  if (::epoll_ctl(loop.epoll_, EPOLL_CTL_ADD, descriptor_, &event) != 0) closed_ = true;
}

Loop::Watch::~Watch() {
  close();
}

void Loop::Watch::close() {
  if (std::exchange(closed_, true)) return;
  ::epoll_ctl(loop().epoll_, EPOLL_CTL_DEL, descriptor_, nullptr);
  for (int i = loop().events_end_ - loop().events_left_; i < loop().events_end_; ++i) {
    auto& event = loop().events_[static_cast<std::size_t>(i)];
    if (event.data.ptr == this) event.data.ptr = nullptr;
  }
  for (auto& handler : waiting_) {
    if (handler) loop().post([told = std::exchange(handler, nullptr)]() mutable { told(false); });
  }
}

void Loop::Watch::on_events(std::uint32_t events) {
  gone_[0] |= (events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP)) != 0;
  gone_[1] |= (events & (EPOLLERR | EPOLLHUP)) != 0;
  ready_[0] |= gone_[0] || (events & EPOLLIN) != 0;
  ready_[1] |= gone_[1] || (events & EPOLLOUT) != 0;
  if (is_ready(Want::read) && waiting_[0]) receive();
}

void Loop::Watch::receive() {
  if (into_.empty()) return;
  const auto result = ::recv(descriptor_, into_.data(), into_.size(), MSG_DONTWAIT);
  received_ = {result, errno};
}

std::optional<ssize_t> Loop::Watch::take_received() {
  if (!received_) return std::nullopt;
  errno = received_->error;
  return std::exchange(received_, std::nullopt)->result;
}

// Whoever goes on first may end this watch.
void Loop::Watch::go_on() {
  Handler go_on[2];
  for (const auto want : {Want::read, Want::write}) {
    if (is_ready(want)) go_on[index(want)] = std::exchange(waiting_[index(want)], nullptr);
  }
  for (auto& handler : go_on) {
    if (handler) handler(true);
  }
}

void Loop::Watch::resume_reads() {
  suspended_ = false;
  if (!ready_[0] || !waiting_[0]) return;
  receive();
  loop().post([handler = std::exchange(waiting_[0], nullptr)]() mutable { handler(true); });
}

void Loop::Watch::give_up(std::vector<Job>& waiters) {
  for (auto& handler : waiting_) {
    if (handler) waiters.emplace_back([held = std::exchange(handler, nullptr)] {});
  }
}

// ---------------------------------------------------------------- ends of turns

void Loop::TurnEnd::arm() {
  if (std::exchange(armed_, true)) return;
  loop_.turn_ends_.push_back(this);
}

Loop::TurnEnd::~TurnEnd() {
  if (armed_) std::ranges::replace(loop_.turn_ends_, this, nullptr);
}

// ---------------------------------------------------------------- timers

void Loop::Timer::set(Time when, Job job) {
  cancel();
  job_ = std::move(job);
  place_ = loop_.timers_.emplace(when, this);
  set_ = true;
}

void Loop::Timer::cancel() {
  if (!std::exchange(set_, false)) return;
  loop_.timers_.erase(place_);
  job_ = nullptr;
}

}  // namespace sluice::net
