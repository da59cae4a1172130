// What is known about one masked column before it becomes an expression (mask_plan.cc, view_masks.cc).
//
// Internal to this folder.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/cell_mask.h"
#include "model/decision.h"
#include "systems/postgres/catalogue/view.h"

namespace sluice::postgres::rewrite {

struct WantedMask {
  FieldMask field;
  std::vector<std::string> json_keys;   // only these keys and paths (mask_json.h), not the whole column
  std::optional<Scores> scores;         // a vector mask covers it
  std::vector<DetectorMask> detectors;  // instead of `field`'s mask
  // What it shows can be made to be what somebody writes, here or in a column that it comes from. A hash of
  // it would let values be tried out.
  bool writable = false;
};

// By column name, because relatives share names and not numbers.
using Wanted = std::map<std::string, WantedMask, std::less<>>;

// Whether two values of the type can be compared by PostgreSQL's own `=` (equality_filters.cc).
bool has_plain_equality(const Type& type);

// The stronger of two for one column: a whole column beats some keys of it.
void combine(WantedMask& into, const WantedMask& other);

// Of a column that is computed from a masked one: hidden whole, and nothing to search.
WantedMask of_what_is_computed(WantedMask mask);

}  // namespace sluice::postgres::rewrite
