// Bounds on the number of records, and what they come to for one operation (docs/policy.md, "Numbers of
// records").
#pragma once

#include <cstdint>
#include <memory_resource>
#include <optional>
#include <string_view>
#include <vector>

#include "model/decision.h"
#include "policy/rule.h"

namespace sluice::policy {

// "Above `records`: `over`", from one rule.
struct Bound {
  std::uint64_t records = 0;
  Over over = Over::deny;
  const Rule* rule = nullptr;
  bool by_match = false;  // from a deny or review rule with records: {over: …}, not from a max_records
};
using Bounds = std::pmr::vector<Bound>;  // in policy order

// What the bounds come to. `bound` is the one that decides, null when there is none.
struct Outcome {
  enum class Kind : std::uint8_t { within, denied, needs_review };
  Kind kind = Kind::within;
  const Bound* bound = nullptr;
  Over over = Over::deny;  // at the bound, when the reply reaches it
  bool clamp = false;      // lower the request's limit to the bound
};

// `asked`: the most that the request can carry; nullopt: nothing bounds it.
// `approved(rule)`: the review that this rule asks for has been given. Its bound is gone then, and so are
// clamps at or below it: who approves more than 1,000 records does not mean the first 100 of them.
//
// `must_say`: without a number of its own it is not run and counted: see Scope::Decision::must_say.
template <class Approved>
Outcome resolve(const Bounds& bounds, std::optional<std::uint64_t> asked, bool must_say, Approved approved) {
  if (must_say && !asked) {
    constexpr std::uint64_t kAnyNumber = ~std::uint64_t{0};
    const Outcome outcome = resolve(bounds, asked, false, approved);
    if (!outcome.bound || outcome.clamp) return outcome;
    return resolve(bounds, kAnyNumber, false, approved);
  }
  std::optional<std::uint64_t> lifted;
  for (const Bound& b : bounds) {
    bool given = b.over == Over::review && (!asked || *asked > b.records) && approved(*b.rule);
    if (given && (!lifted || b.records > *lifted)) lifted = b.records;
  }
  auto holds = [&](const Bound& b) {
    if (b.over == Over::review) return !approved(*b.rule);
    return b.over == Over::deny || !lifted || b.records > *lifted;
  };
  auto strength = [](Over over) { return over == Over::deny ? 3 : over == Over::review ? 2 : 1; };

  const Bound* smallest = nullptr;   // of all that hold; of equal ones the strongest
  const Bound* strongest = nullptr;  // of those that the request exceeds; of equally strong ones the smallest
  for (const Bound& b : bounds) {
    if (!holds(b)) continue;
    if (!smallest || b.records < smallest->records ||
        (b.records == smallest->records && strength(b.over) > strength(smallest->over))) {
      smallest = &b;
    }
    if (!asked || *asked <= b.records) continue;
    if (!strongest || strength(b.over) > strength(strongest->over) ||
        (b.over == strongest->over && b.records < strongest->records)) {
      strongest = &b;
    }
  }
  if (strongest && strongest->over == Over::deny) return {Outcome::Kind::denied, strongest};
  if (strongest && strongest->over == Over::review)
    return {Outcome::Kind::needs_review, strongest, Over::review};
  if (strongest) return {Outcome::Kind::within, strongest, Over::clamp, true};
  if (!smallest) return {};
  // A request that says its limit is within all bounds here. The reply is stopped at the bound all the same.
  if (asked) return {Outcome::Kind::within, smallest, Over::deny};
  return {Outcome::Kind::within, smallest, smallest->over, smallest->over == Over::clamp};
}

}  // namespace sluice::policy
