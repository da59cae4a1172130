// Session: one client's use of a PostgreSQL connection, from accept to close: the only coroutines of this
// folder beside the two logins. It owns the two streams and moves bytes between them and the Exchange, which
// decides everything.
//
//   client pump:  read client -> exchange.on_client -> write server, and to the client what the gateway says
//   server pump:  read server -> exchange.on_server -> write client
//
// A pump that cannot write does not read: back-pressure reaches the other side through TCP, and memory stays
// bounded whatever the size of a result. Everything runs on one worker's thread; other threads reach a
// session by posting.
//
// Files: session.cc (from start to end, and its pauses), session_login.cc (who the client is, and the
// server), session_pumps.cc (the bytes), session_control.cc (what comes from outside).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "gate/gate.h"
#include "net/buffer_pool.h"
#include "net/event.h"
#include "net/stream.h"
#include "proxy/pg/exchange/exchange.h"
#include "proxy/pg/login/client_login.h"
#include "proxy/pg/login/upstream_login.h"
#include "proxy/pg/session/server_context.h"

namespace sluice::proxy::pg {

enum class SessionState { login, idle, active, in_review, draining };
std::string_view to_string(SessionState state);

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(ServerContext& context, WorkerContext& worker, SessionId id, net::Socket socket,
          const ListenerOptions& options);
  ~Session();

  net::Task<> run();

  // All on the session's own worker.
  SessionId id() const { return id_; }
  const SessionFacts* facts() const { return gate_ ? &gate_->facts() : nullptr; }
  SessionState state() const;
  std::uint64_t records_sent() const { return exchange_ ? exchange_->records_sent() : 0; }
  std::uint64_t operations() const { return gate_ ? gate_->operations() : 0; }
  std::string review() const;
  // Policy, directory or connections have changed.
  void recheck();
  // About once a second: idle and expiry.
  void tick(WallTime now, SteadyTime steady, const SessionLimits& limits);
  void end(record::SessionEndReason reason, std::string_view sqlstate, std::string message);
  // Ends now if nothing is under way, otherwise as soon as nothing is.
  void drain();

 private:
  // How long a session that ends may take to tell its client why.
  static constexpr std::chrono::seconds kFarewell{2};

  // --- session.cc ---
  net::Task<> finish();
  net::Task<> catalogue_pause();
  net::Task<> errand();
  net::Task<> hold(net::Event& wakeup);

  // --- session_login.cc ---
  net::Task<bool> log_in();
  net::Task<Result<void>> greet_client();

  // --- session_pumps.cc ---
  net::Task<> client_pump();
  net::Task<> server_pump();
  void close_client();
  Bytes assemble(Bytes first, bool more_may_wait, MutableBytes buffer);
  void after_exchange();
  net::Task<> let_others_go_on();
  bool flush_at_once();
  bool flush_at_turn_end();
  void turn_ended();
  net::Task<bool> flush_client();
  net::Task<bool> flush_server();

  // --- session_control.cc ---
  void cancel_from_client();
  void spawn_upstream_cancel();

  ServerContext& context_;
  WorkerContext& worker_;
  SessionId id_;
  net::Stream client_;
  const ListenerOptions& options_;
  std::optional<ClientLogin> login_;
  std::optional<Upstream> upstream_;
  std::optional<gate::Gate> gate_;
  std::shared_ptr<CatalogueStore> catalogues_;
  std::optional<Planner> planner_;
  std::optional<masking::CellMasker> cell_masker_;
  std::optional<Exchange> exchange_;
  std::optional<CancelKey> cancel_key_;
  std::uint64_t directory_version_ = 0;
  std::uint64_t connections_version_ = 0;

  std::string client_left_;  // received and not yet consumed
  std::string server_left_;
  net::Event client_wakeup_;  // for the client pump: the server has answered, a hold is over
  net::Event server_wakeup_;  // for the server pump: a hold is over
  net::Event hold_wakeup_;
  net::Event flushed_client_;
  net::Event flushed_server_;
  net::Event cancel_arrived_;
  net::Event server_done_;
  net::Loop::TurnEnd turn_end_;
  std::size_t client_written_ = 0;  // of what goes to the client next
  bool flushing_client_ = false;
  bool flushing_server_ = false;
  int cancels_under_way_ = 0;
  bool holding_ = false;
  bool server_pump_running_ = false;
  bool draining_ = false;
  bool ended_ = false;
  SteadyTime last_active_{};
};

}  // namespace sluice::proxy::pg
