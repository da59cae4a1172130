// Settings: what an operator decides before the gateway starts. One typed list (settings.def) is the source
// of this struct, its defaults and bounds, the parser, the schema and the documentation.
//
//   TRY(auto settings, load_settings("/etc/sluice/sluice.yaml", environment));
//   auto segments = settings.path(settings.record.dir);
//
// One YAML file, overridden by the environment: SLUICE__RECORD__DIR sets record.dir,
// SLUICE__POSTGRES__0__PORT the port of the first listener. Unknown keys are errors that name line, column
// and the nearest known key. Principals, tokens, connections and policies are not settings: they change while
// the gateway runs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "app/units.h"
#include "core/result.h"

namespace sluice::app {

enum class ClientTls : std::uint8_t { required, allowed_on_loopback };
enum class Durability : std::uint8_t { process, host };
enum class LogLevel : std::uint8_t { debug, info, warn, error, off };
enum class LogForm : std::uint8_t { text, json };

// When a changed setting takes effect.
enum class Apply : std::uint8_t { restart, live };

#define SLUICE_ROOT(type, name, initial, minimum, maximum, apply, doc)
#define SLUICE_SECTION(Type, name, doc) struct Type {
#define SLUICE_LIST(Type, name, doc) struct Type {
#define SLUICE_SETTING(type, name, initial, minimum, maximum, apply, doc) type name = initial;
#define SLUICE_END(name) \
  }                      \
  ;
#define SLUICE_END_LIST(Type, name) \
  }                                 \
  ;
#include "app/settings.def"
#undef SLUICE_ROOT
#undef SLUICE_SECTION
#undef SLUICE_LIST
#undef SLUICE_SETTING
#undef SLUICE_END
#undef SLUICE_END_LIST

struct Settings {
#define SLUICE_ROOT(type, name, initial, minimum, maximum, apply, doc) type name = initial;
#define SLUICE_SECTION(Type, name, doc) Type name;
#define SLUICE_LIST(Type, name, doc) std::vector<Type> name;
#define SLUICE_SETTING(type, name, initial, minimum, maximum, apply, doc)
#define SLUICE_END(name)
#define SLUICE_END_LIST(Type, name)
#include "app/settings.def"
#undef SLUICE_ROOT
#undef SLUICE_SECTION
#undef SLUICE_LIST
#undef SLUICE_SETTING
#undef SLUICE_END
#undef SLUICE_END_LIST

  std::filesystem::path file;  // where they came from; empty: from text

  // `data_dir`, absolute.
  std::filesystem::path data() const;
  // A path of these settings: absolute ones as they are, others below data().
  std::filesystem::path path(std::string_view relative) const;
};

// Variables by name; only those that start with "SLUICE__" are read.
using Environment = std::map<std::string, std::string>;
Environment process_environment();

// Every problem, one per line as "file:line:column: message", in one Error (Errc::malformed).
Result<Settings> load_settings(const std::filesystem::path& file, const Environment& environment);
Result<Settings> parse_settings(std::string_view yaml, const std::filesystem::path& file,
                                const Environment& environment);

}  // namespace sluice::app
