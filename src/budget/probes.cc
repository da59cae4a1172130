#include "budget/probes.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::budget {
namespace {

constexpr std::chrono::seconds kDay = std::chrono::days{1};

}  // namespace

std::string_view explain(SearchKind kind) {
  switch (kind) {
    case SearchKind::ordinary: return "few candidates";
    case SearchKind::along_axis: return "a query vector along an axis";
    case SearchKind::near_another: return "a query vector near to an earlier one";
    case SearchKind::not_understood: return "a query vector that cannot be read";
  }
  return "";
}

std::uint64_t units_of(SearchKind kind, std::optional<std::uint64_t> candidates, std::uint64_t depth) {
  // No answer is deeper than what there is to find.
  if (std::min(depth, candidates.value_or(depth)) > kDeepAnswer) return kProbesOfDeepAnswer * kUnitsPerProbe;
  if (kind != SearchKind::ordinary || !candidates) return kUnitsPerProbe;
  if (*candidates >= kManyCandidates) return 0;
  return *candidates <= kFewCandidates ? kUnitsPerProbe : kUnitsPerProbe * kFewCandidates / *candidates;
}

SearchKind Probes::look_at(const Searcher& searcher, const QuerySketch* sketch) {
  if (sketch == nullptr) return SearchKind::not_understood;
  const auto key =
      budget_account(fmt::format("{}\n{}\n{}", searcher.principal, searcher.connection, searcher.field));
  std::lock_guard lock(mutex_);
  auto known = memory_of_.find(key);
  if (known == memory_of_.end()) {
    if (memories_.size() == kMaxMemories) {
      memory_of_.erase(memories_.back().key);
      memories_.pop_back();
    }
    memories_.emplace_front().key = key;
    known = memory_of_.emplace(key, memories_.begin()).first;
  } else {
    memories_.splice(memories_.begin(), memories_, known->second);
  }
  Memory& memory = *known->second;
  bool near = false;
  for (const auto& earlier : memory.searches) {
    const auto relation = nearness(*sketch, earlier.sketch, searcher.by_length);
    if (relation == Nearness::same) return earlier.kind;
    near |= relation == Nearness::near;
  }
  const auto kind = sketch->axis_like ? SearchKind::along_axis
                    : near            ? SearchKind::near_another
                                      : SearchKind::ordinary;
  if (memory.searches.size() < kRemembered) {
    memory.searches.push_back({*sketch, kind});
  } else {
    memory.searches[memory.next] = {*sketch, kind};
    memory.next = (memory.next + 1) % kRemembered;
  }
  return kind;
}

std::optional<Exhausted> Probes::take(const Record& record, std::uint64_t units, WallTime now) {
  if (units == 0) return std::nullopt;
  Budget budget;
  budget.key = fmt::format("probes\n{}\n{}\n{}\n{}", record.principal, record.connection, record.collection,
                           record.id);
  budget.account = budget_account(budget.key);
  budget.rule = "probes";
  budget.records = record.per_day * kUnitsPerProbe * (record.id.empty() ? kCollectionFactor : 1);
  budget.window = kDay;
  const Budget* quota = &budget;
  return ledger_.take({&quota, 1}, units, now);
}

}  // namespace sluice::budget
