// What masking at the source costs a statement: the rewrite with its last look (which parses the result), for
// statements on a masked relation; the quick answer for those that touch none; and clamping.
#include <benchmark/benchmark.h>

#include "core/crypto.h"
#include "sql_statements.h"
#include "systems/postgres/rewrite/clamp.h"
#include "systems/postgres/rewrite/rewrite.h"

namespace sluice {
namespace {

using namespace postgres;

struct Masked {
  std::shared_ptr<const Catalogue> catalogue = bench::database();
  std::shared_ptr<const rewrite::MaskPlan> plan;
  std::shared_ptr<const rewrite::MaskPlan> elsewhere;  // masks on a relation that no statement names
  std::vector<std::string> path{"public"};

  Masked() {
    initialise_crypto();
    plan = compile("public.docs", {"email", "ssn", "note"}, true);
    elsewhere = compile("public.other_7", {"name"}, false);
  }

  std::shared_ptr<const rewrite::MaskPlan> compile(const char* collection, std::vector<std::string> fields,
                                                   bool vectors) const {
    MaskSet set;
    set.id = 1;
    for (auto& field : fields) {
      FieldMask mask;
      mask.collection = collection;
      mask.field = std::move(field);
      set.fields.push_back(std::move(mask));
    }
    if (vectors) set.vectors.push_back({collection, Mask::remove, Scores::keep, {}, "r"});
    return rewrite::MaskPlan::compile(*catalogue, set);
  }
};

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

const bool registered = [] {
  static const Masked masked;
  for (const auto& [name, sql] : bench::statements()) {
    benchmark::RegisterBenchmark(("rewrite/masked/" + name).c_str(), [sql](auto& state) {
      rewrite_parsed(state, sql, masked, *masked.plan, std::nullopt);
    });
    benchmark::RegisterBenchmark(("rewrite/untouched/" + name).c_str(), [sql](auto& state) {
      rewrite_parsed(state, sql, masked, *masked.elsewhere, std::nullopt);
    });
  }
  const auto knn = bench::statements()[1];
  benchmark::RegisterBenchmark(("rewrite/clamp/" + knn.name).c_str(), [sql = knn.sql](auto& state) {
    rewrite_parsed(state, sql, masked, *masked.elsewhere, 5);
  });
  return true;
}();

}  // namespace
}  // namespace sluice
