// The inside of Log. Three parts: the append itself (here, inlined), the typed entries (log.cc), and the
// segments and checkpoints around them (log_body.cc).
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <mutex>

#include "record/log.h"
#include "record/note.h"
#include "record/recovery.h"
#include "record/remembered.h"

namespace sluice::record {

inline constexpr std::chrono::milliseconds kClockTolerance{
    1000};  // a smaller step back is slewing, not a step
// What an operation and a session still have to write when they end (an outcome without rows, an end), kept
// free in a segment while there is no next one.
inline constexpr std::size_t kReservePerOperation = 320;
inline constexpr std::size_t kReservePerSession = 192;
inline constexpr std::size_t kLargestReserve = 4;   // at most a quarter of a segment
inline constexpr std::size_t kPopulated = 1 << 20;  // of a new segment: a thousand operations
inline constexpr int kMaxRolls = 2;                 // for one entry; more would not help

class Log::Body {
 public:
  Body(LogOptions options, const Clock& clock, Disk& disk);

  Result<void> start();
  Result<void> close();
  ~Body();

  // Appends one entry. `encode(FixedWriter&)` writes its payload, and may be called more than once. `opens`:
  // more will have to be written because of this one.
  template <class Encode>
  Result<Receipt> write(Kind kind, SessionId session, OperationId operation, Encode&& encode,
                        bool opens = false);

  // Appends one entry that belongs into the segment of those before it. nullopt: it had no room, and the next
  // segment has begun; all of them must be written again.
  template <class Encode>
  Result<std::optional<Receipt>> write_here(Kind kind, Encode&& encode);

  // For entries that name others of the same segment by seq: `prepare` writes those or finds them, `encode`
  // then uses what it found. When the segment changes in between, both are done again.
  template <class Prepare, class Encode>
  Result<Receipt> write_with(Kind kind, SessionId session, OperationId operation, Prepare&& prepare,
                             Encode&& encode, bool opens);

  Result<std::uint64_t> statement_seq(const std::shared_ptr<const Operation>& op);
  Result<std::uint64_t> ruling_seq(const Ruling& ruling, const Digest& policy_digest);
  std::span<const Param> bounded_params(std::span<const Param> params);
  Result<void> attach_samples(const Outcome& outcome, OutcomeEntry& entry);

  Result<void> require_session(SessionId session);
  Result<void> require_operation(SessionId session, OperationId operation);

  Result<void> sync();
  void tick();
  Result<void> maintain();
  Result<void> prepare_next();
  Result<void> write_checkpoints();
  void request_checkpoint();
  void stop(std::string why);
  void resume();
  LogStatus status() const;
  bool accepting() const {
    return !stopped_.load(std::memory_order_relaxed) && fault_.load(std::memory_order_relaxed) == Fault::none;
  }
  bool is_durable(Receipt receipt) const {
    return receipt.seq < (options_.durability == Durability::host ? synced_ : tree_.size());
  }
  const LogId& log_id() const { return log_id_; }

  OpenWork& open() { return open_; }

 private:
  enum class Fault : std::uint8_t { none, altered, sync_failed };
  enum class Fit : std::uint8_t { done, no_room, too_large };

  template <class Encode>
  Fit try_write(Kind kind, SessionId session, OperationId operation, Encode&& encode, bool opens,
                Receipt& receipt);

  Result<void> admit() {
    if (accepting()) [[likely]]
      return {};
    return refuse();
  }
  Result<void> refuse();
  std::string why_not() const;
  Result<void> sync_file(const File& file);
  void trim_finished();
  std::unexpected<Error> too_large(Kind kind);
  Result<void> keep_time();
  std::size_t reserve() const {
    if (next_ready_.load(std::memory_order_relaxed)) return 0;
    auto wanted = open_.operations() * kReservePerOperation + open_.sessions() * kReservePerSession;
    return std::min<std::size_t>(wanted, (end_ - kSegmentHeaderBytes) / kLargestReserve);
  }
  template <class Encode>
  bool ever_fits(Encode&& encode);

