#include "proxy/pg/session/session.h"

#include <boost/asio/co_spawn.hpp>

#include "core/metrics.h"

namespace sluice::proxy::pg {
namespace {

using net::Task;

// While a client is held for a review, how often it is looked at whether it is still there.
constexpr auto kHoldLook = std::chrono::milliseconds{500};

}  // namespace

std::string_view to_string(SessionState state) {
  switch (state) {
    case SessionState::login: return "login";
    case SessionState::idle: return "idle";
    case SessionState::active: return "active";
    case SessionState::in_review: return "in review";
    case SessionState::draining: return "draining";
  }
  return "idle";
}

Session::Session(ServerContext& context, WorkerContext& worker, SessionId id, net::Socket socket,
                 const ListenerOptions& options)
    : context_(context),
      worker_(worker),
      id_(id),
      client_(std::move(socket)),
      options_(options),
      client_wakeup_(worker.worker.context().get_executor()),
      server_wakeup_(worker.worker.context().get_executor()),
      hold_wakeup_(worker.worker.context().get_executor()),
      flushed_client_(worker.worker.context().get_executor()),
      flushed_server_(worker.worker.context().get_executor()),
      cancel_arrived_(worker.worker.context().get_executor()),
      server_done_(worker.worker.context().get_executor()),
      turn_end_(worker.worker.context(), [this] { turn_ended(); }) {}

Session::~Session() = default;

SessionState Session::state() const {
  if (!exchange_) return SessionState::login;
  if (draining_) return SessionState::draining;
  if (holding_) return SessionState::in_review;
  return exchange_->idle() && !exchange_->on_errand() ? SessionState::idle : SessionState::active;
}

std::string Session::review() const {
  return holding_ ? exchange_->waiting().review.value : std::string{};
}

// --- from start to end ---

Task<> Session::run() {
  auto self = shared_from_this();
  if (co_await log_in()) {
    static auto& begun = metrics::counter("sluice_sessions_total", "Sessions that were let in");
    begun.increment();
    last_active_ = context_.clock.steady();
    server_pump_running_ = true;
    boost::asio::co_spawn(client_.executor(), server_pump(), [self](std::exception_ptr error) {
      if (error) std::rethrow_exception(error);
      self->server_pump_running_ = false;
      self->server_done_.notify();
    });
    co_await client_pump();
    co_await finish();
  }
  client_.shut_down();
  client_.close();
}

// After the client pump: whatever ended it, both streams close, the server pump is waited for, the record is
// completed.
Task<> Session::finish() {
  context_.cancel_keys.remove(*cancel_key_);
  if (!exchange_->idle()) {
    if (!ended_) spawn_upstream_cancel();
    exchange_->abandon(record::OutcomeStatus::client_lost);
  }
  if (!ended_) {
    net::Deadline farewell{client_, kFarewell};
    (void)co_await flush_client();
    exchange_->say_goodbye();
    (void)co_await flush_server();
    ended_ = true;
  }
  upstream_->stream->close();
  server_wakeup_.notify();
  hold_wakeup_.notify();
  while (server_pump_running_) co_await server_done_.wait();
  const auto& closing = exchange_->closing();
  gate_->close(closing.reason, closing.detail);
}

// --- pauses ---

Task<> Session::catalogue_pause() {
  while (!ended_ && !exchange_->idle()) co_await client_wakeup_.wait();
  if (ended_ || !exchange_->begin_catalogue_read()) co_return;
  if (!co_await flush_server()) co_return;
  while (!ended_ && exchange_->reading_catalogue()) {
    co_await client_wakeup_.wait();
    if (!co_await flush_server()) co_return;
  }
}

// What would keep the loop too long is done on a thread of the planning pool. It has all that it needs, the
// bytes of the message too: should the session end meanwhile, nobody waits for it.
Task<> Session::errand() {
  struct Away {
    std::shared_ptr<Errand> errand;
    std::string bytes;
    bool back = false;
  };
  auto away = std::make_shared<Away>(exchange_->errand(), std::move(client_left_));
  client_left_.clear();
  PlanningPool::Job job = [away, weak = weak_from_this(), worker = &worker_.worker]() mutable {
    away->errand->run();
    worker->post([away = std::move(away), weak = std::move(weak)] {
      away->back = true;
      if (auto self = weak.lock()) self->client_wakeup_.notify();
    });
  };
  bool taken = true;
  if (exchange_->may_refuse_errand()) {
    taken = context_.planning->plan(job);
  } else {
    context_.planning->go_on(std::move(job));
  }
  while (taken && !away->back && !ended_ && client_.is_open()) co_await client_wakeup_.wait();
  if (taken && !away->back) co_return;
  client_left_ = std::move(away->bytes);
  last_active_ = context_.clock.steady();
  taken ? exchange_->errand_over() : exchange_->refuse_errand();
}

// Keeps the client waiting for a second person. Whichever pump came first waits for the answer, and the other
// for it.
Task<> Session::hold(net::Event& wakeup) {
  if (holding_) co_return co_await wakeup.wait();
  if (!exchange_->is_waiting()) co_return;
  holding_ = true;
  const auto waiting = exchange_->waiting();
  auto decided = std::make_shared<bool>(false);
  auto subscribed = context_.reviews.subscribe(
      waiting.review,
      [weak = weak_from_this(), worker = &worker_.worker, decided](const review::Change& change) {
        if (change.state == review::ReviewState::pending) return;
        worker->post([weak, decided] {
          *decided = true;
          if (auto self = weak.lock()) self->hold_wakeup_.notify();
        });
      });
  if (subscribed && subscribed->state != review::ReviewState::pending) *decided = true;
  const auto until = context_.clock.steady() + waiting.terms.hold;
  bool gone = false;
  while (subscribed && !ended_ && !gone && !*decided && exchange_->is_waiting()) {
    const auto left = until - context_.clock.steady();
    if (left <= Nanoseconds::zero()) break;
    (void)co_await hold_wakeup_.wait_for(std::min<Nanoseconds>(left, kHoldLook));
    gone = client_.peer_gone();
  }
  if (subscribed) context_.reviews.unsubscribe(subscribed->subscription);
  if (exchange_->is_waiting()) {
    exchange_->end_hold(gone       ? Exchange::HoldEnd::cancelled
                        : *decided ? Exchange::HoldEnd::decided
                                   : Exchange::HoldEnd::timed_out);
  }
  holding_ = false;
  client_wakeup_.notify();
  server_wakeup_.notify();
}

}  // namespace sluice::proxy::pg
