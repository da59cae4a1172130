// The list of settings as values: what a walk over settings.def sees. Used by the parser, by `sluice config
// print` and `schema`, by the generated sluice.yaml and by docs/configuration.md.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "app/settings.h"

namespace sluice::app {

// A pointer into a Settings object.
using SettingPlace = std::variant<bool*, std::uint16_t*, std::uint32_t*, std::string*, Duration*, ByteSize*,
                                  ClientTls*, Durability*, LogLevel*, LogForm*>;

struct SettingSpec {
  std::string_view name;
  std::string_view doc;
  std::uint64_t minimum = 0;  // both zero: unbounded
  std::uint64_t maximum = 0;
  Apply apply = Apply::restart;
};

// Called for each setting in the order of settings.def.
class SettingVisitor {
 public:
  virtual ~SettingVisitor() = default;
  virtual void setting(const SettingSpec& spec, SettingPlace place) = 0;
  virtual void begin_section(std::string_view name, std::string_view doc) = 0;
  virtual void end_section() = 0;
  // `count` is the list's length, and may be changed by the visitor with `resize`; then each item is visited.
  virtual std::size_t begin_list(std::string_view name, std::string_view doc, std::size_t count) = 0;
  virtual void begin_item(std::size_t index) = 0;
  virtual void end_item() = 0;
  virtual void end_list() = 0;
};

void visit_settings(Settings& settings, SettingVisitor& visitor);

// As it is written in YAML, without quotes.
std::string setting_text(SettingPlace place);
// Parses into the place and checks the bounds; the Error's detail is what to print after the place.
Result<void> assign_setting(const SettingSpec& spec, SettingPlace place, std::string_view text);
// "duration", "size", "integer", "text", "true or false", or the choices.
std::string setting_type(SettingPlace place);
std::vector<std::string_view> setting_choices(SettingPlace place);  // empty: not a choice

}  // namespace sluice::app
