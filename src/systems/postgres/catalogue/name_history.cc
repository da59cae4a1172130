#include "systems/postgres/catalogue/name_history.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace sluice::postgres {
namespace {

bool is_followed(const Relation& relation) {
  switch (relation.kind) {
    case RelationKind::table:
    case RelationKind::partitioned_table:
    case RelationKind::view:
    case RelationKind::materialized_view:
    case RelationKind::foreign_table:
    case RelationKind::composite_type:
      return !relation.is_temporary() && !relation.system && relation.oid >= kFirstNormalOid;
    case RelationKind::sequence:
    case RelationKind::toast: return false;
  }
  return false;
}

std::vector<std::string> others(const std::vector<std::string>& names, const std::string& now) {
  std::vector<std::string> made;
  std::ranges::copy_if(names, std::back_inserter(made), [&](const auto& name) { return name != now; });
  return made;
}

}  // namespace

void NameHistory::follow(CatalogueContents& contents, Committed committed) {
  std::lock_guard lock(mutex_);
  Database& known = databases_[contents.database];
  if (committed == Committed::yes) {
    drop_missing(contents, known);
    for (const Relation& relation : contents.relations) {
      if (!is_followed(relation)) continue;
      note(contents.database, known, {relation.oid, 0}, relation.qualified_name());
      for (const Column& column : relation.columns)
        note(contents.database, known, {relation.oid, column.attnum}, column.name);
    }
  }
  const auto former = [&](Key key, const std::string& now) {
    const auto found = known.names.find(key);
    return found == known.names.end() ? std::vector<std::string>{} : others(found->second, now);
  };
  for (Relation& relation : contents.relations) {
    if (!is_followed(relation)) continue;
    relation.former_names = former({relation.oid, 0}, relation.qualified_name());
    for (Column& column : relation.columns)
      column.former_names = former({relation.oid, column.attnum}, column.name);
  }
}

void NameHistory::note(const std::string& database, Database& known, Key key, const std::string& name) {
  auto found = known.names.find(key);
  if (found == known.names.end()) {
    if (known.count >= kMaxNames) return;
    found = known.names.emplace(key, std::vector<std::string>{}).first;
  }
  auto& names = found->second;
  if (!names.empty() && names.back() == name) return;
  // An earlier name that is in use again: only the order changes.
  if (const auto before = std::ranges::find(names, name); before != names.end()) {
    std::rotate(before, before + 1, names.end());
    return;
  }
  if (names.size() >= kMaxNamesOfOne || known.count >= kMaxNames) return;
  names.push_back(name);
  ++known.count;
  changes_.added.push_back({database, key.relation, key.attnum, name});
}

void NameHistory::drop_missing(const CatalogueContents& contents, Database& known) {
  std::unordered_map<Oid, const Relation*> there;
  for (const Relation& relation : contents.relations) there.emplace(relation.oid, &relation);
  std::erase_if(known.names, [&](const auto& entry) {
    const auto& [key, names] = entry;
    const auto relation = there.find(key.relation);
    const bool lives =
        relation != there.end() && (key.attnum == 0 || relation->second->column(key.attnum) != nullptr);
    if (lives) return false;
    known.count -= names.size();
    for (const std::string& name : names)
      changes_.removed.push_back({contents.database, key.relation, key.attnum, name});
    return true;
  });
}

std::vector<NameHistory::Former> NameHistory::former() const {
  std::lock_guard lock(mutex_);
  std::vector<Former> made;
  for (const auto& [database, known] : databases_) {
    for (const auto& [key, names] : known.names) {
      if (names.size() < 2) continue;
      std::string now = names.back();
      if (key.attnum != 0) {
        const auto relation = known.names.find({key.relation, 0});
        if (relation != known.names.end()) now = relation->second.back() + "." + now;
      }
      for (std::size_t i = 0; i + 1 < names.size(); ++i)
        made.push_back({{database, key.relation, key.attnum, names[i]}, now});
    }
  }
  return made;
}

bool NameHistory::forget(const Name& name) {
  std::lock_guard lock(mutex_);
  const auto known = databases_.find(name.database);
  if (known == databases_.end()) return false;
  const auto found = known->second.names.find({name.relation, name.attnum});
  if (found == known->second.names.end()) return false;
  auto& names = found->second;
  const auto at = std::ranges::find(names, name.name);
  if (at == names.end() || at + 1 == names.end()) return false;
  names.erase(at);
  --known->second.count;
  changes_.removed.push_back(name);
  return true;
}

NameHistory::Changes NameHistory::take_changes() {
  std::lock_guard lock(mutex_);
  return std::exchange(changes_, {});
}

void NameHistory::give_back(Changes changes) {
  std::lock_guard lock(mutex_);
  std::ranges::move(changes_.added, std::back_inserter(changes.added));
  std::ranges::move(changes_.removed, std::back_inserter(changes.removed));
  changes_ = std::move(changes);
}

// In the order in which they were stored, which is that of their appearance.
void NameHistory::restore(std::span<const Name> names) {
  std::lock_guard lock(mutex_);
  for (const Name& name : names)
    note(name.database, databases_[name.database], {name.relation, name.attnum}, name.name);
  changes_ = {};
}

bool NameHistory::is_full() const {
  std::lock_guard lock(mutex_);
  return std::ranges::any_of(databases_, [](const auto& each) { return each.second.count >= kMaxNames; });
}

}  // namespace sluice::postgres
