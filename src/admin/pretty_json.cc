#include "admin/pretty_json.h"

#include <boost/json/serialize.hpp>
#include <utility>

namespace sluice::admin {
namespace {

namespace json = boost::json;

void write(const json::value& value, std::string& out, int depth) {
  const std::string indent(static_cast<std::size_t>(depth) * 2, ' ');
  if (value.is_object() && !value.get_object().empty()) {
    out += "{\n";
    bool first = true;
    for (const auto& item : value.get_object()) {
      if (!std::exchange(first, false)) out += ",\n";
      out += indent + "  " + json::serialize(json::value(item.key())) + ": ";
      write(item.value(), out, depth + 1);
    }
    out += "\n" + indent + "}";
  } else if (value.is_array() && !value.get_array().empty() && value.get_array().front().is_object()) {
    out += "[\n";
    bool first = true;
    for (const auto& item : value.get_array()) {
      if (!std::exchange(first, false)) out += ",\n";
      out += indent + "  ";
      write(item, out, depth + 1);
    }
    out += "\n" + indent + "]";
  } else {
    out += json::serialize(value);
  }
}

}  // namespace

std::string pretty_json(const json::value& value) {
  std::string out;
  write(value, out, 0);
  out.push_back('\n');
  return out;
}

}  // namespace sluice::admin
