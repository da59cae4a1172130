// Strict JSON for the API: well-formed UTF-8, no repeated keys, bounded depth, and no key that the route does
// not know.
//
//   TRY(auto body, parse_object(call.request.body));
//   Fields fields{body};
//   auto name = fields.required_text("name");
//   auto groups = fields.texts("groups");        // nullopt: not given
//   CHECK_OK(fields.finish());                   // the first problem, or an unknown key
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"

namespace sluice::admin {

namespace json = boost::json;

inline constexpr std::size_t kMaxJsonDepth = 16;  // resources nest three levels deep

Result<json::value> parse_json(std::string_view text);
// An empty text is an empty object: routes whose body is optional.
Result<json::object> parse_object(std::string_view text);

json::array to_json(const std::vector<std::string>& values);
json::value to_json(const std::optional<WallTime>& time);
json::value to_json(const std::optional<std::uint64_t>& number);

// Reads an object key by key and remembers what was asked for. The first problem sticks.
class Fields {
 public:
  // `place` begins error messages: "roles[0]".
  explicit Fields(const json::object& object, std::string place = {});

  std::string required_text(std::string_view key);
  std::optional<std::string> text(std::string_view key);
  std::optional<bool> flag(std::string_view key);
  std::optional<std::uint64_t> number(std::string_view key);
  std::optional<std::vector<std::string>> texts(std::string_view key);
  const json::value* value(std::string_view key);
  bool has(std::string_view key) const { return object_.contains(key); }
  bool is_null(std::string_view key) const;

  void add_problem(std::string_view key, std::string_view what);
  Result<void> finish() const;

 private:
  std::string name(std::string_view key) const;

  const json::object& object_;
  std::string place_;
  std::vector<std::string_view> known_;
  std::string problem_;
};

}  // namespace sluice::admin
