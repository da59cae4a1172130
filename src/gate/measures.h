// Measures: what one worker's gates count for /metrics. Each worker has series of its own (label `worker`),
// so that counting on the hot path shares no cache line with another thread.
//
//   Measures measures{"0"};
//   measures.permitted(verb);  measures.refused(verb, reason);  measures.finished(duration, records, masked);
#pragma once

#include <array>
#include <string>

#include "core/clock.h"
#include "core/metrics.h"
#include "model/decision.h"
#include "model/operation.h"

namespace sluice::gate {

class Measures {
 public:
  explicit Measures(const std::string& worker = "0");

  void permitted(Verb verb) { permitted_[static_cast<std::size_t>(verb)]->increment(); }
  void refused(Verb verb, Reason reason) {
    refused_[static_cast<std::size_t>(verb)]->increment();
    reasons_[static_cast<std::size_t>(reason)]->increment();
  }
  void finished(Nanoseconds duration, std::uint64_t records, std::uint64_t masked) {
    durations_->observe(static_cast<std::uint64_t>(duration.count()));
    records_->increment(records);
    if (masked > 0) masked_->increment(masked);
  }

 private:
  static constexpr std::size_t kReasons = 13;  // Reason is numbered from 1
  std::array<metrics::Counter*, kVerbCount> permitted_{};
  std::array<metrics::Counter*, kVerbCount> refused_{};
  std::array<metrics::Counter*, kReasons> reasons_{};
  metrics::Histogram* durations_;
  metrics::Counter* records_;
  metrics::Counter* masked_;
};

}  // namespace sluice::gate
