// What a statement writes: whether it may, and whether it is what a mask has yielded.
#include <fmt/format.h>

#include <algorithm>

#include "systems/postgres/rewrite/deparse/deparser.h"
#include "systems/postgres/rewrite/masks/mask_json.h"

namespace sluice::postgres::rewrite {

using namespace sql;

void Deparser::check_event(const Written& written, std::int16_t event) {
  if (written.guards == nullptr) return;
  if (const std::string* why = written.guards->find(event)) {
    refuse(fmt::format("this write to {} could tell about masked values: {}",
                       written.relation->qualified_name(), *why));
  }
}

void Deparser::check_write(const Written& written, std::int16_t event, std::string_view column,
                           const std::vector<const Expr*>* values, bool null_is_own) {
  if (!written.is_checked() || refused()) return;
  const Relation& relation = *written.relation;
  const Column* known = relation.column(column);
  const std::string name = fmt::format("{}.{}", relation.qualified_name(), column);
  if (known == nullptr) {
    if (!fresh_) return need_relation(relation.qualified_name());
    return refuse(fmt::format("column {} does not exist", name));
  }
  const ColumnMask* mask = written.mask == nullptr ? nullptr : written.mask->column(known->attnum);
  const bool unwritable = mask != nullptr && !mask->write_allowed;
  if (unwritable && (event != kTriggerInsert || !is_left_empty(values, name, *mask))) {
    if (!refusal_) refusal_ = unwritable_denial(name, mask->rule);
    return;
  }
  if (const std::string* why = written.guards == nullptr ? nullptr : written.guards->find(event, column)) {
    return refuse(fmt::format("a write to {} could tell about masked values: {}", name, *why),
                  "Give that mask write: allow if whoever writes may know.");
  }
  if (mask == nullptr || event == 0 || unwritable) return;
  if (shows_counts_) {
    return refuse(
        fmt::format("{} is masked: how much EXPLAIN ANALYZE counts of a write to it tells whether the "
                    "value was there already",
                    name),
        "EXPLAIN without ANALYZE shows the plan.");
  }
  writes_masked_[written.var] = true;
  if (values == nullptr) return;
  const auto own = own_output(catalogue_, *known, *mask);
  if (!own) {
    // JSON without some of its keys: nothing tells it from a new document.
    if (event != kTriggerUpdate) return;
    return refuse(fmt::format("what the mask of {} (rule {}) yields depends on what is stored, so that a new "
                              "value cannot be told from it",
                              name, mask->rule),
                  "Replace the row: DELETE and INSERT, or INSERT ... ON CONFLICT DO UPDATE.");
  }
  for (const Expr* value : *values) check_value(*own, *mask, name, value, null_is_own);
}

// A new row with nothing in the column, as ORMs write it that name all columns; or with JSON that holds
// nothing of what is masked in it.
bool Deparser::is_left_empty(const std::vector<const Expr*>* values, const std::string& name,
                             const ColumnMask& mask) {
  if (values == nullptr || values->empty()) return false;
  for (const Expr* value : *values) {
    value = as_it_is(value);
    if (value == nullptr) return false;
    if (const auto* parameter = as<ParamRef>(value)) {
      written_.push_back({.number = parameter->number,
                          .column = name,
                          .rule = mask.rule,
                          .must_be_null = true,
                          .hidden_keys = mask.json_keys});
      continue;
    }
    const auto literal = written_literal(value);
    if (literal && *literal && !mask.json_keys.empty() && !may_hold_key(mask.json_keys, **literal)) continue;
    if (value->kind != ExprKind::default_ && (!literal || literal->has_value())) return false;
  }
  return true;
}

void Deparser::check_value(const OwnOutput& own, const ColumnMask& mask, const std::string& name,
                           const Expr* value, bool null_is_own) {
  value = as_it_is(value);
  if (value == nullptr || refused()) return;
  bool is_own = false;
  if (const auto* parameter = as<ParamRef>(value)) {
    written_.push_back({parameter->number, own, null_is_own, name, mask.rule});
  } else if (value->kind == ExprKind::default_) {
    is_own = !own.text && null_is_own;  // a column without a default becomes NULL
  } else if (const auto literal = written_literal(value)) {
    is_own = *literal ? is_own_output(own, **literal) : !own.text && null_is_own;
  }
  if (is_own && !refusal_) refusal_ = own_output_denial(name, mask.rule);
}

// Through a VALUES list in FROM, as bulk statements have it: every row's value.
std::vector<const Expr*> Deparser::values_of(const Expr* value, List<const FromItem*> from) const {
  const auto* ref = as<ColumnRef>(as_it_is(value));
  if (ref == nullptr || ref->star || ref->parts.empty()) return {value};
  for (const FromItem* item : from) {
    const auto* query = as<SubSelectItem>(item);
    if (query == nullptr || query->query == nullptr || !query->query->is_values || query->alias == nullptr)
      continue;
    if (ref->parts.size() > 1 && ref->parts[ref->parts.size() - 2] != query->alias->name) continue;
    const Names names = query->alias->columns;
    const auto at = std::ranges::find(names, ref->parts.back());
    if (at == names.end()) continue;
    const auto place = static_cast<std::size_t>(at - names.begin());
    std::vector<const Expr*> values;
    for (Exprs row : query->query->values) {
      if (place < row.size()) values.push_back(row[place]);
    }
    return values;
  }
  return {value};
}

void Deparser::refuse_part(const Written& written, std::string_view column) {
  if (written.mask == nullptr) return;
  const Column* known = written.relation->column(column);
  if (known == nullptr || written.mask->column(known->attnum) == nullptr) return;
  refuse(fmt::format("a part of {}.{}, which is masked, cannot be written",
                     written.relation->qualified_name(), column),
         "Write the whole value.");
}

}  // namespace sluice::postgres::rewrite
