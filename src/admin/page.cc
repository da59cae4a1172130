#include "admin/page.h"

#include <charconv>

#include "core/encoding.h"

namespace sluice::admin {
namespace {

constexpr std::size_t kMaxCursor = 1024;  // bytes; keys are names

Result<std::size_t> limit_of(const Request& request) {
  const auto text = query_value(request, "limit");
  if (text.empty()) return kDefaultPage;
  std::size_t limit = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), limit);
  if (problem != std::errc{} || end != text.data() + text.size() || limit == 0 || limit > kLargestPage) {
    return fail(Errc::invalid_argument, "limit must be between 1 and {}", kLargestPage);
  }
  return limit;
}

}  // namespace

std::string query_value(const Request& request, std::string_view key) {
  const auto at = request.query.find(std::string(key));
  return at == request.query.end() ? std::string{} : at->second;
}

Result<PageQuery> page_query(const Request& request) {
  PageQuery out;
  TRY(out.limit, limit_of(request));
  const auto cursor = query_value(request, "cursor");
  if (cursor.empty()) return out;
  const auto decoded = cursor.size() <= kMaxCursor ? from_base64url(cursor) : std::nullopt;
  if (!decoded || decoded->empty()) return fail(Errc::invalid_argument, "this cursor is not one of ours");
  out.after = as_text(*decoded);
  return out;
}

Result<PageQuery> foreign_page_query(const Request& request) {
  PageQuery out;
  TRY(out.limit, limit_of(request));
  out.after = query_value(request, "cursor");
  if (out.after.size() > kMaxCursor) return fail(Errc::invalid_argument, "this cursor is not one of ours");
  return out;
}

Response json_response(const json::value& value, int status) {
  Response response;
  response.status = status;
  response.body = json::serialize(value);
  return response;
}

Response page_response(json::array items, std::string_view last_key, bool more) {
  return json_response(json::object{
      {"items", std::move(items)}, {"next_cursor", more ? to_base64url(as_bytes(last_key)) : std::string{}}});
}

// The items are JSON already.
Response foreign_page_response(const std::vector<std::string>& items, const std::string& next_cursor) {
  Response response;
  response.body = fmt::format("{{\"items\":[{}],\"next_cursor\":{}}}", fmt::join(items, ","),
                              json::serialize(json::value(next_cursor)));
  return response;
}

}  // namespace sluice::admin
