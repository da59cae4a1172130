#include "proxy/pg/exchange/reply_masks.h"

#include <algorithm>

#include "core/byte_reader.h"
#include "core/byte_writer.h"

namespace sluice::proxy::pg {

using namespace wire::pg;

bool has_cells(const MaskedOutputs& outputs) {
  return std::ranges::any_of(outputs, [](const auto& output) { return output.cell != nullptr; });
}

Result<std::string> row_with_masks(Bytes payload, const ResultShape& shape, const MaskedOutputs& outputs,
                                   masking::CellMasker& masker) {
  TRY(const auto row, DataRow::parse(payload));
  if (row.columns.size() != shape.columns.size())
    return fail(Errc::malformed, "DataRow does not fit its RowDescription");
  std::string out;
  out.reserve(payload.size() + 64);
  ByteWriter{out}.u16(static_cast<std::uint16_t>(row.columns.size()));
  auto next = outputs.begin();
  std::size_t at = 0;
  for (const auto& value : row.columns) {
    while (next != outputs.end() && next->column + std::size_t{shape.carried} < at) ++next;
    const bool masked = next != outputs.end() && next->column + std::size_t{shape.carried} == at &&
                        next->cell != nullptr && value.has_value();
    const std::size_t length_at = out.size();
    ByteWriter{out}.u32(value ? static_cast<std::uint32_t>(value->size()) : 0xFFFF'FFFFU);
    if (masked) {
      const bool binary = shape.columns[at].format == Format::binary;
      CHECK_OK(masker.mask(*next->cell, as_text(*value), binary, out));
      std::string length;
      ByteWriter{length}.u32(static_cast<std::uint32_t>(out.size() - length_at - sizeof(std::uint32_t)));
      out.replace(length_at, length.size(), length);
    } else if (value) {
      out.append(as_text(*value));
    }
    ++at;
  }
  return out;
}

Result<std::string> description_with_origins(Bytes payload, const MaskedOutputs& outputs,
                                             std::uint16_t carried) {
  // Table and column number stand behind the name; type, size, modifier and format behind them.
  constexpr std::size_t kOrigin = 4 + 2;
  constexpr std::size_t kBehindOrigin = 4 + 2 + 4 + 2;
  std::string out(as_text(payload));
  ByteReader in{payload};
  const auto count = in.u16();
  auto next = outputs.begin();
  for (std::uint16_t at = 0; at < count && in.ok(); ++at) {
    in.cstring();
    const auto origin_at = in.position();
    in.bytes(kOrigin + kBehindOrigin);
    if (!in.ok() || next == outputs.end() || next->column + carried != at) continue;
    std::string origin;
    ByteWriter{origin}.u32(next->relation).u16(static_cast<std::uint16_t>(next->attnum));
    out.replace(origin_at, kOrigin, origin);
    ++next;
  }
  if (!in.finished()) return fail(Errc::malformed, "RowDescription is not what it should be");
  return out;
}

std::optional<std::string> unmasked_column(const RowDescription& description,
                                           const postgres::rewrite::MaskPlan& masks,
                                           const postgres::Catalogue& catalogue, const MaskedOutputs* outputs,
                                           std::uint16_t carried) {
  std::size_t at = 0;
  for (const auto& field : description.fields) {
    const auto place = at++;
    if (field.table_oid == 0) continue;
    const auto* relation = masks.find(field.table_oid);
    if (relation == nullptr || relation->column(field.column_number) == nullptr) continue;
    const bool known = outputs != nullptr && std::ranges::any_of(*outputs, [&](const auto& output) {
                         return output.column + std::size_t{carried} == place && output.cell != nullptr &&
                                output.relation == field.table_oid && output.attnum == field.column_number;
                       });
    if (known) continue;
    const auto* named = catalogue.relation(field.table_oid);
    return fmt::format("{}.{}", named == nullptr ? std::to_string(field.table_oid) : named->qualified_name(),
                       relation->column(field.column_number)->name);
  }
  return std::nullopt;
}

}  // namespace sluice::proxy::pg
