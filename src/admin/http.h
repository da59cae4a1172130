// HTTP/1.1 for the admin API: bytes to a Request, a Response to bytes. Boost.Beast's parser, without its
// sockets, is in http.cc and nowhere else.
//
//   HttpReader reader{limits};
//   TRY(auto state, reader.feed(bytes));        // until it says complete
//   auto exchange = reader.take();              // and the reader is ready for the next request on the
//   connection
//
// Not thread-safe; one per connection.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "admin/message.h"
#include "core/bytes.h"
#include "core/result.h"

namespace sluice::admin {

struct HttpLimits {
  std::uint32_t header_bytes = 16 * 1024;  // a token and a few headers; browsers send up to 8 KiB
  std::uint64_t body_bytes = 1 << 20;
};

struct HttpExchange {
  Request request;
  bool keep_alive = false;
};

class HttpReader {
 public:
  explicit HttpReader(HttpLimits limits);
  ~HttpReader();
  HttpReader(const HttpReader&) = delete;
  HttpReader& operator=(const HttpReader&) = delete;

  // True when a request is complete; bytes beyond it are kept for the next one. Errc::malformed,
  // Errc::too_large, Errc::unsupported (another method or HTTP version): answer the problem and close.
  Result<bool> feed(Bytes bytes);
  Result<HttpExchange> take();
  // A request has begun but is not whole.
  bool in_request() const;

 private:
  struct Parser;
  HttpLimits limits_;
  std::string buffered_;
  std::unique_ptr<Parser> parser_;
};

std::string encode_response(const Response& response, bool keep_alive);

}  // namespace sluice::admin
