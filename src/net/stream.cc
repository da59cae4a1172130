#include "net/stream.h"

#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace sluice::net {
Stream::Stream(Socket socket) : socket_(std::move(socket)), watch_(socket_.loop(), socket_.native_handle()) {
  for (const auto [level, option] :
       {std::pair<int, int>{IPPROTO_TCP, TCP_NODELAY}, {SOL_SOCKET, SO_KEEPALIVE}}) {
    const int on = 1;
    (void)::setsockopt(socket_.native_handle(), level, option, &on, sizeof on);
  }
}

Stream::~Stream() {
  SSL_free(ssl_);
}

Io Stream::plain_outcome(ssize_t result, Want want) {
  if (result > 0) return {Io::done, static_cast<std::size_t>(result), want};
  if (result == 0) return {Io::closed, 0, want};
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
    if (errno != EINTR) watch_.exhausted(want);
    return {Io::would_block, 0, want};
  }
  if (errno == ECONNRESET || errno == EPIPE) return {Io::closed, 0, want};
  failure_ = std::strerror(errno);
  return {Io::failed, 0, want};
}

Io Stream::try_read(MutableBytes into) {
  if (!socket_.is_open()) return {Io::closed, 0, Want::read};
  if (ssl_ == nullptr) {
    const auto received = watch_.take_received();
    if (!received && !watch_.is_ready(Want::read)) return {Io::would_block, 0, Want::read};
    const auto io = plain_outcome(
        received ? *received : ::recv(socket_.native_handle(), into.data(), into.size(), MSG_DONTWAIT),
        Want::read);
    if (io.status == Io::done && io.bytes < into.size()) watch_.exhausted(Want::read);
    return io;
  }
  ERR_clear_error();
  return tls_outcome(
      SSL_read(ssl_, into.data(), static_cast<int>(std::min<std::size_t>(into.size(), 1 << 30))));
}

Io Stream::try_write(std::span<const iovec> pieces) {
  if (!socket_.is_open()) return {Io::closed, 0, Want::write};
  if (ssl_ == nullptr) {
    constexpr int kFlags = MSG_DONTWAIT | MSG_NOSIGNAL;
    if (pieces.size() == 1) {  // as mostly: the kernel has less to read and to check for it
      return plain_outcome(::send(socket_.native_handle(), pieces[0].iov_base, pieces[0].iov_len, kFlags),
                           Want::write);
    }
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(pieces.data());
    message.msg_iovlen = pieces.size();
    return plain_outcome(::sendmsg(socket_.native_handle(), &message, kFlags), Want::write);
  }
  std::size_t written = 0;
  for (const auto& piece : pieces) {
    std::size_t at = 0;
    while (at < piece.iov_len) {
      ERR_clear_error();
      auto io = tls_outcome(SSL_write(ssl_, static_cast<const char*>(piece.iov_base) + at,
                                      static_cast<int>(std::min<std::size_t>(piece.iov_len - at, 1 << 30))));
      if (io.status != Io::done) {
        if (written > 0 && io.status == Io::would_block) return {Io::done, written, Want::write};
        return io;
      }
      at += io.bytes;
      written += io.bytes;
    }
  }
  return {Io::done, written, Want::write};
}

Io Stream::tls_outcome(int result) {
  if (result > 0) return {Io::done, static_cast<std::size_t>(result), Want::read};
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ: watch_.exhausted(Want::read); return {Io::would_block, 0, Want::read};
    case SSL_ERROR_WANT_WRITE: watch_.exhausted(Want::write); return {Io::would_block, 0, Want::write};
    case SSL_ERROR_ZERO_RETURN: return {Io::closed, 0, Want::read};
    case SSL_ERROR_SYSCALL: return {Io::closed, 0, Want::read};
    default: failure_ = take_tls_error(); return {Io::failed, 0, Want::read};
  }
}

Task<Result<void>> Stream::wait(Want want) {
  if (!socket_.is_open()) co_return fail(Errc::cancelled, "the stream is closed");
  if (!co_await ready(want)) co_return fail(Errc::cancelled, "the stream was closed");
  co_return Result<void>{};
}

Task<Result<std::size_t>> Stream::read_some(MutableBytes into) {
  for (;;) {
    auto io = try_read(into);
    switch (io.status) {
      case Io::done: co_return io.bytes;
      case Io::closed: co_return std::size_t{0};
      case Io::failed: co_return fail(Errc::unavailable, "{}", failure_);
      case Io::would_block: CO_CHECK_OK(co_await wait(io.want)); break;
    }
  }
}

Task<Result<void>> Stream::write_all(Bytes data) {
  while (!data.empty()) {
    iovec piece{const_cast<std::uint8_t*>(data.data()), data.size()};
    auto io = try_write({&piece, 1});
    switch (io.status) {
      case Io::done: data = data.subspan(io.bytes); break;
      case Io::closed: co_return fail(Errc::unavailable, "the peer closed the stream");
      case Io::failed: co_return fail(Errc::unavailable, "{}", failure_);
      case Io::would_block: CO_CHECK_OK(co_await wait(io.want)); break;
    }
  }
  co_return Result<void>{};
}

Task<Result<std::uint8_t>> Stream::peek_byte() {
  for (;;) {
    std::uint8_t byte = 0;
    auto n = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (n == 1) co_return byte;
    if (n == 0) co_return fail(Errc::unavailable, "the peer closed the stream");
    if (errno != EAGAIN && errno != EINTR) co_return fail(Errc::unavailable, "{}", std::strerror(errno));
    if (errno == EAGAIN) watch_.exhausted(Want::read);
    CO_CHECK_OK(co_await wait(Want::read));
  }
}

