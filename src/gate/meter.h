// Meter: the reply side of one permitted operation. It counts the records that leave, stops them at their
// bound, charges the budget, digests every byte that goes to the client, and writes the chunk and outcome
// entries before those bytes are sent.
//
//   Meter meter{gate, permit};
//   for each row:  switch (meter.row()) { case Verdict::pass: relay; ... }
//   meter.sent(bytes);            // every piece of the reply, in order, also what the gateway made itself
//   CHECK_OK(meter.chunk());      // before a part of an unfinished reply is sent
//   CHECK_OK(meter.finish({...})); // before the end of the reply is sent
//
// The digest of a reply that leaves in one part is the SHA-256 of its bytes. One that leaves in several has
// the SHA-256 over the chunks' digests, so that no byte is hashed twice; docs/record.md says so to the
// verifier.
//
// Views given to sent() must live until the next chunk() or finish(), and these must be called before another
// Meter on the same thread is given bytes: the protocol machine does both within one turn.
//
// An Error means that the record could not be written: what was about to be sent must not be sent.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gate/gate.h"
#include "record/record_ids.h"
#include "record/reply_sample.h"

namespace sluice::gate {

enum class Verdict : std::uint8_t { pass, over_limit, over_budget, needs_review };

struct Finish {
  record::OutcomeStatus status = record::OutcomeStatus::ok;
  std::string_view error_class;
  std::optional<std::uint64_t> affected;  // of a write; else the records that were counted
  std::uint64_t masked = 0;
  const record::RecordIds* ids = nullptr;
  const record::ReplySample* rows = nullptr;
};

class Meter {
 public:
  Meter(Gate& gate, const Permit& permit);
  Meter(Meter&&) noexcept = default;
  Meter& operator=(Meter&&) noexcept = default;

  // One more row is about to leave, with as many records as a row of this operation can carry.
  Verdict row() {
    if (bound_ - records_ < per_row_) [[unlikely]]
      return at_bound();
    if (budgeted_) [[unlikely]]
      return charge();
    records_ += per_row_;
    return Verdict::pass;
  }
  void sent(Bytes bytes);
  void sent_own(
      std::string_view made_here);  // the same for bytes that will not stay where they are: digested at once
  Result<void> chunk();
  Result<void> finish(const Finish& finish);

  std::uint64_t records() const { return records_; }
  std::uint64_t rows() const { return records_ / per_row_; }
  std::optional<std::uint64_t> remaining_rows() const;  // that are within the bound; nullopt: none
  // The request itself keeps the reply within its bound, or it returns no records: nothing to stop.
  void lift_bound() { bound_ = kUnbounded; }
  // A portal or cursor that has been read from before: its executions share one bound. Once, before the first
  // record; `records` have been sent.
  void resume_at(std::uint64_t records);
  // The rest was approved: goes on under the new permit. False when that allows no row more.
  bool extend(const Permit& permit);

 private:
  static constexpr std::uint64_t kUnbounded = ~0ULL;
  Verdict at_bound() const;
  Verdict charge();
  Digest take_part();

  Gate* gate_;
  SessionId session_;
  OperationId operation_;
  std::shared_ptr<const Ruling> ruling_;
  SteadyTime since_;
  std::uint64_t bound_ = kUnbounded;  // of this execution
  std::uint64_t before_ = 0;          // sent by earlier executions of the same portal
  std::uint64_t records_ = 0;         // never above bound_
  std::uint64_t per_row_ = 1;
  std::uint64_t bytes_ = 0;
  bool budgeted_ = false;
  std::uint64_t chunk_records_ = 0;  // records_ at the last chunk entry
  std::uint64_t chunk_bytes_ = 0;
  std::uint64_t chunks_ = 0;
  Digest chunk_digests_{};  // chained over the chunks so far
  Bytes first_;             // of the current part: its only piece so far, not yet digested
  bool hashing_ = false;    // of the current part: more pieces came, the thread's hasher holds them
};

}  // namespace sluice::gate
