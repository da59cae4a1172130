// Stream: one byte stream over TCP, plain or TLS, on one thread.
//
// Two ways to use it. Handshakes await: `read_some`, `write_all`. Relays try first and wait only when they
// must, so that one ready message costs one system call each way:
//
//   for (;;) {
//     auto io = stream.try_read(buffer);
//     if (io.status == Io::would_block) { if (!co_await stream.ready(io.want)) break; continue; }
//     ...
//
// A try makes no system call while it is known that nothing has come. A read that does not fill its buffer
// has emptied the socket.
//
// `close()` may be called at any time by the owner; it makes pending waits return Errc::cancelled. One
// coroutine may wait to read while another waits to write. Not thread-safe.
#pragma once

#include <sys/uio.h>

#include <chrono>
#include <memory>
#include <span>
#include <string>

#include "core/bytes.h"
#include "core/result.h"
#include "net/socket.h"
#include "net/tls.h"

namespace sluice::net {

struct Io {
  enum Status { done, would_block, closed, failed };
  Status status = done;
  std::size_t bytes = 0;
  Want want = Want::read;  // for would_block
};

class Stream {
 public:
  explicit Stream(Socket socket);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  Io try_read(MutableBytes into);
  Io try_write(std::span<const iovec> pieces);  // may take less than all
  Task<Result<void>> wait(Want want);

  // The same for relays, without a Result: false when the stream was closed.
  auto ready(Want want) { return watch_.wait(want); }
  // The same for the next try_read into `into`, which then mostly makes no system call either: the Loop has
  // received for all streams that were ready. `into` must live until this resumes.
  auto ready_to_read(MutableBytes into) { return watch_.wait(Want::read, is_tls() ? MutableBytes{} : into); }
  // False: a read would have to wait. True: it may find something.
  bool may_read() const { return watch_.is_ready(Want::read); }
  // While suspended every read has to wait: for relays whose other side does not take more.
  void suspend_reads() { watch_.suspend_reads(); }
  void resume_reads() { watch_.resume_reads(); }

  Task<Result<std::size_t>> read_some(MutableBytes into);  // 0: the peer closed
  Task<Result<void>> write_all(Bytes data);

  // The next byte without taking it (plain streams): tells direct TLS (0x16) from a PostgreSQL packet.
  Task<Result<std::uint8_t>> peek_byte();
  // Bytes that wait in the kernel; a peer that sends before TLS starts is stuffing plaintext
  // (CVE-2021-23214).
  bool has_unread_bytes();
  // True once the peer has closed or reset; does not consume data. For clients that are kept waiting.
  bool peer_gone();

  Task<Result<void>> start_tls(std::shared_ptr<TlsServerContext> context);
  Task<Result<void>> start_tls(std::shared_ptr<TlsClientContext> context, const std::string& host);
  bool is_tls() const { return ssl_ != nullptr; }
  std::string alpn() const;
  ByteVector channel_binding() const;                      // RFC 5929 tls-server-end-point of the peer
  const std::string& failure() const { return failure_; }  // what Io::failed was about

  void shut_down();  // polite: TLS close_notify and FIN, without waiting
  void close();
  bool is_open() const { return socket_.is_open(); }
  asio::any_io_executor executor() { return socket_.loop().get_executor(); }
  const Socket& socket() const { return socket_; }

 private:
  Task<Result<void>> run_handshake(bool server);
  Io plain_outcome(ssize_t result, Want want);
  Io tls_outcome(int result);

  Socket socket_;
  Loop::Watch watch_;
  ssl_st* ssl_ = nullptr;
  std::shared_ptr<void> context_;  // keeps the TLS context alive
  std::string failure_;
};

// Closes the stream when the time is over, unless destroyed before: the bound on handshakes and logins.
class Deadline {
 public:
  Deadline(Stream& stream, std::chrono::nanoseconds limit);
  bool passed() const { return passed_; }

 private:
  Loop::Timer timer_;
  bool passed_ = false;
};

// Connects to the first address of `host` that answers. The caller bounds it in time.
Task<Result<std::unique_ptr<Stream>>> dial(std::string host, std::uint16_t port,
                                           std::chrono::nanoseconds limit);

}  // namespace sluice::net
