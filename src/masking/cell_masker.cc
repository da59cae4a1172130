#include "masking/cell_masker.h"

#include <algorithm>
#include <charconv>

#include "core/byte_reader.h"
#include "core/byte_writer.h"
#include "core/encoding.h"

namespace sluice::masking {
namespace {

// Columns whose keys a session keeps, some hundred bytes each; it can make columns without end.
constexpr std::size_t kMaxKeys = 1024;
constexpr std::size_t kUuidBytes = 16;
constexpr std::size_t kUuidCharacters = 36;

DetectorSet all_detectors(const CellMask& mask) {
  DetectorSet all;
  for (std::size_t i = 0; i < kDetectorNames.size(); ++i) {
    const auto detector = static_cast<Detector>(i);
    if (std::ranges::any_of(mask.detectors, [&](const auto& m) { return m.detectors.contains(detector); }))
      all.add(detector);
  }
  return all;
}

// Cut to so many characters of UTF-8.
std::string_view within(std::string_view text, std::uint32_t characters) {
  if (characters == 0 || text.size() <= characters) return text;
  std::size_t seen = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80 && seen++ == characters)
      return text.substr(0, i);
  }
  return text;
}

std::optional<ByteVector> uuid_bytes(std::string_view cell, bool binary) {
  if (binary) {
    if (cell.size() != kUuidBytes) return std::nullopt;
    return ByteVector(as_bytes(cell).begin(), as_bytes(cell).end());
  }
  if (cell.size() != kUuidCharacters) return std::nullopt;
  std::string hex;
  std::ranges::copy_if(cell, std::back_inserter(hex), [](char c) { return c != '-'; });
  auto bytes = from_hex(hex);
  return bytes && bytes->size() == kUuidBytes ? bytes : std::nullopt;
}

std::string uuid_text(Bytes bytes) {
  const std::string hex = to_hex(bytes);
  return fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4),
                     hex.substr(16, 4), hex.substr(20));
}

std::string big_endian(std::uint64_t value) {
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>((value >> shift) & 0xFF));
  return bytes;
}

std::optional<std::uint64_t> bigint(std::string_view cell, bool binary) {
  if (binary) {
    if (cell.size() != 8) return std::nullopt;
    std::uint64_t value = 0;
    for (unsigned char c : cell) value = value << 8 | c;
    return value;
  }
  std::int64_t value = 0;
  const auto [at, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc{} || at != cell.data() + cell.size()) return std::nullopt;
  return static_cast<std::uint64_t>(value);
}

// Walks JSON text: whether a place is inside of a string, and where the next escape or string ends.
class JsonWalk {
 public:
  explicit JsonWalk(std::string_view text) : text_(text) {}

  // Up to `place`; returns where it really came to stand: an escape sequence is not cut.
  std::size_t advance(std::size_t place) {
    while (at_ < place) step();
    return at_;
  }
  bool in_string() const { return in_string_; }
  // The closing quote of the string that it is in, or the end of the text.
  std::size_t string_end() const {
    JsonWalk ahead = *this;
    while (ahead.at_ < text_.size() && ahead.in_string_) ahead.step();
    return ahead.in_string_ ? text_.size() : ahead.at_ - 1;
  }

 private:
  void step() {
    const char c = text_[at_++];
    if (!in_string_) {
      in_string_ = c == '"';
    } else if (c == '\\' && at_ < text_.size()) {
      at_ = std::min(text_.size(), at_ + (text_[at_] == 'u' ? 5 : 1));
    } else if (c == '"') {
      in_string_ = false;
    }
  }
  std::string_view text_;
  std::size_t at_ = 0;
  bool in_string_ = false;
};

bool is_number_character(char c) {
  return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

}  // namespace

CellMasker::CellMasker(const HashKey& key, std::string_view connection)
    : key_(hmac_sha256(key, as_bytes(connection))) {}

Digest CellMasker::hash_of(const CellMask& mask, std::string_view value) {
  auto key = keys_.find(mask.hash_scope);
  if (key == keys_.end()) {
    if (keys_.size() == kMaxKeys) keys_.clear();
    key = keys_.emplace(mask.hash_scope, hmac_sha256(key_, as_bytes(mask.hash_scope))).first;
  }
  return hmac_sha256(key->second, as_bytes(value));
}

Result<void> CellMasker::mask(const CellMask& mask, std::string_view cell, bool binary, std::string& out) {
  if (!mask.detects()) return hash(mask, cell, binary, out);
  switch (mask.kind) {
    case CellKind::json: {
      constexpr char kJsonbVersion = 1;
      if (binary) {
        if (cell.empty() || cell.front() != kJsonbVersion)
          return fail(Errc::malformed, "jsonb of an unknown version");
        out.push_back(kJsonbVersion);
        cell.remove_prefix(1);
      }
      json(mask, cell, out);
      return {};
    }
    case CellKind::text_array:
      if (binary) return binary_array(mask, cell, out);
      text(mask, cell, out);
      return {};
    case CellKind::text:
    case CellKind::uuid:
    case CellKind::bigint: text(mask, cell, out); return {};
  }
  return fail(Errc::internal, "a kind of cell that nobody masks");
}

