// Time as a parameter. `SystemClock` is the only code that reads the machine's clock (proved by the layer
// test); tests own a `ManualClock`. Wall time is for records and expiry, monotonic time for durations.
// Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

using Nanoseconds = std::chrono::nanoseconds;
using WallTime = std::chrono::time_point<std::chrono::system_clock, Nanoseconds>;
using SteadyTime = std::chrono::time_point<std::chrono::steady_clock, Nanoseconds>;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime now() const = 0;
  virtual SteadyTime steady() const = 0;
};

class SystemClock final : public Clock {
 public:
  WallTime now() const override;
  SteadyTime steady() const override;
};

// Starts at 2026-01-01T00:00:00Z and moves only by `advance`.
class ManualClock final : public Clock {
 public:
  WallTime now() const override { return kStart + Nanoseconds{passed_.load()}; }
  SteadyTime steady() const override { return SteadyTime{Nanoseconds{passed_.load()}}; }
  void advance(Nanoseconds by) { passed_ += by.count(); }

 private:
  static constexpr WallTime kStart{std::chrono::seconds{1767225600}};
  std::atomic<std::int64_t> passed_{0};
};

// RFC 3339 in UTC with milliseconds: "2026-01-01T00:00:00.000Z".
std::string format_time(WallTime time);
// Reads it back; the fraction (up to nanoseconds) and the time of day may be missing. UTC only ("Z").
std::optional<WallTime> parse_time(std::string_view text);

}  // namespace sluice
