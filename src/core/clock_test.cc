#include "core/clock.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

using namespace std::chrono_literals;

TEST(Time, ReadsBackWhatItWrites) {
  ManualClock clock;
  clock.advance(36h + 123ms);
  EXPECT_EQ(parse_time(format_time(clock.now())), clock.now());
  EXPECT_EQ(parse_time("2026-01-01"), ManualClock{}.now());
  EXPECT_EQ(parse_time("2026-01-01T00:00:00.000000001Z"), ManualClock{}.now() + 1ns);
  EXPECT_EQ(format_time(*parse_time("1969-12-31T23:59:59.250Z")), "1969-12-31T23:59:59.250Z");
}

TEST(Time, RefusesEverythingElse) {
  for (const char* text :
       {"", "2026", "2026-13-01", "2026-02-30", "2026-01-01T", "2026-01-01T24:00:00Z", "2026-01-01T00:00:00",
        "2026-01-01T00:00:00+01:00", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.0000000001Z",
        "2026-01-01 00:00:00Z", "9999-01-01", " 2026-01-01"}) {
    EXPECT_FALSE(parse_time(text)) << text;
  }
}

}  // namespace
}  // namespace sluice
