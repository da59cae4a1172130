#include "systems/postgres/describe/scope.h"

#include <algorithm>

namespace sluice::postgres::reading {
namespace {

void add_once(std::vector<std::string_view>& names, std::string_view name) {
  if (std::ranges::find(names, name) == names.end()) names.push_back(name);
}

std::vector<std::string> strings(const std::vector<std::string_view>& names) {
  return {names.begin(), names.end()};
}

}  // namespace

void Lineage::add(const Field& field) {
  if (std::ranges::find(fields, field) == fields.end()) fields.push_back(field);
}

void Lineage::add(const Lineage& other) {
  for (const auto& field : other.fields) add(field);
  for (auto distance : other.distances) {
    if (std::ranges::find(distances, distance) == distances.end()) distances.push_back(distance);
  }
  vector = vector || other.vector;
}

std::uint32_t Collections::add(const Relation& relation, Access access, bool has_vectors) {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].relation != &relation) continue;
    entries_[i].access = entries_[i].access | access;
    return static_cast<std::uint32_t>(i);
  }
  auto& entry = entries_.emplace_back();
  entry.relation = &relation;
  entry.name = relation.qualified_name();
  entry.access = access;
  entry.system = relation.system;
  entry.has_vectors = has_vectors;
  return static_cast<std::uint32_t>(entries_.size() - 1);
}

std::uint32_t Collections::add_named(std::string name, Access access, bool system) {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].name != name) continue;
    entries_[i].access = entries_[i].access | access;
    return static_cast<std::uint32_t>(i);
  }
  auto& entry = entries_.emplace_back();
  entry.name = std::move(name);
  entry.access = access;
  entry.system = system;
  return static_cast<std::uint32_t>(entries_.size() - 1);
}

void Collections::output(const Field& field) {
  auto& entry = entries_[field.collection];
  if (field.attnum == 0) {
    entry.all_fields = true;
  } else {
    add_once(entry.output, field.name);
  }
}

void Collections::tested(const Field& field) {
  auto& entry = entries_[field.collection];
  if (field.attnum != 0) return add_once(entry.tested, field.name);
  if (entry.relation == nullptr) return;
  for (const auto& column : entry.relation->columns) add_once(entry.tested, column.name);
}

void Collections::demote_outputs() {
  for (auto& entry : entries_) {
    if (entry.all_fields && entry.relation != nullptr) {
      for (const auto& column : entry.relation->columns) add_once(entry.tested, column.name);
    }
    for (auto name : entry.output) add_once(entry.tested, name);
    entry.output.clear();
    entry.all_fields = false;
  }
}

bool Collections::touches_users() const {
  return std::ranges::any_of(entries_, [](const Entry& entry) { return !entry.system; });
}

std::vector<CollectionUse> Collections::uses() const {
  std::vector<CollectionUse> out;
  out.reserve(entries_.size());
  for (const auto& entry : entries_) {
    CollectionUse use;
    use.name = entry.name;
    use.access = entry.access;
    use.output_fields = strings(entry.output);
    use.tested_fields = strings(entry.tested);
    use.all_fields = entry.all_fields;
    out.push_back(std::move(use));
  }
  return out;
}

}  // namespace sluice::postgres::reading
