#include "app/remote_call.h"

#include <cstdio>

#include "app/exit_codes.h"

namespace sluice::app::commands {

Result<ApiClient> connect(const Remote& remote) {
  TRY(auto context, find_context(remote.flags));
  return ApiClient::connect(std::move(context));
}

int print_value(const Remote& remote, const json::value& value) {
  std::fputs((remote.output == Output::json ? render_json(value) : render_object(value)).c_str(), stdout);
  return static_cast<int>(Exit::done);
}

json::array to_array(const std::vector<std::string>& values) {
  json::array out;
  for (const auto& value : values) out.emplace_back(value);
  return out;
}

int call_and_print(const Remote& remote, std::string_view method, const std::string& path,
                   const json::value* body, std::string_view done) {
  auto client = connect(remote);
  if (!client) return report(client.error());
  auto answer = client->call(method, path, {}, body);
  if (!answer) return report(answer.error());
  if (!answer->is_null()) return print_value(remote, *answer);
  if (remote.output == Output::table) std::printf("%.*s\n", static_cast<int>(done.size()), done.data());
  return static_cast<int>(Exit::done);
}

int list_and_print(const Remote& remote, const std::string& path, Query query, std::size_t most,
                   const std::vector<std::string_view>& columns) {
  auto client = connect(remote);
  if (!client) return report(client.error());
  auto items = client->items(path, std::move(query), most);
  if (!items) return report(items.error());
  std::fputs((remote.output == Output::json ? render_json(*items) : render_table(*items, columns)).c_str(),
             stdout);
  return static_cast<int>(Exit::done);
}

}  // namespace sluice::app::commands
