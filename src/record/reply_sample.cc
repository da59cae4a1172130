#include "record/reply_sample.h"

#include <algorithm>

#include "core/byte_reader.h"
#include "core/byte_writer.h"

namespace sluice::record {
namespace {

// The rows section is a run of items: the columns' names, then rows of as many cells.
constexpr std::uint8_t kColumns = 1;  // u16 count, names (u16 length, text)
constexpr std::uint8_t kRow = 2;      // cells

// A cell's first byte is its CellForm; with this bit the value was cut and its full length (u64) comes first.
constexpr std::uint8_t kCutBit = 0x80;

constexpr std::size_t kMaxNameBytes = 256;  // kept of a column's name; PostgreSQL's are at most 63

void put_cell(std::string& out, const Cell& cell) {
  ByteWriter writer{out};
  auto form = static_cast<std::uint8_t>(cell.form);
  if (cell.form == CellForm::null) {
    writer.u8(form);
    return;
  }
  auto kept = cell.value.substr(0, kMaxCellBytes);
  auto full = std::max<std::uint64_t>(cell.full_size, cell.value.size());
  if (kept.size() < full) {
    writer.u8(form | kCutBit).u64le(full);
  } else {
    writer.u8(form);
  }
  writer.u16le(static_cast<std::uint16_t>(kept.size())).text(kept);
}

bool read_cell(ByteReader& in, Cell& cell) {
  auto tag = in.u8();
  bool cut = (tag & kCutBit) != 0;
  auto form = static_cast<std::uint8_t>(tag & ~kCutBit);
  if (form > static_cast<std::uint8_t>(CellForm::bytes)) return false;
  cell = Cell{.form = static_cast<CellForm>(form)};
  if (cell.form == CellForm::null) return in.ok() && !cut;
  auto full = cut ? in.u64le() : 0;
  cell.value = in.text(in.u16le());
  cell.full_size = cut ? full : cell.value.size();
  return in.ok() && cell.value.size() <= kMaxCellBytes && cut == (cell.full_size > cell.value.size());
}

bool read_names(ByteReader& in, std::vector<std::string_view>& names) {
  std::size_t count = in.u16le();
  names.clear();
  for (std::size_t i = 0; i < count && in.ok(); ++i) names.push_back(in.text(in.u16le()));
  return in.ok() && count <= kMaxSampleColumns;
}

bool read_cells(ByteReader& in, std::size_t count, std::vector<Cell>& cells) {
  cells.resize(count);
  return std::ranges::all_of(cells, [&](Cell& cell) { return read_cell(in, cell); });
}

}  // namespace

void ReplySample::clear() {
  seen_ = kept_ = 0;
  columns_ = 0;
  full_ = false;
  buffer_.clear();
}

void ReplySample::set_columns(std::span<const std::string_view> names) {
  if (full_) return;
  auto before = buffer_.size();
  columns_ = std::min(names.size(), kMaxSampleColumns);
  ByteWriter writer{buffer_};
  writer.u8(kColumns).u16le(static_cast<std::uint16_t>(columns_));
  for (auto name : names.first(columns_)) {
    name = name.substr(0, kMaxNameBytes);
    writer.u16le(static_cast<std::uint16_t>(name.size())).text(name);
  }
  if (buffer_.size() > max_bytes_ || buffer_.size() - before > kMaxColumnsBytes) {
    buffer_.resize(before);
    full_ = true;
  }
}

void ReplySample::add_row(std::span<const Cell> cells) {
  ++seen_;
  if (full_ || kept_ >= max_rows_ || cells.size() != columns_) {
    full_ = true;
    return;
  }
  auto before = buffer_.size();
  ByteWriter{buffer_}.u8(kRow);
  const auto most = std::min(max_bytes_, before + kMaxRowBytes);
  for (const auto& cell : cells) {
    put_cell(buffer_, cell);
    if (buffer_.size() > most) break;
  }
  if (buffer_.size() > most) {
    buffer_.resize(before);
    full_ = true;
    return;
  }
  ++kept_;
  full_ = kept_ >= max_rows_;
}

Result<void> read_rows(std::string_view encoded, const RowsReader& reader) {
  ByteReader in{as_bytes(encoded)};
  std::vector<std::string_view> names;
  std::vector<Cell> cells;
  bool ok = true;
  bool described = false;
  while (ok && in.remaining() > 0) {
    auto tag = in.u8();
    if (tag == kColumns) {
      ok = described = read_names(in, names);
      if (ok && reader.columns) reader.columns(names);
    } else if (tag == kRow && described) {
      ok = read_cells(in, names.size(), cells);
      if (ok && reader.row) reader.row(cells);
    } else {
      ok = false;
    }
  }
  if (!ok || !in.ok()) return fail(Errc::malformed, "a rows section does not follow its format");
  return {};
}

Result<std::vector<std::string>> split_rows(std::string_view encoded, std::size_t piece) {
  std::vector<std::string> out;
  ByteReader in{as_bytes(encoded)};
  std::string_view columns;
  std::vector<std::string_view> names;
  std::vector<Cell> cells;
  bool ok = true;
  while (ok && in.remaining() > 0) {
    auto begin = in.position();
    auto tag = in.u8();
    ok = tag == kColumns ? read_names(in, names) : tag == kRow && read_cells(in, names.size(), cells);
    auto item = encoded.substr(begin, in.position() - begin);
    if (tag == kColumns) columns = item;
    if (out.empty() || out.back().size() + item.size() > piece) {
      out.emplace_back();
      if (tag != kColumns) out.back().append(columns);
    }
    out.back().append(item);
  }
  if (!ok || !in.ok()) return fail(Errc::malformed, "a rows section does not follow its format");
  if (std::ranges::any_of(out, [&](const auto& p) { return p.size() > piece; })) {
    return fail(Errc::too_large, "one row of a reply's sample does not fit {} bytes", piece);
  }
  return out;
}

}  // namespace sluice::record
