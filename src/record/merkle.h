// The Merkle tree of RFC 6962 §2 over the entries of one shard.
//
//   Frontier tree;
//   tree.add(leaf_hash(canonical));       // O(1) amortised, O(log n) state
//   auto root = tree.root();              // of tree.size() leaves
//   verify_inclusion(leaf, index, size, path, root);
//
// ProofBuilder makes inclusion paths for some leaves in one pass over all of them, with state O(wanted × log
// n).
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/crypto.h"

namespace sluice::record {

Digest leaf_hash(Bytes entry);                              // SHA-256(0x00 || entry)
Digest node_hash(const Digest& left, const Digest& right);  // SHA-256(0x01 || left || right)

class Frontier {
 public:
  Frontier() { peaks_.reserve(64); }
  // The frontier of `size` leaves: one hash per set bit of `size`, largest subtree first.
  static Frontier from(std::uint64_t size, std::vector<Digest> peaks);

  void add(const Digest& leaf);
  std::uint64_t size() const { return size_; }
  Digest root() const;  // of the empty tree: SHA-256 of nothing
  std::span<const Digest> peaks() const { return peaks_; }

 private:
  std::uint64_t size_ = 0;
  std::vector<Digest> peaks_;
};

using InclusionPath = std::vector<Digest>;  // from the leaf's sibling upwards
bool verify_inclusion(const Digest& leaf, std::uint64_t index, std::uint64_t size,
                      std::span<const Digest> path, const Digest& root);

class ProofBuilder {
 public:
  ProofBuilder() = default;
  // Goes on after these leaves, none of which is wanted.
  explicit ProofBuilder(const Frontier& before);
  void add(const Digest& leaf, bool wanted);  // leaves in order; `wanted`: a path for this one
  std::uint64_t size() const { return size_; }
  // Folds the tree at its present size. Afterwards only paths() and root() are of use.
  Digest finish();
  const std::unordered_map<std::uint64_t, InclusionPath>& paths() const { return paths_; }  // by leaf index

 private:
  struct Subtree {
    Digest hash;
    std::vector<std::uint64_t> wanted;  // leaves below
  };
  void merge_last_two();

  std::uint64_t size_ = 0;
  std::vector<Subtree> peaks_;
  std::unordered_map<std::uint64_t, InclusionPath> paths_;
};

}  // namespace sluice::record
