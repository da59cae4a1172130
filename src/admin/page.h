// Cursor pagination: `?limit=` (1 to 1000, default 100) and `?cursor=` (opaque, from the page before). An
// answer is {"items":[...],"next_cursor":"..."}; an empty next_cursor means that this was all.
#pragma once

#include "admin/json.h"
#include "admin/routes.h"

namespace sluice::admin {

inline constexpr std::size_t kDefaultPage = 100;
inline constexpr std::size_t kLargestPage = 1000;  // answers stay well below a MiB

struct PageQuery {
  std::string after;  // decoded cursor: the last key of the page before; empty: from the start
  std::size_t limit = kDefaultPage;
};
Result<PageQuery> page_query(const Request& request);
std::string query_value(const Request& request, std::string_view key);  // empty: not given

// Where the cursor is made elsewhere (the record): its text as it is.
Result<PageQuery> foreign_page_query(const Request& request);

Response page_response(json::array items, std::string_view last_key, bool more);
Response foreign_page_response(const std::vector<std::string>& items, const std::string& next_cursor);
Response json_response(const json::value& value, int status = 200);

}  // namespace sluice::admin
