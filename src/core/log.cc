#include "core/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>

namespace sluice::log {
namespace {

std::atomic<Form> active_form{Form::text};

spdlog::logger& logger() {
  static auto instance = [] {
    auto made = spdlog::stderr_logger_mt("sluice");
    made->set_pattern("%v");
    made->flush_on(spdlog::level::debug);
    return made;
  }();
  return *instance;
}

void append_escaped(std::string& out, std::string_view value) {
  for (char c : value) {
    auto u = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (u < 0x20 || u == 0x7F) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", u);
    } else {
      out.push_back(c);
    }
  }
}

bool is_plain(std::string_view value) {
  return !value.empty() && value.find_first_of(" =\"\\\n\t") == std::string_view::npos;
}

std::string text_line(std::string_view level, std::string_view event, Fields fields) {
  std::string line = fmt::format("level={} event=\"", level);
  append_escaped(line, event);
  line.push_back('"');
  for (const auto& [key, value] : fields) {
    line.append(" ").append(key).append("=");
    const bool plain = is_plain(value);
    if (!plain) line.push_back('"');
    append_escaped(line, value);
    if (!plain) line.push_back('"');
  }
  return line;
}

std::string json_line(std::string_view level, std::string_view event, Fields fields) {
  std::string line = fmt::format(R"({{"level":"{}","event":")", level);
  append_escaped(line, event);
  line.push_back('"');
  for (const auto& [key, value] : fields) {
    line.append(",\"").append(key).append("\":\"");
    append_escaped(line, value);
    line.push_back('"');
  }
  line.push_back('}');
  return line;
}

void write(spdlog::level::level_enum level, std::string_view name, std::string_view event, Fields fields) {
  if (!logger().should_log(level)) return;
  const bool json = active_form.load(std::memory_order_relaxed) == Form::json;
  logger().log(level, "{}", json ? json_line(name, event, fields) : text_line(name, event, fields));
}

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::debug: return spdlog::level::debug;
    case Level::info: return spdlog::level::info;
    case Level::warn: return spdlog::level::warn;
    case Level::error: return spdlog::level::err;
    case Level::off: return spdlog::level::off;
  }
  return spdlog::level::info;
}

}  // namespace

void configure(Level level, Form form) {
  active_form = form;
  logger().set_level(to_spdlog(level));
  // Log lines carry their own time, so that text and JSON agree and lines from tests are stable when it is
  // cut off.
  logger().set_pattern(form == Form::json ? R"(%v)" : "%Y-%m-%dT%H:%M:%S.%eZ %v",
                       spdlog::pattern_time_type::utc);
}

void debug(std::string_view event, Fields fields) {
  write(spdlog::level::debug, "debug", event, fields);
}
void info(std::string_view event, Fields fields) {
  write(spdlog::level::info, "info", event, fields);
}
void warn(std::string_view event, Fields fields) {
  write(spdlog::level::warn, "warn", event, fields);
}
void error(std::string_view event, Fields fields) {
  write(spdlog::level::err, "error", event, fields);
}

}  // namespace sluice::log
