// The admin API from its socket inwards: HTTP, the target, JSON, and every route's own reading of what it is
// asked. The input is what one client sends; `Bearer root` and `Bearer ana` stand for the tokens of an
// administrator and of a member.
//
// Whatever comes: how the bytes arrive does not change what is read; without a token nothing but the open
// routes says yes; nobody meets an internal error; every answer is one HTTP message.
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "admin/http.h"
#include "admin/routes.h"
#include "admin/testing.h"

namespace {

using namespace sluice;
using namespace sluice::admin;

constexpr int kInputsPerPlane = 200;  // then a new one, so that what earlier inputs made is forgotten
constexpr HttpLimits kLimits{.header_bytes = 4096, .body_bytes = 16 * 1024};

void require(bool law) {
  if (!law) std::abort();
}

bool same(const Request& a, const Request& b) {
  return a.method == b.method && a.path == b.path && a.query == b.query && a.body == b.body &&
         a.token == b.token && a.content_type == b.content_type && a.if_match == b.if_match;
}

// The requests of one stream that arrives in pieces; what is behind an error is not looked at.
std::vector<Request> read(Bytes stream, std::size_t piece) {
  std::vector<Request> all;
  HttpReader reader{kLimits};
  while (!stream.empty() || !all.empty()) {
    const auto part = stream.first(std::min(piece, stream.size()));
    stream = stream.subspan(part.size());
    auto whole = reader.feed(part);
    while (whole && *whole) {
      auto exchange = reader.take();
      if (!exchange) return all;
      all.push_back(std::move(exchange->request));
      if (!exchange->keep_alive) return all;
      whole = reader.feed({});
    }
    if (!whole || stream.empty()) return all;
  }
  return all;
}

void ask(admin::testing::Plane& plane, Request request) {
  const auto found = find_route(request.method, request.path);
  if (const auto known = plane.tokens.find(request.token); known != plane.tokens.end())
    request.token = known->second;
  request.client_address = "10.1.2.3";
  const auto answer = plane.api.answer(request);
  require(answer.status >= 200 && answer.status < 600 && answer.status != 500);
  if (answer.status >= 400) require(parse_object(answer.body).has_value());
  const auto text = encode_response(answer, true);
  require(text.starts_with("HTTP/1.1 ") && text.find("\r\n\r\n") != text.npos);

  request.token.clear();
  const auto stranger = plane.api.answer(request);
  require(stranger.status >= 400 || (found.route != nullptr && found.route->who == Who::open));
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  GTEST_FLAG_SET(break_on_failure,
                 true);  // the control plane of the tests says by gtest what it could not set up
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static std::unique_ptr<admin::testing::Plane> plane;
  static int used = 0;
  if (!plane || ++used % kInputsPerPlane == 0) plane = std::make_unique<admin::testing::Plane>();
  const Bytes stream{data, size};
  const auto at_once = read(stream, size);
  const auto in_pieces = read(stream, 7);
  require(at_once.size() == in_pieces.size());
  for (std::size_t i = 0; i < at_once.size(); ++i) require(same(at_once[i], in_pieces[i]));
  for (const auto& request : at_once) ask(*plane, request);
  return 0;
}
