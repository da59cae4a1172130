// UnsignedSpan: how much time the entries behind the last signed checkpoint cover. Entries are hashed and not
// signed one by one, so whoever can write the folder can make some up behind the last checkpoint, and would
// have the whole log for that if checkpoints could simply be taken away. A gateway signs every ten seconds,
// and first of all what it finds at its start: a longer stretch that nobody has signed is none that a gateway
// has written.
#pragma once

#include <algorithm>
#include <optional>

#include "record/entry.h"

namespace sluice::record {

// Far more than a slow disk or a machine that was asleep makes of ten seconds, and little to forge.
inline constexpr std::chrono::minutes kMaxUnsignedSpan{10};

class UnsignedSpan {
 public:
  // Each entry that no checkpoint covers, in order. The time between two runs does not count: it is what a
  // crash leaves before the next start has signed.
  void take(const Header& header) {
    if (last_ && header.kind != Kind::opened) span_ += std::max(header.time - *last_, Nanoseconds{0});
    last_ = header.time;
  }
  bool too_long() const { return span_ > kMaxUnsignedSpan; }
  std::chrono::seconds span() const { return std::chrono::duration_cast<std::chrono::seconds>(span_); }

 private:
  std::optional<WallTime> last_;
  Nanoseconds span_{0};
};

}  // namespace sluice::record
