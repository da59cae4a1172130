// CellMasker: the masks that are applied to a reply's cells (model/cell_mask.h).
//
//   CellMasker masker(key, "docs");                       // one per session, of a connection
//   auto done = masker.mask(column_mask, cell, binary, out);   // appends the masked value to `out`
//
// A keyed hash has the type of its column and is the same for equal values of one column of one connection
// (CellMask::hash_scope), in text and in binary, so that people can match what they may not read. Without the
// key it can neither be computed nor tried out; whoever may write a column could try values by writing them,
// so such columns are not hashed (systems see to that). Whoever can make a column has values of it hashed,
// but with that column's key.
//
//   text     32 hexadecimal digits, fewer in a shorter column    uuid     one of version 8 (RFC 9562)
//   bigint   a positive number of 63 bits
//
// What detectors find is replaced where it stands; the rest of the text stays. In JSON, names count like
// values; a number becomes 0.
//
// For one thread: keys of columns are kept. The key outlives it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

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
  // Errc::internal: it is to be hashed, and has no scope.
  Result<void> mask(const CellMask& mask, std::string_view cell, bool binary, std::string& out);

 private:
  Digest hash_of(const CellMask& mask, std::string_view value);
  Result<void> hash(const CellMask& mask, std::string_view cell, bool binary, std::string& out);
  void text(const CellMask& mask, std::string_view text, std::string& out);
  void json(const CellMask& mask, std::string_view text, std::string& out);
  Result<void> binary_array(const CellMask& mask, std::string_view cell, std::string& out);
  std::string replacement(const CellMask& mask, Detector detector, std::string_view found);

  Digest key_;                                    // of this connection
  std::unordered_map<std::string, Digest> keys_;  // by scope
};

}  // namespace sluice::masking
