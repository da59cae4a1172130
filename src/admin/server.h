// The admin listener: its own thread (the control thread) with its own io_context, so that a slow
// administrator never meets the data path. Everything that changes the control plane happens on that thread;
// others `post` to it.
//
//   TRY(auto server, Server::open(settings, control));
//   server->every(1s, [&] { reviews.sweep(); });
//   server->start();  ...  server->stop();
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "admin/control.h"
#include "admin/http.h"
#include "core/result.h"
#include "net/tls.h"

namespace sluice::admin {

struct ServerSettings {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  // 0: the system chooses; see Server::port()
  // The certificate in force, asked for each client, with ALPN "http/1.1"; null: plain HTTP. Thread-safe.
  std::function<std::shared_ptr<net::TlsServerContext>()> tls;
  HttpLimits limits;
  std::chrono::nanoseconds request_timeout = std::chrono::seconds{30};
  std::chrono::nanoseconds idle_timeout = std::chrono::seconds{60};  // between requests of one client
  std::size_t max_connections = 256;
};

class Server {
 public:
  // Listens, but answers nothing before start(). `control` must outlive it.
  static Result<std::unique_ptr<Server>> open(const ServerSettings& settings, Control& control);
  ~Server();  // stops
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  void start();
  void stop();  // idempotent; not from the control thread
  std::uint16_t port() const;

  // Runs on the control thread. Thread-safe.
  void post(std::function<void()> job);
  // Runs every `period` on the control thread until stop(). Before start() only.
  void every(std::chrono::milliseconds period, std::function<void()> job);

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace sluice::admin
