// Which values a column's hashes are comparable with: those of the very column that stores them.
//
// Somebody who may make a table, a view or a column has values of his own hashed as soon as a mask's pattern
// covers its name. With one key for all, that would try guesses out; so each stored column has a key of its
// own, by database, relation and number, which nobody chooses. A view's column that hands a stored one
// on has that one's key; a partition or child shows the rows of its root, and has the root's.
#pragma once

#include <optional>
#include <string>

#include "systems/postgres/catalogue/view.h"

namespace sluice::postgres::rewrite {

// The column that stores what this one shows; nullopt: it is computed, comes from several, or is not known.
std::optional<ColumnOrigin> one_origin(const Catalogue& catalogue, ColumnOrigin column);

// CellMask::hash_scope of a stored column; never empty.
std::string hash_scope(const Catalogue& catalogue, ColumnOrigin stored);

}  // namespace sluice::postgres::rewrite
