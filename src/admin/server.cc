#include "admin/server.h"

#include <map>
#include <optional>

#include "admin/api.h"
#include "core/log.h"
#include "core/metrics.h"
#include "core/published.h"
#include "net/blocking.h"
#include "net/listener.h"
#include "net/runtime.h"
#include "net/stream.h"

namespace sluice::admin {
namespace {

using net::Task;

constexpr std::size_t kReadChunk = 16 * 1024;
// Connection tests and checks of the record at one time; more wait for a thread.
constexpr std::size_t kBlockingThreads = 2;

// The clients that are awaited: to shake hands, to send a request or to take its answer. Those come first
// that have kept us waiting longest.
class Waiting {
 public:
  // A client, for as long as it is connected. It begins as one that is awaited.
  class Client {
   public:
    Client(Waiting& waiting, net::Stream& stream) : waiting_(waiting), stream_(stream) { await(); }
    ~Client() { heard(); }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    void await() {
      if (number_) return;
      number_ = waiting_.next_++;
      waiting_.streams_.emplace(*number_, &stream_);
    }
    void heard() {
      if (number_) waiting_.streams_.erase(*std::exchange(number_, std::nullopt));
    }

   private:
    Waiting& waiting_;
    net::Stream& stream_;
    std::optional<std::uint64_t> number_;
  };

  // Closes the first of them. False: there is none.
  bool end_longest() {
    if (streams_.empty()) return false;
    streams_.extract(streams_.begin()).mapped()->close();
    return true;
  }

 private:
  std::map<std::uint64_t, net::Stream*> streams_;
  std::uint64_t next_ = 0;
};

}  // namespace

struct Server::State {
  State(const ServerSettings& chosen, Control& plane)
      : settings(chosen), control(plane), api(plane), runtime(1, "control"), blocking(kBlockingThreads) {}

  void accept(net::Socket socket);
  Task<> serve(std::unique_ptr<net::Stream> stream, std::unique_ptr<Waiting::Client> waits,
               std::string client);
  Task<Result<void>> exchange(net::Stream& stream, Waiting::Client& waits, HttpReader& reader,
                              const std::string& client, bool& go_on);
  Task<Result<bool>> read_request(net::Stream& stream, HttpReader& reader);
  Task<Response> answer(std::shared_ptr<const Request> request);
  Task<> repeat(std::chrono::milliseconds period, std::function<void()> job);

  ServerSettings settings;
  Control& control;
  Api api;
  Waiting waiting;
  net::Runtime runtime;  // its coroutines use what stands above
  net::asio::thread_pool blocking;
  std::unique_ptr<net::Listener> listener;
  std::size_t connections = 0;
};

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}
Server::~Server() {
  stop();
}

