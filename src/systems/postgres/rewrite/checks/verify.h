// The last look at a rewritten statement, with the parser and not with the deparser's own idea of what it
// wrote.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"
#include "systems/postgres/rewrite/masks/mask_plan.h"
#include "systems/postgres/rewrite/rewrite.h"

namespace sluice::postgres::rewrite {

// An error unless the text is one statement that is understood in full, and names masked relations only with
// their schema and under an alias that begins with `prefix`, which the deparser gives inside of its derived
// tables only.
Result<void> verify(std::string_view rewritten, std::string_view prefix, const RewriteInput& input);

}  // namespace sluice::postgres::rewrite
