#include "proxy/pg/session.h"

#include <boost/asio/co_spawn.hpp>

#include "core/byte_writer.h"
#include "core/log.h"
#include "core/metrics.h"
#include "net/blocking.h"
#include "proxy/pg/refused_login.h"
#include "proxy/pg/session_settings.h"
#include "wire/pg/encode.h"
#include "wire/pg/sqlstate.h"

namespace sluice::proxy::pg {
namespace {

using net::Io;
using net::Task;

// What a waiting read has at hand. Most requests and many replies fit; a fuller one goes on into a pooled
// buffer.
constexpr std::size_t kFirstRead = 2048;
constexpr std::size_t kMaxPieces = 64;  // iovecs per write; well below IOV_MAX
// While a client is held for a review, how often it is looked at whether it is still there.
constexpr auto kHoldLook = std::chrono::milliseconds{500};
// How long a session that ends may take to tell its client why.
constexpr auto kFarewell = std::chrono::seconds{2};

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
      server_done_(worker.worker.context().get_executor()) {}

Session::~Session() = default;

SessionState Session::state() const {
  if (!exchange_) return SessionState::login;
  if (draining_) return SessionState::draining;
  if (holding_) return SessionState::in_review;
  return exchange_->idle() ? SessionState::idle : SessionState::active;
}

std::string Session::review() const {
  return holding_ ? exchange_->waiting().review.value : std::string{};
}

// --- start
// ----------------------------------------------------------------------------------------------------------

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

Task<bool> Session::log_in() {
  boost::system::error_code unknown;
  const auto peer = client_.socket().remote_endpoint(unknown);
  SessionFacts facts;
  facts.id = id_;
  facts.client_address = address_of_client(client_.socket());
  facts.client_port = unknown ? std::uint16_t{0} : peer.port();

  directory_version_ = context_.directory.version();
  connections_version_ = context_.connections.version();
  const auto limits = context_.limits.current();
  const LoginServices services{
      context_.clock,          context_.authenticator, context_.connections,           context_.cancel_keys,
      context_.session_counts, limits->login,          limits->sessions_per_principal, false};
  auto login = co_await log_in_client(client_, options_, services);
  if (!login) {
    report_refused_login(worker_.services, login.error(), facts.client_address);
    co_return false;
  }
  login_ = std::move(*login);
  facts.principal = login_->who.principal;
  facts.connection = login_->connection->name;
  facts.system = login_->connection->system;
  facts.role = login_->role->alias;
  facts.upstream_user = login_->role->upstream_user;
  facts.database = login_->connection->database;
  facts.client_name = login_->application_name;
  facts.token_id = login_->who.token.value;
  facts.tls = login_->tls;
  facts.started = context_.clock.now();

  gate_.emplace(worker_.services, std::move(facts));
  if (auto opened = gate_->open(); !opened) {
    log::error("session not recorded", {{"error", opened.error().message()}});
    co_await refuse_login(client_, "58030", "the record cannot be written, so nothing may pass", {});
    gate_.reset();
    co_return false;
  }
  if (auto greeted = co_await greet_client(); !greeted) {
    log::warn("session failed at login", {{"session", to_string(id_)},
                                          {"connection", gate_->facts().connection},
                                          {"error", greeted.error().message()}});
    co_await refuse_login(
        client_, "08006",
        fmt::format("the database behind connection \"{}\" cannot be reached or refuses the gateway",
                    gate_->facts().connection),
        "The gateway's log says why; sluice connection test checks it.");
    gate_->close(record::SessionEndReason::failed, greeted.error().message());
    co_return false;
  }
  co_return true;
}

// Logs in to the server, then lets the client in.
Task<Result<void>> Session::greet_client() {
  const auto& facts = gate_->facts();
  UpstreamLogin upstream;
  upstream.connection = login_->connection;
  upstream.user = facts.upstream_user;
  const auto limits = context_.limits.current();
  upstream.limit = limits->upstream_login;
  CO_TRY(upstream.password,
         co_await net::run_blocking<Result<Secret>>(
             context_.blocking, [resolve = context_.resolve_credential, source = login_->role->credential] {
               return resolve(source);
             }));
  upstream.parameters = {
      {"application_name",
       upstream_application_name(facts.principal->name, to_string(id_), login_->application_name)},
      {"client_encoding", "UTF8"},
      {"standard_conforming_strings", "on"},
      {"row_security", "on"},
      {"backslash_quote", "safe_encoding"},
  };
  for (auto& parameter : login_->parameters) upstream.parameters.push_back(std::move(parameter));
  CO_TRY(upstream_, co_await pg::log_in(std::move(upstream), context_.salted_passwords));

  catalogues_ =
      context_.catalogues.find_or_make(facts.connection, login_->connection->version, facts.upstream_user);
  planner_.emplace();
  exchange_.emplace(*gate_, *planner_, *catalogues_, limits->exchange);
  cancel_key_ = context_.cancel_keys.add([weak = weak_from_this(), worker = &worker_.worker] {
    worker->post([weak] {
      if (auto self = weak.lock()) self->cancel_from_client();
    });
  });

  auto& hello = exchange_->to_client().own();
  wire::pg::encode_authentication_ok(hello);
  for (const auto& [name, value] : upstream_->status) {
    const auto& shown = name == "application_name" ? facts.client_name : value;
    CO_CHECK_OK(wire::pg::encode_parameter_status(hello, name, shown));
  }
  std::string secret;
  ByteWriter{secret}.u32(cancel_key_->secret);
  CO_CHECK_OK(wire::pg::encode_backend_key_data(hello, cancel_key_->process_id, as_bytes(secret)));
  wire::pg::encode_ready_for_query(hello, wire::pg::TransactionStatus::idle);
  exchange_->to_client().commit();
  if (!co_await flush_client()) co_return fail(Errc::unavailable, "the client went away");
  co_return Result<void>{};
}

// --- pumps
// ----------------------------------------------------------------------------------------------------------

Task<> Session::client_pump() {
  std::array<std::uint8_t, kFirstRead> first;
  for (;;) {
    Step step;
    if (client_left_.empty() && !exchange_->goes_on_alone()) {
      const auto io = client_.try_read(first);
      if (io.status == Io::would_block) {
        if (!co_await client_.ready(io.want)) break;
        continue;
      }
      if (io.status != Io::done) break;
      last_active_ = context_.clock.steady();
      step = exchange_->on_client({first.data(), io.bytes});
      if (step.consumed < io.bytes)
        client_left_.assign(as_text(Bytes{first}.subspan(step.consumed, io.bytes - step.consumed)));
    } else {
      step = exchange_->on_client(as_bytes(client_left_));
      client_left_.erase(0, step.consumed);
    }
    after_exchange();
    if (!flush_at_once() && (!co_await flush_server() || !co_await flush_client())) break;
    if (ended_) break;
    switch (step.pause) {
      case Pause::none:
        if (!client_left_.empty()) {  // part of a message: the rest goes behind it
          auto lease = net::BufferPool::lend();
          auto n = co_await client_.read_some(lease.bytes());
          if (!n || *n == 0) co_return;
          client_left_.append(as_text(Bytes{lease.bytes()}.first(*n)));
        } else if (client_left_.capacity() > kFirstRead) {
          client_left_.shrink_to_fit();
        }
        break;
      case Pause::server: co_await client_wakeup_.wait(); break;
      case Pause::catalogue: co_await catalogue_pause(); break;
      case Pause::review: co_await hold(client_wakeup_); break;
      case Pause::close: co_return;
    }
    if (ended_) break;
  }
}

Task<> Session::server_pump() {
  std::array<std::uint8_t, kFirstRead> first;
  auto& server = *upstream_->stream;
  for (;;) {
    const auto io = server.try_read(first);
    if (io.status == Io::would_block) {
      if (!co_await server.ready(io.want)) break;
      continue;
    }
    if (io.status != Io::done) break;
    auto lease = net::BufferPool::lend();
    auto received = assemble(Bytes{first}.first(io.bytes), io.bytes == first.size(), lease.bytes());
    for (;;) {
      const auto step = exchange_->on_server(received);
      after_exchange();
      if (!flush_at_once() && (!co_await flush_client() || !co_await flush_server())) co_return;
      client_wakeup_.notify();
      if (ended_) co_return;
      if (step.pause == Pause::close) co_return close_client();
      received = received.subspan(step.consumed);
      if (step.pause != Pause::review) break;
      co_await hold(server_wakeup_);
      if (ended_) co_return;
    }
    std::string rest{as_text(received)};  // may be a view of server_left_
    server_left_ = std::move(rest);
  }
  if (ended_) co_return;
  exchange_->server_lost("the server closed the connection");
  (void)co_await flush_client();
  close_client();
}

// Ends the client pump, wherever it waits.
void Session::close_client() {
  client_.shut_down();
  client_.close();
  client_wakeup_.notify();
}

// Puts what was read behind what was left of the last read, and takes along what else is waiting: in the
// pooled buffer, or, for a row that is larger than that, in the session's own.
Bytes Session::assemble(Bytes first, bool more_may_wait, MutableBytes buffer) {
  if (server_left_.empty() && !more_may_wait) return first;
  auto& server = *upstream_->stream;
  if (server_left_.size() + first.size() < buffer.size()) {
    auto filled = server_left_.size();
    std::memcpy(buffer.data(), server_left_.data(), filled);
    std::memcpy(buffer.data() + filled, first.data(), first.size());
    filled += first.size();
    if (more_may_wait) {
      if (const auto io = server.try_read(buffer.subspan(filled)); io.status == Io::done) filled += io.bytes;
    }
    server_left_.clear();
    return Bytes{buffer}.first(filled);
  }
  server_left_.append(as_text(first));
  if (const auto io = server.try_read(buffer); io.status == Io::done) {
    server_left_.append(as_text(Bytes{buffer}.first(io.bytes)));
  }
  return as_bytes(server_left_);
}

// What the exchange wants done beside writing.
void Session::after_exchange() {
  if (exchange_->take_cancel_request()) spawn_upstream_cancel();
}

// Mostly the sockets take all of it, and nobody has to wait. False: not all, or not now, or it failed.
bool Session::flush_at_once() {
  if (flushing_client_ || flushing_server_) return false;
  auto& to_server = exchange_->to_server();
  if (!to_server.empty()) {
    if (cancels_under_way_ > 0) return false;
    iovec piece{const_cast<char*>(to_server.pending().data()), to_server.pending().size()};
    const auto io = upstream_->stream->try_write({&piece, 1});
    if (io.status != Io::done) return false;
    to_server.consumed(io.bytes);
  }
  auto& to_client = exchange_->to_client();
  if (!to_client.empty()) {
    std::array<iovec, kMaxPieces> pieces;
    const auto n = to_client.gather(client_written_, pieces.data(), pieces.size());
    const auto io = client_.try_write({pieces.data(), n});
    if (io.status != Io::done) return false;
    client_written_ += io.bytes;
    if (client_written_ < to_client.size()) return false;
    to_client.clear();
    client_written_ = 0;
  }
  return to_server.empty();
}

Task<bool> Session::flush_client() {
  while (flushing_client_) co_await flushed_client_.wait();
  auto& out = exchange_->to_client();
  if (out.empty()) co_return true;
  flushing_client_ = true;
  bool ok = true;
  std::array<iovec, kMaxPieces> pieces;
  for (;;) {
    const auto n = out.gather(client_written_, pieces.data(), pieces.size());
    if (n == 0) break;
    const auto io = client_.try_write({pieces.data(), n});
    if (io.status == Io::done) {
      client_written_ += io.bytes;
    } else if (io.status == Io::would_block) {
      if (!co_await client_.wait(io.want)) ok = false;
    } else {
      ok = false;
    }
    if (!ok) break;
  }
  out.clear();
  client_written_ = 0;
  flushing_client_ = false;
  flushed_client_.notify();
  co_return ok;
}

Task<bool> Session::flush_server() {
  while (flushing_server_) co_await flushed_server_.wait();
  auto& out = exchange_->to_server();
  if (out.empty()) co_return true;
  flushing_server_ = true;
  while (cancels_under_way_ > 0 && !ended_) co_await cancel_arrived_.wait();
  bool ok = true;
  auto& server = *upstream_->stream;
  while (ok && !out.empty()) {
    iovec piece{const_cast<char*>(out.pending().data()), out.pending().size()};
    const auto io = server.try_write({&piece, 1});
    if (io.status == Io::done) {
      out.consumed(io.bytes);
    } else if (io.status == Io::would_block) {
      if (!co_await server.wait(io.want)) ok = false;
    } else {
      ok = false;
    }
  }
  flushing_server_ = false;
  flushed_server_.notify();
  co_return ok;
}

// --- pauses
// ---------------------------------------------------------------------------------------------------------

Task<> Session::catalogue_pause() {
  while (!ended_ && !exchange_->idle()) co_await client_wakeup_.wait();
  if (ended_ || !exchange_->begin_catalogue_read()) co_return;
  if (!co_await flush_server()) co_return;
  while (!ended_ && exchange_->reading_catalogue()) {
    co_await client_wakeup_.wait();
    if (!co_await flush_server()) co_return;
  }
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

// --- from outside
// ---------------------------------------------------------------------------------------------------

void Session::cancel_from_client() {
  if (!exchange_ || ended_) return;
  if (exchange_->cancel()) spawn_upstream_cancel();
  hold_wakeup_.notify();
}

// A cancel means what the server runs now. Until it has arrived nothing new is sent, which it would hit
// instead.
void Session::spawn_upstream_cancel() {
  ++cancels_under_way_;
  boost::asio::co_spawn(
      client_.executor(),
      [](std::shared_ptr<Session> self) -> Task<> {
        co_await cancel_upstream(self->login_->connection, self->upstream_->process_id,
                                 self->upstream_->cancel_key);
        --self->cancels_under_way_;
        self->cancel_arrived_.notify();
      }(shared_from_this()),
      [](std::exception_ptr error) {
        if (error) std::rethrow_exception(error);
      });
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
    boost::asio::co_spawn(
        client_.executor(),
        [](std::shared_ptr<Session> self) -> Task<> {
          (void)co_await self->flush_client();
          (void)co_await self->flush_server();
        }(shared_from_this()),
        [](std::exception_ptr error) {
          if (error) std::rethrow_exception(error);
        });
  }
}

void Session::tick(WallTime now, SteadyTime steady, const SessionLimits& limits) {
  if (!exchange_ || ended_) return;
  if (login_->who.expires && *login_->who.expires <= now) {
    return end(record::SessionEndReason::expired, "57P01", "the token has expired");
  }
  const bool quiet = exchange_->idle() && !holding_;
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
  boost::asio::co_spawn(
      client_.executor(),
      [](std::shared_ptr<Session> self) -> Task<> {
        net::Deadline farewell{self->client_, kFarewell};
        (void)co_await self->flush_client();
        self->client_.shut_down();
        self->client_.close();
        self->client_wakeup_.notify();
        self->server_wakeup_.notify();
        self->hold_wakeup_.notify();
      }(shared_from_this()),
      [](std::exception_ptr error) {
        if (error) std::rethrow_exception(error);
      });
}

// --- end
// ------------------------------------------------------------------------------------------------------------

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

}  // namespace sluice::proxy::pg
