// Whole messages of a server that is talked to a little: while logging in, or for one query of ours. Sessions
// have a reader of their own that relays (exchange.h).
#pragma once

#include <string>
#include <string_view>

#include "net/stream.h"
#include "wire/pg/backend.h"
#include "wire/pg/framer.h"

namespace sluice::proxy::pg {

class UpstreamReader {
 public:
  // What a server may say in all: bounds a hostile one. `doing` is for errors: "login".
  UpstreamReader(net::Stream& stream, std::string_view doing, int max_messages)
      : stream_(stream), doing_(doing), left_(max_messages) {}

  // The payload is valid until the next call.
  net::Task<Result<wire::pg::BackendFrame>> next() {
    using namespace wire::pg;
    buffer_.erase(0, consumed_);
    consumed_ = 0;
    if (left_-- <= 0) co_return fail(Errc::too_large, "the server's {} does not end", doing_);
    for (;;) {
      CO_TRY(auto frame, frame_backend(as_bytes(buffer_), kMaxHeldBackendMessage));
      if (frame.complete()) {
        consumed_ = static_cast<std::size_t>(frame.size);
        co_return frame;
      }
      const auto old = buffer_.size();
      buffer_.resize(old + kReadBytes);
      CO_TRY(auto n, co_await stream_.read_some(
                         {reinterpret_cast<std::uint8_t*>(buffer_.data()) + old, buffer_.size() - old}));
      buffer_.resize(old + n);
      if (n == 0) co_return fail(Errc::unavailable, "the server closed the connection during {}", doing_);
    }
  }
  bool drained() const { return consumed_ == buffer_.size(); }

 private:
  static constexpr std::size_t kReadBytes = 4096;  // most such messages are small
  net::Stream& stream_;
  std::string_view doing_;
  std::string buffer_;
  std::size_t consumed_ = 0;
  int left_;
};

}  // namespace sluice::proxy::pg
