// ByteWriter: appends integers and strings to a std::string that the caller owns and may reuse.
//
// Big-endian unless the name says `le`. Lengths that are known only later are reserved and patched:
//
//   ByteWriter out{buffer};
//   auto length = out.reserve_u32();
//   ...
//   out.patch_u32(length, out.size_since(length));   // PostgreSQL lengths count themselves
//
// The writer never shrinks or moves what was there before it; it only appends.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/bytes.h"

namespace sluice {

class ByteWriter {
 public:
  explicit ByteWriter(std::string& out) : out_(out) {}

  ByteWriter& u8(std::uint8_t v) { return big_endian(v, 1); }
  ByteWriter& u16(std::uint16_t v) { return big_endian(v, 2); }
  ByteWriter& u32(std::uint32_t v) { return big_endian(v, 4); }
  ByteWriter& u64(std::uint64_t v) { return big_endian(v, 8); }
  ByteWriter& i16(std::int16_t v) { return u16(static_cast<std::uint16_t>(v)); }
  ByteWriter& i32(std::int32_t v) { return u32(static_cast<std::uint32_t>(v)); }
  ByteWriter& u16le(std::uint16_t v) { return little_endian(v, 2); }
  ByteWriter& u32le(std::uint32_t v) { return little_endian(v, 4); }
  ByteWriter& u64le(std::uint64_t v) { return little_endian(v, 8); }
  ByteWriter& text(std::string_view v) {
    out_.append(v);
    return *this;
  }
  ByteWriter& bytes(Bytes v) { return text(as_text(v)); }
  ByteWriter& cstring(std::string_view v) {
    out_.append(v);
    out_.push_back('\0');
    return *this;
  }

  std::size_t reserve_u32() {
    auto at = out_.size();
    out_.append(4, '\0');
    return at;
  }
  void patch_u32(std::size_t at, std::uint32_t v) {
    for (int i = 0; i < 4; ++i) out_[at + static_cast<std::size_t>(i)] = static_cast<char>(v >> (24 - 8 * i));
  }
  std::uint32_t size_since(std::size_t at) const { return static_cast<std::uint32_t>(out_.size() - at); }
  std::size_t size() const { return out_.size(); }

 private:
  ByteWriter& big_endian(std::uint64_t v, int n) {
    for (int i = n - 1; i >= 0; --i) out_.push_back(static_cast<char>(v >> (8 * i)));
    return *this;
  }
  ByteWriter& little_endian(std::uint64_t v, int n) {
    for (int i = 0; i < n; ++i) out_.push_back(static_cast<char>(v >> (8 * i)));
    return *this;
  }
  std::string& out_;
};

}  // namespace sluice
