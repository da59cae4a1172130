// The cost of drawing on the ledger. Target: below 100 ns for one quota, uncontended.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <vector>

#include "budget/ledger.h"
#include "core/crypto.h"

namespace sluice {
namespace {

constexpr WallTime kNow{std::chrono::seconds{1767605400}};

void budget_take(benchmark::State& state) {
  initialise_crypto();
  budget::Ledger ledger;
  std::vector<Budget> quotas;
  std::vector<const Budget*> all;
  for (int i = 0; i < state.range(0); ++i) {
    Budget quota{.key = fmt::format("rule-{}\nana\ndocs", i),
                 .rule = "rule",
                 .records = 1ull << 60,
                 .window = std::chrono::hours{1}};
    quota.account = budget_account(quota.key);
    quotas.push_back(quota);
  }
  for (const Budget& quota : quotas) all.push_back(&quota);
  WallTime now = kNow;
  for (auto _ : state) {
    now += std::chrono::microseconds{1};
    benchmark::DoNotOptimize(ledger.take(all, 10, now));
  }
}
BENCHMARK(budget_take)->Arg(1)->Arg(3);

}  // namespace
}  // namespace sluice
