// Reply masks: what is done to a result that carries masked columns as they stand (rewrite.h, MaskedOutput).
// Its description names the table and column that each of them is of, though the server computed it; and the
// cells whose masks work on the reply are masked here, before anything of the row leaves or is recorded.
//
// Beside it the assertion that backs the rewriting up: a column that the server says comes straight from a
// masked one, and that is not known as such, means that the rewriting has failed. The session ends there.
//
// Pure functions over message payloads. Untrusted input: errors where they are not what they should be.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"
#include "masking/cell_masker.h"
#include "proxy/pg/exchange/result_shape.h"
#include "systems/postgres/rewrite/rewrite.h"
#include "wire/pg/backend.h"

namespace sluice::proxy::pg {

using MaskedOutputs = std::vector<postgres::rewrite::MaskedOutput>;

// Whether any of them is masked on the reply.
bool has_cells(const MaskedOutputs& outputs);

// The payload of a DataRow with its masked cells; `shape` says the columns' formats and how many in front are
// not the client's.
Result<std::string> row_with_masks(Bytes payload, const ResultShape& shape, const MaskedOutputs& outputs,
                                   masking::CellMasker& masker);

// The payload of a RowDescription in which masked outputs are of the columns that they are masks of.
Result<std::string> description_with_origins(Bytes payload, const MaskedOutputs& outputs,
                                             std::uint16_t carried);

// The first column that comes straight from a masked one and is not among `outputs` as masked on the reply:
// "public.docs.email". nullopt: there is none.
std::optional<std::string> unmasked_column(const wire::pg::RowDescription& description,
                                           const postgres::rewrite::MaskPlan& masks,
                                           const postgres::Catalogue& catalogue, const MaskedOutputs* outputs,
                                           std::uint16_t carried);

}  // namespace sluice::proxy::pg
