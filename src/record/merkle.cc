#include "record/merkle.h"

#include <bit>
#include <cstring>

namespace sluice::record {

Digest leaf_hash(Bytes entry) {
  static constexpr std::uint8_t kPrefix[] = {0x00};
  thread_local Sha256 hash;
  return hash.update(kPrefix).update(entry).finish();
}

Digest node_hash(const Digest& left, const Digest& right) {
  std::uint8_t buffer[65];
  buffer[0] = 0x01;
  std::memcpy(buffer + 1, left.data(), 32);
  std::memcpy(buffer + 33, right.data(), 32);
  return sha256(buffer);
}

Frontier Frontier::from(std::uint64_t size, std::vector<Digest> peaks) {
  Frontier frontier;
  frontier.size_ = size;
  frontier.peaks_ = std::move(peaks);
  frontier.peaks_.reserve(64);
  return frontier;
}

void Frontier::add(const Digest& leaf) {
  peaks_.push_back(leaf);
  // As many merges as the new leaf completes subtrees: one per trailing one bit of the size before it.
  for (auto merges = std::countr_one(size_); merges > 0; --merges) {
    auto right = peaks_.back();
    peaks_.pop_back();
    peaks_.back() = node_hash(peaks_.back(), right);
  }
  ++size_;
}

Digest Frontier::root() const {
  if (peaks_.empty()) return sha256({});
  auto hash = peaks_.back();
  for (auto i = peaks_.size() - 1; i-- > 0;) hash = node_hash(peaks_[i], hash);
  return hash;
}

// RFC 9162 §2.1.3.2, which states the verification that RFC 6962 leaves to the reader.
bool verify_inclusion(const Digest& leaf, std::uint64_t index, std::uint64_t size,
                      std::span<const Digest> path, const Digest& root) {
  if (index >= size) return false;
  auto fn = index;
  auto sn = size - 1;
  auto hash = leaf;
  for (const auto& sibling : path) {
    if (sn == 0) return false;
    if ((fn & 1) != 0 || fn == sn) {
      hash = node_hash(sibling, hash);
      while ((fn & 1) == 0 && fn != 0) {
        fn >>= 1;
        sn >>= 1;
      }
    } else {
      hash = node_hash(hash, sibling);
    }
    fn >>= 1;
    sn >>= 1;
  }
  return sn == 0 && hash == root;
}

ProofBuilder::ProofBuilder(const Frontier& before) : size_(before.size()) {
  for (const auto& peak : before.peaks()) peaks_.push_back({peak, {}});
}

void ProofBuilder::add(const Digest& leaf, bool wanted) {
  peaks_.push_back({leaf, {}});
  if (wanted) {
    peaks_.back().wanted.push_back(size_);
    paths_.try_emplace(size_);
  }
  for (auto merges = std::countr_one(size_); merges > 0; --merges) merge_last_two();
  ++size_;
}

void ProofBuilder::merge_last_two() {
  auto right = std::move(peaks_.back());
  peaks_.pop_back();
  auto& left = peaks_.back();
  for (auto leaf : left.wanted) paths_[leaf].push_back(right.hash);
  for (auto leaf : right.wanted) paths_[leaf].push_back(left.hash);
  left.hash = node_hash(left.hash, right.hash);
  left.wanted.insert(left.wanted.end(), right.wanted.begin(), right.wanted.end());
}

Digest ProofBuilder::finish() {
  if (peaks_.empty()) return sha256({});
  while (peaks_.size() > 1) merge_last_two();
  return peaks_.front().hash;
}

}  // namespace sluice::record
