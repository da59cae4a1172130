// The client of large results: a PostgreSQL client that does as little as a client can, so that what is
// measured is the server and what stands before it.
//
//   PGPASSWORD=... bench_sink PORT USER DATABASE SQL
//
// Logs in on 127.0.0.1 (trust or cleartext password, no TLS), sends SQL as one simple Query, reads the reply
// into one buffer, walks the message headers and counts. Prints "rows bytes seconds": `bytes` are all of the
// reply's, `seconds` go from sending the query to ReadyForQuery. Anything but a whole reply is exit code 1
// with the reason.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::size_t kBuffer = 256 * 1024;      // bytes; larger ones made no difference on loopback
constexpr std::size_t kLongestKept = 64 * 1024;  // bytes of a message that we want to read: log-in and errors

[[noreturn]] void fail(std::string_view what) {
  std::fprintf(stderr, "bench_sink: %.*s\n", static_cast<int>(what.size()), what.data());
  std::exit(1);
}

std::uint32_t read_u32(const char* at) {
  std::uint32_t value = 0;
  std::memcpy(&value, at, sizeof value);
  return ntohl(value);
}

void append_u32(std::string& out, std::size_t value) {
  const std::uint32_t big_endian = htonl(static_cast<std::uint32_t>(value));
  out.append(reinterpret_cast<const char*>(&big_endian), sizeof big_endian);
}

std::string message(char type, std::string_view text) {
  std::string out(1, type);
  append_u32(out, 4 + text.size() + 1);
  out.append(text).push_back('\0');
  return out;
}

std::string start_up(std::string_view user, std::string_view database) {
  std::string body;
  append_u32(body, 3 << 16);
  for (const std::string_view part :
       {std::string_view{"user"}, user, std::string_view{"database"}, database}) {
    body.append(part).push_back('\0');
  }
  body.push_back('\0');
  std::string out;
  append_u32(out, 4 + body.size());
  return out + body;
}

class Connection {
 public:
  explicit Connection(std::uint16_t port)
      : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), buffer_(kBuffer) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd_ < 0 || ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      fail("cannot connect");
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  ~Connection() { ::close(fd_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) fail("the connection broke while sending");
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }

  // The next message's type; its body is skipped, and kept for `body()` unless it is a row.
  char next() {
    char header[5];
    for (char& byte : header) byte = take();
    const std::size_t length = read_u32(header + 1);
    if (length < 4) fail("a message with a wrong length");
    skip(length - 4, header[0] != 'D');
    return header[0];
  }
  std::string_view body() const { return body_; }
  std::uint64_t received() const { return received_; }

 private:
  char take() {
    if (begin_ == end_) fill();
    return buffer_[begin_++];
  }

  void skip(std::size_t n, bool keep) {
    body_.clear();
    while (n > 0) {
      if (begin_ == end_) fill();
      const std::size_t here = std::min(n, end_ - begin_);
      if (keep && body_.size() + here <= kLongestKept) body_.append(buffer_.data() + begin_, here);
      begin_ += here;
      n -= here;
    }
  }

  void fill() {
    const auto n = ::recv(fd_, buffer_.data(), buffer_.size(), 0);
    if (n <= 0) fail("the connection ended within the reply");
    begin_ = 0;
    end_ = static_cast<std::size_t>(n);
    received_ += end_;
  }

  int fd_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t received_ = 0;
  std::string body_;
};

// The text of an ErrorResponse: its fields, each a letter and a string.
std::string readable(std::string_view error) {
  std::string text(error);
  std::ranges::replace(text, '\0', ' ');
  return text;
}

void log_in(Connection& connection, std::string_view user, std::string_view database) {
  connection.send(start_up(user, database));
  for (;;) {
    switch (connection.next()) {
      case 'Z': return;
      case 'E': fail("refused: " + readable(connection.body()));
      case 'R': {
        if (connection.body().size() < 4) fail("a malformed authentication request");
        const auto method = read_u32(connection.body().data());
        if (method == 0) break;
        const char* password = std::getenv("PGPASSWORD");
        if (method != 3 || password == nullptr)
          fail("the server wants an authentication that we do not speak");
        connection.send(message('p', password));
        break;
      }
      default: break;  // parameters, keys, notices
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) fail("usage: bench_sink PORT USER DATABASE SQL");
  Connection connection{static_cast<std::uint16_t>(std::atoi(argv[1]))};
  log_in(connection, argv[2], argv[3]);

  const auto before = connection.received();
  const auto began = std::chrono::steady_clock::now();
  connection.send(message('Q', argv[4]));
  std::uint64_t rows = 0;
  for (char type = connection.next(); type != 'Z'; type = connection.next()) {
    if (type == 'D') ++rows;
    if (type == 'E') fail("the reply ended with an error: " + readable(connection.body()));
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  std::printf("%llu %llu %.6f\n", static_cast<unsigned long long>(rows),
              static_cast<unsigned long long>(connection.received() - before), took.count());
  connection.send(std::string_view{"X\0\0\0\4", 5});
}
