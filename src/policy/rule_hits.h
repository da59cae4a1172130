// RuleHits: in how many decisions each rule of a policy took part. For people: relaxed, and never the reason
// of anything.
//
//   policy.hits().add(number);                 // on a worker, by Scope::decide
//   auto n = policy.hits().count(number);      // on any thread
//
// Every decision counts, so threads must not share what they count in: each has a row of its own, and a
// reader adds the rows up. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

namespace sluice::policy {

class RuleHits {
 public:
  explicit RuleHits(std::size_t rules) {
    for (auto& row : rows_) row = std::vector<std::atomic<std::uint64_t>>(rules);
  }

  void add(std::size_t rule) { rows_[own_row()][rule].fetch_add(1, std::memory_order_relaxed); }

  std::uint64_t count(std::size_t rule) const {
    std::uint64_t sum = 0;
    for (const auto& row : rows_) sum += row[rule].load(std::memory_order_relaxed);
    return sum;
  }

 private:
  // More threads than rows share them: still right, only slower. 8 bytes per rule and row.
  static constexpr std::size_t kRows = 16;

  static std::size_t own_row() {
    static std::atomic<std::size_t> next{0};
    thread_local const std::size_t mine = next.fetch_add(1, std::memory_order_relaxed) % kRows;
    return mine;
  }

  std::array<std::vector<std::atomic<std::uint64_t>>, kRows> rows_;
};

}  // namespace sluice::policy
