#include "proxy/pg/exchange/carried_columns.h"

#include "core/byte_reader.h"
#include "core/byte_writer.h"

namespace sluice::proxy::pg {
namespace {

constexpr std::size_t kLengthBytes = 4;  // of a message, counted by itself

// Table, column number, type, size, modifier, format: what follows a field's name.
constexpr std::size_t kFieldTail = 4 + 2 + 4 + 2 + 4 + 2;

// Type, length, count: how DataRow and RowDescription begin.
void write_header(std::string& out, char type, std::uint64_t rest, std::uint16_t count) {
  out.push_back(type);
  ByteWriter{out}.u32(static_cast<std::uint32_t>(kLengthBytes + sizeof count + rest)).u16(count);
}

}  // namespace

std::optional<RowWithout> row_without(Bytes payload, std::uint64_t payload_size, std::uint16_t carried) {
  ByteReader in{payload};
  const auto count = in.u16();
  if (!in.ok() || count < carried) return std::nullopt;
  for (std::uint16_t i = 0; i < carried; ++i) {
    const auto length = in.i32();
    if (length > 0) in.bytes(static_cast<std::size_t>(length));
  }
  if (!in.ok()) return std::nullopt;
  RowWithout row;
  row.skip = in.position();
  write_header(row.header, 'D', payload_size - row.skip, static_cast<std::uint16_t>(count - carried));
  return row;
}

bool description_without(std::string& out, Bytes payload, std::uint16_t carried) {
  ByteReader in{payload};
  const auto count = in.u16();
  if (!in.ok() || count < carried) return false;
  for (std::uint16_t i = 0; i < carried; ++i) {
    in.cstring();
    in.bytes(kFieldTail);
  }
  const auto rest = in.rest();
  if (!in.ok()) return false;
  write_header(out, 'T', rest.size(), static_cast<std::uint16_t>(count - carried));
  out.append(as_text(rest));
  return true;
}

std::string formats_with(Bytes section, std::uint16_t carried) {
  ByteReader in{section};
  const auto count = in.u16();
  if (count < 2 || count > 0xFFFF - carried) return std::string{as_text(section)};  // none, or one for all
  std::string out;
  ByteWriter writer{out};
  writer.u16(static_cast<std::uint16_t>(count + carried));
  for (std::uint16_t i = 0; i < carried; ++i) writer.u16(0);
  return out.append(as_text(in.rest()));
}

}  // namespace sluice::proxy::pg
