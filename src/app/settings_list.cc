#include "app/settings_list.h"

#include <charconv>

namespace sluice::app {
namespace {

// The texts of each choice, in the order of its enumerators.
template <class T>
constexpr std::array<std::string_view, 0> kChoices{};
template <>
constexpr std::array<std::string_view, 2> kChoices<ClientTls>{"required", "allowed_on_loopback"};
template <>
constexpr std::array<std::string_view, 2> kChoices<Durability>{"process", "host"};
template <>
constexpr std::array<std::string_view, 5> kChoices<LogLevel>{"debug", "info", "warn", "error", "off"};
template <>
constexpr std::array<std::string_view, 2> kChoices<LogForm>{"text", "json"};

template <class T>
constexpr bool kIsChoice = std::is_enum_v<T>;

Result<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto [rest, problem] = std::from_chars(text.data(), end, value);
  if (problem != std::errc{} || rest != end) return fail(Errc::malformed, "expected a whole number");
  return value;
}

// `as_text` renders a bound in the setting's own unit.
template <class AsText>
Result<void> check_bounds(const SettingSpec& spec, std::uint64_t value, AsText as_text) {
  if (spec.minimum == 0 && spec.maximum == 0) return {};
  if (value < spec.minimum || value > spec.maximum) {
    return fail(Errc::invalid_argument, "must be between {} and {}", as_text(spec.minimum),
                as_text(spec.maximum));
  }
  return {};
}

struct Assign {
  const SettingSpec& spec;
  std::string_view text;

  Result<void> operator()(bool* place) const {
    if (text != "true" && text != "false") return fail(Errc::malformed, "expected true or false");
    *place = text == "true";
    return {};
  }
  Result<void> operator()(std::string* place) const {
    if (text.find('\0') != std::string_view::npos)
      return fail(Errc::malformed, "must not contain a NUL character");
    *place = text;
    return {};
  }
  Result<void> operator()(Duration* place) const {
    TRY(auto value, parse_duration(text));
    CHECK_OK(check_bounds(spec, static_cast<std::uint64_t>(value.count()), [](std::uint64_t bound) {
      return to_text(Duration{static_cast<std::int64_t>(bound)});
    }));
    *place = value;
    return {};
  }
  Result<void> operator()(ByteSize* place) const {
    TRY(auto value, parse_size(text));
    CHECK_OK(check_bounds(spec, value.bytes, [](std::uint64_t bound) { return to_text(ByteSize{bound}); }));
    *place = value;
    return {};
  }
  template <class T>
  Result<void> operator()(T* place) const {
    if constexpr (kIsChoice<T>) {
      for (std::size_t i = 0; i < kChoices<T>.size(); ++i) {
        if (kChoices<T>[i] != text) continue;
        *place = static_cast<T>(i);
        return {};
      }
      return fail(Errc::malformed, "must be one of {}", fmt::join(kChoices<T>, ", "));
    } else {
      TRY(auto value, parse_number(text));
      CHECK_OK(check_bounds(spec, value, [](std::uint64_t bound) { return std::to_string(bound); }));
      *place = static_cast<T>(value);
      return {};
    }
  }
};

}  // namespace

void visit_settings(Settings& settings, SettingVisitor& visitor) {
#define SLUICE_ROOT(type, name, initial, minimum, maximum, apply, doc) \
  visitor.setting({#name, doc, minimum, maximum, Apply::apply}, &settings.name);
#define SLUICE_SECTION(Type, name, doc) \
  {                                     \
    visitor.begin_section(#name, doc);  \
    Type& target = settings.name;
#define SLUICE_END(name) \
  visitor.end_section(); \
  }
#define SLUICE_LIST(Type, name, doc)                                            \
  {                                                                             \
    settings.name.resize(visitor.begin_list(#name, doc, settings.name.size())); \
    for (std::size_t item = 0; item < settings.name.size(); ++item) {           \
      visitor.begin_item(item);                                                 \
      Type& target = settings.name[item];
#define SLUICE_END_LIST(Type, name) \
  visitor.end_item();               \
  }                                 \
  visitor.end_list();               \
  }
#define SLUICE_SETTING(type, name, initial, minimum, maximum, apply, doc) \
  visitor.setting({#name, doc, minimum, maximum, Apply::apply}, &target.name);
#include "app/settings.def"
#undef SLUICE_ROOT
#undef SLUICE_SECTION
#undef SLUICE_LIST
#undef SLUICE_SETTING
#undef SLUICE_END
#undef SLUICE_END_LIST
}

std::string setting_text(SettingPlace place) {
  return std::visit(
      [](auto* value) -> std::string {
        using T = std::remove_pointer_t<decltype(value)>;
        if constexpr (std::is_same_v<T, bool>)
          return *value ? "true" : "false";
        else if constexpr (std::is_same_v<T, std::string>)
          return *value;
        else if constexpr (std::is_same_v<T, Duration> || std::is_same_v<T, ByteSize>)
          return to_text(*value);
        else if constexpr (kIsChoice<T>)
          return std::string(kChoices<T>[static_cast<std::size_t>(*value)]);
        else
          return std::to_string(*value);
      },
      place);
}

Result<void> assign_setting(const SettingSpec& spec, SettingPlace place, std::string_view text) {
  return std::visit(Assign{spec, text}, place);
}

std::string setting_type(SettingPlace place) {
  return std::visit(
      [](auto* value) -> std::string {
        using T = std::remove_pointer_t<decltype(value)>;
        if constexpr (std::is_same_v<T, bool>)
          return "true or false";
        else if constexpr (std::is_same_v<T, std::string>)
          return "text";
        else if constexpr (std::is_same_v<T, Duration>)
          return "duration";
        else if constexpr (std::is_same_v<T, ByteSize>)
          return "size";
        else if constexpr (kIsChoice<T>)
          return fmt::format("{}", fmt::join(kChoices<T>, " \\| "));
        else
          return "integer";
      },
      place);
}

std::vector<std::string_view> setting_choices(SettingPlace place) {
  return std::visit(
      [](auto* value) -> std::vector<std::string_view> {
        using T = std::remove_pointer_t<decltype(value)>;
        return {kChoices<T>.begin(), kChoices<T>.end()};
      },
      place);
}

}  // namespace sluice::app
