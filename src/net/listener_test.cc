#include "net/listener.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <future>

#include "net/stream.h"

namespace sluice::net {
namespace {

// What it says is said back.
Task<> echo(std::unique_ptr<Stream> stream) {
  std::array<std::uint8_t, 256> buffer;
  for (;;) {
    const auto n = co_await stream->read_some(buffer);
    if (!n || *n == 0) co_return;
    if (!co_await stream->write_all({buffer.data(), *n})) co_return;
  }
}

Task<std::string> ask(std::uint16_t port, std::string text) {
  auto stream = co_await dial("127.0.0.1", port, std::chrono::seconds{5});
  if (!stream) co_return "cannot connect: " + stream.error().detail;
  if (!co_await (*stream)->write_all(as_bytes(text))) co_return "cannot write";
  std::array<std::uint8_t, 256> buffer;
  const auto n = co_await (*stream)->read_some(buffer);
  co_return n ? std::string{as_text(Bytes{buffer}.first(*n))} : n.error().detail;
}

std::string asked(Loop& loop, Task<std::string> task) {
  std::promise<std::string> answer;
  asio::co_spawn(loop, std::move(task),
                 [&](std::exception_ptr, std::string text) { answer.set_value(std::move(text)); });
  return answer.get_future().get();
}

TEST(Listener, AcceptsOnEveryWorkerAndStops) {
  Runtime runtime{2};
  auto listener = Listener::open(runtime, "127.0.0.1", 0, [](Worker& worker, Socket socket) {
    boost::system::error_code error;
    EXPECT_TRUE(socket.remote_endpoint(error).address().is_loopback());
    worker.spawn(echo(std::make_unique<Stream>(std::move(socket))));
  });
  ASSERT_TRUE(listener) << listener.error().message();
  const auto port = (*listener)->port();
  ASSERT_NE(port, 0);
  (*listener)->start();
  runtime.start();
  for (int i = 0; i < 20; ++i) {
    const auto text = "hello " + std::to_string(i);
    EXPECT_EQ(asked(runtime.worker(0).context(), ask(port, text)), text);
  }
  (*listener)->stop();
  std::promise<void> stopped[2];
  for (std::size_t i = 0; i < 2; ++i) {
    runtime.worker(i).post([&, i] { stopped[i].set_value(); });
    stopped[i].get_future().get();
  }
  EXPECT_NE(asked(runtime.worker(0).context(), ask(port, "late")).find("cannot connect"), std::string::npos);
  runtime.stop();
}

TEST(Listener, SaysWhyItCannot) {
  Runtime runtime{1};
  EXPECT_FALSE(Listener::open(runtime, "nonsense", 0, [](Worker&, Socket) {}));
  auto first = Listener::open(runtime, "127.0.0.1", 0, [](Worker&, Socket) {});
  ASSERT_TRUE(first);
}

TEST(Dial, NamesTheReasonAndTheTime) {
  Runtime runtime{1};
  runtime.start();
  // Nobody listens there: the port was free a moment ago.
  std::uint16_t free_port = 0;
  {
    auto listener = Listener::open(runtime, "127.0.0.1", 0, [](Worker&, Socket) {});
    ASSERT_TRUE(listener);
    free_port = (*listener)->port();
    runtime.stop();
  }
  Runtime other{1};
  other.start();
  EXPECT_NE(asked(other.worker(0).context(), ask(free_port, "x")).find("refused"), std::string::npos);
  EXPECT_EQ(asked(other.worker(0).context(), ask(1, "x")).substr(0, 14), "cannot connect");
}

}  // namespace
}  // namespace sluice::net
