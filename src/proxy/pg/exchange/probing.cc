// Searches of masked vectors: before a record leaves with the answer of one that could tell where it lies, it
// is counted, and refused where the principal has asked too often (budget/probes.h).
#include "core/encoding.h"
#include "proxy/pg/exchange/counting.h"
#include "proxy/pg/exchange/exchange.h"
#include "proxy/pg/exchange/refusal.h"
#include "wire/pg/sqlstate.h"

namespace sluice::proxy::pg {

using namespace wire::pg;
using postgres::rewrite::CarriedCandidates;
using postgres::rewrite::kMostCandidates;

static_assert(kMostCandidates == budget::kManyCandidates);
static_assert(postgres::rewrite::kFewCandidates == budget::kFewCandidates);

namespace {

constexpr std::string_view kSeesDirectionsOnly = "cosine";

// What stands in front of the client's columns, the last of them.
std::vector<CarriedCandidates> candidates_of(const DataRow& row, std::uint16_t carried) {
  std::size_t at = 0;
  for (const auto& value : row.columns) {
    if (++at == carried)
      return value ? CarriedCandidates::parse(as_text(*value)) : std::vector<CarriedCandidates>{};
  }
  return {};
}

// Keys come as hexadecimal digits; one that is nothing of the kind names a record all the same.
std::string key_text(std::string_view digits) {
  const auto bytes = from_hex(digits);
  return std::string{bytes ? as_text(*bytes) : digits};
}

// Whether anything is to be counted of the row that follows.
bool counts_next_row(Probing& probing) {
  return ++probing.passed > budget::kDeepAnswer ||
         std::ranges::any_of(probing.rows, [](const auto& each) { return each.units > 0; });
}

bool has_key(const ResultShape& shape, std::string_view collection) {
  return std::ranges::find(shape.keys, collection, &KeyColumns::collection) != shape.keys.end();
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

// Whether the query vectors of a collection's searches are those of somebody who feels for a vector.
budget::SearchKind Exchange::kind_of_search(const Run& run, std::string_view collection) {
  auto kind = budget::SearchKind::ordinary;
  bool looked = false;
  for (const auto& each : run.permit->operation().searches) {
    if (each.collection != collection) continue;
    looked = true;
    const auto found = gate_.look_at_search(fmt::format("{}.{}", each.collection, each.field),
                                            each.metric != kSeesDirectionsOnly, each.sketch.get());
    if (found != budget::SearchKind::ordinary) kind = found;
  }
  // What it searches for was not recognised: nobody can say that it is an ordinary question.
  return looked ? kind : budget::SearchKind::not_understood;
}

// Counts what is known with the first row, or, where none comes, without one. False: refused.
bool Exchange::begin_probing(Run& run, const DataRow* row) {
  run.probing = std::make_unique<Probing>();
  const auto& search = *run.plan->search;
  std::vector<CarriedCandidates> told;
  if (row != nullptr && search.counted) told = candidates_of(*row, run.plan->carried);
  const bool answers = told.size() == search.levels.size();
  for (std::size_t i = 0; i < search.levels.size(); ++i) {
    const auto& level = search.levels[i];
    const auto kind = kind_of_search(run, level.collection);
    run.probing->why = budget::explain(kind);
    std::optional<std::uint64_t> candidates;
    if (level.many) candidates = kMostCandidates;
    if (answers && told[i].count) candidates = told[i].count;
    const bool by_row = row != nullptr && search.rows_are_its_answer && has_key(*run.shape, level.collection);
    // Of an answer that comes row by row each row after kDeepAnswer counts.
    const auto depth = answers && told[i].depth ? *told[i].depth : level.depth;
    const auto units = budget::units_of(kind, candidates, by_row ? 0 : depth);
    if (by_row) run.probing->rows.push_back({level.collection, level.records_of, units});
    if (units == 0) continue;
    if (answers && !told[i].keys.empty()) {
      for (const auto& key : told[i].keys) {
        if (!take_probe(run, level.records_of, key_text(key), units)) return false;
      }
      if (by_row) run.probing->rows.back().units = 0;
    } else if (!by_row && !take_probe(run, level.records_of, "", units)) {
      return false;
    }
  }
  return true;
}

// A record that is not known (behind a view, in a group) may be the same each time: then a search is a probe
// of the collection, which is given no more of them than a record is. False: refused, and the run is stopped.
bool Exchange::take_probe(Run& run, std::string_view collection, std::string_view id, std::uint64_t units) {
  if (id.empty()) units *= budget::kCollectionFactor;
  auto denial = gate_.take_probe(collection, id, units, run.probing->why);
  if (!denial) return true;
  run.probing->refused = render_denial(*denial, &run.permit->operation(), gate_.facts().id, run.permit->id());
  return false;
}

// False: the run was stopped, and the row does not leave.
bool Exchange::count_probe(Run& run, const BackendFrame& frame) {
  if (run.probing && (run.probing->rows.empty() || !counts_next_row(*run.probing))) return true;
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
  bool granted = run.probing || begin_probing(run, &*row);
  const bool deep = run.probing->passed > budget::kDeepAnswer;
  for (const auto& [collection, records_of, of_each] : run.probing->rows) {
    const auto units = deep ? budget::kProbesOfDeepAnswer * budget::kUnitsPerProbe : of_each;
    if (units == 0) continue;
    const auto key = std::ranges::find(run.shape->keys, collection, &KeyColumns::collection);
    granted = granted && take_probe(run, records_of, record_id(*key, *run.shape, *row), units);
  }
  if (!granted) stop_with(run, *std::move(run.probing->refused));
  return granted;
}

// The answer of a search within a search's own rows names what was found; where something else is made of it
// (a condition, a count of rows, a file), what is missing tells as much. So does an error.
bool Exchange::count_probe_without_rows(Run& run) {
  if (!run.plan->search || run.probing || only_names(*run.plan)) return true;
  if (run.counted && run.counted->records > 0) return true;  // counted with its first rows
  if (run.plan->search->rows_are_its_answer) return true;
  if (begin_probing(run, nullptr)) return true;
  stop_with(run, *std::move(run.probing->refused), run.plan->kind != PlanKind::copy_out);
  return false;
}

std::optional<ErrorFields> Exchange::probe_of_failure(Run& run) {
  if (!run.plan->search || run.probing || !run.permit) return std::nullopt;
  if (begin_probing(run, nullptr)) return std::nullopt;
  return std::move(run.probing->refused);
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
