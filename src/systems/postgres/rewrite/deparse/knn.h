// The k-NN form: the one use of a masked vector that sees its values.
//
//   SELECT id, title FROM docs ORDER BY embedding <=> $1 LIMIT 10
//   SELECT id, embedding <=> $1 AS distance FROM docs ORDER BY distance LIMIT 10        (scores: keep)
//   SELECT id, 1 - (embedding <=> $1) AS score FROM docs ORDER BY embedding <=> $1 LIMIT 10
//   SELECT id FROM docs ORDER BY l2_distance(embedding, '[1,2,3]') LIMIT 10
//   SELECT id FROM docs ORDER BY embedding::halfvec(4) <-> $1 LIMIT 10
//   SELECT id, row_number() OVER (ORDER BY embedding <=> $1) AS place FROM docs ORDER BY place LIMIT 10
//
// A distance is an operator or function of pgvector between a column (perhaps cast to another vector type)
// and a literal or parameter (perhaps cast). It must be the first sort key, nearest first, under a LIMIT, in
// the select level whose FROM has the relation, without grouping, DISTINCT or set operation. `scores` says
// whether the distance may also be output: the same expression, its alias or ordinal, its negation, `1 - it`.
#pragma once

#include <optional>
#include <string_view>

#include "model/decision.h"
#include "systems/postgres/catalogue/view.h"
#include "systems/postgres/sql/ast.h"

namespace sluice::postgres::rewrite {

struct Distance {
  const sql::Expr* expr = nullptr;  // the whole
  const sql::Expr* left = nullptr;
  const sql::Expr* right = nullptr;
  const sql::ColumnRef* column = nullptr;  // on one side, under `cast`
  const sql::TypeCast* cast = nullptr;     // may be null
  bool column_is_left = true;
  std::string_view symbol;  // of the operator; empty: a function
  std::string_view function;
  VectorDistance metric;
};

// A distance between a column and a constant, by its form only: what the column is, the caller resolves.
std::optional<Distance> as_distance(const sql::Expr& expr, const Catalogue& catalogue, SearchPath path);

// The operands of anything that computes a distance, whatever they are: for refusing what is not the k-NN
// form.
struct DistanceOperands {
  const sql::Expr* left = nullptr;
  const sql::Expr* right = nullptr;
};
std::optional<DistanceOperands> distance_operands(const sql::Expr& expr, const Catalogue& catalogue,
                                                  SearchPath path);

// A k-NN form that has been found in a select level.
struct Knn {
  Distance distance;
  const sql::RangeVar* var = nullptr;  // the masked relation
  std::int16_t attnum = 0;             // its vector
  std::string_view column_name;
  Scores scores = Scores::rank;
};

// Whether an output expression is the distance itself, its negation or `1 - it`.
bool is_score(const sql::Expr& value, const Distance& distance);

}  // namespace sluice::postgres::rewrite
