#include "admin/http.h"

#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <set>

#include "core/encoding.h"

namespace sluice::admin {
namespace {

namespace http = boost::beast::http;

// Headers that decide something must not come twice: a proxy before us might read the other one.
constexpr std::array kSingleHeaders = {http::field::authorization,  http::field::content_type,
                                       http::field::content_length, http::field::transfer_encoding,
                                       http::field::host,           http::field::if_match};

std::optional<char> from_hex_digits(char high, char low) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  const int value = digit(high) * 16 + digit(low);
  if (digit(high) < 0 || digit(low) < 0) return std::nullopt;
  return static_cast<char>(value);
}

// Percent-decoding. NUL and control characters never mean anything in our paths and values.
Result<std::string> decode(std::string_view text, bool plus_is_blank) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const auto value = i + 2 < text.size() ? from_hex_digits(text[i + 1], text[i + 2]) : std::nullopt;
      if (!value) return fail(Errc::malformed, "a percent sign without two hexadecimal digits");
      c = *value;
      i += 2;
    } else if (c == '+' && plus_is_blank) {
      c = ' ';
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
      return fail(Errc::malformed, "a control character in the target");
    out.push_back(c);
  }
  if (!is_valid_utf8(out)) return fail(Errc::malformed, "the target is not UTF-8");
  return out;
}

Result<void> read_target(std::string_view target, Request& out) {
  if (!target.starts_with('/')) return fail(Errc::malformed, "the target must be a path");
  const auto question = target.find('?');
  const auto path = target.substr(0, question);
  // An encoded slash would be a part of a name to us and a separator to a proxy.
  for (std::size_t i = 0; i + 2 < path.size(); ++i) {
    if (path[i] == '%' && from_hex_digits(path[i + 1], path[i + 2]) == '/') {
      return fail(Errc::malformed, "an encoded slash in the path");
    }
  }
  TRY(out.path, decode(path, false));
  if (question == std::string_view::npos) return {};
  auto rest = target.substr(question + 1);
  while (!rest.empty()) {
    const auto end = rest.find('&');
    const auto pair = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    TRY(auto key, decode(pair.substr(0, equals), true));
    TRY(auto value,
        equals == std::string_view::npos ? Result<std::string>{""} : decode(pair.substr(equals + 1), true));
    if (!out.query.emplace(std::move(key), std::move(value)).second) {
      return fail(Errc::malformed, "a query parameter appears twice");
    }
  }
  return {};
}

std::optional<Method> method_of(http::verb verb) {
  switch (verb) {
    case http::verb::get: return Method::get;
    case http::verb::post: return Method::post;
    case http::verb::put: return Method::put;
    case http::verb::patch: return Method::patch;
    case http::verb::delete_: return Method::remove;
    default: return std::nullopt;
  }
}

std::string_view view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

std::string lower(std::string_view text) {
  std::string out{text};
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

}  // namespace

struct HttpReader::Parser {
  explicit Parser(const HttpLimits& limits) {
    parser.header_limit(limits.header_bytes);
    parser.body_limit(limits.body_bytes);
  }

  // What the parser has taken; it stops behind the header before it takes of the body.
  void taken(std::string_view bytes) {
    if (header_fields) return;
    for (const char c : bytes) {
      folded = folded || (line_begins && (c == ' ' || c == '\t'));
      line_begins = c == '\n';
    }
    if (parser.is_header_done()) header_fields = fields();
  }
  // The parser adds trailer fields to those of the header.
  bool has_trailer() const { return header_fields && *header_fields != fields(); }

  http::request_parser<http::string_body> parser;
  bool folded = false;  // a header line goes on in the next one

 private:
  std::ptrdiff_t fields() const { return std::distance(parser.get().begin(), parser.get().end()); }

  bool line_begins = false;
  std::optional<std::ptrdiff_t> header_fields;  // once the header is whole
};

HttpReader::HttpReader(HttpLimits limits) : limits_(limits), parser_(std::make_unique<Parser>(limits)) {}
HttpReader::~HttpReader() = default;

