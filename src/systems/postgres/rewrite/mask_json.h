// Removing keys from a JSON column at the source.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice::postgres::rewrite {

// The expression, in pieces around references to the column (ColumnMask::pieces). `keys` are patterns as in
// model/pattern.h, case ignored. A key that is written out is removed from the top level of an object; where
// a key that any pattern covers remains, at whatever depth, the whole value becomes {}. A null value becomes
// {} too.
std::vector<std::string> json_without_keys(const std::vector<std::string>& keys, bool binary);

// An SQL/JSON path that finds objects with a key that any of the patterns covers.
std::string json_key_path(const std::vector<std::string>& keys);

}  // namespace sluice::postgres::rewrite
