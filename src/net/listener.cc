#include "net/listener.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/log.h"
#include "net/event.h"

namespace sluice::net {
namespace {

// Out of file descriptors: wait a little instead of spinning on accept.
constexpr auto kAcceptBackoff = std::chrono::milliseconds{50};

// A socket that listens there, shared with those of the other workers.
Result<int> listen_on(const tcp::endpoint& endpoint) {
  const int descriptor =
      ::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
  const int on = 1;
  const bool listens = descriptor >= 0 &&
                       ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                       ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0 &&
                       ::bind(descriptor, endpoint.data(), static_cast<socklen_t>(endpoint.size())) == 0 &&
                       ::listen(descriptor, SOMAXCONN) == 0;
  if (listens) return descriptor;
  auto problem = fail(Errc::unavailable, "{}", std::strerror(errno));
  if (descriptor >= 0) ::close(descriptor);
  return problem;
}

std::uint16_t port_of(int descriptor) {
  tcp::endpoint local;
  auto size = static_cast<socklen_t>(local.capacity());
  return ::getsockname(descriptor, local.data(), &size) == 0 ? local.port() : std::uint16_t{0};
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::open(Runtime& runtime, const std::string& address,
                                                 std::uint16_t port, OnAccept on_accept) {
  boost::system::error_code error;
  const auto ip = asio::ip::make_address(address, error);
  if (error) return fail(Errc::invalid_argument, "listener address {} is not an IP address", address);
  std::unique_ptr<Listener> made{new Listener(runtime, std::move(on_accept))};
  made->port_ = port;
  for (std::size_t i = 0; i < runtime.size(); ++i) {
    auto& loop = runtime.worker(i).context();
    auto descriptor = listen_on({ip, made->port_});
    if (!descriptor) {
      return fail(Errc::unavailable, "cannot listen on {}:{}: {}", address, port, descriptor.error().detail);
    }
    made->port_ = port_of(*descriptor);
    made->acceptors_.push_back(std::make_unique<Acceptor>(loop, *descriptor));
  }
  return made;
}

void Listener::start() {
  for (std::size_t i = 0; i < acceptors_.size(); ++i) {
    auto& worker = runtime_.worker(i);
    worker.spawn(accept_loop(worker, *acceptors_[i]));
  }
}

void Listener::stop() {
  for (std::size_t i = 0; i < acceptors_.size(); ++i) {
    runtime_.worker(i).post([acceptor = acceptors_[i].get()] {
      acceptor->watch.close();
      acceptor->socket.close();
    });
  }
}

Task<> Listener::accept_loop(Worker& worker, Acceptor& acceptor) {
  Event pause{worker.context().get_executor()};
  while (acceptor.socket.is_open()) {
    const int descriptor =
        ::accept4(acceptor.socket.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor >= 0) {
      on_accept_(worker, Socket{worker.context(), descriptor});
    } else if (errno == EAGAIN) {
      acceptor.watch.exhausted(Want::read);
      if (!co_await acceptor.watch.wait(Want::read)) break;
    } else if (errno != EINTR && errno != ECONNABORTED) {
      log::warn("accept failed", {{"error", std::strerror(errno)}});
      (void)co_await pause.wait_for(kAcceptBackoff);
    }
  }
}

}  // namespace sluice::net
