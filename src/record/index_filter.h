// IndexFilter: a Bloom filter over what occurs in one stretch of the record: ids of records, constants of
// statements. "No" is certain; "perhaps" is wrong about once in a hundred times, and is looked into.
//
// The bytes are kept on disk (in an index that can be made anew): a change of the functions here is a new
// version of the index. Who can choose the ids can make the filter say "perhaps" more often, and nothing
// else.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "record/flat_table.h"

namespace sluice::record {

// What is asked for, and of which sort: an id is no constant.
enum class FilterTag : std::uint64_t { record_id = 0x51, constant = 0x52 };

// Constants are looked for without their case: `text` is then folded (core/case_fold.h).
constexpr std::uint64_t filter_hash(FilterTag tag, std::string_view text) {
  std::uint64_t hash = mix(0xcbf29ce484222325ULL ^ static_cast<std::uint64_t>(tag));  // then FNV-1a
  for (char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  }
  return mix(hash);
}

class IndexFilter {
 public:
  // Ten bits and seven probes for each: 0.8 % wrong answers.
  static std::string build(std::span<const std::uint64_t> hashes) {
    if (hashes.empty()) return {};
    std::string bits((hashes.size() * kBitsEach + 7) / 8, '\0');
    for (auto hash : hashes) {
      probe(hash, bits.size() * 8, [&](std::size_t bit) {
        bits[bit / 8] = static_cast<char>(bits[bit / 8] | (1 << bit % 8));
        return true;
      });
    }
    return bits;
  }
  static bool may_hold(std::string_view bits, std::uint64_t hash) {
    return !bits.empty() && probe(hash, bits.size() * 8, [&](std::size_t bit) {
      return (static_cast<unsigned char>(bits[bit / 8]) >> bit % 8 & 1) != 0;
    });
  }

 private:
  static constexpr std::size_t kBitsEach = 10;
  static constexpr int kProbes = 7;

  template <class Bit>
  static bool probe(std::uint64_t hash, std::size_t bits, Bit bit) {
    const std::uint64_t step = mix(hash) | 1;
    for (int i = 0; i < kProbes; ++i, hash += step) {
      if (!bit(static_cast<std::size_t>(hash % bits))) return false;
    }
    return true;
  }
};

}  // namespace sluice::record
