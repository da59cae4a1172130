#include "admin/http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::admin {
namespace {

using ::testing::HasSubstr;

Result<HttpExchange> parse(std::string_view text, HttpLimits limits = {}) {
  HttpReader reader{limits};
  TRY(const bool whole, reader.feed(as_bytes(text)));
  if (!whole) return fail(Errc::cancelled, "incomplete");
  return reader.take();
}
Errc refused(std::string_view text, HttpLimits limits = {}) {
  auto exchange = parse(text, limits);
  EXPECT_FALSE(exchange) << text;
  return exchange ? Errc::internal : exchange.error().code;
}

TEST(Http, ReadsARequest) {
  auto exchange = parse(
      "POST /api/v1/x%20y?limit=5&text=a+b%26c HTTP/1.1\r\nHost: h\r\nAuthorization: bearer slc_1\r\n"
      "Content-Type: Application/JSON; charset=utf-8\r\nIf-Match: \"3\"\r\nContent-Length: 2\r\n\r\n{}");
  ASSERT_TRUE(exchange) << exchange.error().message();
  const auto& request = exchange->request;
  EXPECT_EQ(request.method, Method::post);
  EXPECT_EQ(request.path, "/api/v1/x y");
  EXPECT_EQ(request.query.at("limit"), "5");
  EXPECT_EQ(request.query.at("text"), "a b&c");
  EXPECT_EQ(request.token, "slc_1");
  EXPECT_EQ(request.content_type, "application/json");
  EXPECT_EQ(request.if_match, "\"3\"");
  EXPECT_EQ(request.body, "{}");
  EXPECT_TRUE(exchange->keep_alive);
}

TEST(Http, ByteByByteAndPipelined) {
  const std::string one = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
  const std::string two =
      "POST /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n";
  HttpReader reader{{}};
  for (std::size_t i = 0; i + 1 < one.size(); ++i) {
    auto whole = reader.feed(as_bytes(std::string_view(one).substr(i, 1)));
    ASSERT_TRUE(whole && !*whole) << i;
  }
  EXPECT_TRUE(*reader.feed(as_bytes(one.substr(one.size() - 1) + two)));
  EXPECT_EQ(reader.take()->request.path, "/a");
  EXPECT_TRUE(*reader.feed({}));
  auto second = reader.take();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->request.path, "/b");
  EXPECT_EQ(second->request.body, "{}");
  EXPECT_FALSE(reader.in_request());
}

TEST(Http, RefusesWhatTwoParsersCouldReadDifferently) {
  const auto get = [](std::string_view target, std::string_view headers = "Host: h\r\n") {
    return fmt::format("GET {} HTTP/1.1\r\n{}\r\n", target, headers);
  };
  EXPECT_EQ(refused(get("/a%2Fb")), Errc::malformed);
  EXPECT_EQ(refused(get("/a%00")), Errc::malformed);
  EXPECT_EQ(refused(get("/a%zz")), Errc::malformed);
  EXPECT_EQ(refused(get("/a%ff")), Errc::malformed);
  EXPECT_EQ(refused(get("http://h/a")), Errc::malformed);
  EXPECT_EQ(refused(get("/a?x=1&x=2")), Errc::malformed);
  EXPECT_EQ(refused(get("/a", "")), Errc::malformed) << "no Host";
  EXPECT_EQ(refused(get("/a", "Host: h\r\nHost: i\r\n")), Errc::malformed);
  EXPECT_EQ(refused(get("/a", "Host: h\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n")),
            Errc::malformed);
  EXPECT_EQ(refused(get("/a", "Host: h\r\nAuthorization: Basic YTpi\r\n")), Errc::unauthenticated);
  EXPECT_EQ(refused("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
            Errc::malformed);
  EXPECT_EQ(
      refused(
          "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
      Errc::malformed);
  EXPECT_EQ(refused("GET /a HTTP/1.0\r\nHost: h\r\n\r\n"), Errc::unsupported);
  EXPECT_EQ(refused("TRACE /a HTTP/1.1\r\nHost: h\r\n\r\n"), Errc::unsupported);
  EXPECT_EQ(refused("\x16\x03\x01 hello"), Errc::malformed);
}

// What stands before us may take the body of an unknown coding for what it is, and we for the next request.
TEST(Http, RefusesOtherTransferCodings) {
  for (const auto* coding : {"identity", "gzip", "gzip, chunked", "chunked, identity", "chunked, chunked",
                             "chunked;q=1", "xchunked", ""}) {
    EXPECT_EQ(
        refused(fmt::format(
            "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: {}\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n", coding)),
        Errc::malformed)
        << coding;
  }
  EXPECT_TRUE(parse("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"));
}

// The body is not where a header comes from.
TEST(Http, RefusesTrailersAndFoldedLines) {
  const std::string_view trailer =
      "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"
      "Authorization: Bearer slc_1\r\n\r\n";
  EXPECT_EQ(refused(trailer), Errc::malformed);
  HttpReader reader{{}};
  for (const char c : trailer) ASSERT_TRUE(reader.feed(as_bytes(std::string_view{&c, 1})));
  EXPECT_FALSE(reader.take());
  EXPECT_EQ(refused("GET /a HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n"), Errc::malformed);
  EXPECT_EQ(refused("GET /a HTTP/1.1\r\nHost: h\r\nAuthorization:\r\n\tBearer slc_1\r\n\r\n"),
            Errc::malformed);
  EXPECT_TRUE(parse("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n{\n }")) << "a body may";
}

TEST(Http, LimitsHold) {
  const HttpLimits small{.header_bytes = 256, .body_bytes = 16};
  EXPECT_EQ(refused("GET /a HTTP/1.1\r\nHost: h\r\nX: " + std::string(400, 'x') + "\r\n\r\n", small),
            Errc::too_large);
  EXPECT_EQ(refused("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 17\r\n\r\n", small), Errc::too_large);
  EXPECT_EQ(refused("GET /" + std::string(4000, 'a'), small), Errc::too_large);
  EXPECT_EQ(refused("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n" +
                        std::string(32, 'x') + "\r\n0\r\n\r\n",
                    small),
            Errc::too_large);
}

TEST(Http, WritesAnAnswer) {
  const auto text = encode_response({.status = 404, .body = "{}"}, true);
  EXPECT_THAT(text, HasSubstr("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_THAT(text, HasSubstr("Content-Length: 2\r\n"));
  EXPECT_THAT(text, HasSubstr("Cache-Control: no-store\r\n"));
  EXPECT_TRUE(text.ends_with("\r\n\r\n{}"));
  EXPECT_THAT(encode_response({.status = 204, .content_type = ""}, false), HasSubstr("Connection: close"));
}

}  // namespace
}  // namespace sluice::admin
