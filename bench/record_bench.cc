// What the record costs one operation: intent and outcome, hashed and committed into a mapped segment.
// Target: below 1.2 µs of CPU together, no system call and no allocation per entry.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <new>

#include "lookup_record.h"
#include "record/record_ids.h"
#include "record/reply_sample.h"

namespace {
std::uint64_t allocations = 0;  // of this thread; the benchmark has one
}

void* operator new(std::size_t n) {
  ++allocations;
  if (void* p = std::malloc(n)) return p;
  std::abort();
}
void operator delete(void* p) noexcept {
  std::free(p);
}
void operator delete(void* p, std::size_t) noexcept {
  std::free(p);
}

namespace sluice::record {
namespace {

struct Bench : LookupRecord {
  Bench() : LookupRecord(1) {}

  SessionId session{1};
  std::shared_ptr<const Operation> op = lookup("SELECT abalance FROM pgbench_accounts WHERE aid = $1");
  Digest policy = sha256(as_bytes("policy"));
  Digest params = sha256(as_bytes("params"));
  Digest reply = sha256(as_bytes("reply"));
};

void intent_and_outcome(benchmark::State& state) {
  Bench bench;
  std::uint64_t n = 0;
  std::uint64_t before = 0;
  for (auto _ : state) {
    ++n;
    if (n == 1000) before = allocations;
    if (n % 20'000 == 0) {  // upkeep, which another thread does in the gateway
      state.PauseTiming();
      auto allocated = allocations;
      bench.log->tick();
      if (!bench.log->maintain()) std::abort();
      before += allocations - allocated;
      state.ResumeTiming();
    }
    auto began = bench.log->intent({.session = bench.session,
                                    .operation = OperationId{n},
                                    .op = bench.op,
                                    .ruling = &bench.ruling,
                                    .policy_digest = bench.policy,
                                    .limit = 1,
                                    .params_digest = bench.params});
    auto ended = bench.log->outcome({.session = bench.session,
                                     .operation = OperationId{n},
                                     .records = 1,
                                     .bytes = 120,
                                     .reply_digest = bench.reply,
                                     .duration = Nanoseconds{150'000}});
    if (!began || !ended) std::abort();
  }
  state.counters["allocations/op"] = benchmark::Counter(
      n > 1000 ? static_cast<double>(allocations - before) / static_cast<double>(n - 1000) : 0);
}
BENCHMARK(intent_and_outcome);

// The same with the parameter, the row and the record's id kept.
void intent_and_outcome_with_row(benchmark::State& state) {
  Bench bench;
  RecordIds ids;
  ReplySample rows;
  std::uint64_t n = 0;
  for (auto _ : state) {
    ++n;
    if (n % 20'000 == 0) {
      state.PauseTiming();
      bench.log->tick();
      if (!bench.log->maintain()) std::abort();
      state.ResumeTiming();
    }
    Param param{.form = ParamForm::text, .value = "471100"};
    auto began = bench.log->intent({.session = bench.session,
                                    .operation = OperationId{n},
                                    .op = bench.op,
                                    .ruling = &bench.ruling,
                                    .policy_digest = bench.policy,
                                    .limit = 1,
                                    .params_digest = bench.params,
                                    .params = {&param, 1}});
    ids.clear();
    ids.add("public.pgbench_accounts", "471100");
    rows.clear();
    std::string_view column = "abalance";
    rows.set_columns({&column, 1});
    auto cell = Cell::text("-1234");
    rows.add_row({&cell, 1});
    auto ended = bench.log->outcome({.session = bench.session,
                                     .operation = OperationId{n},
                                     .records = 1,
                                     .bytes = 120,
                                     .reply_digest = bench.reply,
                                     .duration = Nanoseconds{150'000},
                                     .ids = &ids,
                                     .rows = &rows});
    if (!began || !ended) std::abort();
  }
}
BENCHMARK(intent_and_outcome_with_row);

// A statement that is parsed anew each time: found by its content.
void intent_and_outcome_unprepared(benchmark::State& state) {
  Bench bench;
  std::uint64_t n = 0;
  for (auto _ : state) {
    ++n;
    state.PauseTiming();
    auto op = std::make_shared<Operation>(*bench.op);
    if (n % 20'000 == 0) {
      bench.log->tick();
      if (!bench.log->maintain()) std::abort();
    }
    state.ResumeTiming();
    auto began = bench.log->intent({.session = bench.session,
                                    .operation = OperationId{n},
                                    .op = std::move(op),
                                    .ruling = &bench.ruling,
                                    .policy_digest = bench.policy,
                                    .limit = 1,
                                    .params_digest = bench.params});
    auto ended = bench.log->outcome({.session = bench.session, .operation = OperationId{n}, .records = 1});
    if (!began || !ended) std::abort();
  }
}
BENCHMARK(intent_and_outcome_unprepared);

}  // namespace
}  // namespace sluice::record