Result<void> CellMasker::hash(const CellMask& mask, std::string_view cell, bool binary, std::string& out) {
  if (mask.hash_scope.empty()) return fail(Errc::internal, "a hash of a column that is not known");
  switch (mask.kind) {
    case CellKind::text: {
      const auto characters =
          mask.max_characters == 0 ? kHashCharacters : std::min(mask.max_characters, kHashCharacters);
      out.append(to_hex(hash_of(mask, cell)).substr(0, characters));
      return {};
    }
    case CellKind::uuid: {
      const auto bytes = uuid_bytes(cell, binary);
      if (!bytes) return fail(Errc::malformed, "a cell is no uuid");
      auto digest = hash_of(mask, as_text(*bytes));
      digest[6] = static_cast<std::uint8_t>((digest[6] & 0x0F) | 0x80);
      digest[8] = static_cast<std::uint8_t>((digest[8] & 0x3F) | 0x80);
      const auto made = Bytes(digest).first(kUuidBytes);
      out.append(binary ? std::string(as_text(made)) : uuid_text(made));
      return {};
    }
    case CellKind::bigint: {
      const auto value = bigint(cell, binary);
      if (!value) return fail(Errc::malformed, "a cell is no bigint");
      const auto digest = hash_of(mask, big_endian(*value));
      std::uint64_t made = 0;
      for (std::size_t i = 0; i < 8; ++i) made = made << 8 | digest[i];
      made &= 0x7FFF'FFFF'FFFF'FFFF;
      out.append(binary ? big_endian(made) : std::to_string(made));
      return {};
    }
    case CellKind::json:
    case CellKind::text_array: break;
  }
  return fail(Errc::internal, "a kind of cell that is not hashed");
}

std::string CellMasker::replacement(const CellMask& mask, Detector detector, std::string_view found) {
  Mask strongest = Mask::partial;
  for (const DetectorMask& each : mask.detectors) {
    if (each.detectors.contains(detector)) strongest = std::max(strongest, each.mask);
  }
  if (strongest == Mask::partial) return partly(detector, found);
  if (strongest == Mask::hash && !mask.hash_scope.empty()) {
    constexpr std::size_t kShown = 16;
    return fmt::format("{}_{}", to_string(detector), to_hex(hash_of(mask, found)).substr(0, kShown));
  }
  return "***";
}

void CellMasker::text(const CellMask& mask, std::string_view text, std::string& out) {
  thread_local std::vector<Finding> found;
  detect(text, all_detectors(mask), found);
  if (found.empty()) {
    out.append(text);
    return;
  }
  std::string made;
  std::size_t at = 0;
  for (const Finding& each : found) {
    made.append(text.substr(at, each.begin - at));
    made.append(replacement(mask, each.detector, text.substr(each.begin, each.end - each.begin)));
    at = each.end;
  }
  made.append(text.substr(at));
  out.append(within(made, mask.max_characters));
}

void CellMasker::json(const CellMask& mask, std::string_view text, std::string& out) {
  thread_local std::vector<Finding> found;
  detect(text, all_detectors(mask), found);
  if (found.empty()) {
    out.append(text);
    return;
  }
  // What reaches the end of an object or array has not been looked at, and a piece of JSON is none.
  const bool composed = text.front() == '{' || text.front() == '[';
  if (composed && found.back().end == text.size()) {
    out.append("{}");
    return;
  }
  JsonWalk walk(text);
  std::size_t at = 0;  // of what is not yet written
  for (std::size_t i = 0; i < found.size(); ++i) {
    Finding each = found[i];
    each.begin = std::max(each.begin, at);
    while (each.begin < each.end) {
      const auto begin = walk.advance(each.begin);
      if (begin >= each.end) break;
      auto end = each.end;
      if (walk.in_string()) {
        end = std::min(end, walk.string_end());
        out.append(text.substr(at, begin - at));
        if (begin < end) out.append(replacement(mask, each.detector, text.substr(begin, end - begin)));
        at = end;
        each.begin = std::max(end, begin + 1);
        continue;
      }
      if (!is_number_character(text[begin])) {  // between values
        each.begin = begin + 1;
        continue;
      }
      auto first = begin;
      auto last = begin;
      while (first > at && is_number_character(text[first - 1])) --first;
      while (last < text.size() && is_number_character(text[last])) ++last;
      out.append(text.substr(at, first - at));
      out.push_back('0');
      at = last;
      each.begin = last;
    }
    walk.advance(at);
  }
  out.append(text.substr(at));
}

// PostgreSQL's array_send: dimensions, flags, the elements' type, each dimension's length and lower bound,
// then the elements with their lengths.
Result<void> CellMasker::binary_array(const CellMask& mask, std::string_view cell, std::string& out) {
  constexpr std::uint32_t kMaxDimensions = 6;  // MAXDIM of the server
  ByteReader in(as_bytes(cell));
  const auto dimensions = in.u32();
  if (dimensions > kMaxDimensions) return fail(Errc::malformed, "an array of too many dimensions");
  const std::size_t header = 12 + std::size_t{dimensions} * 8;
  if (cell.size() < header) return fail(Errc::malformed, "an array that is cut off");
  in.bytes(header - 4);
  out.append(cell.substr(0, header));
  std::string made;
  while (in.remaining() > 0) {
    const auto length = static_cast<std::int32_t>(in.u32());
    if (!in.ok() || length < -1) return fail(Errc::malformed, "an array that is cut off");
    made.clear();
    if (length >= 0) {
      const auto element = in.bytes(static_cast<std::size_t>(length));
      if (!in.ok()) return fail(Errc::malformed, "an array that is cut off");
      text(mask, as_text(element), made);
    }
    const auto size = length < 0 ? 0xFFFF'FFFFU : static_cast<std::uint32_t>(made.size());
    for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>((size >> shift) & 0xFF));
    out.append(made);
  }
  return {};
}

}  // namespace sluice::masking
