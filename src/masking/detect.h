// Finds what looks like personal data or a credential in a text, with Vectorscan for the patterns and check
// digits where a kind has them.
//
//   std::vector<Finding> found;
//   detect(text, wanted, found);          // in order, without overlaps
//
// Text is read as bytes; patterns are of ASCII, and letters beyond it count as letters of names. A text
// longer than kMaxScanned, and one with more than kMaxFindings, is one finding from there to its end: what
// has not been looked at does not pass.
//
// Thread-safe: the patterns are compiled once (`prepare_detectors`, some 20 ms), each thread has its own
// scratch.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "model/detector.h"

namespace sluice::masking {

// Bytes of one cell. Scanning runs at some 0.5 GB/s, and a worker serves other sessions meanwhile.
inline constexpr std::size_t kMaxScanned = 1024 * 1024;
inline constexpr std::size_t kMaxFindings = 4096;

struct Finding {
  std::size_t begin = 0;  // bytes of the text
  std::size_t end = 0;
  Detector detector = Detector::secret;
  bool operator==(const Finding&) const = default;
};

// Compiles the patterns. Called at the start, so that a machine that cannot do it says so then.
Result<void> prepare_detectors();

// Replaces what `found` holds.
void detect(std::string_view text, DetectorSet wanted, std::vector<Finding>& found);

// The part of a finding that may be shown: "a***@example.com", "***1111".
std::string partly(Detector detector, std::string_view text);

}  // namespace sluice::masking
