// CellMasker: the masks that are applied to a reply's cells (model/cell_mask.h).
//
//   CellMasker masker(key, "docs");                       // one per connection
//   auto done = masker.mask(column_mask, cell, binary, out);   // appends the masked value to `out`
//
// A keyed hash has the type of its column and is the same for equal values of one connection, in text and in
// binary, so that people can match what they may not read. Without the key it can neither be computed nor
// tried out; whoever may write a column could try values by writing them, so such columns are not hashed
// (systems see to that).
//
//   text     32 hexadecimal digits, fewer in a shorter column    uuid     one of version 8 (RFC 9562)
//   bigint   a positive number of 63 bits
//
// What detectors find is replaced where it stands; the rest of the text stays. In JSON, names count like
// values; a number becomes 0.
//
// Thread-safe; the key outlives it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/crypto.h"
#include "core/result.h"
#include "masking/detect.h"
#include "model/cell_mask.h"

namespace sluice::masking {

// The gateway's secret for keyed hashes; wiped by its owner.
using HashKey = Digest;

class CellMasker {
 public:
  static constexpr std::uint32_t kHashCharacters = 32;

  CellMasker(const HashKey& key, std::string_view connection);

  // Errc::malformed: the cell is not what its kind says, which an untrusted server may do. A null has no
  // cell: see `null_hash` in the systems' statements.
  Result<void> mask(const CellMask& mask, std::string_view cell, bool binary, std::string& out) const;

 private:
  Digest hash_of(std::string_view value) const;
  Result<void> hash(const CellMask& mask, std::string_view cell, bool binary, std::string& out) const;
  void text(const CellMask& mask, std::string_view text, std::string& out) const;
  void json(const CellMask& mask, std::string_view text, std::string& out) const;
  Result<void> binary_array(const CellMask& mask, std::string_view cell, std::string& out) const;
  std::string replacement(const CellMask& mask, Detector detector, std::string_view found) const;

  Digest key_;  // of this connection
};

}  // namespace sluice::masking
