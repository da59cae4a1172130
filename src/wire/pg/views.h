// Lists inside PostgreSQL messages, as views: read and checked once by the parser of the message, then
// iterated without allocation and without another check. They live as long as the bytes that the message was
// parsed from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>

#include "core/byte_reader.h"
#include "core/bytes.h"

namespace sluice::wire::pg {

enum class Format : std::uint8_t { text = 0, binary = 1 };

// Items laid end to end. `Codec` says what one looks like:
//   struct Codec { using Item = ...; static constexpr std::size_t kMinSize; static Item read(ByteReader& in);
//   };
template <class Codec>
class Sequence {
 public:
  using Item = typename Codec::Item;

  class Iterator {
   public:
    using value_type = Item;
    using difference_type = std::ptrdiff_t;

    Iterator() : in_(Bytes{}) {}
    Iterator(Bytes raw, std::size_t count) : in_(raw), left_(count) { load(); }
    const Item& operator*() const { return item_; }
    const Item* operator->() const { return &item_; }
    Iterator& operator++() {
      --left_;
      load();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return left_ == 0; }

   private:
    void load() {
      if (left_ != 0) item_ = Codec::read(in_);
    }
    ByteReader in_;
    std::size_t left_ = 0;
    Item item_{};
  };

  Sequence() = default;

  // Takes `count` items from `in`. A count that the remaining bytes cannot hold fails before anything is
  // read.
  static Sequence read(ByteReader& in, std::size_t count) {
    if (count > in.remaining() / Codec::kMinSize) in.set_failed();
    ByteReader probe = in;
    for (std::size_t i = 0; i < count && probe.ok(); ++i) Codec::read(probe);
    return take(in, probe, count);
  }

  // Takes items until a zero byte stands where the next one would begin, and that byte.
  static Sequence read_to_zero(ByteReader& in) {
    ByteReader probe = in;
    std::size_t count = 0;
    while (next_byte(probe) != 0) {
      Codec::read(probe);
      ++count;
    }
    auto items = take(in, probe, count);
    in.u8();
    return in.ok() ? items : Sequence{};
  }

  std::size_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  Bytes raw() const { return raw_; }  // the items as on the wire, without their count or terminator
  Iterator begin() const { return {raw_, count_}; }
  std::default_sentinel_t end() const { return {}; }

 private:
  Sequence(Bytes raw, std::size_t count) : raw_(raw), count_(count) {}
  static Sequence take(ByteReader& in, const ByteReader& probe, std::size_t count) {
    if (!probe.ok()) in.set_failed();
    auto raw = in.bytes(probe.position() - in.position());
    return in.ok() ? Sequence{raw, count} : Sequence{};
  }
  static std::uint8_t next_byte(ByteReader in) { return in.u8(); }

  Bytes raw_;
  std::size_t count_ = 0;
};

// A parameter of Bind or a column of DataRow: nullopt is SQL NULL (length -1). A length below -1 is an error:
// some drivers took it for a huge one.
using Value = std::optional<Bytes>;
struct ValueCodec {
  using Item = Value;
  static constexpr std::size_t kMinSize = 4;
  static Item read(ByteReader& in) {
    auto length = in.i32();
    if (length >= 0) return in.bytes(static_cast<std::size_t>(length));
    if (length != -1) in.set_failed();
    return std::nullopt;
  }
};
using Values = Sequence<ValueCodec>;

struct OidCodec {
  using Item = std::uint32_t;
  static constexpr std::size_t kMinSize = 4;
  static Item read(ByteReader& in) { return in.u32(); }
};
using Oids = Sequence<OidCodec>;

struct TextCodec {
  using Item = std::string_view;
  static constexpr std::size_t kMinSize = 1;
  static Item read(ByteReader& in) { return in.cstring(); }
};
using Texts = Sequence<TextCodec>;

// Format codes, read with the manual's rule: none means text for all, one means that one for all.
class FormatCodes {
 public:
  FormatCodes() = default;

  // Takes a count and that many codes; a code other than 0 and 1 fails.
  static FormatCodes read(ByteReader& in) {
    FormatCodes codes;
    codes.raw_ = in.bytes(std::size_t{in.u16()} * 2);
    for (std::size_t i = 0; i < codes.raw_.size(); i += 2) {
      if (codes.raw_[i] != 0 || codes.raw_[i + 1] > 1) in.set_failed();
    }
    return in.ok() ? codes : FormatCodes{};
  }

  std::size_t size() const { return raw_.size() / 2; }
  bool empty() const { return raw_.empty(); }
  Format operator[](std::size_t i) const { return static_cast<Format>(raw_[2 * i + 1]); }
  // True if the codes can apply to `n` columns or parameters; otherwise `of` must not be asked.
  bool covers(std::size_t n) const { return size() <= 1 || size() == n; }
  Format of(std::size_t i) const { return empty() ? Format::text : (*this)[size() == 1 ? 0 : i]; }
  Bytes raw() const { return raw_; }  // the codes as on the wire, without their count

 private:
  Bytes raw_;
};

}  // namespace sluice::wire::pg
