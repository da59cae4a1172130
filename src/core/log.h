// Structured log: one line per event, `key=value` pairs, written by a background-free spdlog sink to standard
// error.
//
//   log::info("session started", {{"session", id}, {"principal", name}});
//
// Values are escaped; a value that may come from a client is data, never format. Never log a credential, a
// parameter, a masked value or a statement's literals. Thread-safe. `log::configure` may be called again to
// change level or form.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace sluice::log {

enum class Level { debug, info, warn, error, off };
enum class Form { text, json };

void configure(Level level, Form form);

using Field = std::pair<std::string_view, std::string>;
using Fields = std::initializer_list<Field>;

void debug(std::string_view event, Fields fields = {});
void info(std::string_view event, Fields fields = {});
void warn(std::string_view event, Fields fields = {});
void error(std::string_view event, Fields fields = {});

}  // namespace sluice::log
