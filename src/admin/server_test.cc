#include "admin/server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <thread>

#include "admin/testing.h"

namespace sluice::admin {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using testing::Plane;

// A client with a socket and nothing else, so that it can misbehave.
class Client {
 public:
  explicit Client(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    const timeval limit{20, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  ~Client() { ::close(fd_); }
  bool connected() const { return connected_; }
  void send(std::string_view text) {
    EXPECT_EQ(::send(fd_, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  bool has_answer() {
    char first;
    return ::recv(fd_, &first, 1, MSG_PEEK) == 1;
  }
  // Up to the end of the stream, or until `count` answers have come.
  std::string receive(std::size_t count = 1000) {
    std::string out;
    char chunk[4096];
    while (answers(out) < count) {
      const auto n = ::recv(fd_, chunk, sizeof chunk, 0);
      if (n <= 0) break;
      out.append(chunk, static_cast<std::size_t>(n));
    }
    return out;
  }

 private:
  static std::size_t answers(const std::string& text) {
    std::size_t count = 0;
    for (auto at = text.find("{\"status\":\"ok\"}"); at != std::string::npos;
         at = text.find("{\"status\":\"ok\"}", at + 1))
      ++count;
    return count;
  }
  int fd_;
  bool connected_ = false;
};

constexpr std::string_view kHealth = "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n";

class ServerTest : public ::testing::Test {
 protected:
  void start(ServerSettings settings = {}) {
    auto opened = Server::open(settings, plane.control);
    ASSERT_TRUE(opened) << opened.error().message();
    server = std::move(*opened);
    server->start();
  }
  Plane plane;
  std::unique_ptr<Server> server;
};

TEST_F(ServerTest, AnswersSeveralRequestsOnOneConnection) {
  start();
  Client client{server->port()};
  client.send(kHealth);
  EXPECT_THAT(client.receive(1), HasSubstr("200 OK"));
  client.send(std::string(kHealth) + std::string(kHealth));
  EXPECT_THAT(client.receive(2), HasSubstr("keep-alive"));
}

TEST_F(ServerTest, ClosesWhenAsked) {
  start();
  Client client{server->port()};
  client.send("GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(client.receive(), HasSubstr("Connection: close"));
}

TEST_F(ServerTest, NonsenseGetsAProblemAndTheDoor) {
  start();
  Client client{server->port()};
  client.send("nonsense\r\n\r\n");
  EXPECT_THAT(client.receive(), HasSubstr("HTTP/1.1 400 Bad Request"));
  Client large{server->port()};
  large.send("POST /api/v1/principals HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\n\r\n");
  EXPECT_THAT(large.receive(), HasSubstr("413"));
}

TEST_F(ServerTest, SlowRequestsEnd) {
  start({.request_timeout = 200ms, .idle_timeout = 200ms});
  Client silent{server->port()};
  EXPECT_EQ(silent.receive(), "");
  Client slow{server->port()};
  slow.send("GET /heal");
  EXPECT_EQ(slow.receive(), "");
}

TEST_F(ServerTest, OneTooManyTakesThePlaceOfWhoHasWaitedLongest) {
  start({.max_connections = 2});
  Client first{server->port()};
  Client second{server->port()};
  first.send(kHealth);
  EXPECT_NE(first.receive(1), "");
  second.send(kHealth);
  EXPECT_NE(second.receive(1), "");
  Client third{server->port()};
  third.send(kHealth);
  EXPECT_NE(third.receive(1), "");
  EXPECT_EQ(first.receive(), "") << "closed";
  second.send(kHealth);
  EXPECT_NE(second.receive(1), "") << "not closed";
}

TEST_F(ServerTest, ClientsThatSendNothingKeepNobodyOut) {
  start({.max_connections = 4});
  std::vector<std::unique_ptr<Client>> silent;
  for (int i = 0; i < 40; ++i) {
    silent.push_back(std::make_unique<Client>(server->port()));
    silent.back()->send("GET /he");
  }
  Client honest{server->port()};
  honest.send(kHealth);
  EXPECT_NE(honest.receive(1), "");
}

TEST_F(ServerTest, ClientsThatDoNotReadKeepNobodyOut) {
  start({.max_connections = 2});
  std::string many;
  for (int i = 0; i < 400; ++i) many += "GET /api/v1/openapi.json HTTP/1.1\r\nHost: h\r\n\r\n";
  Client one{server->port()};
  Client two{server->port()};
  one.send(many);
  two.send(many);
  // The first bytes are there: the control thread goes on until their sockets take no more, then accepts.
  EXPECT_TRUE(one.has_answer() && two.has_answer());
  Client honest{server->port()};
  honest.send(kHealth);
  EXPECT_NE(honest.receive(1), "");
}

TEST_F(ServerTest, BlockingRoutesRunBesideTheControlThread) {
  start();
  std::string call =
      "POST /api/v1/record/verify HTTP/1.1\r\nHost: h\r\nConnection: close\r\nAuthorization: Bearer ";
  call += plane.tokens["root"] + "\r\nContent-Length: 0\r\n\r\n";
  Client client{server->port()};
  client.send(call);
  EXPECT_THAT(client.receive(), HasSubstr("\"intact\":true"));
}

TEST_F(ServerTest, RunsJobsOnTheControlThread) {
  auto opened = Server::open({}, plane.control);
  ASSERT_TRUE(opened);
  server = std::move(*opened);
  std::mutex mutex;
  std::condition_variable ran;
  int repeated = 0;
  bool posted = false;
  server->every(1ms, [&] {
    std::lock_guard lock(mutex);
    ++repeated;
    ran.notify_all();
  });
  server->start();
  server->post([&] {
    std::lock_guard lock(mutex);
    posted = true;
    ran.notify_all();
  });
  std::unique_lock lock(mutex);
  EXPECT_TRUE(ran.wait_for(lock, 20s, [&] { return repeated >= 3 && posted; }));
  lock.unlock();
  server->stop();
  server->stop();
}

TEST_F(ServerTest, AnAddressThatIsNoneIsRefused) {
  EXPECT_FALSE(Server::open({.address = "nowhere"}, plane.control));
}

}  // namespace
}  // namespace sluice::admin
