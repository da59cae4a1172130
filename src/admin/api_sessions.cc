// /api/v1/sessions and /api/v1/operations: who is connected now, and what the record holds of all sessions.
// Reading what somebody else was shown is itself reported.
#include <algorithm>
#include <charconv>

#include "admin/handlers.h"
#include "admin/names.h"
#include "admin/page.h"

namespace sluice::admin::handlers {
namespace {

Result<SessionId> session_id(const Call& call) {
  const auto& text = call.path.at("id");
  std::uint64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (problem != std::errc{} || end != text.data() + text.size() || text.size() > 16) {
    return fail(Errc::invalid_argument, "a session id is at most 16 hexadecimal digits");
  }
  return SessionId{value};
}

json::object render(const LiveSession& session) {
  return {{"id", to_string(session.id)},
          {"principal", session.principal},
          {"connection", session.connection},
          {"system", session.system},
          {"role", session.role},
          {"upstream_user", session.upstream_user},
          {"client_address", session.client_address},
          {"client_name", session.client_name},
          {"token", session.token_id},
          {"tls", session.tls},
          {"started", format_time(session.started)},
          {"operations", session.operations},
          {"records", session.records},
          {"state", session.state},
          {"review", session.review}};
}

// "2026-01-31", "2026-01-31T12:00:00Z" or with fractions; UTC only.
Result<std::optional<WallTime>> time_value(const Request& request, std::string_view key) {
  const auto text = query_value(request, key);
  if (text.empty()) return std::optional<WallTime>{};
  auto time = parse_time(text);
  if (!time) return fail(Errc::invalid_argument, "{}: a time such as 2026-01-31T12:00:00Z", key);
  return time;
}

Result<RecordFilter> read_filter(const Request& request) {
  TRY(auto page, foreign_page_query(request));
  RecordFilter filter;
  filter.principal = query_value(request, "principal");
  filter.connection = query_value(request, "connection");
  filter.collection = query_value(request, "collection");
  filter.verb = query_value(request, "verb");
  filter.decision = query_value(request, "decision");
  filter.text = query_value(request, "text");
  filter.record_id = query_value(request, "record_id");
  filter.session = query_value(request, "session");
  TRY(filter.from, time_value(request, "from"));
  TRY(filter.to, time_value(request, "to"));
  filter.cursor = std::move(page.after);
  filter.limit = page.limit;
  return filter;
}

}  // namespace

Answer list_live_sessions(Control& control, const Call& call) {
  TRY(const auto page, page_query(call.request));
  const auto principal = query_value(call.request, "principal");
  const auto connection = query_value(call.request, "connection");
  auto live = control.parts().sessions.list();
  std::ranges::sort(live, {}, [](const LiveSession& session) { return session.id.value; });
  json::array items;
  std::string last;
  bool more = false;
  for (const auto& session : live) {
    const auto id = to_string(session.id);  // as wide for every session, so its order is the number's
    if (id <= page.after) continue;
    if (!principal.empty() && session.principal != principal) continue;
    if (!connection.empty() && session.connection != connection) continue;
    if (items.size() == page.limit) {
      more = true;
      break;
    }
    items.push_back(render(session));
    last = id;
  }
  return page_response(std::move(items), last, more);
}

Answer kill_session(Control& control, const Call& call) {
  TRY(const auto id, session_id(call));
  TRY(const auto body, parse_object(call.request.body));
  Fields fields{body};
  const auto reason = fields.text("reason").value_or("");
  CHECK_OK(fields.finish());
  if (!reason.empty()) CHECK_OK(check_label("reason", reason));
  CHECK_OK(control.report(call, "session.kill", "session:" + to_string(id), "",
                          json::serialize(json::object{{"reason", reason}})));
  CHECK_OK(control.parts().sessions.kill(id, reason));
  return Response{.status = 204, .content_type = ""};
}

Answer list_sessions(Control& control, const Call& call) {
  TRY(const auto filter, read_filter(call.request));
  TRY(const auto page, control.parts().record.sessions(filter));
  return foreign_page_response(page.items, page.next_cursor);
}

Answer show_session(Control& control, const Call& call) {
  TRY(const auto id, session_id(call));
  Response response;
  TRY(response.body, control.parts().record.session(id));
  return response;
}

Answer replay_session(Control& control, const Call& call) {
  TRY(const auto id, session_id(call));
  TRY(const auto query, foreign_page_query(call.request));
  CHECK_OK(control.report(call, "session.replay", "session:" + to_string(id), "", ""));
  TRY(const auto page, control.parts().record.replay(id, query.after, query.limit));
  return foreign_page_response(page.items, page.next_cursor);
}

Answer export_session(Control& control, const Call& call) {
  TRY(const auto id, session_id(call));
  CHECK_OK(control.report(call, "session.export", "session:" + to_string(id), "", ""));
  Response response;
  TRY(response.body, control.parts().record.export_session(id));
  response.headers.emplace_back("Content-Disposition",
                                fmt::format("attachment; filename=\"session-{}.json\"", to_string(id)));
  return response;
}

Answer search_operations(Control& control, const Call& call) {
  TRY(const auto filter, read_filter(call.request));
  TRY(const auto page, control.parts().record.search(filter));
  return foreign_page_response(page.items, page.next_cursor);
}

}  // namespace sluice::admin::handlers
