// Values of settings that have a unit: durations ("30s", "5m", "250ms") and sizes ("64MiB", "16KiB"). A
// number without its unit is refused; zero may stand alone.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace sluice::app {

using Duration = std::chrono::milliseconds;

struct ByteSize {
  std::uint64_t bytes = 0;
  auto operator<=>(const ByteSize&) const = default;
};

inline namespace literals {
constexpr ByteSize operator""_KiB(unsigned long long n) {
  return {n << 10};
}
constexpr ByteSize operator""_MiB(unsigned long long n) {
  return {n << 20};
}
constexpr ByteSize operator""_GiB(unsigned long long n) {
  return {n << 30};
}
}  // namespace literals

// Units ms, s, m, h, d; one number and one unit.
Result<Duration> parse_duration(std::string_view text);
// Units B, KiB, MiB, GiB, TiB.
Result<ByteSize> parse_size(std::string_view text);

// The shortest exact form; parse reads it back.
std::string to_text(Duration duration);
std::string to_text(ByteSize size);

}  // namespace sluice::app
