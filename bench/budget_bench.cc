// The cost of drawing on the ledger (target: below 100 ns for one quota, uncontended), and of looking at a
// query vector of 768 components beside the last 1,024 of its principal.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <vector>

#include "budget/ledger.h"
#include "budget/probes.h"
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

std::vector<std::vector<float>> query_vectors(std::size_t count) {
  std::mt19937 dice{7};
  std::normal_distribution<float> component;
  std::vector<std::vector<float>> made(count, std::vector<float>(768));
  for (auto& vector : made) std::ranges::generate(vector, [&] { return component(dice); });
  return made;
}

void budget_sketch(benchmark::State& state) {
  const auto vectors = query_vectors(16);
  std::size_t next = 0;
  for (auto _ : state) benchmark::DoNotOptimize(sketch_of(vectors[next++ % vectors.size()]));
}
BENCHMARK(budget_sketch);

void budget_look_at_search(benchmark::State& state) {
  initialise_crypto();
  std::vector<QuerySketch> sketches;
  for (const auto& vector : query_vectors(budget::kRemembered * 2)) sketches.push_back(sketch_of(vector));
  budget::Probes probes;
  std::size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        probes.look_at({"ana", "docs", "public.docs.embedding"}, &sketches[next++ % sketches.size()]));
  }
}
BENCHMARK(budget_look_at_search);

}  // namespace
}  // namespace sluice
