#include "record/record_ids.h"

#include "core/byte_reader.h"
#include "core/byte_writer.h"
#include "core/crypto.h"
#include "core/encoding.h"

namespace sluice::record {
namespace {

// The ids section is a run of items: a collection's name, then the ids that belong to it.
constexpr std::uint8_t kCollection = 1;  // u16 length, name
constexpr std::uint8_t kId = 2;          // u16 length, text
constexpr std::uint8_t kLongId = 3;      // SHA-256 of an id longer than kMaxIdBytes

constexpr std::size_t kMaxCollectionBytes = 1024;  // of a collection's name; PostgreSQL's have at most 127

constexpr std::string_view kDigestPrefix = "sha256:";

void put_text(std::string& out, std::uint8_t tag, std::string_view text) {
  ByteWriter{out}.u8(tag).u16le(static_cast<std::uint16_t>(text.size())).text(text);
}

void put_id(std::string& out, std::string_view id) {
  if (id.size() <= kMaxIdBytes) return put_text(out, kId, id);
  ByteWriter{out}.u8(kLongId).bytes(sha256(as_bytes(id)));
}

}  // namespace

void RecordIds::clear() {
  seen_ = kept_ = 0;
  unknown_ = false;
  collection_.clear();
  buffer_.clear();
}

void RecordIds::add(std::string_view collection, std::string_view id) {
  ++seen_;
  if (kept_ >= limit_ || buffer_.size() >= kMaxIdsBytes || kept_ + 1 != seen_)
    return;  // never with a hole inside
  collection = collection.substr(0, kMaxCollectionBytes);
  if (buffer_.empty() || collection != collection_) {
    collection_ = collection;
    put_text(buffer_, kCollection, collection_);
  }
  put_id(buffer_, id);
  ++kept_;
}

IdsState RecordIds::state() const {
  if (unknown_) return IdsState::unknown;
  return kept_ == seen_ ? IdsState::complete : IdsState::partial;
}

std::string id_search_form(std::string_view id) {
  if (id.size() <= kMaxIdBytes) return std::string{id};
  return std::string{kDigestPrefix} + to_hex(sha256(as_bytes(id)));
}

Result<void> read_ids(std::string_view encoded, const EachId& each) {
  ByteReader in{as_bytes(encoded)};
  std::optional<std::string_view> collection;
  while (in.ok() && in.remaining() > 0) {
    auto tag = in.u8();
    if (tag == kCollection) {
      collection = in.text(in.u16le());
    } else if (tag == kId && collection) {
      auto id = in.text(in.u16le());
      if (in.ok()) each(*collection, id);
    } else if (tag == kLongId && collection) {
      auto digest = in.bytes(32);
      if (in.ok()) each(*collection, std::string{kDigestPrefix} + to_hex(digest));
    } else {
      in.set_failed();
    }
  }
  if (!in.ok()) return fail(Errc::malformed, "an ids section does not follow its format");
  return {};
}

Result<std::vector<std::string>> split_ids(std::string_view encoded, std::size_t piece) {
  std::vector<std::string> out;
  ByteReader in{as_bytes(encoded)};
  std::string_view collection;
  while (in.ok() && in.remaining() > 0) {
    auto begin = in.position();
    auto tag = in.u8();
    auto text = tag == kLongId ? in.text(32) : in.text(in.u16le());
    if (tag == kCollection) collection = text;
    auto item = encoded.substr(begin, in.position() - begin);
    if (out.empty() || out.back().size() + item.size() > piece) {
      out.emplace_back();
      if (tag != kCollection) put_text(out.back(), kCollection, collection);
    }
    out.back().append(item);
  }
  if (!in.ok()) return fail(Errc::malformed, "an ids section does not follow its format");
  return out;
}

}  // namespace sluice::record
