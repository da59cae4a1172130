#include "gate/meter.h"

#include <algorithm>

namespace sluice::gate {
namespace {

// One part is hashed at a time on a thread; see "Views" in the header.
Sha256& part_hasher() {
  thread_local Sha256 hasher;
  return hasher;
}

}  // namespace

Meter::Meter(Gate& gate, const Permit& permit)
    : gate_(&gate),
      session_(gate.facts().id),
      operation_(permit.id()),
      ruling_(permit.shared_ruling()),
      since_(permit.since()),
      per_row_(std::max<std::uint64_t>(permit.operation().records_per_row, 1)),
      budgeted_(!ruling_->budgets.empty()) {
  if (ruling_->obligations.max_records) bound_ = *ruling_->obligations.max_records;
}

Verdict Meter::at_bound() const {
  return ruling_->obligations.over == Over::review ? Verdict::needs_review : Verdict::over_limit;
}

Verdict Meter::charge() {
  if (!gate_->take_budget(*ruling_, per_row_)) return Verdict::over_budget;
  records_ += per_row_;
  return Verdict::pass;
}

std::optional<std::uint64_t> Meter::remaining_rows() const {
  if (bound_ == kUnbounded) return std::nullopt;
  return (bound_ - records_) / per_row_;
}

void Meter::resume_at(std::uint64_t records) {
  before_ = records;
  if (bound_ != kUnbounded) bound_ -= std::min(bound_, before_);
}

bool Meter::extend(const Permit& permit) {
  ruling_ = permit.shared_ruling();
  bound_ = ruling_->obligations.max_records.value_or(kUnbounded);
  if (bound_ != kUnbounded) bound_ -= std::min(bound_, before_);
  if (bound_ < records_) {
    bound_ = records_;
    return false;
  }
  return bound_ - records_ >= per_row_;
}

void Meter::sent(Bytes bytes) {
  if (bytes.empty()) return;
  bytes_ += bytes.size();
  if (hashing_) {
    part_hasher().update(bytes);
  } else if (first_.empty()) {
    first_ = bytes;
  } else if (first_.data() + first_.size() == bytes.data()) {
    first_ = {first_.data(), first_.size() + bytes.size()};
  } else {
    part_hasher().update(first_).update(bytes);
    first_ = {};
    hashing_ = true;
  }
}

void Meter::sent_own(std::string_view made_here) {
  bytes_ += made_here.size();
  if (!hashing_) part_hasher().update(first_);
  part_hasher().update(made_here);
  first_ = {};
  hashing_ = true;
}

Digest Meter::take_part() {
  Digest digest = hashing_ ? part_hasher().finish() : sha256(first_);
  first_ = {};
  hashing_ = false;
  return digest;
}

Result<void> Meter::chunk() {
  if (bytes_ == chunk_bytes_) return {};
  const auto digest = take_part();
  chunk_digests_ = chunks_ == 0 ? digest : Sha256{}.update(chunk_digests_).update(digest).finish();
  ++chunks_;
  TRY(auto receipt, gate_->services_.log.chunk({.session = session_,
                                                .operation = operation_,
                                                .records = records_ - chunk_records_,
                                                .bytes = bytes_ - chunk_bytes_,
                                                .digest = digest}));
  (void)receipt;
  chunk_records_ = records_;
  chunk_bytes_ = bytes_;
  return gate_->settle();
}

Result<void> Meter::finish(const Finish& finish) {
  Digest digest{};
  if (chunks_ == 0) {
    if (bytes_ > 0) digest = take_part();
  } else {
    CHECK_OK(chunk());
    digest = chunk_digests_;
  }
  const auto records = finish.affected.value_or(records_);
  const auto duration = gate_->services_.clock.steady() - since_;
  TRY(auto receipt, gate_->services_.log.outcome({.session = session_,
                                                  .operation = operation_,
                                                  .status = finish.status,
                                                  .error_class = finish.error_class,
                                                  .records = records,
                                                  .bytes = bytes_,
                                                  .reply_digest = digest,
                                                  .duration = duration,
                                                  .masked = finish.masked,
                                                  .ids = finish.ids,
                                                  .rows = finish.rows}));
  (void)receipt;
  gate_->services_.measures.finished(duration, records, finish.masked);
  return gate_->settle();
}

}  // namespace sluice::gate