  // log_body.cc
  void populate_ahead(const LiveSegment& segment);
  Result<void> roll();
  Result<void> make_next();  // with next_mutex_
  void use(std::shared_ptr<LiveSegment> segment, std::size_t used);
  Result<void> write_carried();
  Result<void> settle_recovered(RecoveredShard& recovered);
  void queue_checkpoint();
  // Both: nullopt when a new segment began on the way.
  Result<std::optional<std::uint64_t>> write_statement(const Operation& op, const Digest& text_digest);
  Result<std::optional<std::uint64_t>> write_mask_set(const MaskSet& masks);
  Result<std::optional<std::uint64_t>> mask_set_seq(const std::shared_ptr<const MaskSet>& masks);

  struct PendingCheckpoint {
    Checkpoint checkpoint;
    std::shared_ptr<LiveSegment> segment;  // holds the last entry that it covers
  };
  struct Finished {
    std::shared_ptr<LiveSegment> segment;
    std::size_t used = 0;
  };

  LogOptions options_;
  const Clock& clock_;
  Disk& disk_;
  std::filesystem::path folder_;
  File lock_;
  Head head_;
  File checkpoints_;
  LogId log_id_{};
  std::uint64_t found_ = 0;  // entries that were there at the start
  std::uint64_t epoch_ = 0;
  bool open_for_business_ = false;  // start() succeeded and close() was not called

  // The present segment, and what the owner's thread knows.
  std::shared_ptr<LiveSegment> segment_;
  std::uint8_t* base_ = nullptr;
  std::size_t at_ = 0;
  std::size_t end_ = 0;              // the last kEndBytes stay free
  std::uint64_t segments_used_ = 0;  // number of the present one
  Frontier tree_;
  Sha256 hash_;
  WallTime last_time_;
  OpenWork open_;
  Remembered remembered_;
  std::string scratch_;
  std::string ruling_scratch_;
  std::vector<Param> params_;
  std::atomic<bool> stopped_ = false;
  std::uint64_t synced_ = 0;                            // host: entries known to be on disk
  std::vector<std::shared_ptr<LiveSegment>> unsynced_;  // host: finished since the last sync
  bool names_unsynced_ = false;                         // host: a segment got its name since the last sync
  SteadyTime retry_at_{};
  std::atomic<bool> no_space_ = false;
  std::uint64_t queued_size_ = 0;  // entries under the last checkpoint asked for
  SteadyTime queued_at_{};
  std::atomic<bool> checkpoint_due_ = false;

  // maintain()'s own.
  struct Ahead {
    std::uint64_t segment = 0;
    std::size_t populated = 0;  // bytes of it in memory
    std::size_t used = 0;       // at the last look
  };
  Ahead ahead_;

  // Shared with maintain().
  std::mutex next_mutex_;  // held while a segment is being allocated
  std::shared_ptr<LiveSegment> next_;
  std::atomic<bool> next_ready_ = false;
  std::mutex queue_mutex_;
  std::vector<PendingCheckpoint> pending_;
  std::vector<Finished> finished_;
  std::shared_ptr<LiveSegment> watched_;  // the present segment, for maintain() to look after
  std::mutex notes_mutex_;                // one writer of `checkpoints` at a time
  std::uint64_t checkpoint_bytes_ = 0;
  struct Signed {
    std::uint64_t size = 0;
    Digest root{};
  };
  mutable std::mutex signed_mutex_;
  Signed signed_;                           // the last checkpoint
  std::atomic<Fault> fault_ = Fault::none;  // stays