bool Stream::has_unread_bytes() {
  int waiting = 0;
  return ::ioctl(socket_.native_handle(), FIONREAD, &waiting) == 0 && waiting > 0;
}

bool Stream::peer_gone() {
  if (!socket_.is_open()) return true;
  char byte;
  auto n = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

Task<Result<void>> Stream::start_tls(std::shared_ptr<TlsServerContext> context) {
  ssl_ = SSL_new(context->native());
  if (ssl_ == nullptr || SSL_set_fd(ssl_, socket_.native_handle()) != 1) {
    co_return fail(Errc::internal, "{}", take_tls_error());
  }
  context_ = std::move(context);
  co_return co_await run_handshake(true);
}

Task<Result<void>> Stream::start_tls(std::shared_ptr<TlsClientContext> context, const std::string& host) {
  ssl_ = SSL_new(context->native());
  if (ssl_ == nullptr || SSL_set_fd(ssl_, socket_.native_handle()) != 1) {
    co_return fail(Errc::internal, "{}", take_tls_error());
  }
  boost::system::error_code not_an_address;
  const bool is_address = (asio::ip::make_address(host, not_an_address), !not_an_address);
  if (!is_address) SSL_set_tlsext_host_name(ssl_, host.c_str());  // RFC 6066: SNI carries names only
  if (context->verify() == TlsVerify::full) {
    auto* parameters = SSL_get0_param(ssl_);
    const bool set = is_address ? X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str()) == 1
                                : X509_VERIFY_PARAM_set1_host(parameters, host.c_str(), host.size()) == 1;
    if (!set) co_return fail(Errc::invalid_argument, "host name {} cannot be verified", host);
  }
  context_ = std::move(context);
  co_return co_await run_handshake(false);
}

Task<Result<void>> Stream::run_handshake(bool server) {
  for (;;) {
    ERR_clear_error();
    const int result = server ? SSL_accept(ssl_) : SSL_connect(ssl_);
    if (result == 1) co_return Result<void>{};
    auto io = tls_outcome(result);
    if (io.status != Io::would_block) {
      const auto verify = SSL_get_verify_result(ssl_);
      if (!server && verify != X509_V_OK) {
        co_return fail(Errc::unavailable, "certificate not accepted: {}",
                       X509_verify_cert_error_string(verify));
      }
      co_return fail(Errc::unavailable, "TLS handshake failed: {}",
                     failure_.empty() ? "peer closed" : failure_);
    }
    CO_CHECK_OK(co_await wait(io.want));
  }
}

std::string Stream::alpn() const {
  const unsigned char* name = nullptr;
  unsigned length = 0;
  if (ssl_ != nullptr) SSL_get0_alpn_selected(ssl_, &name, &length);
  return {reinterpret_cast<const char*>(name), length};
}

ByteVector Stream::channel_binding() const {
  return server_end_point(ssl_);
}

void Stream::shut_down() {
  if (!socket_.is_open()) return;
  if (ssl_ != nullptr && SSL_is_init_finished(ssl_)) SSL_shutdown(ssl_);
  (void)::shutdown(socket_.native_handle(), SHUT_WR);
}

void Stream::close() {
  watch_.close();
  socket_.close();
}

Deadline::Deadline(Stream& stream, std::chrono::nanoseconds limit) : timer_(stream.socket().loop()) {
  timer_.set(Loop::Clock::now() + limit, [this, &stream] {
    passed_ = true;
    stream.close();
  });
}

namespace {

// The stream is connected once it can be written to and has no error.
Result<std::unique_ptr<Stream>> begin_connect(Loop& loop, const tcp::endpoint& endpoint) {
  const int descriptor =
      ::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
  if (descriptor < 0) return fail(Errc::unavailable, "{}", std::strerror(errno));
  Socket socket{loop, descriptor};
  if (::connect(descriptor, endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0 &&
      errno != EINPROGRESS) {
    return fail(Errc::unavailable, "{}", std::strerror(errno));
  }
  return std::make_unique<Stream>(std::move(socket));
}

}  // namespace

Task<Result<std::unique_ptr<Stream>>> dial(std::string host, std::uint16_t port,
                                           std::chrono::nanoseconds limit) {
  auto executor = co_await asio::this_coro::executor;
  std::vector<tcp::endpoint> endpoints;
  boost::system::error_code parse_error;
  if (auto address = asio::ip::make_address(host, parse_error); !parse_error) {
    endpoints.emplace_back(address, port);
  } else {
    tcp::resolver resolver{executor};
    auto [error, found] = co_await resolver.async_resolve(host, std::to_string(port), kNoThrow);
    if (error) co_return fail(Errc::unavailable, "cannot resolve {}: {}", host, error.message());
    for (const auto& entry : found) endpoints.push_back(entry.endpoint());
  }
  auto& loop = Loop::of(executor);
  std::string last = "no address";
  for (const auto& endpoint : endpoints) {
    auto stream = begin_connect(loop, endpoint);
    if (!stream) {
      last = stream.error().detail;
      continue;
    }
    Deadline deadline{**stream, limit};
    const bool decided = co_await (*stream)->ready(Want::write);
    int error = 0;
    socklen_t size = sizeof error;
    if (decided) ::getsockopt((*stream)->socket().native_handle(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (decided && error == 0) co_return std::move(*stream);
    last = decided ? std::strerror(error) : "timed out";
  }
  co_return fail(Errc::unavailable, "cannot connect to {}:{}: {}", host, port, last);
}

}  // namespace sluice::net
