// Which uses of a masked vector see its values, and how they are written.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "systems/postgres/rewrite/deparse/deparser.h"
#include "systems/postgres/sql/column_name.h"
#include "systems/postgres/sql/expressions.h"
#include "systems/postgres/sql/names.h"

namespace sluice::postgres::rewrite {

using namespace sql;

namespace {

constexpr std::string_view kHowToSearch =
    "Search it with ORDER BY <vector column> <distance operator> <vector> LIMIT <k>, at the level of the "
    "relation.";

bool is_unlimited(const Expr* limit) {
  if (limit == nullptr) return true;
  const auto* constant = as<Constant>(limit);
  return constant != nullptr && constant->value_kind == ConstantKind::null;
}

bool rises(const SortItem& item) {
  return item.direction == SortDirection::unstated || item.direction == SortDirection::ascending;
}

}  // namespace

std::string_view Deparser::masked_vector(const Expr* operand, const Scope& scope) const {
  const ColumnRef* column = column_under_casts(operand);
  if (column == nullptr) return "";
  for (const auto& [entry, index] : resolve(*column, scope).candidates) {
    if (is_masked_vector(*entry, index)) return column->parts.back();
  }
  return "";
}

std::optional<Knn> Deparser::find_knn(const SelectStatement& node, Scope& scope) {
  if (node.order_by.empty()) return std::nullopt;
  SortItem first = node.order_by.front();
  const Expr* by = sort_expression(first, node);
  if (by == nullptr) return std::nullopt;
  // By a rank over the distance: the same order.
  if (const Window* ranks = rank_window(*by); ranks != nullptr && rises(first)) {
    first = ranks->order_by.front();
    by = first.expr;
  }
  auto distance = as_distance(*by, catalogue_, path_);
  if (!distance) return std::nullopt;
  Meaning meaning = resolve(*distance->column, scope);
  if (meaning.kind != Meaning::Kind::column || meaning.scope != &scope || meaning.entry->mask == nullptr) {
    return std::nullopt;
  }
  std::int16_t attnum = meaning.entry->relation->columns[meaning.index].attnum;
  const ColumnMask* mask = meaning.entry->mask->column(attnum);
  if (mask == nullptr || !mask->vector) return std::nullopt;

  // From here on a masked vector is searched: what is not the k-NN form is refused with its reason.
  auto not_knn = [&](std::string_view why) -> std::optional<Knn> {
    refuse(fmt::format("{} is masked: {}", mask->name, why), std::string(kHowToSearch));
    return std::nullopt;
  };
  if (reads_ == Reads::refused) {
    refuse_read(*meaning.entry, meaning.index);
    return std::nullopt;
  }
  if (!meaning.certain) return not_knn("its name may mean another column here");
  if (is_unlimited(node.limit)) return not_knn("a search needs a LIMIT");
  if (node.with_ties) return not_knn("WITH TIES tells which distances are equal");
  if (!node.group_by.empty() || node.having != nullptr || node.distinct || computes(node).aggregates) {
    return not_knn("a search cannot be grouped at its own level");
  }
  bool largest_first = distance->metric.negated;
  bool descending = first.direction == SortDirection::descending;
  if (!(largest_first ? descending : rises(first))) return not_knn("a search takes the nearest first");
  if (!largest_first && first.nulls == SortNulls::first)
    return not_knn("a search takes what has no vector last");
  if (mask->scores == Scores::remove) return not_knn("its distances may not order results");

  Knn knn;
  knn.distance = *distance;
  knn.var = meaning.entry->var;
  knn.attnum = attnum;
  knn.column_name = mask->name;
  knn.scores = mask->scores;
  usages_[knn.var].hidden.insert(attnum);
  return knn;
}

// The window of row_number() OVER (ORDER BY ...), rank() or dense_rank() over all rows; nullptr: something
// else.
const Window* Deparser::rank_window(const Expr& expr) const {
  const auto* call = as<FunctionCall>(&expr);
  if (call == nullptr || call->over == nullptr || call->filter != nullptr || !call->args.empty())
    return nullptr;
  if (function_class(call->name) != FunctionClass::window) return nullptr;
  constexpr std::array<std::string_view, 3> kRanks = {"dense_rank", "rank", "row_number"};
  if (!std::ranges::binary_search(kRanks, call->name.back())) return nullptr;
  const Window& over = *call->over;
  const bool whole = over.name.empty() && over.references.empty() && over.partition_by.empty();
  return whole && !over.order_by.empty() ? &over : nullptr;
}

// Searches often leave out what has no vector, which comes last anyway. Where the distances are shown, so is
// which those are; where they are not, it stays hidden, and the condition holds for all.
bool Deparser::has_vector(const NullTest& node, const Scope& scope) {
  const auto* column = as<ColumnRef>(node.arg);
  if (!scope.knn || node.is_null || column == nullptr || column->star) return false;
  Meaning meaning = resolve(*column, scope);
  if (meaning.kind != Meaning::Kind::column || !meaning.certain || meaning.entry->var != scope.knn->var)
    return false;
  if (meaning.entry->relation->columns[meaning.index].attnum != scope.knn->attnum) return false;
  if (scope.knn->scores == Scores::keep) {
    out_ += '(';
    hidden_reference(out_, *scope.knn->var, scope.knn->attnum);
    out_ += " IS NOT NULL)";
  } else {
    out_ += "TRUE";
  }
  return true;
}

// True when the expression was a distance of a masked vector, and has been dealt with.
bool Deparser::distance(const Expr& node, Scope& scope) {
  auto operands = distance_operands(node, catalogue_, path_);
  if (!operands) return false;
  std::string_view vector = masked_vector(operands->left, scope);
  if (vector.empty()) vector = masked_vector(operands->right, scope);
  if (vector.empty()) return false;
  if (scope.knn && same_expression(&node, scope.knn->distance.expr)) {
    if (place_ == Place::knn_order) {
      write_distance(*scope.knn, scope);
      return true;
    }
    if (place_ == Place::score) {
      if (scope.knn->scores == Scores::keep) {
        write_distance(*scope.knn, scope);
      } else {
        refuse(fmt::format("{} is masked: its distances may order results, and not be in them", vector),
               "Put the distance into ORDER BY only.");
      }
      return true;
    }
  }
  refuse(fmt::format("{} is masked: a distance to it may only order a search", vector),
         std::string(kHowToSearch));
  return true;
}

void Deparser::write_distance(const Knn& knn, Scope& scope) {
  auto column_side = [&] {
    if (knn.distance.cast == nullptr) return hidden_reference(out_, *knn.var, knn.attnum);
    out_ += "CAST(";
    hidden_reference(out_, *knn.var, knn.attnum);
    out_ += " AS ";
    type(*knn.distance.cast->type);
    out_ += ')';
  };
  // The form has been checked: literal, parameter, array of those, under casts.
  auto query_side = [&](const Expr* query) {
    Place place = std::exchange(place_, Place::elsewhere);
    expr(query, scope);
    place_ = place;
  };
  std::string schema = catalogue_.vector_schema();
  bool is_operator = knn.distance.function.empty();
  out_ += is_operator ? "(" : quote_qualified(schema, knn.distance.function) + "(";
  if (knn.distance.column_is_left) {
    column_side();
  } else {
    query_side(knn.distance.left);
  }
  out_ += is_operator ? " " + qualified_operator(schema, knn.distance.symbol) + " " : ", ";
  if (knn.distance.column_is_left) {
    query_side(knn.distance.right);
  } else {
    column_side();
  }
  out_ += ')';
}

}  // namespace sluice::postgres::rewrite
