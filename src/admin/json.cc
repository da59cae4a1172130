#include "admin/json.h"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse.hpp>
#include <set>

#include "core/encoding.h"

namespace sluice::admin {
namespace {

// Boost.JSON's tree keeps the last of repeated keys. Two parsers that disagree on which one counts are how a
// check is passed with one value and another is used, so repeated keys are refused.
class RepeatedKeys {
 public:
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = 4096;
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  using Code = boost::system::error_code;
  using Text = boost::json::string_view;

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) {
    objects_.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t, Code&) {
    objects_.pop_back();
    return true;
  }
  bool on_array_begin(Code&) { return true; }
  bool on_array_end(std::size_t, Code&) { return true; }
  bool on_key_part(Text part, std::size_t, Code&) {
    key_.append(part.data(), part.size());
    return true;
  }
  bool on_key(Text part, std::size_t, Code& code) {
    key_.append(part.data(), part.size());
    const bool fresh = objects_.back().insert(std::exchange(key_, {})).second;
    if (!fresh) code = boost::system::errc::make_error_code(boost::system::errc::invalid_argument);
    return fresh;
  }
  bool on_string_part(Text, std::size_t, Code&) { return true; }
  bool on_string(Text, std::size_t, Code&) { return true; }
  bool on_number_part(Text, Code&) { return true; }
  bool on_int64(std::int64_t, Text, Code&) { return true; }
  bool on_uint64(std::uint64_t, Text, Code&) { return true; }
  bool on_double(double, Text, Code&) { return true; }
  bool on_bool(bool, Code&) { return true; }
  bool on_null(Code&) { return true; }
  bool on_comment_part(Text, Code&) { return true; }
  bool on_comment(Text, Code&) { return true; }

 private:
  std::vector<std::set<std::string>> objects_;
  std::string key_;
};

}  // namespace

Result<json::value> parse_json(std::string_view text) {
  json::parse_options options;
  options.max_depth = kMaxJsonDepth;
  boost::system::error_code code;
  auto value = json::parse({text.data(), text.size()}, code, {}, options);
  if (code) return fail(Errc::malformed, "the body is not valid JSON: {}", code.message());
  json::basic_parser<RepeatedKeys> keys{options};
  keys.write_some(false, text.data(), text.size(), code);
  if (code) return fail(Errc::malformed, "a key appears twice in the body");
  return value;
}

Result<json::object> parse_object(std::string_view text) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return json::object{};
  TRY(auto value, parse_json(text));
  if (!value.is_object()) return fail(Errc::malformed, "the body must be a JSON object");
  return std::move(value.get_object());
}

json::array to_json(const std::vector<std::string>& values) {
  json::array out;
  out.reserve(values.size());
  for (const auto& value : values) out.emplace_back(value);
  return out;
}
json::value to_json(const std::optional<WallTime>& time) {
  return time ? json::value(format_time(*time)) : json::value(nullptr);
}
json::value to_json(const std::optional<std::uint64_t>& number) {
  return number ? json::value(*number) : json::value(nullptr);
}

Fields::Fields(const json::object& object, std::string place) : object_(object), place_(std::move(place)) {}

std::string Fields::name(std::string_view key) const {
  return place_.empty() ? std::string(key) : fmt::format("{}.{}", place_, key);
}

void Fields::add_problem(std::string_view key, std::string_view what) {
  if (problem_.empty()) problem_ = fmt::format("{}: {}", name(key), what);
}

const json::value* Fields::value(std::string_view key) {
  known_.push_back(key);
  return object_.if_contains({key.data(), key.size()});
}

bool Fields::is_null(std::string_view key) const {
  const auto* found = object_.if_contains({key.data(), key.size()});
  return found != nullptr && found->is_null();
}

std::string Fields::required_text(std::string_view key) {
  auto found = text(key);
  if (!found) add_problem(key, "is required");
  return found.value_or("");
}

std::optional<std::string> Fields::text(std::string_view key) {
  const auto* found = value(key);
  if (found == nullptr) return std::nullopt;
  if (!found->is_string()) {
    add_problem(key, "must be text");
    return std::nullopt;
  }
  const auto& string = found->get_string();
  std::string out{string.data(), string.size()};
  if (out.find('\0') != std::string::npos) add_problem(key, "must not contain a NUL character");
  return out;
}

std::optional<bool> Fields::flag(std::string_view key) {
  const auto* found = value(key);
  if (found == nullptr) return std::nullopt;
  if (!found->is_bool()) {
    add_problem(key, "must be true or false");
    return std::nullopt;
  }
  return found->get_bool();
}

std::optional<std::uint64_t> Fields::number(std::string_view key) {
  const auto* found = value(key);
  if (found == nullptr) return std::nullopt;
  if (found->is_uint64()) return found->get_uint64();
  if (found->is_int64() && found->get_int64() >= 0) return static_cast<std::uint64_t>(found->get_int64());
  add_problem(key, "must be a whole number, not negative");
  return std::nullopt;
}

std::optional<std::vector<std::string>> Fields::texts(std::string_view key) {
  const auto* found = value(key);
  if (found == nullptr) return std::nullopt;
  std::vector<std::string> out;
  if (found->is_array()) {
    for (const auto& item : found->get_array()) {
      if (!item.is_string() || item.get_string().find('\0') != json::string::npos) {
        add_problem(key, "must be a list of texts");
        return std::nullopt;
      }
      out.emplace_back(item.get_string().data(), item.get_string().size());
    }
    return out;
  }
  add_problem(key, "must be a list of texts");
  return std::nullopt;
}

Result<void> Fields::finish() const {
  if (!problem_.empty()) return fail(Errc::invalid_argument, "{}", problem_);
  for (const auto& item : object_) {
    const std::string_view key{item.key().data(), item.key().size()};
    if (std::ranges::find(known_, key) == known_.end()) {
      return fail(Errc::invalid_argument, "unknown key \"{}\"", name(key));
    }
  }
  return {};
}

}  // namespace sluice::admin
