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
// A turn has stages: what is ready is received for all (Watch::wait with a buffer), then their coroutines go
// on one after the other, then what they have to send is sent for all (TurnEnd). Each stage finds its code
// and the kernel's in the caches, which one session after the other, through all stages, would not.
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
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "core/bytes.h"
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
  class TurnEnd;
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
  void handle_some(std::span<epoll_event> events);
  void run_turn_ends();
  void run_timers();
  void run_jobs();
  bool is_inside() const { return thread_.load(std::memory_order_relaxed) == std::this_thread::get_id(); }
  std::vector<Job> take_what_waits();

  static constexpr int kBatch = 128;  // events taken from the kernel at a time
  // Of those, how many go through the stages together. More would keep the first waiting for the last and
  // win nothing: what a stage shares is fetched for the first of them.
  static constexpr int kStaged = 16;

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
  std::vector<TurnEnd*> turn_ends_;  // armed; null: gone since
  Waiting* waiting_ = nullptr;       // all of them

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

  bool is_ready(Want want) const { return ready_[index(want)] && !(suspended_ && want == Want::read); }
  void exhausted(Want want) { ready_[index(want)] = gone_[index(want)]; }

  // Resumes when it is ready: true, or when it was closed: false. One coroutine each way. A wait to read that
  // names a buffer, which must live as long, has mostly read when it resumes: see take_received.
  auto wait(Want want, MutableBytes into = {}) {
    if (want == Want::read) into_ = into;
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
  // What recv() said during such a wait, once, with errno as it was.
  std::optional<ssize_t> take_received();
  // Nothing is ready to be read until `resume_reads`, whatever comes.
  void suspend_reads() { suspended_ = true; }
  void resume_reads();
  // Before the descriptor is closed: whoever waits is told.
  void close();

 private:
  friend class Loop;
  using Handler = std::move_only_function<void(bool)>;
  static constexpr std::size_t index(Want want) { return want == Want::read ? 0 : 1; }
  void on_events(std::uint32_t events);
  void receive();
  void go_on();
  void give_up(std::vector<Job>& waiters) override;

  int descriptor_;
  bool ready_[2] = {false, false};
  bool gone_[2] = {false, false};  // the peer has ended that direction: every attempt says something
  bool closed_ = false;
  bool suspended_ = false;
  MutableBytes into_;  // empty: whoever waits receives for itself
  struct Received {
    ssize_t result;
    int error;
  };
  std::optional<Received> received_;
  Handler waiting_[2];
};

// TurnEnd: runs its job once at the end of a turn in which it was armed, after all that was ready has been
// handled (or a good part of it, when very much was).
class Loop::TurnEnd {
 public:
  TurnEnd(Loop& loop, Job job) : loop_(loop), job_(std::move(job)) {}
  ~TurnEnd();
  TurnEnd(const TurnEnd&) = delete;
  TurnEnd& operator=(const TurnEnd&) = delete;

  void arm();

 private:
  friend class Loop;
  Loop& loop_;
  Job job_;
  bool armed_ = false;
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
