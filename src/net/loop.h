// Loop: one thread's event loop. It waits for sockets, timers and jobs in one epoll_wait, and is the executor
// that this thread's coroutines run on.
//
//   Loop loop;
//   asio::co_spawn(loop, session(), asio::detached);
//   loop.run();                                  // until stop()
//
// Why not Asio's own: its sockets try each read before they wait for it, which fails nearly always for a
// relay (two failed recv for a transaction), and pay for being usable from several threads. Here a descriptor
// is registered once, edge-triggered, and a wait is a look at a flag. Asio's coroutines, resolver and thread
// pool work on a Loop like on any execution context; what of Asio needs a reactor of its own would start a
// thread for it, so sockets and timers are this folder's own: Stream, Listener, Event, Deadline.
//
// Threads: post(), stop() and Executor::execute from any; everything else on the thread of run(), or before
// it. What still waits when the Loop is destroyed is destroyed without being run.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "net/asio.h"

namespace sluice::net {

enum class Want { read, write };

class Loop : public asio::execution_context {
 public:
  using Job = std::move_only_function<void()>;
  using Clock = std::chrono::steady_clock;  // the time of the waits themselves, not of what is decided
  using Time = Clock::time_point;
  class Executor;
  class Waiting;
  class Watch;
  class Timer;
  using executor_type = Executor;

  Loop();
  ~Loop();
  Executor get_executor() noexcept;
  static Loop& of(const asio::any_io_executor& executor);  // of a coroutine that runs on one

  void run();
  void stop();  // run() returns after what it is at
  void post(Job job);

 private:
  void wake();
  int timeout() const;
  void handle_events(int count);
  void run_timers();
  void run_jobs();
  bool is_inside() const { return thread_.load(std::memory_order_relaxed) == std::this_thread::get_id(); }
  std::vector<Job> take_what_waits();

  static constexpr int kBatch = 128;  // events taken from the kernel at a time

  int epoll_ = -1;
  int wakeup_ = -1;  // eventfd
  std::atomic<std::thread::id> thread_;
  std::atomic<bool> stopping_ = false;
  std::array<epoll_event, kBatch> events_;
  int events_left_ = 0;  // of the batch at hand: the last ones
  int events_end_ = 0;
  std::vector<Job> jobs_;  // of this thread
  std::vector<Job> running_;
  std::multimap<Time, Timer*> timers_;
  Waiting* waiting_ = nullptr;  // all of them

  std::mutex mutex_;
  std::vector<Job> posted_;  // by other threads
  std::atomic<bool> woken_ = false;
};

// What any_io_executor wants of one.
class Loop::Executor {
 public:
  explicit Executor(Loop& loop) noexcept : loop_(&loop) {}
  Loop& query(asio::execution::context_t) const noexcept { return *loop_; }
  static constexpr asio::execution::blocking_t query(asio::execution::blocking_t) noexcept {
    return asio::execution::blocking.never;
  }
  Executor require(asio::execution::blocking_t::never_t) const noexcept { return *this; }
  template <class F>
  void execute(F f) const {
    loop_->post(std::move(f));
  }
  friend bool operator==(const Executor&, const Executor&) noexcept = default;

 private:
  Loop* loop_;
};

// Something that coroutines wait in. Known to the Loop, which ends those waits when it is destroyed: a
// coroutine may own what it waits in.
class Loop::Waiting {
 public:
  explicit Waiting(Loop& loop);
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  Loop& loop() const { return loop_; }

 protected:
  virtual ~Waiting();

 private:
  friend class Loop;
  virtual void give_up(std::vector<Job>& waiters) = 0;  // adds what holds them, to be destroyed

  Loop& loop_;
  Waiting* before_ = nullptr;
  Waiting* after_ = nullptr;
};

// Watch: whether a descriptor can be read or written. It says yes until somebody has found that it cannot
// (`exhausted`), and again when the kernel reports a change.
class Loop::Watch final : public Waiting {
 public:
  // The descriptor must be non-blocking, and open for as long as this lives.
  Watch(Loop& loop, int descriptor);
  ~Watch() override;

  bool is_ready(Want want) const { return ready_[index(want)]; }
  void exhausted(Want want) { ready_[index(want)] = gone_[index(want)]; }

  // Resumes when it is ready: true, or when it was closed: false. One coroutine each way.
  auto wait(Want want) {
    return asio::async_initiate<const asio::use_awaitable_t<>, void(bool)>(
        [this, want](auto handler) {
          if (closed_ || is_ready(want)) {
            loop().post(
                [handler = std::move(handler), open = !closed_]() mutable { std::move(handler)(open); });
          } else {
            waiting_[index(want)] = std::move(handler);
          }
        },
        asio::use_awaitable);
  }
  // Before the descriptor is closed: whoever waits is told.
  void close();

 private:
  friend class Loop;
  using Handler = std::move_only_function<void(bool)>;
  static constexpr std::size_t index(Want want) { return want == Want::read ? 0 : 1; }
  void on_events(std::uint32_t events);
  void give_up(std::vector<Job>& waiters) override;

  int descriptor_;
  bool ready_[2] = {false, false};
  bool gone_[2] = {false, false};  // the peer has ended that direction: every attempt says something
  bool closed_ = false;
  Handler waiting_[2];
};

// Timer: runs a job once at a time.
class Loop::Timer {
 public:
  explicit Timer(Loop& loop) : loop_(loop) {}
  ~Timer() { cancel(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void set(Time when, Job job);  // in place of what was set
  void cancel();                 // the job is destroyed without being run

 private:
  friend class Loop;
  Loop& loop_;
  Job job_;
  std::multimap<Time, Timer*>::iterator place_;
  bool set_ = false;
};

}  // namespace sluice::net
