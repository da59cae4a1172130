// What comes to a session from outside of its two streams: cancels, changes of policy and rights, time, and
// orders to end.
#include "proxy/pg/session/session.h"

namespace sluice::proxy::pg {

using net::Task;

void Session::cancel_from_client() {
  if (!exchange_ || ended_) return;
  if (exchange_->cancel()) spawn_upstream_cancel();
  hold_wakeup_.notify();
}

// A cancel means what the server runs now. Until it has arrived nothing new is sent, which it would hit
// instead.
void Session::spawn_upstream_cancel() {
  ++cancels_under_way_;
  worker_.worker.spawn([](std::shared_ptr<Session> self) -> Task<> {
    co_await cancel_upstream(self->login_->connection, self->upstream_->process_id,
                             self->upstream_->cancel_key);
    --self->cancels_under_way_;
    self->cancel_arrived_.notify();
  }(shared_from_this()));
}

void Session::recheck() {
  if (!exchange_ || ended_) return;
  if (context_.connections.version() != connections_version_) {
    connections_version_ = context_.connections.version();
    const auto now = context_.connections.current()->find(login_->connection->name);
    if (!now || now->disabled || now->sessions_from > login_->connection->version) {
      return end(record::SessionEndReason::revoked, "57P01", "the connection was changed or disabled");
    }
  }
  if (context_.directory.version() != directory_version_) {
    directory_version_ = context_.directory.version();
    const auto who = context_.directory.current()->still_valid(login_->who.token, context_.clock.now());
    if (!who) return end(record::SessionEndReason::revoked, "57P01", "access was revoked");
    if (!identity::may_use_role(*who->principal, *login_->connection, login_->role->alias)) {
      return end(record::SessionEndReason::revoked, "57P01", "the role is no longer allowed");
    }
    if (who->principal != login_->who.principal) {
      login_->who = *who;
      gate_->replace_principal(who->principal);
    }
  }
  exchange_->policy_changed();
  after_exchange();
  if (!exchange_->to_client().empty() || !exchange_->to_server().empty()) {
    worker_.worker.spawn([](std::shared_ptr<Session> self) -> Task<> {
      (void)co_await self->flush_client();
      (void)co_await self->flush_server();
    }(shared_from_this()));
  }
}

void Session::tick(WallTime now, SteadyTime steady, const SessionLimits& limits) {
  if (!exchange_ || ended_) return;
  if (login_->who.expires && *login_->who.expires <= now) {
    return end(record::SessionEndReason::expired, "57P01", "the token has expired");
  }
  const bool quiet = exchange_->idle() && !holding_ && !exchange_->on_errand();
  if (!quiet) last_active_ = steady;  // what the server or a second person takes is not the client's idleness
  const bool in_transaction = exchange_->in_transaction();
  const auto longest = in_transaction ? limits.idle_in_transaction : limits.idle;
  if (quiet && longest.count() > 0 && steady - last_active_ > longest) {
    return in_transaction ? end(record::SessionEndReason::idle, "25P03",
                                "the session was idle in a transaction for too long")
                          : end(record::SessionEndReason::idle, "57P05", "the session was idle for too long");
  }
  if (draining_ && quiet && !in_transaction) {
    end(record::SessionEndReason::shutdown, "57P01", "the gateway is shutting down");
  }
}

void Session::drain() {
  draining_ = true;
}

void Session::end(record::SessionEndReason reason, std::string_view sqlstate, std::string message) {
  if (ended_) return;
  if (!exchange_) return client_.close();  // still logging in
  const bool running = !exchange_->idle();
  exchange_->abandon(record::OutcomeStatus::cancelled);
  exchange_->terminate(reason, sqlstate, std::move(message));
  if (running) spawn_upstream_cancel();
  ended_ = true;
  upstream_->stream->close();
  worker_.worker.spawn([](std::shared_ptr<Session> self) -> Task<> {
    net::Deadline farewell{self->client_, kFarewell};
    (void)co_await self->flush_client();
    self->client_.shut_down();
    self->client_.close();
    self->client_wakeup_.notify();
    self->server_wakeup_.notify();
    self->hold_wakeup_.notify();
  }(shared_from_this()));
}

}  // namespace sluice::proxy::pg
