// Carried columns: the keys that the gateway had put in front of a result's columns (rewrite/carried_keys.h)
// are taken off what the server says, and put into what the client says about formats.
//
// Pure functions over message payloads (PostgreSQL manual, "Message Formats"). Untrusted input: nullopt where
// the payload is not what it should be.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/bytes.h"

namespace sluice::proxy::pg {

// What stands in a DataRow instead of its first `carried` cells.
struct RowWithout {
  std::string header;    // of the message as the client gets it: type, length, number of cells
  std::size_t skip = 0;  // bytes of the payload that do not follow the header
};

// `payload` may be the beginning of one of `payload_size` bytes, as long as it holds the carried cells.
std::optional<RowWithout> row_without(Bytes payload, std::uint64_t payload_size, std::uint16_t carried);

// Appends the whole RowDescription message without its first `carried` fields.
bool description_without(std::string& out, Bytes payload, std::uint16_t carried);

// The result formats of a Bind, with `carried` times text in front where they are given one by one.
std::string formats_with(Bytes section, std::uint16_t carried);

}  // namespace sluice::proxy::pg
