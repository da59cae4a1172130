// The `partial` mask at the source: an expression of the column's own type that shows a part of the value.
//
//   text       a mail address: its first character and its domain, "a***@example.com"; of anything else of
//              eight characters or more the last four, "***1234"; otherwise "***"
//   date, timestamps    the first day of the year           inet      the network: /16, or /32 of version 6
//   uuid       the last four digits
//
// No part shows whether the value is null, nor, of a text, how long it is.
#pragma once

#include <string>
#include <vector>

#include "systems/postgres/catalogue/view.h"

namespace sluice::postgres::rewrite {

// In pieces around references to the column (ColumnMask::pieces); a single piece, the redacted value, when
// the type has no part that could be shown.
std::vector<std::string> partial_value(const Catalogue& catalogue, const Column& column);

}  // namespace sluice::postgres::rewrite
