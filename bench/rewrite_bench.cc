// What masking at the source costs a statement: the rewrite with its last look (which parses the result), for
// statements on a masked relation; the quick answer for those that touch none; clamping; and all that a
// session does with a text before it is decided (Planner::plan), with masks on what it reads and without any.
#include <benchmark/benchmark.h>

#include "masked_database.h"
#include "proxy/pg/planning/planner.h"
#include "systems/postgres/rewrite/clamp.h"
#include "systems/postgres/rewrite/rewrite.h"

namespace sluice {
namespace {

using namespace postgres;
using bench::Masked;

void rewrite_parsed(benchmark::State& state, const std::string& sql, const Masked& masked,
                    const rewrite::MaskPlan& plan, std::optional<std::uint64_t> clamp) {
  const auto parsed = sql::parse(sql);
  const rewrite::RewriteInput input{
      parsed->statements().front(), *masked.catalogue, masked.path, plan, true, clamp, {}};
  if (auto result = rewrite::rewrite(input); auto* denial = std::get_if<Denial>(&result))
    return state.SkipWithError(denial->message.c_str());
  for (auto _ : state) {
    auto result = rewrite::rewrite(input);
    benchmark::DoNotOptimize(result);
  }
}

void plan_text(benchmark::State& state, const std::string& sql, const Masked& masked,
               const std::shared_ptr<const MaskSet>& masks) {
  proxy::pg::Planner planner;
  planner.set_catalogue(masked.catalogue);
  planner.set_search_path(masked.path);
  proxy::pg::Names names;
  const std::vector<std::string> vouched;
  const proxy::pg::PlanContext context{names, masks, vouched, "ana", "0000000000000001"};
  if (const auto plans = planner.plan(sql, context); !plans || plans->front()->denial)
    return state.SkipWithError("cannot be planned");
  for (auto _ : state) {
    auto plans = planner.plan(sql, context);
    benchmark::DoNotOptimize(plans);
  }
}

const bool registered = [] {
  static const Masked masked;
  static const std::shared_ptr<const MaskSet> no_masks = std::make_shared<const MaskSet>();
  for (const auto& [name, sql] : bench::statements()) {
    benchmark::RegisterBenchmark(("rewrite/masked/" + name).c_str(), [sql](auto& state) {
      rewrite_parsed(state, sql, masked, *masked.plan, std::nullopt);
    });
    benchmark::RegisterBenchmark(("rewrite/untouched/" + name).c_str(), [sql](auto& state) {
      rewrite_parsed(state, sql, masked, *masked.elsewhere, std::nullopt);
    });
    benchmark::RegisterBenchmark(("plan/masked/" + name).c_str(),
                                 [sql](auto& state) { plan_text(state, sql, masked, masked.masks); });
    benchmark::RegisterBenchmark(("plan/open/" + name).c_str(),
                                 [sql](auto& state) { plan_text(state, sql, masked, no_masks); });
  }
  const auto knn = bench::statements()[1];
  benchmark::RegisterBenchmark(("rewrite/clamp/" + knn.name).c_str(), [sql = knn.sql](auto& state) {
    rewrite_parsed(state, sql, masked, *masked.elsewhere, 5);
  });
  return true;
}();

}  // namespace
}  // namespace sluice
