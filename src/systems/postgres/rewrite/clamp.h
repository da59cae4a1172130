// Clamping: a statement's LIMIT lowered to `n`, or a LIMIT added, for `over: clamp`.
//
// The bound stands at the outermost select: of a set operation as a whole, of the query of a cursor, of COPY
// (query), PREPARE and EXPLAIN. `LIMIT $1` becomes LIMIT LEAST(CAST($1 AS int8), n), which also covers null
// (no limit). Refused: statements that are no queries, WITH TIES, and queries that gather any number of
// records into one row (json_agg). It bounds rows; where a row carries several records (joins), the caller
// asks for as many rows as that allows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "systems/postgres/rewrite/rewrite.h"

namespace sluice::postgres::rewrite {

// The statement with its bound, when nothing in it is masked; with masks, set RewriteInput::clamp instead.
RewriteResult clamp(const sql::ParsedStatement& statement, const Catalogue& catalogue, SearchPath path,
                    std::uint64_t rows, std::vector<CarriedKey> keys = {});

// The lowered LIMIT. `text` is the written limit as SQL.
std::string clamped_limit(const sql::Expr& limit, std::string_view text, std::uint64_t rows);

// The name of an aggregate through which the statement gathers any number of records into one row; nullopt:
// none.
std::optional<std::string> gathering_aggregate(const sql::Statement& statement, const Catalogue& catalogue,
                                               SearchPath path);

}  // namespace sluice::postgres::rewrite
