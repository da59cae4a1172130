#include "proxy/pg/session/server.h"

#include <boost/asio/co_spawn.hpp>

#include "core/log.h"
#include "proxy/pg/login/refused_login.h"

namespace sluice::proxy::pg {
namespace {

constexpr auto kTick = std::chrono::seconds{1};
constexpr auto kDrainLook = std::chrono::milliseconds{50};
constexpr auto kLastWords = std::chrono::seconds{3};  // for sessions that are ended at the drain's limit

}  // namespace

Server::Server(net::Runtime& runtime, ServerContext& context, std::vector<gate::Services*> services)
    : runtime_(runtime), context_(context) {
  for (std::size_t i = 0; i < runtime.size(); ++i) {
    workers_.push_back(std::make_unique<WorkerContext>(WorkerContext{runtime.worker(i), *services[i], {}}));
  }
}

Server::~Server() = default;

Result<std::uint16_t> Server::listen(const ListenAddress& address) {
  options_.push_back(std::make_unique<ListenerOptions>(address.options));
  const auto& options = *options_.back();
  TRY(auto listener, net::Listener::open(runtime_, address.address, address.port,
                                         [this, &options](net::Worker& worker, net::Socket socket) {
                                           accept(worker, std::move(socket), options);
                                         }));
  const auto port = listener->port();
  listeners_.push_back(std::move(listener));
  return port;
}

void Server::start() {
  for (std::size_t i = 0; i < workers_.size(); ++i) runtime_.worker(i).spawn(tick_loop(i));
  for (auto& listener : listeners_) listener->start();
}

void Server::stop_accepting() {
  for (auto& listener : listeners_) listener->stop();
}

void Server::accept(net::Worker& worker, net::Socket socket, const ListenerOptions& options) {
  auto& home = *workers_[worker.index()];
  if (context_.session_count.load() >= context_.limits.current()->sessions) {
    return turn_away(home, std::move(socket), options);
  }
  const SessionId id{std::uint64_t{context_.epoch} << 32 | context_.next_session.fetch_add(1)};
  auto session = std::make_shared<Session>(context_, home, id, std::move(socket), options);
  home.sessions.emplace(id, session);
  context_.session_count.fetch_add(1);
  boost::asio::co_spawn(worker.context(), session->run(), [this, &home, id](std::exception_ptr error) {
    home.sessions.erase(id);
    context_.session_count.fetch_sub(1);
    if (error) std::rethrow_exception(error);
  });
}

// Over limits.sessions: some hear why (goodbyes.h), the others' sockets are closed.
void Server::turn_away(WorkerContext& home, net::Socket socket, const ListenerOptions& options) {
  if (!home.goodbyes.begin(context_.clock.steady())) return count_unheard_client();
  context_.goodbye_count.fetch_add(1);
  boost::asio::co_spawn(home.worker.context(), say_full(home, std::move(socket), options),
                        [this, &home](std::exception_ptr error) {
                          home.goodbyes.end();
                          context_.goodbye_count.fetch_sub(1);
                          if (error) std::rethrow_exception(error);
                        });
}

net::Task<> Server::say_full(WorkerContext& home, net::Socket socket, const ListenerOptions& options) {
  net::Stream client{std::move(socket)};
  const auto address = address_of_client(client.socket());
  const LoginServices services{context_.clock,
                               context_.authenticator,
                               context_.connections,
                               context_.cancel_keys,
                               context_.session_counts,
                               Goodbyes::kLimit,
                               0,
                               true};
  const auto told = co_await log_in_client(client, options, services);
  if (!told) report_refused_login(home.services, told.error(), address);
  client.shut_down();
  client.close();
}

net::Task<> Server::tick_loop(std::size_t index) {
  auto& home = *workers_[index];
  net::Event pause{home.worker.context().get_executor()};
  for (;;) {
    (void)co_await pause.wait_for(kTick);
    home.services.log.tick();
    if (index == 0) context_.catalogues.tick();
    const auto now = context_.clock.now();
    const auto steady = context_.clock.steady();
    const auto limits = context_.limits.current();
    // A session that ends leaves the table later, on this same thread.
    for (auto& [id, session] : home.sessions) session->tick(now, steady, *limits);
  }
}

template <class F>
void Server::on_each_worker(F job) {
  std::vector<std::future<void>> done;
  for (auto& home : workers_) {
    auto promise = std::make_shared<std::promise<void>>();
    done.push_back(promise->get_future());
    home->worker.post([&job, promise, h = home.get()] {
      job(*h);
      promise->set_value();
    });
  }
  for (auto& one : done) one.wait();
}

void Server::changed() {
  for (auto& home : workers_) {
    home->worker.post([h = home.get()] {
      for (auto& [id, session] : h->sessions) session->recheck();
    });
  }
}

std::vector<SessionSnapshot> Server::list() {
  std::vector<SessionSnapshot> all;
  std::mutex mutex;
  on_each_worker([&](WorkerContext& home) {
    std::lock_guard lock(mutex);
    for (const auto& [id, session] : home.sessions) {
      const auto* facts = session->facts();
      if (facts == nullptr) continue;
      all.push_back(
          {*facts, session->state(), session->operations(), session->records_sent(), session->review()});
    }
  });
  return all;
}

bool Server::end_session(SessionId id, record::SessionEndReason reason, std::string message) {
  std::atomic<bool> found{false};
  on_each_worker([&](WorkerContext& home) {
    const auto at = home.sessions.find(id);
    if (at == home.sessions.end() || at->second->facts() == nullptr) return;
    found = true;
    at->second->end(reason, "57P01", message);
  });
  return found;
}

void Server::drain(std::chrono::nanoseconds limit) {
  on_each_worker([](WorkerContext& home) {
    for (auto& [id, session] : home.sessions) session->drain();
  });
  const auto wait_until = [this](SteadyTime until) {
    while (session_count() + context_.goodbye_count.load() > 0 && context_.clock.steady() < until) {
      std::this_thread::sleep_for(kDrainLook);
    }
  };
  wait_until(context_.clock.steady() + limit);
  if (session_count() == 0) return;
  on_each_worker([](WorkerContext& home) {
    for (auto& [id, session] : home.sessions) {
      session->end(record::SessionEndReason::shutdown, "57P01", "the gateway is shutting down");
    }
  });
  wait_until(context_.clock.steady() + kLastWords);
}

}  // namespace sluice::proxy::pg
