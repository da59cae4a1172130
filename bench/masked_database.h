// The database of the benchmarks (sql_statements.h) with masks on its documents.
#pragma once

#include "core/crypto.h"
#include "sql_statements.h"
#include "systems/postgres/rewrite/masks/mask_plan.h"

namespace sluice::bench {

namespace rewrite = postgres::rewrite;

struct Masked {
  std::shared_ptr<const postgres::Catalogue> catalogue = bench::database();
  std::shared_ptr<const MaskSet> masks;
  std::shared_ptr<const rewrite::MaskPlan> plan;
  std::shared_ptr<const rewrite::MaskPlan> elsewhere;  // masks on a relation that no statement names
  std::vector<std::string> path{"public"};

  Masked() {
    initialise_crypto();
    masks = std::make_shared<const MaskSet>(mask_set(1, "public.docs", {"email", "ssn", "note"}, true));
    plan = rewrite::MaskPlan::compile(*catalogue, *masks);
    elsewhere = rewrite::MaskPlan::compile(*catalogue, mask_set(2, "public.other_7", {"name"}, false));
  }

  static MaskSet mask_set(std::uint64_t id, const char* collection, std::vector<std::string> fields,
                          bool vectors) {
    MaskSet set;
    set.id = id;
    for (auto& field : fields) {
      FieldMask mask;
      mask.collection = collection;
      mask.field = std::move(field);
      set.fields.push_back(std::move(mask));
    }
    if (vectors) set.vectors.push_back({.collection = collection, .scores = Scores::keep, .rule = "r"});
    return set;
  }
};

}  // namespace sluice::bench