bool HttpReader::in_request() const {
  return parser_->parser.got_some() || !buffered_.empty();
}

Result<bool> HttpReader::feed(Bytes bytes) {
  buffered_.append(as_text(bytes));
  while (!buffered_.empty() && !parser_->parser.is_done()) {
    boost::system::error_code code;
    const auto used =
        parser_->parser.put(boost::asio::const_buffer(buffered_.data(), buffered_.size()), code);
    parser_->taken(std::string_view{buffered_}.substr(0, used));
    buffered_.erase(0, used);
    if (code == http::error::need_more) break;
    if (code == http::error::header_limit || code == http::error::body_limit ||
        code == http::error::buffer_overflow) {
      return fail(Errc::too_large, "the request is too large");
    }
    if (code) return fail(Errc::malformed, "not an HTTP request: {}", code.message());
    if (used == 0) break;
  }
  // What waits for more cannot be longer than a header line or a chunk's frame.
  if (!parser_->parser.is_done() && buffered_.size() > limits_.header_bytes) {
    return fail(Errc::too_large, "the request is too large");
  }
  return parser_->parser.is_done();
}

Result<HttpExchange> HttpReader::take() {
  const auto parsed = std::exchange(parser_, std::make_unique<Parser>(limits_));
  // Others read a folded line, a trailer or a transfer coding in another way, or not at all.
  if (parsed->folded) return fail(Errc::malformed, "a header line is folded");
  if (parsed->has_trailer()) return fail(Errc::malformed, "there are trailer fields");
  auto message = parsed->parser.release();
  HttpExchange out;
  out.keep_alive = message.keep_alive();
  if (message.version() != 11) return fail(Errc::unsupported, "HTTP/1.1 only");
  const auto method = method_of(message.method());
  if (!method) return fail(Errc::unsupported, "this method is not supported");
  out.request.method = *method;
  for (const auto field : kSingleHeaders) {
    if (message.count(field) > 1) return fail(Errc::malformed, "a header appears twice");
  }
  if (message.count(http::field::host) == 0) return fail(Errc::malformed, "the Host header is missing");
  if (message.count(http::field::transfer_encoding) > 0 &&
      lower(view(message[http::field::transfer_encoding])) != "chunked") {
    return fail(Errc::malformed, "the only transfer coding here is chunked");
  }
  out.request.host = lower(view(message[http::field::host]));
  CHECK_OK(read_target(view(message.target()), out.request));
  const auto authorization = view(message[http::field::authorization]);
  if (!authorization.empty()) {
    constexpr std::string_view kScheme = "bearer ";
    if (lower(authorization.substr(0, kScheme.size())) != kScheme) {
      return fail(Errc::unauthenticated, "the authorization must be Bearer");
    }
    out.request.token = authorization.substr(kScheme.size());
  }
  const auto content_type = view(message[http::field::content_type]);
  out.request.content_type = lower(content_type.substr(0, content_type.find(';')));
  while (out.request.content_type.ends_with(' ')) out.request.content_type.pop_back();
  out.request.if_match = view(message[http::field::if_match]);
  out.request.body = std::move(message.body());
  return out;
}

std::string encode_response(const Response& response, bool keep_alive) {
  std::string out = fmt::format("HTTP/1.1 {} {}\r\n", response.status, reason_of(response.status));
  if (!response.content_type.empty()) out += fmt::format("Content-Type: {}\r\n", response.content_type);
  if (response.status != 204) out += fmt::format("Content-Length: {}\r\n", response.body.size());
  for (const auto& [name, value] : response.headers) out += fmt::format("{}: {}\r\n", name, value);
  // Answers are about people: no cache keeps them, no browser guesses their type.
  if (std::ranges::find(response.headers, "Cache-Control", &std::pair<std::string, std::string>::first) ==
      response.headers.end()) {
    out += "Cache-Control: no-store\r\n";
  }
  out += "X-Content-Type-Options: nosniff\r\n";
  out += keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
  if (response.status != 204) out += response.body;
  return out;
}

}  // namespace sluice::admin
