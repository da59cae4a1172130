// Metrics: named counters, gauges and histograms that any thread bumps with relaxed atomics, and that
// /metrics renders.
//
//   static auto& refused = metrics::counter("sluice_refusals_total", "Operations refused", {{"reason",
//   "no_rule"}}); refused.increment();
//
// Asking for the same name and labels again gives the same object; it lives until the process ends. Asking
// takes a lock, so hot paths keep the reference. Names follow Prometheus: sluice_<what>_<unit>[_total]. Label
// values come from closed sets (reasons, verbs, connection names), never from clients: each combination stays
// in memory.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::metrics {

using Labels = std::vector<std::pair<std::string, std::string>>;

class Counter {
 public:
  void increment(std::uint64_t by = 1) { value_.fetch_add(by, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

class Gauge {
 public:
  void set(std::int64_t to) { value_.store(to, std::memory_order_relaxed); }
  void add(std::int64_t by) { value_.fetch_add(by, std::memory_order_relaxed); }
  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

// Counts of values up to each bound. For durations: nanoseconds in, seconds out (`scale`).
class Histogram {
 public:
  Histogram(std::span<const std::uint64_t> bounds, double scale);
  void observe(std::uint64_t value);
  const std::vector<std::uint64_t>& bounds() const { return bounds_; }
  double scale() const { return scale_; }
  std::uint64_t count(std::size_t bucket) const { return counts_[bucket].load(std::memory_order_relaxed); }
  std::uint64_t sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  std::vector<std::uint64_t> bounds_;               // ascending
  std::vector<std::atomic<std::uint64_t>> counts_;  // one more than bounds: the rest
  std::atomic<std::uint64_t> sum_{0};
  double scale_;
};

// 50 µs to 10 s, in nanoseconds.
std::span<const std::uint64_t> duration_bounds();

Counter& counter(std::string_view name, std::string_view help, Labels labels = {});
Gauge& gauge(std::string_view name, std::string_view help, Labels labels = {});
Histogram& histogram(std::string_view name, std::string_view help, Labels labels = {},
                     std::span<const std::uint64_t> bounds = duration_bounds(), double scale = 1e-9);

// All of them in Prometheus' text format, by name.
std::string render();

}  // namespace sluice::metrics
