// Vouching: whether a statement uses only functions, operators, types and system relations that are known to
// be harmless. While any relation is masked this must hold for every statement on the connection, also for
// those that name no masked relation: `SELECT f_email(1)`, `SELECT query_to_xml('SELECT email FROM docs',
// ...)` and `SELECT most_common_vals FROM pg_stats` read masked values without naming where they are.
//
// The check is on names as the search path resolves them. An unqualified name that means functions in several
// schemas is as bad as the worst of them. Operators that the grammar implies (IN, BETWEEN, LIKE, CASE x WHEN,
// JOIN USING, ...) resolve over the search path like written ones, so they are checked too. `row.name` calls
// function `name` where the row has no such column.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "model/decision.h"
#include "systems/postgres/catalogue/view.h"
#include "systems/postgres/sql/ast.h"

namespace sluice::postgres::rewrite {

struct VouchOptions {
  // Settings that `set_config('name', ...)` with a written-out name may change; empty: none.
  std::function<bool(std::string_view setting)> may_set;
};

// nullopt: all vouched for. The Denial names what is not, and why (Reason::masked_use).
std::optional<Denial> check_functions(const sql::Statement& statement, const Catalogue& catalogue,
                                      SearchPath path, const VouchOptions& options = {});

}  // namespace sluice::postgres::rewrite
