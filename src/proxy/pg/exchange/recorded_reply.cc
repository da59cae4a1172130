#include "proxy/pg/exchange/recorded_reply.h"

#include <algorithm>
#include <ranges>
#include <vector>

namespace sluice::proxy::pg {

using namespace wire::pg;

void RecordedReply::begin(const ResultShape* shape) {
  sample_.clear();
  ids_.clear();
  if (shape == nullptr) return;
  std::vector<std::string_view> names;
  for (const auto& column : shape->columns | std::views::drop(shape->carried)) names.push_back(column.name);
  sample_.set_columns(names);
}

Result<void> RecordedReply::take_row(const ResultShape& shape, Bytes payload) {
  if (!sample_.wants_more() && shape.keys.empty() && shape.all_known) {
    sample_.count_row();
    return {};
  }
  TRY(const auto row, DataRow::parse(payload));
  // At most 1,664 (a limit of the server), mostly a handful; shared by the sessions of a thread.
  thread_local std::vector<Value> cells;
  cells.clear();
  for (const auto& cell : row.columns) cells.push_back(cell);
  if (cells.size() != shape.columns.size()) {
    skip_row();
    return {};
  }
  add_to_sample(shape, cells);
  add_ids(shape, cells);
  return {};
}

void RecordedReply::add_to_sample(const ResultShape& shape, std::span<const Value> cells) {
  if (!sample_.wants_more()) {
    sample_.count_row();
    return;
  }
  thread_local std::vector<record::Cell> sampled;
  sampled.clear();
  for (std::size_t i = shape.carried; i < cells.size(); ++i) {
    if (!cells[i]) {
      sampled.push_back(record::Cell::null());
    } else if (shape.columns[i].format == Format::text) {
      sampled.push_back(record::Cell::text(as_text(*cells[i])));
    } else {
      sampled.push_back(record::Cell::bytes(*cells[i]));
    }
  }
  sample_.add_row(sampled);
}

void RecordedReply::add_ids(const ResultShape& shape, std::span<const Value> cells) {
  for (const auto& key : shape.keys) {
    if (key.columns.size() == 1) {
      const auto at = key.columns.front();
      if (cells[at]) ids_.add(key.collection, value_text(shape.columns[at], *cells[at]));
      continue;
    }
    // Of the side of an outer join that has no record here, all are null.
    if (std::ranges::none_of(key.columns, [&](auto at) { return cells[at].has_value(); })) continue;
    std::string id;
    for (const auto at : key.columns) {
      if (at != key.columns.front()) id.push_back(',');
      if (cells[at]) id.append(value_text(shape.columns[at], *cells[at]));
    }
    ids_.add(key.collection, id);
  }
  if (!shape.all_known) ids_.set_unknown();
}

}  // namespace sluice::proxy::pg
