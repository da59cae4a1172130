#include "net/loop.h"

#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <latch>
#include <thread>

#include "net/blocking.h"
#include "net/event.h"
#include "net/runtime.h"
#include "net/stream.h"

namespace sluice::net {
namespace {

using std::chrono::milliseconds;

// Two ends of a connection, the first non-blocking.
struct Pair {
  Pair() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0); }
  ~Pair() {
    for (int end : ends) {
      if (end >= 0) ::close(end);
    }
  }
  int take(int i) { return std::exchange(ends[i], -1); }
  void say(std::string_view text) const {
    EXPECT_EQ(::send(ends[1], text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  }
  int ends[2] = {-1, -1};
};

void run(Loop& loop, Task<> task) {
  asio::co_spawn(loop, std::move(task), [&](std::exception_ptr error) {
    EXPECT_FALSE(error);
    loop.stop();
  });
  loop.run();
}

TEST(Loop, RunsJobsOfAllThreads) {
  Loop loop;
  std::atomic<int> done = 0;
  std::thread other([&] {
    for (int i = 0; i < 1000; ++i) loop.post([&] { ++done; });
    loop.post([&] { loop.post([&] { loop.stop(); }); });
  });
  loop.run();
  other.join();
  EXPECT_EQ(done, 1000);
}

TEST(Loop, TimersComeInOrderAndNotBeforeTheirTime) {
  Loop loop;
  std::string order;
  const auto now = std::chrono::steady_clock::now();
  Loop::Timer late{loop}, early{loop}, never{loop}, moved{loop};
  late.set(now + milliseconds{20}, [&] {
    EXPECT_GE(std::chrono::steady_clock::now(), now + milliseconds{20});
    order += "late";
    loop.stop();
  });
  early.set(now + milliseconds{1}, [&] { order += "early "; });
  never.set(now + milliseconds{2}, [&] { order += "never "; });
  moved.set(now + milliseconds{1}, [&] { order += "moved "; });
  moved.set(now + milliseconds{10}, [&] { order += "moved "; });
  never.cancel();
  loop.run();
  EXPECT_EQ(order, "early moved late");
}

// The pool's thread is done with a job only after the coroutine has its answer, perhaps after its Loop has
// ended.
TEST(RunBlocking, LeavesNothingOfTheLoopWithThePool) {
  asio::thread_pool pool{1};
  std::latch loop_is_gone{1};
  auto loop = std::make_unique<Loop>();
  int answer = 0;
  run(*loop, [](asio::thread_pool& threads, std::latch& gone, int& out) -> Task<> {
    std::shared_ptr<std::latch> lingering{&gone, [](std::latch* latch) { latch->wait(); }};
    out = co_await run_blocking<int>(threads, [held = std::move(lingering)] { return 42; });
  }(pool, loop_is_gone, answer));
  EXPECT_EQ(answer, 42);
  loop.reset();
  loop_is_gone.count_down();
  pool.join();
}

TEST(RunBlocking, MayAnswerALoopThatHasStopped) {
  asio::thread_pool pool{1};
  std::latch loop_has_stopped{1};
  Loop loop;
  asio::co_spawn(
      loop,
      [](asio::thread_pool& threads, std::latch& stopped) -> Task<> {
        (void)co_await run_blocking<int>(threads, [&stopped] { return stopped.wait(), 42; });
        ADD_FAILURE() << "nothing runs any more";
      }(pool, loop_has_stopped),
      asio::detached);
  loop.post([&] { loop.stop(); });
  loop.run();
  loop_has_stopped.count_down();
  pool.join();
}

TEST(Stream, ReadsWhatComesAndMakesNoAttemptBefore) {
  Loop loop;
  Pair pair;
  Stream stream{Socket{loop, pair.take(0)}};
  run(loop, [](Stream& in, Pair& out) -> Task<> {
    std::array<std::uint8_t, 8> buffer;
    EXPECT_EQ(in.try_read(buffer).status, Io::would_block);
    out.say("0123456789");
    EXPECT_TRUE(co_await in.ready(Want::read));
    EXPECT_EQ(in.try_read(buffer).bytes, 8u);
    EXPECT_EQ(in.try_read(buffer).bytes, 2u) << "a full buffer leaves the socket readable";
    EXPECT_EQ(in.try_read(buffer).status, Io::would_block);
    out.say("x");
    auto n = co_await in.read_some(buffer);
    EXPECT_EQ(n.value_or(0), 1u);
    ::shutdown(out.ends[1], SHUT_WR);
    n = co_await in.read_some(buffer);
    EXPECT_TRUE(n && *n == 0);
  }(stream, pair));
}

// The end of the peer may come with its last bytes, and no further event after it.
TEST(Stream, SeesTheEndBehindTheLastBytes) {
  Loop loop;
  Pair pair;
  pair.say("last");
  ::shutdown(pair.ends[1], SHUT_WR);
  Stream stream{Socket{loop, pair.take(0)}};
  run(loop, [](Stream& in) -> Task<> {
    std::array<std::uint8_t, 64> buffer;
    auto n = co_await in.read_some(buffer);
    EXPECT_EQ(n.value_or(0), 4u);
    n = co_await in.read_some(buffer);
    EXPECT_TRUE(n && *n == 0);
  }(stream));
}

TEST(Stream, WritesMoreThanTheSocketHolds) {
  Loop loop;
  Pair pair;
  constexpr std::size_t kBytes = 4 << 20;
  std::thread reader([&] {
    std::vector<char> buffer(64 * 1024);
    std::size_t seen = 0;
    while (seen < kBytes) {
      const auto n = ::recv(pair.ends[1], buffer.data(), buffer.size(), 0);
      if (n > 0) seen += static_cast<std::size_t>(n);
      if (n < 0) std::this_thread::sleep_for(milliseconds{1});
    }
  });
  Stream stream{Socket{loop, pair.take(0)}};
  run(loop, [](Stream& out) -> Task<> {
    const std::string data(kBytes, 'x');
    EXPECT_TRUE(co_await out.write_all(as_bytes(data)));
  }(stream));
  reader.join();
}

TEST(Stream, ClosingEndsTheWait) {
  Loop loop;
  Pair pair;
  Stream stream{Socket{loop, pair.take(0)}};
  Deadline deadline{stream, milliseconds{5}};
  run(loop, [](Stream& in) -> Task<> {
    std::array<std::uint8_t, 8> buffer;
    const auto n = co_await in.read_some(buffer);
    EXPECT_FALSE(n);
    if (!n) EXPECT_EQ(n.error().code, Errc::cancelled);
    EXPECT_EQ(in.try_read(buffer).status, Io::closed);
  }(stream));
  EXPECT_TRUE(deadline.passed());
}

// Both of these have an event in the same batch, and the first ends the second.
TEST(Stream, MayBeDestroyedWhileItsEventIsAtHand) {
  Loop loop;
  Pair one, two;
  std::array<std::unique_ptr<Stream>, 2> streams = {std::make_unique<Stream>(Socket{loop, one.take(0)}),
                                                    std::make_unique<Stream>(Socket{loop, two.take(0)})};
  int ended = 0;
  auto wait = [&](std::size_t i) -> Task<> {
    const bool open = co_await streams[i]->ready(Want::read);
    if (open) streams[1 - i].reset();
    if (++ended == 2) loop.stop();
  };
  asio::co_spawn(loop, wait(0), asio::detached);
  asio::co_spawn(loop, wait(1), asio::detached);
  loop.post([&] {
    loop.post([&] {
      one.say("x");
      two.say("x");
    });
  });
  loop.run();
  EXPECT_EQ(ended, 2);
}

// Two sockets are ready at once: both are read, then each reader goes on, then what they left for the end.
TEST(Loop, TakesASetOfSocketsThroughEachStageTogether) {
  Loop loop;
  Pair one, two;
  Stream first{Socket{loop, one.take(0)}}, second{Socket{loop, two.take(0)}};
  std::string order;
  const auto left = [](const Stream& stream) {
    int waiting = -1;
    EXPECT_EQ(::ioctl(stream.socket().native_handle(), FIONREAD, &waiting), 0);
    return waiting;
  };
  Loop::TurnEnd end{loop, [&] {
                      order += "end";
                      loop.stop();
                    }};
  auto reader = [&](Stream& in, std::string name) -> Task<> {
    std::array<std::uint8_t, 8> buffer;
    EXPECT_TRUE(co_await in.ready_to_read(buffer));
    EXPECT_EQ(left(first) + left(second), 0) << "both were read before";
    EXPECT_EQ(in.try_read(buffer).bytes, 4u);
    EXPECT_EQ(as_text(Bytes{buffer}.first(4)), "data");
    EXPECT_EQ(in.try_read(buffer).status, Io::would_block);
    order += name + " ";
    end.arm();
    end.arm();
  };
  asio::co_spawn(loop, reader(first, "reader"), asio::detached);
  asio::co_spawn(loop, reader(second, "reader"), asio::detached);
  loop.post([&] {
    loop.post([&] {
      one.say("data");
      two.say("data");
    });
  });
  loop.run();
  EXPECT_EQ(order, "reader reader end");
}

TEST(Loop, ATurnEndThatIsGoneIsNotRun) {
  Loop loop;
  int ran = 0;
  auto gone = std::make_unique<Loop::TurnEnd>(loop, [&] { ran += 100; });
  Loop::TurnEnd again{loop, [&] {
                        if (++ran == 1) return again.arm();  // comes again at the end of the same turn
                        loop.stop();
                      }};
  loop.post([&] {
    gone->arm();
    again.arm();
    gone.reset();
  });
  loop.run();
  EXPECT_EQ(ran, 2);
}

TEST(Stream, SaysTheEndAndTheErrorThatItsReadFound) {
  Loop loop;
  Pair pair;
  Stream stream{Socket{loop, pair.take(0)}};
  ::shutdown(pair.ends[1], SHUT_WR);
  run(loop, [](Stream& in) -> Task<> {
    std::array<std::uint8_t, 8> buffer;
    EXPECT_TRUE(co_await in.ready_to_read(buffer));
    EXPECT_EQ(in.try_read(buffer).status, Io::closed);
  }(stream));
}

TEST(Stream, SuspendedReadsWaitUntilTheyAreResumed) {
  Loop loop;
  Pair pair;
  pair.say("data");
  Stream stream{Socket{loop, pair.take(0)}};
  stream.suspend_reads();
  bool resumed = false;
  Loop::Timer later{loop};
  later.set(Loop::Clock::now() + milliseconds{5}, [&] {
    EXPECT_TRUE(stream.is_open());
    resumed = true;
    stream.resume_reads();
  });
  run(loop, [](Stream& in, bool& r) -> Task<> {
    std::array<std::uint8_t, 8> buffer;
    EXPECT_FALSE(in.may_read());
    EXPECT_EQ(in.try_read(buffer).status, Io::would_block);
    EXPECT_TRUE(co_await in.ready_to_read(buffer));
    EXPECT_TRUE(r);
    EXPECT_EQ(in.try_read(buffer).bytes, 4u);
  }(stream, resumed));
}

TEST(Stream, ClosingEndsAReadThatIsSuspended) {
  Loop loop;
  Pair pair;
  Stream stream{Socket{loop, pair.take(0)}};
  stream.suspend_reads();
  Deadline deadline{stream, milliseconds{5}};
  run(loop, [](Stream& in) -> Task<> {
    std::array<std::uint8_t, 8> buffer;
    EXPECT_FALSE(co_await in.ready_to_read(buffer));
    EXPECT_EQ(in.try_read(buffer).status, Io::closed);
  }(stream));
}

TEST(Event, WakesOneForEachNotify) {
  Loop loop;
  Event event{loop.get_executor()};
  int woken = 0;
  auto sleeper = [&]() -> Task<> {
    co_await event.wait();
    ++woken;
  };
  asio::co_spawn(loop, sleeper(), asio::detached);
  asio::co_spawn(loop, sleeper(), asio::detached);
  run(loop, [](Event& e, int& n, Loop& l) -> Task<> {
    Event pause{l.get_executor()};
    EXPECT_FALSE(co_await pause.wait_for(milliseconds{2}));
    e.notify();
    EXPECT_FALSE(co_await pause.wait_for(milliseconds{2}));
    EXPECT_EQ(n, 1);
    e.notify();
    EXPECT_FALSE(co_await pause.wait_for(milliseconds{2}));
    EXPECT_EQ(n, 2);
    e.notify();
    EXPECT_TRUE(co_await e.wait_for(std::chrono::hours{1})) << "remembered";
  }(event, woken, loop));
}

// A coroutine owns what it waits in, and nobody else does.
TEST(Loop, EndsWhatStillWaits) {
  auto alive = std::make_shared<int>(1);
  std::weak_ptr<int> seen = alive;
  {
    Loop loop;
    Pair pair;
    struct Owner {
      Owner(Loop& loop, int descriptor) : stream(Socket{loop, descriptor}), event(loop.get_executor()) {}
      Stream stream;
      Event event;
    };
    auto owner = std::make_shared<Owner>(loop, pair.take(0));
    asio::co_spawn(
        loop,
        [](std::shared_ptr<Owner> self, std::shared_ptr<int> held) -> Task<> {
          (void)co_await self->stream.ready(Want::read);
          (void)held;
        }(owner, alive),
        asio::detached);
    asio::co_spawn(
        loop,
        [](std::shared_ptr<Owner> self, std::shared_ptr<int> held) -> Task<> {
          Deadline deadline{self->stream, std::chrono::hours{1}};
          co_await self->event.wait();
          (void)held;
        }(owner, std::move(alive)),
        asio::detached);
    owner.reset();
    loop.post([&] { loop.post([&] { loop.stop(); }); });
    loop.run();
    EXPECT_FALSE(seen.expired());
  }
  EXPECT_TRUE(seen.expired());
}

}  // namespace
}  // namespace sluice::net
