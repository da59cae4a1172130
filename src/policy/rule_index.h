// RuleIndex: which of a scope's rules can be about an operation, by its verb and the names of its
// collections. Most rules name their collections in full or by their start ("public.docs", "crm.*"), so that
// of 200 rules only a handful is looked at.
//
// It sorts out only what surely does not match; what is left is matched in full.
#pragma once

#include <cstdint>
#include <memory_resource>
#include <string_view>
#include <vector>

#include "policy/matcher.h"
#include "policy/rule.h"

namespace sluice::policy {

class RuleIndex {
 public:
  // One bit per rule, in the order in which they were added.
  using Bits = std::pmr::vector<std::uint64_t>;

  // Rules are added with rising numbers; then `finish`, once.
  void add(std::uint32_t number, const Rule& rule);
  void finish(std::size_t count);

  // For the verb that the view looks at.
  Bits candidates(const OperationView& view, std::pmr::memory_resource* memory) const;

 private:
  struct Entry {
    std::uint64_t hash;  // of a literal, or of a prefix, in lower case
    std::uint32_t number;
    VerbSet verbs;
  };
  using Entries = std::vector<Entry>;  // sorted by hash

  void look_up_all(std::string_view folded, VerbSet verb, Bits& bits) const;

  std::size_t words_ = 0;
  Entries literals_;
  Entries prefixes_;
  std::uint64_t prefix_lengths_ = 0;   // bit n: some prefix has n bytes
  Entries others_;                     // until finish
  std::vector<std::uint64_t> always_;  // per verb `words_` words: rules that must be looked at in any case
};

}  // namespace sluice::policy
