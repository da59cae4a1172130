// What is kept of bound parameters: short values as they are, query vectors as digest and dimension, and,
// where the statement touches masked relations, digests only (a literal that is compared with a masked field
// is as telling as the field). Also the form in which a review is bound to them.
#pragma once

#include <vector>

#include "core/bytes.h"
#include "proxy/pg/exchange/names.h"
#include "proxy/pg/planning/planner.h"
#include "record/entry.h"
#include "review/digest.h"

namespace sluice::proxy::pg {

// The views point into `section` (Bind's parameter section, as on the wire), which must have been parsed
// before.
std::vector<record::Param> recorded_parameters(Bytes section, const Plan& plan);

// Parameters for the binding of a review; `types` as given in Parse.
std::vector<review::BoundParameter> reviewed_parameters(Bytes section, const Plan& plan,
                                                        const std::vector<std::uint32_t>& types);

// One digest over all that is bound: SHA-256 of the number of format codes, the codes, then each value as its
// length (four bytes, big-endian; NULL is FFFFFFFF) and its bytes, or, when it is longer than kWholeInDigest,
// its SHA-256.
inline constexpr std::size_t kWholeInDigest = 256;
Digest parameters_digest(Bytes section);

// The values themselves, for planning.
std::vector<BoundValue> bound_values(Bytes section, const std::vector<std::uint32_t>& types);

}  // namespace sluice::proxy::pg
