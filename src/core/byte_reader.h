// ByteReader: the one way to take integers and strings out of untrusted bytes.
//
// Failure is sticky: after the first read past the end (or an unterminated string) every further read answers
// zero or empty, and `ok()` is false. So a decoder reads all its fields and asks once:
//
//   ByteReader in{payload};
//   auto pid = in.u32(); auto key = in.rest();
//   if (!in.ok()) return fail(...);
//
// `finished()` is true when all was consumed without failure; strict decoders demand it.
// Big-endian (network order) unless the name says `le`. Views point into the given bytes and live as long as
// those.
#pragma once

#include <cstring>

#include "core/bytes.h"

namespace sluice {

class ByteReader {
 public:
  explicit ByteReader(Bytes bytes) : bytes_(bytes) {}

  std::uint8_t u8() { return take(1) ? bytes_[at_ - 1] : std::uint8_t{0}; }
  std::uint16_t u16() { return static_cast<std::uint16_t>(big_endian(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(big_endian(4)); }
  std::uint64_t u64() { return big_endian(8); }
  std::int16_t i16() { return static_cast<std::int16_t>(u16()); }
  std::int32_t i32() { return static_cast<std::int32_t>(u32()); }
  std::int64_t i64() { return static_cast<std::int64_t>(u64()); }
  std::uint16_t u16le() { return static_cast<std::uint16_t>(little_endian(2)); }
  std::uint32_t u32le() { return static_cast<std::uint32_t>(little_endian(4)); }
  std::uint64_t u64le() { return little_endian(8); }

  Bytes bytes(std::size_t n) { return take(n) ? bytes_.subspan(at_ - n, n) : Bytes{}; }
  std::string_view text(std::size_t n) { return as_text(bytes(n)); }

  // A string up to its NUL, which is consumed and not part of the view.
  std::string_view cstring() {
    if (!ok_) return {};
    auto left = bytes_.subspan(at_);
    const void* nul = left.empty() ? nullptr : std::memchr(left.data(), 0, left.size());
    if (nul == nullptr) {
      ok_ = false;
      return {};
    }
    auto length = static_cast<std::size_t>(static_cast<const std::uint8_t*>(nul) - left.data());
    at_ += length + 1;
    return as_text(left.first(length));
  }

  Bytes rest() { return bytes(remaining()); }

  std::size_t position() const { return at_; }
  std::size_t remaining() const { return ok_ ? bytes_.size() - at_ : 0; }
  bool ok() const { return ok_; }
  bool finished() const { return ok_ && at_ == bytes_.size(); }
  void set_failed() { ok_ = false; }

 private:
  bool take(std::size_t n) {
    if (!ok_ || n > bytes_.size() - at_) {
      ok_ = false;
      return false;
    }
    at_ += n;
    return true;
  }
  std::uint64_t big_endian(std::size_t n) {
    if (!take(n)) return 0;
    std::uint64_t value = 0;
    for (std::size_t i = at_ - n; i < at_; ++i) value = (value << 8) | bytes_[i];
    return value;
  }
  std::uint64_t little_endian(std::size_t n) {
    if (!take(n)) return 0;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < n; ++i) value |= std::uint64_t{bytes_[at_ - n + i]} << (8 * i);
    return value;
  }

  Bytes bytes_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace sluice
