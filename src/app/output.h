// What commands print: JSON as it came, or a table with the columns that a person looks for. Text from
// outside is data: control characters are shown as escapes, so that no statement or name can move the
// terminal's cursor.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::app {

enum class Output { table, json };

// Columns are keys of the items, or "a.b" for a key inside; "statement:60" cuts at 60 characters.
std::string render_table(const boost::json::array& items, const std::vector<std::string_view>& columns);
// One "key: value" per line.
std::string render_object(const boost::json::value& object);
// An entry of the record: when and what, then a line for each fact.
std::string render_event(const boost::json::value& event);
// Indented, one key a line.
std::string render_json(const boost::json::value& value);

// One cell: lists comma separated, null as "-", control characters escaped.
std::string render_cell(const boost::json::value& value);

}  // namespace sluice::app
