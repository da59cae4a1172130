// Probes: searches of masked vectors that could tell where a single record lies, counted for each principal
// and record over all sessions (docs/masking.md, "Vectors").
//
// Whoever can search may learn a vector by asking often enough: each answer says on which side of a plane a
// record lies, or, with its score, how far from a point. Ordinary searches ask for what they want to read.
// Those that feel for a vector either narrow the candidates down to few, so that each answer is about these,
// or ask with vectors that differ by little, or that lie along an axis. Such searches are counted:
//
//   one of at most 20 candidates      one probe on each of them
//   one of m candidates               20/m probes on each record of the answer, none from 1,000 on
//   a vector along an axis            one
//   a vector near to an earlier one   one: of the last 1,024 that the principal searched the same field with,
//                                     and not the same
//
// The same query again is what it was the first time: as far as embedding one text twice makes a difference.
//
//   const auto kind = probes.look_at({who, field, by_length}, sketch);   // once per search; remembers it
//   const auto units = units_of(kind, candidates);
//   // per record, before it leaves:
//   if (auto refused = probes.take({who, "public.docs", id}, units, now)) stop(...)
//
// Thread-safe. Memory is bounded by kMaxMemories and kMaxAccounts of the ledger inside; where there is no
// room for another account, a probe is refused rather than let through uncounted.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "budget/ledger.h"
#include "model/decision.h"
#include "model/query_sketch.h"

namespace sluice::budget {

// Where the records of an answer are not known, its probes count on the collection as a whole, whose account
// is so much larger (tests of single values use it too) and is charged so much more.
inline constexpr std::uint64_t kCollectionFactor = 20;
inline constexpr std::uint64_t kUnitsPerProbe = 1'000;
inline constexpr std::uint64_t kManyCandidates = 1'000;  // a search of so many isolates nothing
inline constexpr std::uint64_t kFewCandidates = 20;      // a search of so few, or fewer, is a whole probe
// An answer of more records tells the order of a good part of the collection, and of each its place in that, which
// is worth some ten answers of one record: so much is counted on each beyond.
inline constexpr std::uint64_t kDeepAnswer = 500;
inline constexpr std::uint64_t kProbesOfDeepAnswer = 10;
inline constexpr std::size_t kRemembered = 1'024;  // searches of one principal on one field
inline constexpr std::size_t kMaxMemories = 512;   // principals and fields at one time; 270 KB each at most

enum class SearchKind : std::uint8_t { ordinary, along_axis, near_another, not_understood };
// For people: "the query vector lies along an axis".
std::string_view explain(SearchKind kind);

// Thousandths of a probe. `candidates`: what the search chose from; nullopt: not known, so few. `depth`: how many
// records its answer has at most.
std::uint64_t units_of(SearchKind kind, std::optional<std::uint64_t> candidates, std::uint64_t depth = 0);

class Probes {
 public:
  struct Searcher {
    std::string_view principal;
    std::string_view connection;
    std::string_view field;  // "public.docs.embedding"
    bool by_length = true;   // the metric sees a vector's length
  };
  // nullptr: the query vector could not be read.
  SearchKind look_at(const Searcher& searcher, const QuerySketch* sketch);

  struct Record {
    std::string_view principal;
    std::string_view connection;
    std::string_view collection;
    std::string_view id;  // empty: the collection as a whole
    std::uint64_t per_day = kProbesPerDay;
  };
  // nullopt: granted.
  std::optional<Exhausted> take(const Record& record, std::uint64_t units, WallTime now);

  // For the store, as of a Ledger; the keys begin with "probes\n".
  std::vector<AccountState> snapshot(WallTime now) const { return ledger_.snapshot(now); }
  std::size_t restore(std::span<const AccountState> states, WallTime now) {
    return ledger_.restore(states, now);
  }
  static bool owns(std::string_view key) { return key.starts_with("probes\n"); }

 private:
  struct Memory {
    std::uint64_t key = 0;
    struct Search {
      QuerySketch sketch;
      SearchKind kind;
    };
    std::vector<Search> searches;  // a ring once it is full
    std::size_t next = 0;
  };

  Ledger ledger_;
  std::mutex mutex_;
  std::list<Memory> memories_;  // used last first
  std::unordered_map<std::uint64_t, std::list<Memory>::iterator> memory_of_;
};

}  // namespace sluice::budget
