#include "systems/postgres/rewrite/deparse/scope.h"

#include <algorithm>
#include <array>

namespace sluice::postgres::rewrite {
namespace {

constexpr std::array<std::string_view, 6> kSystemColumns = {"cmax",     "cmin", "ctid",
                                                            "tableoid", "xmax", "xmin"};

std::optional<std::size_t> position(const Columns& columns, std::string_view name) {
  auto at = std::ranges::find(columns.names, name);
  if (at == columns.names.end()) return std::nullopt;
  return static_cast<std::size_t>(at - columns.names.begin());
}

Meaning row_of(const Entry& entry, const Scope& scope) {
  Meaning meaning;
  meaning.kind = Meaning::Kind::whole_row;
  meaning.entry = &entry;
  meaning.scope = &scope;
  meaning.certain = true;
  return meaning;
}

// Names in reach below which they are gone through one by one.
constexpr std::size_t kFewNames = 64;

void bring_up_to_date(NameIndex& index, const std::vector<Entry>& entries) {
  if (index.entries == entries.size()) return;
  index = {};
  index.entries = entries.size();
  std::size_t names = 0;
  for (const Entry& entry : entries) {
    names += entry.columns.names.size();
    index.open += entry.visible && !entry.columns.known ? 1 : 0;
  }
  index.used = names > kFewNames;
  for (std::size_t i = 0; index.used && i < entries.size(); ++i) {
    const auto& columns = entries[i].columns.names;
    for (std::size_t c = 0; c < columns.size(); ++c) {
      auto& places = index.places[columns[c]];
      if (places.empty() || places.back().entry != i) places.push_back({i, c});
    }
  }
}

// Calls `found(entry, column)` for each visible entry that has a column of that name, in their order; answers
// whether there is another that may have it, whose columns are not all known.
template <class Found>
bool each_place(std::string_view name, const Scope& scope, Found found) {
  bring_up_to_date(scope.index, scope.entries);
  std::size_t open = scope.index.open;
  const auto hit = [&](const Entry& entry, std::size_t column) {
    if (!entry.visible) return;
    found(entry, column);
    open -= entry.columns.known ? 0 : 1;
  };
  if (scope.index.used) {
    const auto at = scope.index.places.find(name);
    if (at == scope.index.places.end()) return open > 0;
    for (const auto& place : at->second) hit(scope.entries[place.entry], place.column);
  } else {
    for (const Entry& entry : scope.entries) {
      if (const auto at = position(entry.columns, name)) hit(entry, *at);
    }
  }
  return open > 0;
}

Meaning resolve_bare(std::string_view name, const Scope& innermost) {
  Meaning meaning;
  bool may_be_elsewhere = false;
  for (const Scope* scope = &innermost; scope != nullptr; scope = scope->outer) {
    may_be_elsewhere |= each_place(name, *scope, [&](const Entry& entry, std::size_t column) {
      if (meaning.entry == nullptr) {
        meaning.kind = Meaning::Kind::column;
        meaning.entry = &entry;
        meaning.index = column;
        meaning.scope = scope;
      }
      meaning.candidates.emplace_back(&entry, column);
    });
    // A level that has the name hides those around it, unless a column that is not known may be meant.
    if (!meaning.candidates.empty() && !may_be_elsewhere) break;
  }
  meaning.certain = meaning.candidates.size() == 1 && !may_be_elsewhere;
  if (meaning.kind == Meaning::Kind::column) return meaning;
  for (const Scope* scope = &innermost; scope != nullptr; scope = scope->outer) {
    for (const Entry& entry : scope->entries) {
      if (entry.visible && entry.alias == name) return row_of(entry, *scope);
    }
  }
  return meaning;
}

}  // namespace

const Entry* find_entry(sql::Names qualifier, const Scope& innermost) {
  for (const Scope* scope = &innermost; scope != nullptr; scope = scope->outer) {
    for (const Entry& entry : scope->entries) {
      if (!entry.visible) continue;
      if (qualifier.size() == 1 && entry.alias == qualifier[0]) return &entry;
      bool same_relation = qualifier.size() == 2 && entry.relation != nullptr && !entry.has_own_alias &&
                           entry.relation->schema == qualifier[0] && entry.relation->name == qualifier[1];
      if (same_relation) return &entry;
    }
  }
  return nullptr;
}

Meaning resolve(const sql::ColumnRef& ref, const Scope& scope) {
  if (ref.parts.empty() || ref.star) return {};
  if (ref.parts.size() == 1) return resolve_bare(ref.parts[0], scope);
  Meaning meaning;
  const Entry* entry = find_entry(ref.parts.first(ref.parts.size() - 1), scope);
  if (entry == nullptr) return meaning;
  auto at = position(entry->columns, ref.parts.back());
  meaning.entry = entry;
  for (const Scope* each = &scope; each != nullptr; each = each->outer) {
    bool here = std::ranges::any_of(each->entries, [&](const Entry& e) { return &e == entry; });
    if (here) meaning.scope = each;
  }
  if (!at) return meaning;  // a function of the row, a system column, or an error
  meaning.kind = Meaning::Kind::column;
  meaning.index = *at;
  meaning.certain = true;
  meaning.candidates.emplace_back(entry, *at);
  return meaning;
}

bool is_masked_vector(const Entry& entry, std::size_t index) {
  if (entry.mask == nullptr) return entry.columns.vectors.contains(entry.columns.names[index]);
  const ColumnMask* mask = entry.mask->column(entry.relation->columns[index].attnum);
  return mask != nullptr && mask->vector;
}

bool is_system_column(std::string_view name) {
  return std::ranges::binary_search(kSystemColumns, name);
}

}  // namespace sluice::postgres::rewrite
