// Recovery: what a new writer of a shard does before its first entry.
//
// It finds the end of the log, cuts what a killed writer left half-written, rebuilds the Merkle frontier, and
// learns which sessions and operations were open. The log then appends `opened` with these findings, an
// `unfinished` for each operation without outcome, and a `session_end` (gateway_lost) for each session
// without end; so every intent ends in an outcome or in a gap that says so.
//
// It never makes a log shorter that a signed checkpoint covers: if what is on disk is shorter than its own
// last checkpoint, or does not have its root, opening fails (Errc::malformed) and the shard stays as it is
// for `sluice record verify` to look at. Whatever is cut is kept beside the segments as
// "cut-<epoch>-<segment>".
#pragma once

#include <filesystem>

#include "record/head.h"
#include "record/log.h"
#include "record/open_work.h"

namespace sluice::record {

inline constexpr std::string_view kNextName = "next";  // a segment prepared and not yet in use
inline constexpr std::string_view kLockName = "lock";
inline constexpr std::string_view kCheckpointsName = "checkpoints";  // signed notes, one after the other

// A segment open for writing.
struct LiveSegment {
  SegmentHeader header;
  File file;
  Mapping map;
};

struct RecoveredShard {
  LogId log_id{};
  std::uint64_t epoch = 1;               // of the new writer
  std::shared_ptr<LiveSegment> segment;  // to go on in; null: the next one must be made first
  std::size_t used = 0;                  // bytes of it
  bool finished = false;                 // `segment` is already marked as continued
  std::uint64_t last_segment = 0;        // number; 0: the shard is new
  Frontier tree;                         // over all entries
  WallTime last_time;                    // of the last entry
  OpenWork open;
  bool after_crash = false;
  std::uint64_t torn_bytes = 0;
  std::uint64_t lost_entries = 0;
  std::uint64_t checkpoint_bytes = 0;  // of `checkpoints` that count
  std::uint64_t checkpointed = 0;      // entries under the last checkpoint
  Digest checkpoint_root{};            // of these
};

// The shard's lock must be held.
Result<RecoveredShard> recover(const LogOptions& options, const std::filesystem::path& shard_folder,
                               Disk& disk);

}  // namespace sluice::record
