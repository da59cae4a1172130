// Searches of masked vectors: before a record leaves with the answer of one that could tell where it lies, it
// is counted, and refused where the principal has asked too often (budget/probes.h).
#include <charconv>

#include "proxy/pg/exchange.h"
#include "proxy/pg/refusal.h"
#include "wire/pg/sqlstate.h"

namespace sluice::proxy::pg {

using namespace wire::pg;

namespace {

constexpr std::string_view kSeesDirectionsOnly = "cosine";

// The count in front of the client's columns; nullopt: it is not what was asked for.
std::optional<std::uint64_t> counted_candidates(const DataRow& row, std::uint16_t carried) {
  std::size_t at = 0;
  for (const auto& value : row.columns) {
    if (++at != carried) continue;
    std::uint64_t count = 0;
    if (!value) return std::nullopt;
    const auto text = as_text(*value);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return count;
  }
  return std::nullopt;
}

std::string record_id(const KeyColumns& key, const ResultShape& shape, const DataRow& row) {
  std::string id;
  for (const auto wanted : key.columns) {
    std::uint16_t at = 0;
    for (const auto& value : row.columns) {
      if (at++ != wanted) continue;
      if (!id.empty()) id.push_back(',');
      if (value) id.append(value_text(shape.columns[wanted], *value));
      break;
    }
  }
  return id;
}

}  // namespace

// What each record of this run's answer counts. The query vectors are looked at once.
Probing Exchange::begin_probing(const Run& run, const DataRow& row) {
  const auto& search = *run.plan->search;
  auto kind = budget::SearchKind::ordinary;
  bool looked = false;
  for (const auto& each : run.permit->operation().searches) {
    if (std::ranges::find(search.collections, each.collection) == search.collections.end()) continue;
    looked = true;
    const auto found = gate_.look_at_search(fmt::format("{}.{}", each.collection, each.field),
                                            each.metric != kSeesDirectionsOnly, each.sketch.get());
    if (found != budget::SearchKind::ordinary) kind = found;
  }
  // What it searches for was not recognised: nobody can say that it is an ordinary question.
  if (!looked) kind = budget::SearchKind::not_understood;
  const auto candidates = search.counted ? counted_candidates(row, run.plan->carried) : search.candidates;
  return {budget::units_of(kind, candidates), budget::explain(kind)};
}

// False: the run was stopped, and the row does not leave.
bool Exchange::count_probe(Run& run, const BackendFrame& frame) {
  if (run.probing && run.probing->units == 0) return true;
  const Result<DataRow> row =
      frame.complete() ? DataRow::parse(frame.payload) : fail(Errc::too_large, "in pieces");
  if (!row || !run.shape) {
    stop_with(run,
              render_error(sqlstate::kProgramLimitExceeded,
                           fmt::format("sluice: a row of more than {} bytes cannot be counted as the answer "
                                       "of a search",
                                       limits_.held_row_bytes),
                           {}, "Leave its long columns out."));
    return false;
  }
  const bool first = !run.probing;
  if (first) run.probing = std::make_unique<Probing>(begin_probing(run, *row));
  if (run.probing->units == 0) return true;
  for (const auto& collection : run.plan->search->collections) {
    const auto key = std::ranges::find(run.shape->keys, collection, &KeyColumns::collection);
    const auto id = key == run.shape->keys.end() ? std::string{} : record_id(*key, *run.shape, *row);
    // A record that is not known (behind a view, in a group) may be the same each time: then a search is a
    // probe of the collection, which is given no more of them than a record is.
    if (id.empty() && !first) continue;
    const auto units = run.probing->units * (id.empty() ? budget::kCollectionFactor : 1);
    if (auto denial = gate_.take_probe(collection, id, units, run.probing->why)) {
      stop_with(run, render_denial(*denial, &run.permit->operation(), gate_.facts().id, run.permit->id()));
      return false;
    }
  }
  return true;
}

// Values that are tried against hidden ones: on the collection as a whole, because they tell about all of its
// records; of a record that is named by its key as much more as the collection has more than a record.
std::optional<Denial> Exchange::take_tests(const Plan& plan) {
  if (plan.kind == PlanKind::prepare) return std::nullopt;  // each EXECUTE is counted
  for (const auto& test : plan.tests) {
    const auto units =
        test.values * budget::kUnitsPerProbe * (test.of_one_record ? budget::kCollectionFactor : 1);
    if (auto denial = gate_.take_probe(test.collection, "", units, "values were tried against masked ones"))
      return denial;
  }
  return std::nullopt;
}

}  // namespace sluice::proxy::pg