  // For status(), from any thread.
  struct Published {
    std::atomic<std::uint64_t> entries = 0;
    std::atomic<std::uint64_t> synced = 0;
    std::atomic<std::uint64_t> segment = 0;
    std::atomic<std::uint64_t> used = 0;
    std::atomic<std::uint64_t> sessions = 0;
    std::atomic<std::uint64_t> operations = 0;
    std::atomic<std::uint64_t> refused = 0;
  };
  void publish() {
    published_.entries.store(tree_.size(), std::memory_order_relaxed);
    published_.segment.store(segments_used_, std::memory_order_relaxed);
    published_.used.store(at_, std::memory_order_relaxed);
    published_.sessions.store(open_.sessions(), std::memory_order_relaxed);
    published_.operations.store(open_.operations(), std::memory_order_relaxed);
  }
  Published published_;
  mutable std::mutex reason_mutex_;
  std::string stop_reason_;
  Error space_error_{Errc::storage_failed, {}};
};

template <class Encode>
bool Log::Body::ever_fits(Encode&& encode) {
  auto room =
      std::min(kMaxEntryBytes, options_.segment_bytes - kSegmentHeaderBytes - kFrameHeaderBytes - kEndBytes);
  scratch_.resize(kMaxEntryBytes);
  auto* begin = reinterpret_cast<std::uint8_t*>(scratch_.data());
  FixedWriter out{begin, begin + room - kHeaderBytes};
  encode(out);
  return !out.overflow();
}

template <class Encode>
Log::Body::Fit Log::Body::try_write(Kind kind, SessionId session, OperationId operation, Encode&& encode,
                                    bool opens, Receipt& receipt) {
  auto room = end_ - at_;
  if (room < kFrameHeaderBytes + kHeaderBytes) return Fit::no_room;
  auto* frame = base_ + at_;
  auto* canonical = frame + kFrameHeaderBytes;
  FixedWriter out{canonical, canonical + std::min(room - kFrameHeaderBytes, kMaxEntryBytes)};
  Header header{kind, options_.shard, tree_.size(), last_time_, session, operation};
  record::encode(out, header);
  encode(out);
  auto size = out.size();
  bool kept_back = opens && !out.overflow() && room - frame_bytes(size) < reserve();
  if (out.overflow() || kept_back) [[unlikely]] {
    std::memset(canonical, 0, size);
    return kept_back || ever_fits(encode) ? Fit::no_room : Fit::too_large;
  }
  // The byte before the canonical form is zero and RFC 6962's leaf prefix.
  auto leaf = hash_.update(Bytes{canonical - 1, size + 1}).finish();
  std::memcpy(frame + kCommitBytes, leaf.data(), leaf.size());
  auto commit = static_cast<std::uint32_t>(size);
  if constexpr (std::endian::native == std::endian::big) commit = __builtin_bswap32(commit);
  std::atomic_ref<std::uint32_t>{*reinterpret_cast<std::uint32_t*>(frame)}.store(commit,
                                                                                 std::memory_order_release);
  at_ += frame_bytes(size);
  tree_.add(leaf);
  head_.set_entries(tree_.size());
  open_.apply(header);
  publish();
  receipt.seq = header.seq;
  return Fit::done;
}

template <class Encode>
Result<Receipt> Log::Body::write(Kind kind, SessionId session, OperationId operation, Encode&& encode,
                                 bool opens) {
  CHECK_OK(admit());
  CHECK_OK(keep_time());
  Receipt receipt;
  for (int round = 0; round <= kMaxRolls; ++round) {
    switch (try_write(kind, session, operation, encode, opens, receipt)) {
      case Fit::done: return receipt;
      case Fit::too_large: return too_large(kind);
      case Fit::no_room: CHECK_OK(roll());
    }
  }
  return too_large(kind);
}

template <class Encode>
Result<std::optional<Receipt>> Log::Body::write_here(Kind kind, Encode&& encode) {
  CHECK_OK(admit());
  Receipt receipt;
  switch (try_write(kind, {}, {}, encode, false, receipt)) {
    case Fit::done: return std::optional{receipt};
    case Fit::too_large: return too_large(kind);
    case Fit::no_room: break;
  }
  CHECK_OK(roll());
  return std::optional<Receipt>{};
}

template <class Prepare, class Encode>
Result<Receipt> Log::Body::write_with(Kind kind, SessionId session, OperationId operation, Prepare&& prepare,
                                      Encode&& encode, bool opens) {
  CHECK_OK(admit());
  CHECK_OK(keep_time());
  Receipt receipt;
  // The first round may find the segment full at any step; a second one, in a fresh segment, only when what
  // belongs together is larger than a segment.
  for (int round = 0; round <= kMaxRolls; ++round) {
    auto number = segments_used_;
    CHECK_OK(prepare());
    if (segments_used_ != number) continue;
    switch (try_write(kind, session, operation, encode, opens, receipt)) {
      case Fit::done: return receipt;
      case Fit::too_large: return too_large(kind);
      case Fit::no_room: CHECK_OK(roll());
    }
  }
  return too_large(kind);
}

}  // namespace sluice::record
