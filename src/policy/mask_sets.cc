#include "policy/mask_sets.h"

#include <string>
#include <utility>

#include "core/byte_writer.h"
#include "core/crypto.h"

namespace sluice::policy {
namespace {

// Lengths before texts, so that no two contents have the same bytes.
class Canonical {
 public:
  Canonical& text(std::string_view value) {
    ByteWriter{bytes_}.u32(static_cast<std::uint32_t>(value.size())).text(value);
    return *this;
  }
  Canonical& texts(const std::vector<std::string>& values) {
    ByteWriter{bytes_}.u32(static_cast<std::uint32_t>(values.size()));
    for (const std::string& value : values) text(value);
    return *this;
  }
  template <class T>
  Canonical& number(T value) {
    ByteWriter{bytes_}.u32(static_cast<std::uint32_t>(value));
    return *this;
  }
  std::uint64_t id() const {
    Digest digest = sha256(as_bytes(bytes_));
    std::uint64_t id = 0;
    for (std::size_t i = 0; i < 8; ++i) id = id << 8 | digest[i];
    return id;
  }

 private:
  std::string bytes_;
};

std::uint64_t content_id(const MaskSet& set) {
  Canonical bytes;
  bytes.number(set.fields.size());
  for (const FieldMask& m : set.fields) {
    bytes.text(m.collection).text(m.field).number(m.mask).text(m.constant).texts(m.except_collections);
    bytes.number(m.write_allowed).number(m.keep_order).number(m.filters).text(m.rule);
  }
  bytes.number(set.vectors.size());
  for (const VectorMask& m : set.vectors) {
    bytes.text(m.collection).number(m.mask).number(m.scores).number(m.probes).number(m.write_allowed);
    bytes.texts(m.except_collections).text(m.rule);
  }
  bytes.number(set.detects.size());
  for (const DetectMask& m : set.detects) {
    bytes.text(m.collection).texts(m.detectors).number(m.mask).texts(m.except_collections).text(m.rule);
  }
  return bytes.id();
}

}  // namespace

void add_masks(const Rule& rule, const SessionMatch& match, MaskSet& set) {
  std::vector<std::string> except;
  for (std::size_t i = 0; i < rule.except.size(); ++i) {
    if (!(match.excepts >> i & 1)) continue;
    for (const NamePattern& pattern : rule.except[i].collections) except.push_back(pattern.text());
  }
  auto add = [&](const std::string& collection) {
    auto place = [&](auto& list, auto mask) {
      mask.collection = collection;
      mask.except_collections = except;
      mask.rule = rule.name;
      list.push_back(std::move(mask));
    };
    for (const FieldMask& mask : rule.mask.fields) place(set.fields, mask);
    for (const VectorMask& mask : rule.mask.vectors) place(set.vectors, mask);
    for (const DetectMask& mask : rule.mask.detects) place(set.detects, mask);
  };
  if (rule.match.collections.empty()) add("*");
  for (const NamePattern& pattern : rule.match.collections) add(pattern.text());
}

std::shared_ptr<const MaskSet> MaskInterner::intern(MaskSet set) {
  set.id = content_id(set);
  std::lock_guard lock{mutex_};
  std::erase_if(sets_, [](const auto& entry) { return entry.second.expired(); });
  auto& slot = sets_[set.id];
  if (auto known = slot.lock()) return known;
  auto made = std::make_shared<const MaskSet>(std::move(set));
  slot = made;
  return made;
}

}  // namespace sluice::policy
