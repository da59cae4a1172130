#include "systems/postgres/rewrite/masks/view_masks.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::postgres::rewrite {

namespace {

void combine_values(WantedMask& into, const WantedMask& other) {
  if (into.json_keys.empty() != other.json_keys.empty()) {
    if (other.json_keys.empty()) into = other;
    return;
  }
  for (const std::string& key : other.json_keys) {
    if (std::ranges::find(into.json_keys, key) == into.json_keys.end()) into.json_keys.push_back(key);
  }
  if (into.detectors.empty() || other.detectors.empty()) {
    into.detectors.clear();  // the column as a whole is more
  } else {
    into.detectors.insert(into.detectors.end(), other.detectors.begin(), other.detectors.end());
  }
  bool keep_order = into.field.keep_order && other.field.keep_order;
  if (other.field.mask > into.field.mask) into.field = other.field;
  into.field.keep_order = keep_order;
  if (other.scores) into.scores = std::max(into.scores.value_or(*other.scores), *other.scores);
}

}  // namespace

void combine(WantedMask& into, const WantedMask& other) {
  const bool write_allowed = into.field.write_allowed && other.field.write_allowed;
  const Filters filters = std::min(into.field.filters, other.field.filters);
  const bool writable = into.writable || other.writable;
  combine_values(into, other);
  into.field.write_allowed = write_allowed;
  into.field.filters = filters;
  into.writable = writable;
}

WantedMask of_what_is_computed(WantedMask mask) {
  mask.json_keys.clear();
  mask.detectors.clear();
  mask.scores = Scores::remove;
  mask.field.filters = Filters::none;
  if (mask.field.mask != Mask::remove) mask.field.mask = Mask::redact;
  return mask;
}

void ViewMasks::spread() {
  for (const Relation& relation : catalogue_.contents().relations) {
    if (relation.is_view() && !relation.system) resolve(relation);
  }
}

const std::string* ViewMasks::refusal(Oid view) const {
  auto found = refusals_.find(view);
  return found == refusals_.end() ? nullptr : &found->second;
}

// Views that it reads first. Views of views may be as deep as people made them, so without recursion.
void ViewMasks::resolve(const Relation& start) {
  struct Step {
    const Relation* view;
    std::size_t next = 0;  // of what it reads
  };
  std::vector<Step> stack{{&start}};
  std::unordered_set<Oid> met{start.oid};
  while (!stack.empty()) {
    Step& step = stack.back();
    if (step.next == step.view->reads.size()) {
      if (settled_.insert(step.view->oid).second) settle(*step.view);
      stack.pop_back();
      continue;
    }
    Oid oid = step.view->reads[step.next++];
    const Relation* read = catalogue_.relation(oid);
    if (read == nullptr || !read->is_view() || read->system || settled_.contains(oid)) continue;
    // A circle, which no healthy catalogue has: whoever closes it finds the other unsettled, and is refused.
    if (met.insert(oid).second) stack.push_back({read});
  }
}

void ViewMasks::settle(const Relation& view) {
  bool circle = false;
  bool masked = std::ranges::any_of(view.reads, [&](Oid oid) {
    const Relation* read = catalogue_.relation(oid);
    circle |= read != nullptr && read->is_view() && !read->system && !settled_.contains(oid);
    return wanted_.contains(oid) || reading_masked_.contains(oid);
  });
  if (!masked && !circle) return;
  reading_masked_.insert(view.oid);
  order_.push_back(view.oid);
  if (circle) {
    refusals_.emplace(view.oid, fmt::format("{} is a view that reads itself", view.qualified_name()));
  } else if (auto why = look_at(view)) {
    refusals_.emplace(view.oid, *std::move(why));
  }
}

std::optional<std::string> ViewMasks::look_at(const Relation& view) {
  const std::string called = view.qualified_name();
  for (Oid oid : view.reads) {
    if (!refusals_.contains(oid)) continue;
    return fmt::format("{} is a view of {}, which cannot be read while masks are in force", called,
                       catalogue_.relation(oid)->qualified_name());
  }
  if (!view.view.problem.empty()) {
    return fmt::format("{} is a view of masked relations, and {}", called, view.view.problem);
  }
  if (auto why = why_rows_tell(view)) return why;
  if (view.kind == RelationKind::view) {
    if (auto why = why_reading_tells(view)) return why;
  }
  Wanted& mine = wanted_[view.oid];
  for (const Column& column : view.columns) {
    auto place = static_cast<std::size_t>(column.attnum);
    if (column.attnum < 1 || place > view.view.columns.size()) {
      return fmt::format("{} has a column {} of unknown origin", called, column.name);
    }
    const ViewColumn& from = view.view.columns[place - 1];
    Origin found = strongest(from);
    if (!found.known) return fmt::format("{}.{} comes from a column that is not known", called, column.name);
    if (!found.mask) continue;
    auto [at, added] = mine.emplace(column.name, *found.mask);
    if (!added) combine(at->second, *found.mask);
    if (view.kind == RelationKind::view && computes(from)) computed_.insert({view.oid, column.attnum});
  }
  return std::nullopt;
}

