#include "systems/postgres/rewrite/scope.h"

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

Meaning resolve_bare(std::string_view name, const Scope& innermost) {
  Meaning meaning;
  bool may_be_elsewhere = false;
  for (const Scope* scope = &innermost; scope != nullptr; scope = scope->outer) {
    for (const Entry& entry : scope->entries) {
      if (!entry.visible) continue;
      auto at = position(entry.columns, name);
      if (at) {
        if (meaning.entry == nullptr) {
          meaning.kind = Meaning::Kind::column;
          meaning.entry = &entry;
          meaning.index = *at;
          meaning.scope = scope;
        }
        meaning.candidates.emplace_back(&entry, *at);
      } else if (!entry.columns.known) {
        may_be_elsewhere = true;
      }
    }
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
