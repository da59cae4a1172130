// Rule: one rule of a policy as read, with its patterns prepared for matching. Plain values, immutable once
// the PolicySet that owns them is made.
//
// Every condition can be read in two ways (model/pattern.h): broadly where the rule takes something away,
// narrowly where it gives something; an `except` is read the other way round. A fact that is not known (a
// reply without a bound, an address that is none) holds broadly and does not hold narrowly. So a doubt never
// opens anything.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/decision.h"
#include "model/operation.h"
#include "model/principal.h"
#include "policy/name_pattern.h"
#include "policy/network.h"
#include "policy/time_window.h"

namespace sluice::policy {

struct Place {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

using VerbSet = std::uint16_t;  // bit n: the verb with that number
constexpr VerbSet verb_bit(Verb verb) {
  return static_cast<VerbSet>(1u << static_cast<unsigned>(verb));
}
// Verb::unknown is in no set: nothing can allow it.
inline constexpr VerbSet kAllVerbs = static_cast<VerbSet>((1u << kVerbCount) - 2);

struct PrincipalCriteria {
  std::vector<ValuePattern> names;
  std::optional<PrincipalKind> kind;
  std::vector<ValuePattern> groups;
  std::vector<ValuePattern> roles;
  std::vector<std::pair<std::string, std::vector<ValuePattern>>> claims;
  std::vector<ValuePattern> owners;
};

struct VectorCriteria {
  std::optional<bool> searches;
  std::optional<bool> returns_vectors;
  std::optional<bool> returns_scores;
  std::vector<std::string> metrics;
  std::vector<NamePattern> fields;  // searched
};

// A `match` or an `except`: all keys that are there must hold; within a key any item.
struct Criteria {
  PrincipalCriteria principal;
  std::vector<ValuePattern> connections;
  std::vector<std::string> systems;
  std::vector<Network> networks;

  std::optional<VerbSet> verbs;
  std::vector<NamePattern> collections;
  std::vector<NamePattern> fields;
  std::optional<std::uint64_t> records_over;
  std::optional<std::uint64_t> records_under;
  std::optional<VectorCriteria> vectors;
  std::optional<TimeWindow> time;

  bool looks_at_operation() const {
    return verbs || !collections.empty() || !fields.empty() || records_over || records_under || vectors ||
           time;
  }
};

struct Bounding {
  std::optional<std::uint64_t> max_records;
  Over over = Over::deny;
  std::string message;
};

struct DenyEffect {
  std::string message;
  std::string hint;
};

struct BudgetEffect {
  std::uint64_t records = 0;
  std::chrono::seconds per{0};
};

struct MaskEffect {
  std::vector<FieldMask> fields;  // collection, except_collections and rule are filled in by the mask plan
  std::vector<VectorMask> vectors;
  std::vector<DetectMask> detects;
  bool empty() const { return fields.empty() && vectors.empty() && detects.empty(); }
};

struct Rule {
  std::string name;
  std::string description;
  std::string file;
  Place place;  // of the rule's first key
  Place match_place;
  Place allow_place;
  std::uint32_t last_line = 0;
  bool shadow = false;

  Criteria match;
  std::vector<Criteria> except;  // at most kMaxExcepts

  std::optional<Bounding> allow;
  std::optional<DenyEffect> deny;
  std::optional<Bounding> limit;
  std::optional<BudgetEffect> budget;
  std::optional<ReviewTerms> review;  // an effect of its own, or the terms of an `over: review` beside it
  MaskEffect mask;

  bool review_is_terms_only() const {
    return (allow && allow->over == Over::review) || (limit && limit->over == Over::review);
  }
  bool restricts() const { return deny || limit || budget || (review && !review_is_terms_only()); }
};

inline constexpr std::size_t kMaxExcepts = 8;  // a bit each in a Scope's candidate

// What the rule does, in words: "allow up to 5000 records; budget 20000 records per 1h".
std::string describe_effects(const Rule& rule);

}  // namespace sluice::policy