std::optional<std::string> ViewMasks::why_rows_tell(const Relation& view) const {
  for (const RowOrigin& row : view.view.rows) {
    Origin found = origin(row.origin);
    if (found.known && !found.mask) continue;
    return fmt::format("which rows {} has, or their order, depends on {}, which is masked, through {}",
                       view.qualified_name(), name(row.origin), explain(row.use));
  }
  return std::nullopt;
}

std::optional<std::string> ViewMasks::why_reading_tells(const Relation& view) const {
  for (const ViewColumn& column : view.view.always_read) {
    if (!strongest(column).mask || !computes(column)) continue;
    return fmt::format("{} computes something from {}, which is masked, whatever is read of it",
                       view.qualified_name(), name(column.origins.front()));
  }
  for (const ViewColumn& column : view.view.columns) {
    if (column.bare || !strongest(column).mask) continue;
    bool may_act =
        std::ranges::any_of(column.functions, [&](Oid oid) { return catalogue_.is_volatile(oid); });
    if (!may_act) continue;
    return fmt::format("{} computes something from {}, which is masked, with a volatile function",
                       view.qualified_name(), name(column.origins.front()));
  }
  return std::nullopt;
}

std::optional<std::string> ViewMasks::why_refreshing_tells(const Relation& view) const {
  if (view.kind != RelationKind::materialized_view || !reads_masked(view.oid)) return std::nullopt;
  for (const auto* columns : {&view.view.columns, &view.view.always_read}) {
    for (const ViewColumn& column : *columns) {
      if (!strongest(column).mask || !computes(column)) continue;
      return fmt::format("it computes something from {}, which is masked", name(column.origins.front()));
    }
  }
  return std::nullopt;
}

bool ViewMasks::computes(const ViewColumn& column) const {
  return !column.bare || std::ranges::any_of(column.origins, [&](const ColumnOrigin& each) {
    return computed_.contains(each);
  });
}

ViewMasks::Origin ViewMasks::origin(const ColumnOrigin& of) const {
  const Relation* relation = catalogue_.relation(of.relation);
  if (relation == nullptr) return {.mask = std::nullopt, .known = false};
  const Column* column = of.attnum > 0 ? relation->column(of.attnum) : nullptr;
  if (of.attnum > 0 && column == nullptr) return {.mask = std::nullopt, .known = false};
  auto masks = wanted_.find(of.relation);
  if (masks == wanted_.end() || masks->second.empty()) return {};
  if (column != nullptr) {
    auto found = masks->second.find(column->name);
    return found == masks->second.end() ? Origin{} : Origin{.mask = found->second, .known = true};
  }
  // The whole row, or where it is stored.
  Origin all{.mask = masks->second.begin()->second, .known = true};
  for (const auto& [name, mask] : masks->second) combine(*all.mask, mask);
  return all;
}

ViewMasks::Origin ViewMasks::strongest(const ViewColumn& column) const {
  Origin all;
  for (const ColumnOrigin& each : column.origins) {
    Origin found = origin(each);
    all.known = all.known && found.known;
    if (!found.mask) continue;
    if (!all.mask) {
      all.mask = std::move(found.mask);
    } else {
      combine(*all.mask, *found.mask);
    }
  }
  if (all.mask && !column.bare) all.mask = of_what_is_computed(*std::move(all.mask));
  return all;
}

std::string ViewMasks::name(const ColumnOrigin& of) const {
  const Relation* relation = catalogue_.relation(of.relation);
  if (relation == nullptr) return "a relation that is not known";
  const Column* column = of.attnum > 0 ? relation->column(of.attnum) : nullptr;
  return column == nullptr ? "a row of " + relation->qualified_name()
                           : relation->qualified_name() + "." + column->name;
}

}  // namespace sluice::postgres::rewrite