Result<std::unique_ptr<Server>> Server::open(const ServerSettings& settings, Control& control) {
  auto state = std::make_unique<State>(settings, control);
  TRY(state->listener, net::Listener::open(state->runtime, settings.address, settings.port,
                                           [state = state.get()](net::Worker&, net::Socket socket) {
                                             state->accept(std::move(socket));
                                           }));
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

void Server::start() {
  state_->listener->start();
  state_->runtime.start();
}

void Server::stop() {
  state_->runtime.stop();
  state_->blocking.join();
}

std::uint16_t Server::port() const {
  return state_->listener->port();
}
void Server::post(std::function<void()> job) {
  state_->runtime.worker(0).post(std::move(job));
}
void Server::every(std::chrono::milliseconds period, std::function<void()> job) {
  state_->runtime.worker(0).spawn(state_->repeat(period, std::move(job)));
}

void Server::State::accept(net::Socket socket) {
  static auto& refused =
      metrics::counter("sluice_admin_connections_refused_total",
                       "Clients of the admin API that were closed because there were too many");
  boost::system::error_code error;
  const auto peer = socket.remote_endpoint(error);
  if (error) return;  // gone already
  // Somebody who opens connections and sends or reads nothing must not keep everybody else out.
  if (connections >= settings.max_connections) {
    refused.increment();
    if (!waiting.end_longest()) return;  // closes the new one: all are being answered
  }
  ++connections;
  auto stream = std::make_unique<net::Stream>(std::move(socket));
  auto waits = std::make_unique<Waiting::Client>(waiting, *stream);
  runtime.worker(0).spawn(serve(std::move(stream), std::move(waits), peer.address().to_string()));
}

Task<> Server::State::serve(std::unique_ptr<net::Stream> stream, std::unique_ptr<Waiting::Client> waits,
                            std::string client) {
  bool go_on = true;
  if (settings.tls) {
    net::Deadline deadline{*stream, settings.request_timeout};
    go_on = (co_await stream->start_tls(settings.tls())).has_value();
  }
  HttpReader reader{settings.limits};
  while (go_on) {
    if (auto done = co_await exchange(*stream, *waits, reader, client, go_on); !done) {
      log::debug("admin client gone", {{"client", client}, {"reason", done.error().message()}});
      break;
    }
  }
  stream->shut_down();
  stream->close();
  --connections;
}

// One request and its answer.
Task<Result<void>> Server::State::exchange(net::Stream& stream, Waiting::Client& waits, HttpReader& reader,
                                           const std::string& client, bool& go_on) {
  go_on = false;
  Response response;
  bool keep_alive = false;
  waits.await();
  auto whole = co_await read_request(stream, reader);
  waits.heard();
  if (!whole) {
    if (whole.error().code == Errc::cancelled || whole.error().code == Errc::unavailable) {
      co_return std::unexpected(std::move(whole).error());  // nobody to answer
    }
    response = problem(whole.error());
  } else if (!*whole) {
    co_return Result<void>{};  // closed between requests
  } else if (auto taken = reader.take(); !taken) {
    response = problem(taken.error());
  } else {
    keep_alive = taken->keep_alive;
    taken->request.client_address = client;
    response = co_await answer(std::make_shared<const Request>(std::move(taken->request)));
  }
  waits.await();
  net::Deadline deadline{stream, settings.request_timeout};
  CO_CHECK_OK(co_await stream.write_all(as_bytes(encode_response(response, keep_alive))));
  go_on = keep_alive;
  co_return Result<void>{};
}

// True: a whole request. False: the client closed before it began one.
Task<Result<bool>> Server::State::read_request(net::Stream& stream, HttpReader& reader) {
  CO_TRY(bool whole, reader.feed({}));  // what came with the request before
  std::array<std::uint8_t, kReadChunk> chunk;
  // The idle bound holds until the first byte, then the request's own until its last.
  auto deadline = std::make_unique<net::Deadline>(stream, settings.idle_timeout);
  bool begun = reader.in_request();
  while (!whole) {
    CO_TRY(const auto n, co_await stream.read_some(chunk));
    if (n == 0) {
      if (begun) co_return fail(Errc::unavailable, "closed in the middle of a request");
      co_return false;
    }
    if (!begun) {
      begun = true;
      deadline = std::make_unique<net::Deadline>(stream, settings.request_timeout);
    }
    CO_TRY(whole, reader.feed(Bytes{chunk.data(), n}));
  }
  co_return true;
}

Task<Response> Server::State::answer(std::shared_ptr<const Request> request) {
  static auto& times =
      metrics::histogram("sluice_admin_request_seconds", "Time to answer a call of the admin API");
  const auto begun = control.parts().clock.steady();
  const Route* route = nullptr;
  auto admitted = api.admit(*request, &route);
  Response response;
  if (auto* refusal = std::get_if<Response>(&admitted)) {
    response = std::move(*refusal);
  } else if (!route->blocking) {
    response = api.run(*route, std::get<Call>(admitted));
  } else {
    // The job owns the request that its call refers to: this coroutine may be gone when it ends.
    response = co_await net::run_blocking<Response>(
        blocking,
        [this, request, route, call = std::move(std::get<Call>(admitted))] { return api.run(*route, call); });
  }
  times.observe(static_cast<std::uint64_t>((control.parts().clock.steady() - begun).count()));
  co_return response;
}

Task<> Server::State::repeat(std::chrono::milliseconds period, std::function<void()> job) {
  net::Event pause{co_await net::asio::this_coro::executor};
  while (true) {
    (void)co_await pause.wait_for(period);
    job();
  }
}

}  // namespace sluice::admin
