// Columns whose values can be masked on their way to the client (model/cell_mask.h): which types a keyed hash
// and the detectors know.
#pragma once

#include <optional>
#include <string>

#include "core/result.h"
#include "model/cell_mask.h"
#include "systems/postgres/catalogue/view.h"

namespace sluice::postgres::rewrite {

struct HashedCell {
  CellMask mask;
  std::string null;  // what is hashed in place of null, as SQL: whether a value is null is hidden
};
// An error says why the column cannot be hashed: its type, its length, or because whoever may write it could
// try values out.
Result<HashedCell> hash_of_cell(const Catalogue& catalogue, const Column& column, bool write_allowed);

// nullopt: detectors do not read this type.
std::optional<CellMask> detectable_cell(const Catalogue& catalogue, const Column& column);

}  // namespace sluice::postgres::rewrite
