// FlatTable: an open-addressing hash table that allocates only when it grows, for what the log keeps per open
// session and operation. Linear probing, erased by shifting back, at most half full. Keys are cheap to copy;
// `Hash` must mix well, because the low bits choose the slot.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace sluice::record {

// The finaliser of MurmurHash3: every input bit reaches every output bit.
constexpr std::uint64_t mix(std::uint64_t x) {
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccdULL;
  x ^= x >> 33;
  x *= 0xc4ceb9fe1a85ec53ULL;
  return x ^ (x >> 33);
}

template <class Key, class Value, class Hash>
class FlatTable {
 public:
  explicit FlatTable(std::size_t slots = 64) : slots_(slots) {}  // a power of two

  Value* find(const Key& key) {
    for (auto i = home(key);; i = next(i)) {
      if (!slots_[i].used) return nullptr;
      if (slots_[i].key == key) return &slots_[i].value;
    }
  }

  // The value of `key`, made if it was not there. Valid until the next insertion or erasure.
  Value& operator[](const Key& key) {
    if (auto* found = find(key)) return *found;
    if (2 * (size_ + 1) > slots_.size()) grow();
    auto& slot = free_slot(key);
    slot = {key, Value{}, true};
    ++size_;
    return slot.value;
  }

  bool erase(const Key& key) {
    auto i = home(key);
    while (slots_[i].used && !(slots_[i].key == key)) i = next(i);
    if (!slots_[i].used) return false;
    --size_;
    // Close the gap, so that no later key is cut off from its home.
    for (auto j = next(i); slots_[j].used; j = next(j)) {
      bool may_stay = distance(home(slots_[j].key), j) < distance(i, j);
      if (may_stay) continue;
      slots_[i] = std::move(slots_[j]);
      i = j;
    }
    slots_[i] = {};
    return true;
  }

  template <class Each>
  void for_each(Each each) const {
    for (const auto& slot : slots_) {
      if (slot.used) each(slot.key, slot.value);
    }
  }

  void clear() {
    if (size_ == 0) return;
    for (auto& slot : slots_) slot = {};
    size_ = 0;
  }
  std::size_t size() const { return size_; }

 private:
  struct Slot {
    Key key{};
    Value value{};
    bool used = false;
  };

  std::size_t mask() const { return slots_.size() - 1; }
  std::size_t home(const Key& key) const { return Hash{}(key)&mask(); }
  std::size_t next(std::size_t i) const { return (i + 1) & mask(); }
  std::size_t distance(std::size_t from, std::size_t to) const { return (to - from) & mask(); }

  Slot& free_slot(const Key& key) {
    auto i = home(key);
    while (slots_[i].used) i = next(i);
    return slots_[i];
  }

  void grow() {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    for (auto& slot : old) {
      if (slot.used) free_slot(slot.key) = std::move(slot);
    }
  }

  std::vector<Slot> slots_;
  std::size_t size_ = 0;
};

}  // namespace sluice::record
