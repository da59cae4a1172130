// ReplySample: the first rows of the reply as the client got them (masked), kept in a form that knows no
// database.
//
//   sample.clear();                                // one object per session, reused
//   sample.set_columns(names);                     // once per result; again when a later result has other
//   columns sample.add_row(cells);                         // Cell::null(), Cell::text("..."),
//   Cell::bytes(...) outcome.rows = &sample;
//
// `add_row` keeps rows until `max_rows` or `max_bytes` is reached and only counts after that; `complete()`
// says which it was. `wants_more()` lets a caller skip the work of taking a row apart. A cell longer than
// kMaxCellBytes is cut and carries its full length. What is beyond the sample is covered by the outcome's
// reply digest. Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"

namespace sluice::record {

inline constexpr std::uint64_t kMaxSampleRows = 100;       // of one operation, unless configured
inline constexpr std::size_t kMaxSampleBytes = 64 * 1024;  // encoded, of one operation, unless configured
inline constexpr std::size_t kMaxCellBytes = 4 * 1024;     // kept of one value
inline constexpr std::size_t kMaxSampleColumns = 1'664;    // PostgreSQL's own limit of a result

// Of one row, and of one result's column names: together they must fit one entry. A larger one is counted
// only.
inline constexpr std::size_t kMaxRowBytes = 32 * 1024;
inline constexpr std::size_t kMaxColumnsBytes = 24 * 1024;

// On-disk values.
enum class CellForm : std::uint8_t { null = 0, text = 1, bytes = 2 };
struct Cell {
  CellForm form = CellForm::null;
  std::string_view value;
  std::uint64_t full_size = 0;  // of the value before it was cut; set when read back

  static Cell null() { return {}; }
  static Cell text(std::string_view v) { return {CellForm::text, v, v.size()}; }
  static Cell bytes(Bytes v) { return {CellForm::bytes, as_text(v), v.size()}; }
  bool cut() const { return full_size > value.size(); }
};

class ReplySample {
 public:
  explicit ReplySample(std::uint64_t max_rows = kMaxSampleRows, std::size_t max_bytes = kMaxSampleBytes)
      : max_rows_(max_rows), max_bytes_(max_bytes) {}

  void clear();
  void set_columns(std::span<const std::string_view> names);
  void add_row(std::span<const Cell> cells);
  void count_row() { ++seen_; }  // a row that need not be taken apart because `wants_more()` is false

  bool wants_more() const { return !full_; }
  bool complete() const { return seen_ == kept_; }
  std::uint64_t seen() const { return seen_; }
  std::uint64_t kept() const { return kept_; }
  std::string_view encoded() const { return buffer_; }  // see docs/record.md, "rows section"

 private:
  std::uint64_t max_rows_;
  std::size_t max_bytes_;
  std::uint64_t seen_ = 0;
  std::uint64_t kept_ = 0;
  std::size_t columns_ = 0;
  bool full_ = false;
  std::string buffer_;
};

// Reads an encoded section back. Strict: rows must have as many cells as there are columns.
struct RowsReader {
  std::function<void(std::span<const std::string_view> names)> columns;
  std::function<void(std::span<const Cell> cells)> row;
};
Result<void> read_rows(std::string_view encoded, const RowsReader& reader);

// Cuts an encoded section into pieces of at most `piece` bytes, each readable on its own.
Result<std::vector<std::string>> split_rows(std::string_view encoded, std::size_t piece);

}  // namespace sluice::record
