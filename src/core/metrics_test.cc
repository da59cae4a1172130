#include "core/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace sluice::metrics {
namespace {

using ::testing::HasSubstr;

TEST(Metrics, SameNameAndLabelsAreTheSameMetric) {
  auto& a = counter("test_same_total", "help", {{"verb", "search"}});
  auto& b = counter("test_same_total", "help", {{"verb", "search"}});
  auto& c = counter("test_same_total", "help", {{"verb", "scroll"}});
  EXPECT_EQ(&a, &b);
  EXPECT_NE(&a, &c);
}

TEST(Metrics, RendersWhatWasCounted) {
  counter("test_render_total", "What was counted", {{"reason", "no \"rule\""}}).increment(3);
  gauge("test_render_now", "A level").set(-2);
  auto& times = histogram("test_render_seconds", "How long");
  times.observe(60'000);          // 60 µs
  times.observe(20'000'000'000);  // beyond the last bound
  const auto text = render();
  EXPECT_THAT(text, HasSubstr("# HELP test_render_total What was counted"));
  EXPECT_THAT(text, HasSubstr("test_render_total{reason=\"no \\\"rule\\\"\"} 3"));
  EXPECT_THAT(text, HasSubstr("test_render_now -2"));
  EXPECT_THAT(text, HasSubstr("test_render_seconds_bucket{le=\"5e-05\"} 0"));
  EXPECT_THAT(text, HasSubstr("test_render_seconds_bucket{le=\"0.0001\"} 1"));
  EXPECT_THAT(text, HasSubstr("test_render_seconds_bucket{le=\"+Inf\"} 2"));
  EXPECT_THAT(text, HasSubstr("test_render_seconds_count 2"));
}

TEST(Metrics, ThreadsLoseNoCount) {
  auto& hits = counter("test_threads_total", "help");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      auto& mine = counter("test_threads_total", "help");
      for (int n = 0; n < 10'000; ++n) mine.increment();
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(hits.value(), 40'000u);
}

}  // namespace
}  // namespace sluice::metrics
