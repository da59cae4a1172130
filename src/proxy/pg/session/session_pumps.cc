// The bytes between the two streams and the exchange.
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "proxy/pg/session/session.h"

namespace sluice::proxy::pg {
namespace {

using net::Io;
using net::Task;

// What a waiting read has at hand. Most requests and many replies fit; a fuller one goes on into a pooled
// buffer.
constexpr std::size_t kFirstRead = 2048;
constexpr std::size_t kMaxPieces = 64;  // iovecs per write; well below IOV_MAX
// A message of megabytes goes in parts, between which the other sessions of the worker have their turn.
constexpr std::size_t kMostAtOnce = 512 * 1024;  // bytes; some 0.2 ms to copy, 0.5 ms to encrypt
constexpr std::size_t kMostReserved =
    64 * 1024 * 1024;                   // bytes of a message that is announced; taken as they come
constexpr std::size_t kFewPieces = 16;  // enough for nearly every reply; the array is cleared each time

}  // namespace

Task<> Session::client_pump() {
  std::array<std::uint8_t, kFirstRead> first;
  std::size_t read_in_turn = 0;
  for (;;) {
    Step step;
    if (client_left_.empty() && !exchange_->goes_on_alone()) {
      const auto io = client_.try_read(first);
      if (io.status == Io::would_block) {
        if (!co_await client_.ready_to_read(first)) break;
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
    const bool done_for_now = step.pause == Pause::none && client_left_.empty() && !client_.may_read() &&
                              !exchange_->goes_on_alone();
    if (!(done_for_now && flush_at_turn_end()) && !flush_at_once() &&
        (!co_await flush_server() || !co_await flush_client())) {
      break;
    }
    if (ended_) break;
    switch (step.pause) {
      case Pause::none:
        if (!client_left_.empty()) {  // part of a message: the rest goes behind it
          if (step.awaited > client_left_.capacity()) {
            const auto wanted = std::min<std::uint64_t>(step.awaited, kMostReserved);
            client_left_.reserve(static_cast<std::size_t>(wanted));
          }
          auto lease = net::BufferPool::lend();
          auto n = co_await client_.read_some(lease.bytes());
          if (!n || *n == 0) co_return;
          client_left_.append(as_text(Bytes{lease.bytes()}.first(*n)));
          read_in_turn += *n;
          if (read_in_turn >= kMostAtOnce) {
            read_in_turn = 0;
            co_await let_others_go_on();
          }
        } else if (client_left_.capacity() > kFirstRead) {
          client_left_.shrink_to_fit();
        }
        break;
      case Pause::server: co_await client_wakeup_.wait(); break;
      case Pause::catalogue: co_await catalogue_pause(); break;
      case Pause::review: co_await hold(client_wakeup_); break;
      case Pause::errand: co_await errand(); break;
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
      if (!co_await server.ready_to_read(first)) break;
      continue;
    }
    if (io.status != Io::done) break;
    auto lease = net::BufferPool::lend();
    auto received = assemble(Bytes{first}.first(io.bytes), io.bytes == first.size(), lease.bytes());
    for (;;) {
      const auto step = exchange_->on_server(received);
      after_exchange();
      const bool done_for_now = step.pause == Pause::none && received.data() == first.data() &&
                                step.consumed == received.size() && !server.may_read();
      if (!(done_for_now && flush_at_turn_end()) && !flush_at_once() &&
          (!co_await flush_client() || !co_await flush_server())) {
        co_return close_client();  // whose pump may wait for this one
      }
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

// Leaves what there is to send for the end of the turn, when the other sessions that were ready have been
// handled too. Only for a pump that will wait for its next read now: what is relayed is still in its buffer,
// and nothing adds to it. False: it has to be sent at once.
bool Session::flush_at_turn_end() {
  if (ended_ || flushing_client_ || flushing_server_ || cancels_under_way_ > 0) return false;
  turn_end_.arm();
  return true;
}

// If not all of it can be sent now, nobody reads until it has been.
void Session::turn_ended() {
  if (flush_at_once()) return;
  client_.suspend_reads();
  upstream_->stream->suspend_reads();
  worker_.worker.spawn([](std::shared_ptr<Session> self) -> Task<> {
    const bool server_took = co_await self->flush_server();
    const bool client_took = co_await self->flush_client();
    self->client_.resume_reads();
    self->upstream_->stream->resume_reads();
    if (self->ended_) co_return;
    if (!server_took) self->upstream_->stream->close();  // the server pump says so to the client
    if (!client_took) self->close_client();
  }(shared_from_this()));
}

// Mostly the sockets take all of it, and nobody has to wait. False: not all, or not now, or it failed.
bool Session::flush_at_once() {
  if (flushing_client_ || flushing_server_) return false;
  auto& to_server = exchange_->to_server();
  if (!to_server.empty()) {
    if (cancels_under_way_ > 0) return false;
    const auto pending = to_server.pending().substr(0, kMostAtOnce);
    iovec piece{const_cast<char*>(pending.data()), pending.size()};
    const auto io = upstream_->stream->try_write({&piece, 1});
    if (io.status != Io::done) return false;
    to_server.consumed(io.bytes);
  }
  auto& to_client = exchange_->to_client();
  if (!to_client.empty()) {
    std::array<iovec, kFewPieces> pieces;
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

Task<> Session::let_others_go_on() {
  co_await boost::asio::post(client_.executor(), boost::asio::use_awaitable);
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
    const auto pending = out.pending().substr(0, kMostAtOnce);
    iovec piece{const_cast<char*>(pending.data()), pending.size()};
    const auto io = server.try_write({&piece, 1});
    if (io.status == Io::done) {
      out.consumed(io.bytes);
      if (!out.empty()) co_await let_others_go_on();
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

}  // namespace sluice::proxy::pg
