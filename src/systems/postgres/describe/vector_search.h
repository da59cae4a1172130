// Vector searches of a statement: distances by operator or function, which column each is about, and what is
// known of the query vector.
//
// Operators like <-> exist for other types too (points, trigrams, cubes): a distance counts as a search
// unless a column in it is known to be no vector.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "systems/postgres/describe/describe.h"

namespace sluice::postgres {

// A relation as the statement names it.
struct Binding {
  std::string_view alias;
  const Relation* relation = nullptr;
  sql::Names columns;                   // new names of the first columns: docs AS d(a, b)
  const sql::RangeVar* item = nullptr;  // of FROM, or the target
  bool inserted = false;                // the target of an INSERT: in sight of RETURNING and ON CONFLICT only

  // The relation's column of that name in the statement.
  const Column* column(std::string_view name) const;
};

bool is_vector_column(const Catalogue& catalogue, const Column& column);

struct DistanceUse {
  const sql::Expr* whole = nullptr;
  const sql::Expr* left = nullptr;
  const sql::Expr* right = nullptr;
  std::string_view metric;
  bool by_function = false;
};

// The distance that an expression computes itself (not in its parts), by the form alone.
std::optional<DistanceUse> as_distance_use(const sql::Expr& expr, const DescribeContext& context);

std::optional<VectorSearch> vector_search(const DistanceUse& use, std::span<const Binding> bindings,
                                          const DescribeContext& context);

// Adds one that is not there yet: a distance is often both in the output and in ORDER BY.
void add_search(std::vector<VectorSearch>& searches, VectorSearch search);

}  // namespace sluice::postgres
