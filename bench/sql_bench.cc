// What one statement costs before it is decided: parsing, describing, and both, as each Parse or Query does.
#include <benchmark/benchmark.h>

#include "core/crypto.h"
#include "sql_statements.h"
#include "systems/postgres/describe/describe.h"

namespace sluice {
namespace {

using namespace postgres;

const std::vector<std::string>& path() {
  static const std::vector<std::string> public_only{"public"};
  return public_only;
}

void parse(benchmark::State& state, const std::string& sql) {
  for (auto _ : state) {
    auto parsed = sql::parse(sql);
    benchmark::DoNotOptimize(parsed);
  }
}

void describe_parsed(benchmark::State& state, const std::string& sql, const Catalogue& catalogue) {
  const auto parsed = sql::parse(sql);
  const DescribeContext context{.catalogue = catalogue, .search_path = path()};
  if (describe(parsed->statements().front(), context).verb == Verb::unknown)
    return state.SkipWithError("not understood");
  for (auto _ : state) {
    auto operation = describe(parsed->statements().front(), context);
    benchmark::DoNotOptimize(operation);
  }
}

void parse_and_describe(benchmark::State& state, const std::string& sql, const Catalogue& catalogue) {
  const DescribeContext context{.catalogue = catalogue, .search_path = path()};
  for (auto _ : state) {
    const auto parsed = sql::parse(sql);
    auto operation = describe(parsed->statements().front(), context);
    benchmark::DoNotOptimize(operation);
  }
}

const bool registered = [] {
  initialise_crypto();
  static const auto catalogue = bench::database();
  for (const auto& [name, sql] : bench::statements()) {
    benchmark::RegisterBenchmark(("parse/" + name).c_str(), [sql](auto& state) { parse(state, sql); });
    benchmark::RegisterBenchmark(("describe/" + name).c_str(),
                                 [sql](auto& state) { describe_parsed(state, sql, *catalogue); });
    benchmark::RegisterBenchmark(("parse_and_describe/" + name).c_str(),
                                 [sql](auto& state) { parse_and_describe(state, sql, *catalogue); });
  }
  return true;
}();

}  // namespace
}  // namespace sluice
