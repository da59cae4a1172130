// The verifier: `sluice record verify`. It needs the folder and the public key, and nothing from the running
// gateway.
//
// It recomputes every hash and the Merkle tree of each shard, and compares them with the entries' numbers and
// times, the segments' headers, the signed checkpoints, the head and the list of shards. Each way to be wrong
// has a verdict (and exit code) of its own, and none of them is a warning. Within a shard it stops at the
// first finding and names the segment, the byte and the entry.
//
// What it cannot see from a folder alone: the record as a whole being set back to an earlier state, or signed
// anew by whoever holds the key. Comparing with a checkpoint kept elsewhere (`known`) shows both; see
// docs/record.md.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "record/note.h"

namespace sluice::record {

// Also the exit code of the command: never renumber.
enum class Verdict : std::uint8_t {
  intact = 0,
  altered = 20,       // an entry, header or payload is not what its hash says, or what was signed
  out_of_order = 21,  // entries or segments moved, doubled, inserted, or taken from another log
  missing_segment = 22,
  truncated = 23,       // entries at the end are gone
  bad_checkpoint = 24,  // a checkpoint is malformed or not signed by the key
  forked = 25,          // two signed checkpoints contradict each other
  unsettled = 26,       // the end does not agree with the head: a crash of the host, or entries added by hand
  missing_shard = 27,
  unreadable = 28,  // the folder or a file cannot be read: nothing is known
};
std::string_view to_string(Verdict verdict);

struct Finding {
  Verdict verdict = Verdict::intact;
  std::uint16_t shard = 0;
  std::uint64_t segment = 0;  // 0: not in a segment
  std::uint64_t offset = 0;   // byte in it
  std::uint64_t entry = 0;    // seq
  std::string detail;
};

// Of a shard that is not in order: what was seen up to the fault.
struct ShardReport {
  std::uint16_t shard = 0;
  bool whole = false;  // everything in it was reached and is in order
  std::string origin;
  std::uint64_t segments = 0;
  std::uint64_t entries = 0;
  std::uint64_t checkpoints = 0;
  std::uint64_t checkpointed =
      0;  // entries under the last signed checkpoint; those after it rest on the head alone
  std::string checkpoint_time;  // of the last one
  std::uint64_t open_operations = 0;
  std::uint64_t crashes = 0;       // runs that began after one that did not end in good order
  std::uint64_t lost_entries = 0;  // that those runs said were gone
  bool closed = false;             // the last writer closed the log
  Digest root{};                   // of all entries
};

struct VerifyReport {
  std::vector<ShardReport> shards;
  std::vector<Finding> findings;  // at most one per shard, and those about shards that are missing
  Verdict verdict() const { return findings.empty() ? Verdict::intact : findings.front().verdict; }
};

// `keys`: every key that signed this record, the present and former ones. `known`: checkpoints (whole signed
// notes) kept elsewhere, which the record must contain.
VerifyReport verify_record(const std::filesystem::path& folder, std::span<const VerifierKey> keys,
                           std::span<const std::string> known = {});

// For people: one line per shard, then the findings.
std::string format_report(const VerifyReport& report);

}  // namespace sluice::record
