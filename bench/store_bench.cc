// What indexing costs one operation, away from the hot path but on the same machine: from a record that has
// been written, into an index on disk. And what a search costs that reads one stretch.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>

#include "lookup_record.h"
#include "store/record_index.h"

namespace sluice::store {
namespace {

using namespace record;

constexpr std::uint64_t kOperations = 20'000;

constexpr std::uint64_t kSessions = 32;

struct Written : LookupRecord {
  Written() : LookupRecord(kSessions) {}

  void run(std::uint64_t n, const std::shared_ptr<const Operation>& op, const RecordIds* ids) {
    const SessionId session{1 + n % kSessions};
    const OperationId number{n};
    auto began = log->intent({.session = session, .operation = number, .op = op, .ruling = &ruling});
    auto ended =
        log->outcome({.session = session, .operation = number, .records = 1, .bytes = 120, .ids = ids});
    if (!began || !ended) std::abort();
  }
};

void index_all(benchmark::State& state, Written& written) {
  int n = 0;
  for (auto _ : state) {
    state.PauseTiming();
    auto index =
        RecordIndex::open(written.folder / fmt::format("index-{}.db", n++), written.folder / "record");
    if (!index) std::abort();
    Indexer indexer{written.folder / "record", **index};
    state.ResumeTiming();
    auto more = indexer.run(std::chrono::minutes{1}, written.clock);
    if (!more || *more) std::abort();
  }
  state.counters["each"] = benchmark::Counter(static_cast<double>(state.iterations() * kOperations),
                                              benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void index_prepared(benchmark::State& state) {
  Written written;
  const auto op = written.lookup("SELECT abalance FROM pgbench_accounts WHERE aid = $1");
  for (std::uint64_t n = 1; n <= kOperations; ++n) written.run(n, op, nullptr);
  index_all(state, written);
}
BENCHMARK(index_prepared)->Unit(benchmark::kMillisecond);

void index_texts(benchmark::State& state) {
  Written written;
  for (std::uint64_t n = 1; n <= kOperations; ++n) {
    written.run(n,
                written.lookup(fmt::format("SELECT abalance FROM pgbench_accounts WHERE aid = {};", n * 7)),
                nullptr);
  }
  index_all(state, written);
}
BENCHMARK(index_texts)->Unit(benchmark::kMillisecond);

// Ten records in each answer.
void index_ids(benchmark::State& state) {
  Written written;
  const auto op = written.lookup("SELECT id, title FROM documents ORDER BY embedding <=> $1 LIMIT 10");
  RecordIds ids;
  for (std::uint64_t n = 1; n <= kOperations; ++n) {
    ids.clear();
    for (std::uint64_t i = 0; i < 10; ++i)
      ids.add("public.documents", std::to_string(n * 7919 * (i + 1) % 100'000));
    written.run(n, op, &ids);
  }
  index_all(state, written);
}
BENCHMARK(index_ids)->Unit(benchmark::kMillisecond);

void search_text(benchmark::State& state) {
  Written written;
  for (std::uint64_t n = 1; n <= kOperations; ++n) {
    written.run(n,
                written.lookup(fmt::format("SELECT abalance FROM pgbench_accounts WHERE aid = {};", n * 7)),
                nullptr);
  }
  auto index = RecordIndex::open(written.folder / "index.db", written.folder / "record");
  if (!index) std::abort();
  Indexer indexer{written.folder / "record", **index};
  auto more = indexer.run(std::chrono::minutes{1}, written.clock);
  if (!more) std::abort();
  for (auto _ : state) {
    auto page = (*index)->search({.text = "aid=70007"});
    if (!page || page->operations.size() != 1) std::abort();
  }
}
BENCHMARK(search_text)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sluice::store
