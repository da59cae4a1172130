// Text forms of bytes: hex, base64 (RFC 4648 §4, for SCRAM) and base64url without padding (§5, for tokens and
// keys); CRC-32 (IEEE 802.3) for the check part of tokens. Decoders are strict: wrong alphabet, length or
// stray bits fail.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/bytes.h"

namespace sluice {

std::string to_hex(Bytes data);
std::optional<ByteVector> from_hex(std::string_view text);
std::string to_base64(Bytes data);
std::optional<ByteVector> from_base64(std::string_view text);
std::string to_base64url(Bytes data);
std::optional<ByteVector> from_base64url(std::string_view text);
std::uint32_t crc32(Bytes data);

// True for well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF).
bool is_valid_utf8(std::string_view text);

}  // namespace sluice
