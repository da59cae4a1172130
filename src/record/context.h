// SegmentContext: reads entries in order and knows what they refer to.
//
// An intent names its statement and its ruling by their numbers in the same segment. Fed with every entry of
// a segment from its start, the context decodes each and answers those numbers. It forgets at each new
// segment; its memory is bounded by what one segment holds.
#pragma once

#include <memory>
#include <unordered_map>

#include "record/codec.h"

namespace sluice::record {

class SegmentContext {
 public:
  struct Statement {
    std::shared_ptr<const Operation> op;  // with its whole text
    Digest text_digest{};
  };
  struct Decided {
    std::shared_ptr<const Ruling> ruling;  // with its masks
    Digest policy_digest{};
  };

  // Decodes and remembers. The payload's texts are views into the entry.
  Result<Payload> take(const Entry& entry, std::uint64_t segment);

  // Errc::malformed when the number names no such entry of this segment.
  Result<Statement> statement(std::uint64_t seq) const;
  Result<Decided> ruling(std::uint64_t seq) const;

 private:
  Result<void> add_statement(std::uint64_t seq, const StatementEntry& entry);
  Result<void> add_masks(std::uint64_t seq, const MaskSetEntry& entry);
  Result<void> add_ruling(std::uint64_t seq, const RulingEntry& entry);

  std::uint64_t segment_ = 0;
  std::vector<std::string> parts_;  // of the statement to come
  std::unordered_map<std::uint64_t, Statement> statements_;
  std::unordered_map<std::uint64_t, std::shared_ptr<const MaskSet>> masks_;
  std::unordered_map<std::uint64_t, Decided> rulings_;
};

}  // namespace sluice::record
