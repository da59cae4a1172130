// The outermost query's output columns: which of them are masked columns as they stand, and which of these
// leave the database as they are, because their masks work on the reply's cells (ColumnMask::cell).
//
// Only there and only bare: an expression, a condition, a sort, an inner query, DISTINCT, grouping and set
// operations see the column redacted. In particular a sort by such an output, by name or by number, sorts by
// its masked value, or the order would tell.
#include <fmt/format.h>

#include <algorithm>

#include "systems/postgres/rewrite/deparse/deparser.h"
#include "systems/postgres/sql/column_name.h"
#include "systems/postgres/sql/names.h"

namespace sluice::postgres::rewrite {

using namespace sql;

namespace {

// What a star yields; nullopt: not all of it is known.
std::optional<std::vector<StarColumn>> columns_of_star(const SelectStatement& node, const ColumnRef& star,
                                                       const Scope& scope) {
  std::vector<StarColumn> all;
  if (!star.parts.empty()) {
    const Entry* entry = find_entry(star.parts, scope);
    if (entry == nullptr || !entry->columns.known) return std::nullopt;
    for (const std::string& name : entry->columns.names) all.push_back({entry->alias, name});
    return all;
  }
  for (const FromItem* item : node.from) {
    auto some = star_columns(*item, scope);
    if (!some) return std::nullopt;
    all.insert(all.end(), some->begin(), some->end());
  }
  return all;
}

struct Found {
  const Entry* entry = nullptr;
  std::size_t index = 0;
};

// The column of a masked relation that a star's column is; nothing when it is another one, or merged.
Found find_masked(const StarColumn& column, const Scope& scope) {
  if (column.alias.empty()) return {};
  for (const Entry& entry : scope.entries) {
    if (!entry.visible || entry.alias != column.alias || entry.mask == nullptr) continue;
    const auto at = std::ranges::find(entry.columns.names, column.name);
    if (at == entry.columns.names.end()) return {};
    return {&entry, static_cast<std::size_t>(at - entry.columns.names.begin())};
  }
  return {};
}

}  // namespace

void Deparser::begin_outputs(const SelectStatement& node, const Scope& scope) {
  outputs_.clear();
  shown_.clear();
  output_count_ = 0;
  outputs_counted_ = true;
  const bool stars_known = std::ranges::all_of(node.targets, [&](const Target& target) {
    if (!is_star(target)) return true;
    const auto* star = as<ColumnRef>(target.value);  // or the fields of a value: (x).*
    if (star == nullptr) return false;
    const auto columns = columns_of_star(node, *star, scope);
    return columns && have_seen(columns->size());
  });
  shows_cells_ = reply_ == Reply::rows && reads_ == Reads::masked && stars_known && !node.distinct &&
                 node.distinct_on.empty() && node.group_by.empty() && node.having == nullptr &&
                 !computes(node).aggregates;
}

const ColumnMask* Deparser::mask_of_cell(const Entry& entry, std::size_t index) const {
  if (entry.mask == nullptr || !entry.visible) return nullptr;
  const ColumnMask* mask = entry.mask->column(entry.relation->columns[index].attnum);
  if (mask == nullptr || mask->cell == nullptr) return nullptr;
  // Rows that look alike but for such a cell could not be put in an order that tells nothing about it.
  const RelationMask& relation = *entry.mask;
  const bool tells = relation.order_leaks || relation.lone_below || !relation.lone_indexes.empty();
  return tells && relation.order_key.empty() ? nullptr : mask;
}

// A star of which some columns are shown so: written out. False: there are none, so that it can stay.
bool Deparser::star_with_cells(const SelectStatement& node, const ColumnRef& star, Scope& scope,
                               const std::function<void()>& separate) {
  const auto columns = columns_of_star(node, star, scope);
  if (!columns) return false;
  const bool needed = std::ranges::any_of(*columns, [&](const StarColumn& column) {
    const Found found = find_masked(column, scope);
    return found.entry != nullptr && mask_of_cell(*found.entry, found.index) != nullptr;
  });
  if (!needed) return false;
  if (star.parts.empty()) {
    for (const Entry& entry : scope.entries) use_all(entry);
  } else {
    use_all(*find_entry(star.parts, scope));
  }
  for (const StarColumn& column : *columns) {
    separate();
    const Found found = find_masked(column, scope);
    const std::string name = quote_identifier(column.name);
    if (found.entry != nullptr && mask_of_cell(*found.entry, found.index) != nullptr) {
      show(*found.entry, found.index);
      shown_.back().name = column.name;
      out_ += " AS " + name;
    } else {
      if (found.entry != nullptr) note_output(*found.entry, found.index, nullptr);
      out_ += column.alias.empty() ? name : fmt::format("{}.{}", quote_identifier(column.alias), name);
    }
    ++output_count_;
  }
  return true;
}

// A column as it stands whose cells the reply masks: written. False: it is something else.
bool Deparser::cell(const Target& target, Scope& scope) {
  const auto* ref = as<ColumnRef>(target.value);
  if (!shows_cells_ || ref == nullptr || ref->star) return false;
  const Meaning meaning = resolve(*ref, scope);
  if (meaning.kind != Meaning::Kind::column || !meaning.certain || meaning.scope != &scope) return false;
  if (mask_of_cell(*meaning.entry, meaning.index) == nullptr) return false;
  outputs_.pop_back();  // noted without a cell when it was counted
  --output_count_;
  show(*meaning.entry, meaning.index);
  shown_.back().name = output_name(target);
  ++output_count_;
  return true;
}

void Deparser::show(const Entry& entry, std::size_t index) {
  const Column& column = entry.relation->columns[index];
  const ColumnMask& mask = *mask_of_cell(entry, index);
  Usage& usage = usages_[entry.var];
  const bool hashed = !mask.cell_null.empty();
  (hashed ? usage.hashed : usage.hidden).insert(column.attnum);
  hidden_reference(out_, *entry.var, column.attnum, hashed);
  shown_.push_back({output_count_, "", &entry, index});
  note_output(entry, index, mask.cell);
}

void Deparser::note_output(const Entry& entry, std::size_t index, std::shared_ptr<const CellMask> cell) {
  const std::int16_t attnum = entry.relation->columns[index].attnum;
  if (!outputs_counted_ || entry.mask->column(attnum) == nullptr) return;
  outputs_.push_back({output_count_, entry.relation->oid, attnum, std::move(cell)});
}

// Counts the columns of one item of the list, and notes which are masked ones as they stand.
void Deparser::count_output(const Target& target, const Scope& scope) {
  if (!outputs_counted_ || scope.select == nullptr) return;
  const auto* ref = as<ColumnRef>(target.value);
  if (is_star(target)) {
    const auto columns = ref == nullptr ? std::nullopt : columns_of_star(*scope.select, *ref, scope);
    outputs_counted_ = columns.has_value();
    if (!columns) return;
    for (const StarColumn& column : *columns) {
      if (const Found found = find_masked(column, scope); found.entry != nullptr)
        note_output(*found.entry, found.index, nullptr);
      ++output_count_;
    }
    return;
  }
  if (ref != nullptr) {
    const Meaning meaning = resolve(*ref, scope);
    const bool is_column = meaning.kind == Meaning::Kind::column && meaning.certain &&
                           meaning.scope == &scope && meaning.entry->mask != nullptr;
    if (is_column) note_output(*meaning.entry, meaning.index, nullptr);
  }
  ++output_count_;
}

// `ORDER BY email`, `ORDER BY 2`, where that output is shown so: by the masked value.
bool Deparser::sorts_by_cell(const SortItem& item) {
  if (shown_.empty()) return false;
  const ShownCell* shown = nullptr;
  if (is_ordinal(item)) {
    const auto place = as<Constant>(item.expr)->integer;
    for (const ShownCell& each : shown_) {
      if (place == each.column + 1) shown = &each;
    }
  } else if (const auto* ref = as<ColumnRef>(item.expr);
             ref != nullptr && !ref->star && ref->parts.size() == 1) {
    for (const ShownCell& each : shown_) {
      if (each.name == ref->parts[0]) shown = &each;
    }
  }
  if (shown == nullptr) return false;
  use(*shown->entry, shown->index);
  out_ += fmt::format("{}.{}", quote_identifier(shown->entry->alias),
                      quote_identifier(shown->entry->columns.names[shown->index]));
  sort_direction(item);
  return true;
}

}  // namespace sluice::postgres::rewrite
