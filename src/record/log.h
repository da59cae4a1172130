// Log: the append-only record of one shard. Nothing is forwarded before its intent is in here, and nothing
// ends before its outcome is (docs/record.md).
//
//   TRY(auto log, Log::open({.folder = "/var/lib/sluice/record", .shard = 1, .key = key}, clock));
//   TRY(auto receipt, log->intent({.session = id, .operation = n, .op = op, .ruling = &ruling, ...}));
//   CHECK_OK(log->sync());              // durability `host` only: once per turn of the loop, for all
//   ... forward ...
//   TRY(receipt, log->outcome({...}));  // before the end of the reply
//
// Threads. One writer: all functions belong to the thread that owns the log, except status(), accepting(),
// request_checkpoint(), stop() and resume(), which any thread may call, and `maintain()`, which does the slow
// work (allocating the next segment, signing and writing checkpoints, trimming finished segments) and may run
// on one other thread, or on the same one. `tick()` is cheap and belongs to the owner; call it about once a
// second. End the thread of maintain() before close().
//
// Cost. An append is a copy into a memory-mapped segment and one SHA-256; no system call, no allocation in
// steady state. The commit word of an entry is stored last with release order, so a process killed at any
// instruction leaves a whole entry or none, and what was appended stays with the kernel.
//
// Failure. Segments are allocated (posix_fallocate) before they are mapped, so a full disk is
// Errc::storage_failed from an append and never a signal. While there is no space every append is refused,
// and allocation is tried again at most every kRetryAfter. Room for the outcomes of what is already under way
// is kept back. A log that finds its files altered under it refuses for good. An error means that nothing of
// the entry is in the log.
//
// Layout on disk, guarantees and their limits: docs/record.md.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/crypto.h"
#include "core/result.h"
#include "record/entry.h"

namespace sluice::record {

class Disk;  // record/disk.h

enum class Durability : std::uint8_t {
  process,  // survives a killed process
  host,     // survives a crash of the host, after sync()
};

inline constexpr std::uint64_t kDefaultSegmentBytes = 64ULL << 20;  // a shard holds two: in use and prepared
inline constexpr std::uint64_t kMinSegmentBytes = 64ULL << 10;      // for tests
inline constexpr std::uint64_t kMaxSegmentBytes = 1ULL << 30;  // re-read whole at start: seconds, not minutes
inline constexpr std::chrono::milliseconds kRetryAfter{500};   // between attempts to get space

struct LogOptions {
  std::filesystem::path folder;  // of the whole record; this shard's own folder is below it
  std::uint16_t shard = 0;       // 0 is the control plane's
  SigningKey key{};              // signs checkpoints
  std::string name = "sluice";   // of the key and of the log in signed notes; no spaces, no plus sign
  std::uint64_t segment_bytes = kDefaultSegmentBytes;
  Durability durability = Durability::process;
  std::chrono::seconds checkpoint_every{10};   // while there is something new to sign
  std::uint64_t checkpoint_entries = 100'000;  // or this many entries, whichever comes first
  std::string software = "sluice";             // name and version, for the `opened` entry
};

struct LogStatus {
  bool accepting = false;
  std::string why_not;             // empty while accepting
  std::uint64_t entries = 0;       // committed
  std::uint64_t found = 0;         // of those, there before this log was opened
  std::uint64_t durable = 0;       // of those, durable in the log's own sense
  std::uint64_t checkpointed = 0;  // of those, under a signed checkpoint
  Digest root{};                   // of these, as signed; zero while nothing is
  std::uint64_t segment = 0;
  std::uint64_t segment_used = 0;  // bytes
  bool next_ready = false;
  std::uint64_t open_sessions = 0;
  std::uint64_t open_operations = 0;
  std::uint64_t refused = 0;  // appends refused since open
};

class Log {
 public:
  // Takes the shard's lock (Errc::conflict when another writer has it), recovers what a killed writer left
  // (record/recovery.h), and appends `opened`. `clock` and `disk` must outlive the log.
  static Result<std::unique_ptr<Log>> open(LogOptions options, const Clock& clock);
  static Result<std::unique_ptr<Log>> open(LogOptions options, const Clock& clock, Disk& disk);
  ~Log();  // close(), ignoring errors
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // The hot path.
  Result<Receipt> session_start(const SessionFacts& facts);
  Result<Receipt> session_end(SessionId session, SessionEnd end);
  Result<Receipt> intent(const Intent& intent);
  Result<Receipt> chunk(const Chunk& chunk);
  Result<Receipt> outcome(const Outcome& outcome);
  Result<Receipt> denial(const DeniedOperation& denied);

  // Everything else that is recorded.
  Result<Receipt> append(const SessionRefused& refused);
  Result<Receipt> append(const ReviewRequested& review);
  Result<Receipt> append(const ReviewDecided& review);
  Result<Receipt> append(const ReviewUsed& review);
  Result<Receipt> append(const PolicyLoaded& policy);
  Result<Receipt> append(const PolicyRejected& policy);
  Result<Receipt> append(const AdminAction& action);
  Result<Receipt> append(const TokenEvent& token);
  Result<Receipt> append(const Incident& incident);
  Result<Receipt> append(const ShardAdded& shard);

  // Durability `host`: makes everything appended so far durable (fdatasync). With `process` it does nothing.
  Result<void> sync();
  bool is_durable(Receipt receipt) const;

  // Cheap upkeep by the owner: asks for a checkpoint when one is due, hands finished segments to maintain().
  void tick();
  // The slow upkeep; see "Threads". Trims finished segments, then write_checkpoints() and prepare_next(),
  // each whether the one before succeeded or not; the first error is the answer.
  Result<void> maintain();
  Result<void> prepare_next();
  Result<void> write_checkpoints();
  void request_checkpoint();  // from any thread; the owner's next tick() takes it up, and then maintain()
                              // writes it

  // From any thread: refuses everything from now on, with `why` in the error, until resume(). For
  // administrators and tests.
  void stop(std::string why);
  void resume();

  // Appends `closed`, writes a last checkpoint and gives the shard up. Open operations stay open: end
  // sessions first.
  Result<void> close();

  // From any thread.
  LogStatus status() const;
  bool accepting() const;  // cheap: neither stopped nor at fault (a full disk shows in the append)
  const std::array<std::uint8_t, 16>& log_id() const;

 private:
  class Body;
  explicit Log(std::unique_ptr<Body> body);
  std::unique_ptr<Body> body_;
};

}  // namespace sluice::record
