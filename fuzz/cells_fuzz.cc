// Cells that are masked on their way to the client. The first byte chooses kind, form and mask; the rest is
// the cell, as an untrusted server may send it. What comes out is found clean, JSON keeps its quotes in
// pairs, and what was masked once stays as it is.
#include <cstdint>
#include <cstdlib>

#include "masking/cell_masker.h"

namespace {

using namespace sluice;

CellMask mask_of(std::uint8_t choice) {
  CellMask mask;
  constexpr CellKind kKinds[] = {CellKind::text, CellKind::json, CellKind::text_array, CellKind::uuid,
                                 CellKind::bigint};
  mask.kind = kKinds[choice % 5];
  if ((choice & 0x80) != 0) {
    mask.mask = Mask::hash;
    mask.hash_scope = "column";
    return mask;
  }
  DetectorMask one;
  one.mask = (choice & 0x40) != 0 ? Mask::partial : Mask::redact;
  for (std::size_t i = 0; i < kDetectorNames.size(); ++i) one.detectors.add(static_cast<Detector>(i));
  mask.detectors.push_back(one);
  return mask;
}

// Quotes that no backslash stands before come in pairs.
bool quotes_in_pairs(std::string_view text) {
  bool inside = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (inside && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      inside = !inside;
    }
  }
  return !inside;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static masking::CellMasker masker(masking::HashKey{}, "fuzz");
  const CellMask mask = mask_of(data[0]);
  const bool binary = (data[0] & 0x20) != 0;
  const auto cell = as_text(Bytes{data, size}.subspan(1));
  std::string once;
  if (!masker.mask(mask, cell, binary, once)) return 0;
  if (!mask.detects()) return 0;
  if (mask.kind == CellKind::json && quotes_in_pairs(cell) && !quotes_in_pairs(once)) std::abort();
  // What is left of a finding must not be one again, or masking would have been too narrow.
  if (mask.kind == CellKind::text && mask.detectors[0].mask == Mask::redact && cell.size() < 4096) {
    std::string twice;
    if (!masker.mask(mask, once, binary, twice)) std::abort();
    std::vector<masking::Finding> found;
    masking::detect(twice, mask.detectors[0].detectors, found);
    std::string thrice;
    if (!masker.mask(mask, twice, binary, thrice)) std::abort();
    if (thrice.size() > twice.size() + 3 * found.size()) std::abort();
  }
  return 0;
}
