// RecordIds: which records a reply carried, collected row by row and written with the outcome.
//
//   ids.clear();                                   // one object per session, reused: no allocation once it
//   has grown ids.add("public.docs", "4711");                // for each record whose values go to the client
//   ids.set_unknown();                             // where the provenance of a row is not known
//   outcome.ids = &ids;
//
// Up to kMaxRecordIds ids are kept exactly; further ones are counted and the state is `partial`. Ids longer
// than kMaxIdBytes are kept as their SHA-256, and found by it. An empty list in state `complete` says that no
// record of any collection was in the reply. Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"

namespace sluice::record {

inline constexpr std::uint64_t kMaxRecordIds = 10'000;        // kept of one operation
inline constexpr std::size_t kMaxIdBytes = 256;               // of one id's text
inline constexpr std::size_t kMaxIdsBytes = 4 * 1024 * 1024;  // encoded, of one operation

// On-disk values.
enum class IdsState : std::uint8_t { none = 0, complete = 1, partial = 2, unknown = 3 };
std::string_view to_string(IdsState state);

class RecordIds {
 public:
  explicit RecordIds(std::uint64_t limit = kMaxRecordIds) : limit_(limit) {}

  void clear();
  void add(std::string_view collection, std::string_view id);
  void set_unknown() { unknown_ = true; }

  IdsState state() const;
  std::uint64_t seen() const { return seen_; }  // ids added, kept or not
  std::uint64_t kept() const { return kept_; }
  std::string_view encoded() const { return buffer_; }  // see docs/record.md, "ids section"

 private:
  std::uint64_t limit_;
  std::uint64_t seen_ = 0;
  std::uint64_t kept_ = 0;
  bool unknown_ = false;
  std::string collection_;  // of the last id, so that its name is written once per run
  std::string buffer_;
};

// How an id is looked for: its text, or "sha256:<hex>" when it is longer than kMaxIdBytes.
std::string id_search_form(std::string_view id);

// Calls `each(collection, id)` for all ids of an encoded section, in order. Strict.
using EachId = std::function<void(std::string_view collection, std::string_view id)>;
Result<void> read_ids(std::string_view encoded, const EachId& each);

// Cuts an encoded section into pieces of at most `piece` bytes, each readable on its own.
Result<std::vector<std::string>> split_ids(std::string_view encoded, std::size_t piece);

}  // namespace sluice::record
