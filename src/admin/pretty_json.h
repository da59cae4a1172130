// JSON for people and for diffs: indented, one key a line; a list of plain values stays on one line.
#pragma once

#include <boost/json/value.hpp>
#include <string>

namespace sluice::admin {

// Ends with a line feed. The depth of `value` is bounded by its parser.
std::string pretty_json(const boost::json::value& value);

}  // namespace sluice::admin
