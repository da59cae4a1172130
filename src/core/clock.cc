#include "core/clock.h"

#include <fmt/chrono.h>

namespace sluice {

WallTime SystemClock::now() const {
  return std::chrono::time_point_cast<Nanoseconds>(std::chrono::system_clock::now());
}

SteadyTime SystemClock::steady() const {
  return std::chrono::time_point_cast<Nanoseconds>(std::chrono::steady_clock::now());
}

std::string format_time(WallTime time) {
  using namespace std::chrono;
  auto whole = floor<seconds>(time);
  auto millis = duration_cast<milliseconds>(time - whole).count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(system_clock::to_time_t(whole)), millis);
}

}  // namespace sluice
