// Reading the operations of one stretch (record/indexer.h) from its segment: the exact half of a search.
//
//   TRY(auto matches, scan(folder, place, conditions));
//
// Whatever does not fit what the index says about the segment is Errc::malformed: one of the two has changed.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <span>

#include "record/index_words.h"
#include "record/indexer.h"

namespace sluice::record {

// Identifies an operation in the whole record, in the order of answers (newest first is descending).
struct FoundKey {
  WallTime time;
  std::uint16_t shard = 0;
  std::uint64_t seq = 0;
  auto operator<=>(const FoundKey&) const = default;
};

// The part of a stretch to read, with what is needed from before it.
struct ScanPlace {
  std::uint16_t shard = 0;
  std::uint64_t segment = 0;
  std::uint64_t first_offset = 0;
  std::uint64_t first_seq = 0;
  std::uint64_t end_seq = 0;
  std::vector<StretchReference> references;
};

struct ScanConditions {
  const SearchQuery& query;
  const Phrases& text;
  std::string relation;                            // the query's, without its case
  std::string record_id;                           // id_search_form; empty: any
  std::function<Result<bool>(SessionId)> session;  // what the query says of principal and connection
  std::span<const std::uint64_t> late;  // seqs of operations that were sent the record later: sorted
  std::optional<FoundKey> before;       // only what comes before this in time
};

// An operation that satisfies all conditions; `found` without principal and connection, and without text,
// which is large and mostly shared.
struct Match {
  FoundOperation found;
  std::shared_ptr<const std::string> text;
  FoundKey key() const { return {found.time, found.shard, found.seq}; }
};

Result<std::vector<Match>> scan(const std::filesystem::path& folder, const ScanPlace& place,
                                const ScanConditions& conditions);

// What an outcome says about its operation. nullptr: there will be none.
void take_outcome(FoundOperation& found, const OutcomeEntry* outcome);

}  // namespace sluice::record
