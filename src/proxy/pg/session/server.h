// Server: PostgreSQL sessions of the whole gateway: accepts on its listeners, keeps the sessions of each
// worker, tells them of changes, lists and ends them.
//
//   Server server{runtime, context, services_per_worker};
//   CHECK_OK(server.listen({"0.0.0.0", 5432, {}}));
//   server.start();
//   server.changed();                          // policy, directory or connections were replaced
//   server.stop_accepting(); server.drain(...); // at the end
//
// Threads: all functions may be called from any thread that is not a worker; they post to the workers.
#pragma once

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "net/listener.h"
#include "net/runtime.h"
#include "proxy/pg/session/server_context.h"
#include "proxy/pg/session/session.h"

namespace sluice::proxy::pg {

struct ListenAddress {
  std::string address;
  std::uint16_t port = 5432;
  ListenerOptions options;
};

// A copy of a session's state, for lists.
struct SessionSnapshot {
  SessionFacts facts;
  SessionState state = SessionState::idle;
  std::uint64_t operations = 0;
  std::uint64_t records = 0;
  std::string review;
};

class Server {
 public:
  // One gate::Services per worker, in order.
  Server(net::Runtime& runtime, ServerContext& context, std::vector<gate::Services*> services);
  ~Server();

  Result<std::uint16_t> listen(const ListenAddress& address);  // answers the port
  void start();
  void stop_accepting();

  void changed();
  std::vector<SessionSnapshot> list();
  bool end_session(SessionId id, record::SessionEndReason reason, std::string message);
  // Asks sessions to end when they are quiet; after `limit` ends the rest. Blocks until none is left.
  void drain(std::chrono::nanoseconds limit);
  std::size_t session_count() const { return context_.session_count.load(); }

 private:
  void accept(net::Worker& worker, net::Socket socket, const ListenerOptions& options);
  void turn_away(WorkerContext& home, net::Socket socket, const ListenerOptions& options);
  net::Task<> say_full(WorkerContext& home, net::Socket socket, const ListenerOptions& options);
  net::Task<> tick_loop(std::size_t index);
  template <class F>
  void on_each_worker(F job);

  net::Runtime& runtime_;
  ServerContext& context_;
  std::vector<std::unique_ptr<WorkerContext>> workers_;
  std::vector<std::unique_ptr<ListenerOptions>> options_;
  std::vector<std::unique_ptr<net::Listener>> listeners_;
};

}  // namespace sluice::proxy::pg
