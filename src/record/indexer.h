// Indexer: makes the search index from the segments (record/search.h), off the hot path, and can make it anew
// from them at any time: the segments are the truth.
//
//   Indexer indexer{folder, sink};
//   TRY(auto more, indexer.run(std::chrono::milliseconds{50}, clock));   // now and then, on any one thread
//
// An index of every operation would cost more than the operation. So the index knows stretches: some thousand
// entries of one segment that follow each other, what kinds of operations are in them (StretchGroup), and a
// filter over the ids of records and the constants of statements. A search finds the stretches that may have
// something and reads their operations from the segment (record/index_scan.h), where everything is exact.
//
// What an entry refers to lies before it in the same segment: a stretch lists those statements and rulings.
// An outcome that comes in a later stretch than its intent goes into the index itself ("late").
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/clock.h"
#include "record/open_work.h"
#include "record/reader.h"
#include "record/search.h"

namespace sluice::record {

inline constexpr std::size_t kStretchEntries = 4096;     // read in some ten milliseconds
inline constexpr std::size_t kStretchMarks = 64 * 1024;  // ids and constants: 80 KB of filter
inline constexpr std::size_t kGrowingEntries = 1024;     // a smaller one is gone on with: few entries each
                                                         // time would make many stretches

// A statement or ruling that operations of the stretch name, and that lies before it.
struct StretchReference {
  std::uint64_t seq = 0;
  std::uint64_t offset = 0;  // of its first entry: a long statement has several
};

// Operations of one session, one kind of statement and one decision.
struct StretchGroup {
  SessionId session;
  std::int64_t statement = 0;  // as the sink numbers them
  Decision decision = Decision::permit;
  std::uint64_t operations = 0;
  std::uint64_t first_offset = 0;  // of the first of their entries
  std::uint64_t first_seq = 0;
  std::uint64_t last_seq = 0;  // of the last, outcomes included
};

struct Stretch {
  std::uint16_t shard = 0;
  std::uint64_t segment = 0;
  std::uint64_t first_seq = 0;
  std::uint64_t end_seq = 0;  // after the last entry
  WallTime oldest;            // of its operations
  WallTime newest;
  std::vector<StretchReference> references;
  std::vector<StretchGroup> groups;
  std::string filter;  // IndexFilter
};

// What statements have in common that differ in their constants only.
struct StatementKind {
  std::string_view system;
  std::uint32_t verbs = 0;  // one bit for each verb, 1 << its value: what it does, and what it does beside
  std::string_view statement_class;
  const std::vector<CollectionUse>* collections = nullptr;  // nullptr: none
  std::string_view shape;                                   // index_words.h
  std::string_view key;                                     // all of the above: the same for the same kind
};

struct IndexedPosition {
  std::uint16_t shard = 0;
  LogId log_id{};
  Position position;
};

// The filling side: one thread. What is between begin() and commit() takes effect together, positions
// included, so a kill in between is as if nothing had happened.
class IndexSink {
 public:
  virtual ~IndexSink() = default;
  virtual Result<std::vector<IndexedPosition>> positions() = 0;
  virtual Result<void> clear() = 0;  // everything, positions included
  virtual Result<void> begin() = 0;
  virtual Result<void> session_started(const Header& header, const SessionFacts& facts,
                                       const Position& segment) = 0;
  virtual Result<void> session_ended(const Header& header, const SessionEnd& end) = 0;
  virtual Result<std::int64_t> statement(const StatementKind& kind) = 0;  // its number, found or made
  // Takes the place of a stretch of that shard that began with the same entry.
  virtual Result<void> stretch(const Stretch& stretch) = 0;
  // Of an intent, by its seq, in an earlier stretch. nullptr: there will be no outcome.
  virtual Result<void> late_outcome(const Header& header, std::uint64_t intent,
                                    const OutcomeEntry* outcome) = 0;
  virtual Result<void> late_record_id(const Header& header, std::uint64_t intent, std::string_view collection,
                                      std::string_view id) = 0;
  virtual Result<void> set_position(const IndexedPosition& position) = 0;
  virtual Result<void> commit() = 0;
  virtual void roll_back() = 0;
};

class Indexer {
 public:
  Indexer(std::filesystem::path folder, IndexSink& sink);
  ~Indexer();

  // Reads on from where it stands until it has caught up with the segments (false) or the time is over
  // (true). A shard that cannot be read on is reported and does not hold up the others.
  Result<bool> run(std::chrono::milliseconds budget, const Clock& clock);
  // Forgets the index; the next run() begins at the first entry.
  Result<void> rebuild();

 private:
  struct Shard;
  Result<void> find_shards();
  Result<bool> advance(Shard& shard);

  std::filesystem::path folder_;
  IndexSink& sink_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::optional<std::vector<IndexedPosition>> positions_;
};

}  // namespace sluice::record
