// CellMask: what is done to one column of a reply on its way to the client, where the source cannot do it: a
// keyed hash, whose key must not appear in a statement, and detectors, which need the value.
//
// A system says which columns of a result have one and of what kind their values are; masking/cell_masker.h
// does it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/decision.h"
#include "model/detector.h"

namespace sluice {

enum class CellKind : std::uint8_t {
  text,
  json,        // as text that the database has written (jsonb), so without superfluous escapes
  text_array,  // of text; PostgreSQL's external forms
  uuid,
  bigint,
};

// What one rule's detectors do with what they find.
struct DetectorMask {
  DetectorSet detectors;
  Mask mask = Mask::redact;  // redact, partial or hash
  bool operator==(const DetectorMask&) const = default;
};

struct CellMask {
  CellKind kind = CellKind::text;
  Mask mask = Mask::redact;             // Mask::hash: the whole value; with `detectors`: not used
  std::vector<DetectorMask> detectors;  // of several rules: the stronger mask wins where they find the same
  std::uint32_t max_characters = 0;     // of the column's type; 0: no bound
  std::string rule;
  // Where the values are stored, in whatever form the system writes it. Equal values have equal hashes within
  // one scope only: who can make a place of his own for values must not find those of another there. Empty:
  // nothing may be hashed.
  std::string hash_scope;
  bool detects() const { return !detectors.empty(); }
};

}  // namespace sluice
