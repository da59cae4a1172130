#include "policy/time_window.h"

#include <algorithm>
#include <array>

namespace sluice::policy {
namespace {

constexpr int kDay = 24 * 60;  // minutes
constexpr std::array<std::string_view, 7> kDays = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

// "HH:MM" to minutes; 24:00 is the end of the day.
std::optional<int> clock_from(std::string_view text) {
  auto digit = [&](std::size_t i) { return text[i] >= '0' && text[i] <= '9'; };
  if (text.size() != 5 || text[2] != ':' || !digit(0) || !digit(1) || !digit(3) || !digit(4))
    return std::nullopt;
  int hours = (text[0] - '0') * 10 + text[1] - '0';
  int minutes = (text[3] - '0') * 10 + text[4] - '0';
  if (minutes > 59 || hours * 60 + minutes > kDay) return std::nullopt;
  return hours * 60 + minutes;
}

}  // namespace

bool TimeWindow::contains(WallTime time) const {
  using namespace std::chrono;
  auto local = floor<minutes>(time) + minutes{offset};
  auto day = floor<std::chrono::days>(local);
  unsigned weekday_number = weekday{day}.iso_encoding() - 1;  // Monday is 0
  if (!(days >> weekday_number & 1)) return false;
  if (hours.empty()) return true;
  auto minute = static_cast<int>((local - day).count());
  return std::ranges::any_of(hours, [&](const Hours& h) {
    return h.from < h.to ? minute >= h.from && minute < h.to : minute >= h.from || minute < h.to;
  });
}

std::optional<std::uint8_t> day_from(std::string_view name) {
  auto found = std::ranges::find(kDays, name);
  if (found == kDays.end()) return std::nullopt;
  return static_cast<std::uint8_t>(found - kDays.begin());
}

std::optional<TimeWindow::Hours> hours_from(std::string_view text) {
  std::size_t dash = text.find('-');
  if (dash == text.npos) return std::nullopt;
  auto from = clock_from(text.substr(0, dash));
  auto to = clock_from(text.substr(dash + 1));
  if (!from || !to || *from == *to || *from == kDay) return std::nullopt;
  return TimeWindow::Hours{static_cast<std::uint16_t>(*from), static_cast<std::uint16_t>(*to)};
}

std::optional<std::int16_t> timezone_from(std::string_view text) {
  if (text == "UTC" || text == "Z") return std::int16_t{0};
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  auto minutes = clock_from(text.substr(1));
  if (!minutes || *minutes > 14 * 60) return std::nullopt;  // UTC+14:00 is the farthest there is
  return static_cast<std::int16_t>(text[0] == '-' ? -*minutes : *minutes);
}

}  // namespace sluice::policy
