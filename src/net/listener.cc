#include "net/listener.h"

#include <sys/socket.h>

#include "core/log.h"

namespace sluice::net {
namespace {

using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

// Out of file descriptors: wait a little instead of spinning on accept.
constexpr auto kAcceptBackoff = std::chrono::milliseconds{50};

}  // namespace

Result<std::unique_ptr<Listener>> Listener::open(Runtime& runtime, const std::string& address,
                                                 std::uint16_t port, OnAccept on_accept) {
  boost::system::error_code error;
  const auto ip = asio::ip::make_address(address, error);
  if (error) return fail(Errc::invalid_argument, "listener address {} is not an IP address", address);
  std::unique_ptr<Listener> made{new Listener(runtime, std::move(on_accept))};
  made->port_ = port;
  for (std::size_t i = 0; i < runtime.size(); ++i) {
    auto acceptor = std::make_unique<tcp::acceptor>(runtime.worker(i).context());
    const tcp::endpoint endpoint{ip, made->port_};
    acceptor->open(endpoint.protocol(), error);
    if (!error) acceptor->set_option(tcp::acceptor::reuse_address{true}, error);
    if (!error) acceptor->set_option(ReusePort{true}, error);
    if (!error) acceptor->bind(endpoint, error);
    if (!error) acceptor->listen(asio::socket_base::max_listen_connections, error);
    if (error) return fail(Errc::unavailable, "cannot listen on {}:{}: {}", address, port, error.message());
    made->port_ = acceptor->local_endpoint().port();
    made->acceptors_.push_back(std::move(acceptor));
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
      boost::system::error_code ignored;
      acceptor->close(ignored);
    });
  }
}

Task<> Listener::accept_loop(Worker& worker, tcp::acceptor& acceptor) {
  while (acceptor.is_open()) {
    auto [error, socket] = co_await acceptor.async_accept(kNoThrow);
    if (!error) {
      on_accept_(worker, std::move(socket));
      continue;
    }
    if (!acceptor.is_open()) break;
    log::warn("accept failed", {{"error", error.message()}});
    asio::steady_timer pause{worker.context(), kAcceptBackoff};
    co_await pause.async_wait(kNoThrow);
  }
}

}  // namespace sluice::net
