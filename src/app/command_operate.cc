// `sluice review ...`, `sluice policy show|reload|explain`, `sluice sessions ...`, `sluice record
// status|verify`.
#include <cstdio>

#include "app/exit_codes.h"
#include "app/files.h"
#include "app/remote_call.h"

#include <boost/json/serialize.hpp>

namespace sluice::app::commands {
namespace {

std::string session_path(const std::string& id) {
  return "/api/v1/sessions/" + percent_encode(id);
}

// One JSON object a line: streams well into other tools.
int print_lines(const json::array& items) {
  for (const auto& item : items) std::printf("%s\n", json::serialize(item).c_str());
  return static_cast<int>(Exit::done);
}

}  // namespace

int review_list(const Remote& remote, const std::string& state) {
  return list_and_print(remote, "/api/v1/reviews", {{"state", state}}, 1000,
                        {"id", "state", "principal", "connection", "verb", "rule", "opened", "statement:60"});
}

int review_show(const Remote& remote, const std::string& id) {
  return call_and_print(remote, "GET", "/api/v1/reviews/" + percent_encode(id));
}

int review_decide(const Remote& remote, const std::string& id, bool approve, const std::string& comment) {
  const json::value body = json::object{{"comment", comment}};
  return call_and_print(
      remote, "POST",
      fmt::format("/api/v1/reviews/{}/{}", percent_encode(id), approve ? "approve" : "reject"), &body);
}

int policy_show(const Remote& remote) {
  return call_and_print(remote, "GET", "/api/v1/policy");
}
int policy_reload(const Remote& remote) {
  return call_and_print(remote, "POST", "/api/v1/policy/reload");
}

int policy_explain(const Remote& remote, const ExplainOptions& options) {
  json::object body{
      {"principal", options.principal}, {"connection", options.connection}, {"statement", options.statement}};
  if (!options.role.empty()) body["role"] = options.role;
  if (!options.client.empty()) body["client_address"] = options.client;
  const json::value value = std::move(body);
  return call_and_print(remote, "POST", "/api/v1/policy/explain", &value);
}

int sessions_live(const Remote& remote) {
  return list_and_print(remote, "/api/v1/sessions/live", {}, 100'000,
                        {"id", "principal", "connection", "role", "client_address", "started", "operations",
                         "records", "state", "review"});
}

int sessions_list(const Remote& remote, const SearchOptions& options) {
  return list_and_print(
      remote, "/api/v1/sessions", options.query, options.limit,
      {"id", "principal", "connection", "role", "client_address", "started", "ended", "operations"});
}

int sessions_search(const Remote& remote, const SearchOptions& options) {
  return list_and_print(
      remote, "/api/v1/operations", options.query, options.limit,
      {"time", "operation", "principal", "connection", "verb", "decision", "records", "statement:60"});
}

int sessions_show(const Remote& remote, const std::string& id) {
  return call_and_print(remote, "GET", session_path(id));
}

int sessions_replay(const Remote& remote, const std::string& id, std::size_t limit) {
  auto client = connect(remote);
  if (!client) return report(client.error());
  auto items = client->items(session_path(id) + "/replay", {}, limit);
  if (!items) return report(items.error());
  if (remote.output == Output::json) return print_lines(*items);
  for (const auto& item : *items) std::fputs(render_event(item).c_str(), stdout);
  return static_cast<int>(Exit::done);
}

int sessions_export(const Remote& remote, const std::string& id, const std::string& file) {
  auto client = connect(remote);
  if (!client) return report(client.error());
  auto text = client->text(session_path(id) + "/export");
  if (!text) return report(text.error());
  if (file.empty() || file == "-") {
    std::fputs(text->c_str(), stdout);
    return static_cast<int>(Exit::done);
  }
  if (auto created = create_file(file, *text, 0600); !created) return report(created.error());
  std::fprintf(stderr, "written to %s\n", file.c_str());
  return static_cast<int>(Exit::done);
}

int sessions_kill(const Remote& remote, const std::string& id, const std::string& reason) {
  json::object body;
  if (!reason.empty()) body["reason"] = reason;
  const json::value value = std::move(body);
  return call_and_print(remote, "POST", session_path(id) + "/kill", &value, "ended");
}

int record_status(const Remote& remote) {
  return call_and_print(remote, "GET", "/api/v1/record");
}

int record_events(const Remote& remote, const std::string& kind, std::size_t limit) {
  auto client = connect(remote);
  if (!client) return report(client.error());
  auto items = client->items("/api/v1/record/events", {{"kind", kind}}, limit);
  if (!items) return report(items.error());
  if (remote.output == Output::json) return print_lines(*items);
  for (const auto& item : *items) std::fputs(render_event(item).c_str(), stdout);
  return static_cast<int>(Exit::done);
}

int record_verify(const Remote& remote) {
  auto client = connect(remote);
  if (!client) return report(client.error());
  auto answer = client->call("POST", "/api/v1/record/verify");
  if (!answer) return report(answer.error());
  print_value(remote, *answer);
  const auto* intact = answer->as_object().if_contains("intact");
  return static_cast<int>(intact != nullptr && intact->is_bool() && intact->get_bool() ? Exit::done
                                                                                       : Exit::failed);
}

}  // namespace sluice::app::commands
