#include "app/units.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <limits>

namespace sluice::app {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};
// Largest first: to_text takes the first that divides.
constexpr std::array kDurations = {Unit{"d", 86'400'000}, Unit{"h", 3'600'000}, Unit{"m", 60'000},
                                   Unit{"s", 1000}, Unit{"ms", 1}};
constexpr std::array kSizes = {Unit{"TiB", 1ull << 40}, Unit{"GiB", 1ull << 30}, Unit{"MiB", 1ull << 20},
                               Unit{"KiB", 1ull << 10}, Unit{"B", 1}};

template <std::size_t N>
Result<std::uint64_t> parse(std::string_view text, const std::array<Unit, N>& units,
                            std::string_view example) {
  std::uint64_t number = 0;
  const auto* end = text.data() + text.size();
  const auto [rest, problem] = std::from_chars(text.data(), end, number);
  if (problem != std::errc{})
    return fail(Errc::malformed, "expected a number and a unit such as {}", example);
  const std::string_view name(rest, static_cast<std::size_t>(end - rest));
  if (name.empty() && number == 0) return std::uint64_t{0};
  for (const auto& unit : units) {
    if (unit.name != name) continue;
    // Durations become signed; half of the range is longer than any of them.
    if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / unit.factor) break;
    return number * unit.factor;
  }
  return fail(Errc::malformed, "expected a number and a unit such as {}", example);
}

template <std::size_t N>
std::string render(std::uint64_t value, const std::array<Unit, N>& units) {
  if (value == 0) return "0";
  for (const auto& unit : units) {
    if (value % unit.factor == 0) return fmt::format("{}{}", value / unit.factor, unit.name);
  }
  return {};
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  TRY(auto value, parse(text, kDurations, "30s, 5m or 250ms"));
  return Duration{static_cast<std::int64_t>(value)};
}

Result<ByteSize> parse_size(std::string_view text) {
  TRY(auto value, parse(text, kSizes, "64MiB or 16KiB"));
  return ByteSize{value};
}

std::string to_text(Duration duration) {
  return render(static_cast<std::uint64_t>(duration.count()), kDurations);
}
std::string to_text(ByteSize size) {
  return render(size.bytes, kSizes);
}

}  // namespace sluice::app
