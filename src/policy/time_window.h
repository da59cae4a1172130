// TimeWindow: `time: {days: [mon, tue], hours: "08:00-18:00", timezone: UTC}` of a rule. Days and hours hold
// independently of each other, both on the clock of the time zone, which is a fixed distance from UTC.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/clock.h"

namespace sluice::policy {

struct TimeWindow {
  struct Hours {
    std::uint16_t from = 0;   // minutes since midnight
    std::uint16_t to = 1440;  // exclusive; below `from`: over midnight
  };
  std::uint8_t days = 0x7f;  // bit 0: Monday
  std::vector<Hours> hours;  // any of them; empty: the whole day
  std::int16_t offset = 0;   // minutes east of UTC

  bool contains(WallTime time) const;
};

std::optional<std::uint8_t> day_from(std::string_view name);  // "mon": 0 … "sun": 6
std::optional<TimeWindow::Hours> hours_from(
    std::string_view text);  // "08:00-18:00", "22:00-06:00", "00:00-24:00"
std::optional<std::int16_t> timezone_from(std::string_view text);  // "UTC", "+02:00", "-05:30"

}  // namespace sluice::policy
