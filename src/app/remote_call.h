// What every command over the API does: find the gateway, call, print or report.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <string>
#include <string_view>
#include <vector>

#include "app/command_remote.h"

namespace sluice::app::commands {

namespace json = boost::json;

// Calls and prints the object that comes back; nothing for an empty answer but `done`.
int call_and_print(const Remote& remote, std::string_view method, const std::string& path,
                   const json::value* body = nullptr, std::string_view done = {});
// A paginated list as a table with these columns.
int list_and_print(const Remote& remote, const std::string& path, Query query, std::size_t most,
                   const std::vector<std::string_view>& columns);

Result<ApiClient> connect(const Remote& remote);
int print_value(const Remote& remote, const json::value& value);
json::array to_array(const std::vector<std::string>& values);

}  // namespace sluice::app::commands
