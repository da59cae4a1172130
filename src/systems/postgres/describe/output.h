// What the output expressions of one query level do to the records that its sources offer.
#pragma once

#include <functional>

#include "systems/postgres/describe/describe.h"
#include "systems/postgres/describe/extent.h"

namespace sluice::postgres {

struct Output {
  reading::Count extra = 0;  // records that sub-selects bring to each row
  reading::Count ones = 0;   // records of the level's own sources that a row carries beside its own: max, lag
  reading::ReadClass cls = reading::ReadClass::none;  // of sub-selects
  bool gathers = false;        // a row can carry every record of the sources: array_agg
  bool gathers_outer = false;  // the same of sources further out: (SELECT array_agg(outer.x))
  bool aggregated = false;     // rows stand for groups
  bool keeps_values = false;   // an aggregate hands on values of its inputs
  bool sums = false;           // an aggregate other than count, which keeps none
  bool columns = false;        // a value outside of any aggregate
  bool multiplies = false;     // more rows than the sources have: unnest
};

class OutputReader {
 public:
  // What a query in an expression answers with.
  using ExtentOf = std::function<reading::Extent(const sql::Statement&)>;

  // `level`: null outside of a SELECT; `nested`: it stands inside of another level's expression.
  OutputReader(const DescribeContext& context, const sql::SelectStatement* level, bool nested,
               ExtentOf extent_of)
      : context_(context), level_(level), nested_(nested), extent_of_(std::move(extent_of)) {}

  void read(const sql::Expr* expr);
  void read(sql::List<sql::Target> targets);
  const Output& output() const { return out_; }

 private:
  enum class Inside : std::uint8_t { nothing, aggregate, count };
  void walk(const sql::Expr& expr, Inside inside);
  void walk_link(const sql::SubLink& link, Inside inside);
  void walk_call(const sql::FunctionCall& call, Inside inside);
  Inside value_aggregate(const sql::FunctionCall& call);

  const DescribeContext& context_;
  const sql::SelectStatement* level_;
  bool nested_;
  ExtentOf extent_of_;
  Output out_;
};

}  // namespace sluice::postgres
