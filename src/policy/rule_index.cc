#include "policy/rule_index.h"

#include <algorithm>

namespace sluice::policy {
namespace {

constexpr std::size_t kLongestPrefix = 63;  // the bits of prefix_lengths_

// FNV-1a, because its value for every start of a name comes out on the way to that of the whole.
constexpr std::uint64_t kHashStart = 0xcbf29ce484222325u;
std::uint64_t hash_on(std::uint64_t hash, char c) {
  return (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
}
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = kHashStart;
  for (char c : text) hash = hash_on(hash, c);
  return hash;
}

bool indexable(const NamePattern& pattern) {
  return pattern.literal() || (pattern.prefix() && pattern.folded().size() <= kLongestPrefix);
}

}  // namespace

void RuleIndex::add(std::uint32_t number, const Rule& rule) {
  VerbSet verbs = rule.match.verbs.value_or(kAllVerbs);
  const auto& collections = rule.match.collections;
  if (collections.empty() || !std::ranges::all_of(collections, indexable)) {
    others_.push_back({0, number, verbs});
    return;
  }
  for (const NamePattern& pattern : collections) {
    (pattern.literal() ? literals_ : prefixes_).push_back({hash_of(pattern.folded()), number, verbs});
    if (pattern.prefix()) prefix_lengths_ |= std::uint64_t{1} << pattern.folded().size();
  }
}

void RuleIndex::finish(std::size_t count) {
  words_ = (count + 63) / 64;
  always_.assign(words_ * kVerbCount, 0);
  for (const Entry& entry : others_) {
    for (std::size_t verb = 0; verb < kVerbCount; ++verb) {
      if (entry.verbs >> verb & 1)
        always_[verb * words_ + entry.number / 64] |= std::uint64_t{1} << entry.number % 64;
    }
  }
  others_ = {};
  for (Entries* entries : {&literals_, &prefixes_}) {
    std::ranges::sort(*entries, {}, &Entry::hash);
    entries->shrink_to_fit();
  }
}

RuleIndex::Bits RuleIndex::candidates(const OperationView& view, std::pmr::memory_resource* memory) const {
  auto verb = static_cast<std::size_t>(view.verb());
  auto first = always_.begin() + static_cast<std::ptrdiff_t>(verb * words_);
  Bits bits{first, first + static_cast<std::ptrdiff_t>(words_), memory};
  if (literals_.empty() && prefixes_.empty()) return bits;
  VerbSet wanted = verb_bit(view.verb());
  for (std::size_t at = 0; at < view.collections(); ++at) {
    std::string_view name = view.name(at).folded;
    look_up_all(name, wanted, bits);
    // A pattern without a dot stands for the name in every schema, when read broadly.
    for (std::size_t dot = name.find('.'); dot != name.npos; dot = name.find('.', dot + 1)) {
      look_up_all(name.substr(dot + 1), wanted, bits);
    }
  }
  return bits;
}

// Literals that are this name, and prefixes that it starts with.
void RuleIndex::look_up_all(std::string_view folded, VerbSet verb, Bits& bits) const {
  auto look_up = [&](const Entries& entries, std::uint64_t hash) {
    auto entry = std::ranges::lower_bound(entries, hash, {}, &Entry::hash);
    for (; entry != entries.end() && entry->hash == hash; ++entry) {
      if (entry->verbs & verb) bits[entry->number / 64] |= std::uint64_t{1} << entry->number % 64;
    }
  };
  std::uint64_t hash = kHashStart;
  std::uint64_t lengths = prefix_lengths_ >> 1;
  for (char c : folded) {
    hash = hash_on(hash, c);
    if (lengths & 1) look_up(prefixes_, hash);
    lengths >>= 1;
  }
  look_up(literals_, hash);
}

}  // namespace sluice::policy
