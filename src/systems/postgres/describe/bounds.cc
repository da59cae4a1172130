#include "systems/postgres/describe/bounds.h"

#include <string_view>
#include <vector>

#include "systems/postgres/describe/constants.h"
#include "systems/postgres/describe/output.h"
#include "systems/postgres/sql/expr_parts.h"
#include "systems/postgres/sql/expressions.h"
#include "systems/postgres/sql/visit.h"

namespace sluice::postgres {
namespace {

using reading::Count;
using reading::Extent;
using reading::ReadClass;

constexpr Extent kAnything{Count::unlimited(), Count::unlimited(), Count::unlimited(), ReadClass::scroll};

struct NamedExtent {
  std::string_view name;
  Extent extent;
};

// --- recursive WITH

// Whether a query names one of these common tables. A name that means something else further in counts too.
class Mentions final : public sql::Visitor {
 public:
  explicit Mentions(sql::List<sql::CommonTable> tables) : tables_(tables) {}
  bool found = false;

 private:
  void on_relation(const sql::RangeVar& name, sql::RelationRole role, bool) override {
    if (role != sql::RelationRole::read || !name.schema.empty()) return;
    found |= std::ranges::any_of(tables_, [&](const auto& table) { return table.name == name.name; });
  }
  sql::List<sql::CommonTable> tables_;
};

// Whether values of records can come into a query at all.
class ReadsRecords final : public sql::Visitor {
 public:
  ReadsRecords(const DescribeContext& context, std::span<const NamedExtent> tables)
      : context_(context), tables_(tables) {}
  bool found = false;

 private:
  void on_relation(const sql::RangeVar& name, sql::RelationRole, bool) override {
    if (name.schema.empty()) {
      const auto carries = [&](const NamedExtent& each) {
        return each.name == name.name && !each.extent.total.is_zero();
      };
      found |= std::ranges::any_of(tables_, carries);
    }
    const auto* relation = context_.catalogue.find_relation(context_.search_path, name.schema, name.name);
    found |= relation != nullptr && !relation->system;
  }
  const DescribeContext& context_;
  std::span<const NamedExtent> tables_;
};

// --- nearest neighbours

// -1, +1, or 0 for what is no number.
int sign_of(const sql::Expr* expr) {
  const auto* constant = expr == nullptr ? nullptr : sql::as<sql::Constant>(without_casts(expr));
  if (constant == nullptr) return 0;
  if (constant->value_kind == sql::ConstantKind::integer) return constant->integer < 0 ? -1 : 1;
  if (constant->value_kind == sql::ConstantKind::number) return constant->text.starts_with('-') ? -1 : 1;
  return 0;
}

bool is_constant(const sql::Expr* expr) {
  if (expr == nullptr) return false;
  expr = without_casts(expr);
  return sql::as<sql::Constant>(expr) != nullptr || sql::as<sql::ParamRef>(expr) != nullptr;
}

// +1: grows with a distance. -1: falls with it (`1 - distance`, inner_product). 0: something else.
int follows_distance(const sql::Expr* expr, const Distances& distances) {
  if (expr == nullptr) return 0;
  if (distances.contains(expr)) {
    const auto* call = sql::as<sql::FunctionCall>(expr);
    const auto named = call == nullptr ? std::nullopt : distance_function(call->name.back());
    return named && named->negated ? -1 : 1;
  }
  if (const auto* cast = sql::as<sql::TypeCast>(expr)) return follows_distance(cast->arg, distances);
  const auto* operation = sql::as<sql::OperatorExpr>(expr);
  if (operation == nullptr || operation->form != sql::OperatorKind::plain) return 0;
  const auto* left = operation->left;
  const auto* right = operation->right;
  const auto symbol = operation->symbol();
  if (symbol == "-" && (left == nullptr || is_constant(left))) return -follows_distance(right, distances);
  if (symbol == "+" && is_constant(left)) return follows_distance(right, distances);
  if ((symbol == "-" || symbol == "+") && is_constant(right)) return follows_distance(left, distances);
  if (symbol == "*" && sign_of(left) != 0) return sign_of(left) * follows_distance(right, distances);
  if (symbol == "*" || symbol == "/") return sign_of(right) * follows_distance(left, distances);
  return 0;
}

// LIMIT ALL and WITH TIES too: they ask for neighbours, and for any number of them.
bool is_nearest_first(const sql::SelectStatement& query, const Distances& distances) {
  if (query.limit == nullptr || query.order_by.empty() || distances.empty()) return false;
  const auto& first = query.order_by.front();
  if (first.direction == sql::SortDirection::using_operator) return false;
  const bool descending = first.direction == sql::SortDirection::descending;
  return follows_distance(sql::sort_expression(first, query), distances) == (descending ? -1 : 1);
}

// Whether an item of FROM can refer to what stands before it.
bool is_lateral(const sql::FromItem& item) {
  switch (item.kind) {
    case sql::FromKind::sub_select: return static_cast<const sql::SubSelectItem&>(item).lateral;
    case sql::FromKind::function:
    case sql::FromKind::table_func: return true;
    case sql::FromKind::join: {
      const auto& join = static_cast<const sql::JoinItem&>(item);
      return is_lateral(*join.left) || is_lateral(*join.right);
    }
    default: return false;
  }
}

bool has_grouping_sets(sql::Exprs group_by) {
  return std::ranges::any_of(group_by,
                             [](const auto* item) { return item->kind == sql::ExprKind::grouping_set; });
}

class Bounds {
 public:
  Bounds(const DescribeContext& context, const Distances& distances)
      : context_(context), distances_(distances) {}

  Extent of(const sql::Statement& statement) {
    switch (statement.kind) {
      case sql::StatementKind::select: return of_select(static_cast<const sql::SelectStatement&>(statement));
      case sql::StatementKind::insert: return of_insert(static_cast<const sql::InsertStatement&>(statement));
      case sql::StatementKind::update: return of_update(static_cast<const sql::UpdateStatement&>(statement));
      case sql::StatementKind::delete_: return of_delete(static_cast<const sql::DeleteStatement&>(statement));
      case sql::StatementKind::merge: return of_merge(static_cast<const sql::MergeStatement&>(statement));
      default: return {Count(0), Count(0), Count(0), ReadClass::none};
    }
  }

 private:
  // --- WITH

  template <class Body>
  Extent with(const sql::WithClause* clause, Body body) {
    const auto depth = tables_.size();
    if (clause != nullptr) {
      for (std::size_t i = 0; i < clause->tables.size(); ++i) {
        const auto& table = clause->tables[i];
        const auto extent = clause->recursive && names_any(*table.query, clause->tables.subspan(i))
                                ? of_recursive(*table.query)
                                : of(*table.query);
        tables_.push_back({table.name, extent});
      }
    }
    auto extent = body();
    tables_.resize(depth);
    return extent;
  }

  static bool names_any(const sql::Statement& query, sql::List<sql::CommonTable> tables) {
    Mentions mentions{tables};
    sql::visit(query, mentions);
    return mentions.found;
  }

  // Values can pile up from round to round: as many in one row as there are in all.
  Extent of_recursive(const sql::Statement& query) const {
    ReadsRecords reads{context_, tables_};
    sql::visit(query, reads);
    if (reads.found) return kAnything;
    return {Count::unlimited(), Count(0), Count(0), ReadClass::none};
  }

  // --- SELECT

  Extent of_select(const sql::SelectStatement& query) {
    return with(query.with, [&] {
      auto extent = query.set_operation != sql::SetOperation::none ? of_set_operation(query)
                    : query.is_values                              ? of_values(query)
                                                                   : of_level(query);
      extent.rows = lesser(extent.rows, limit_count(query, context_));
      extent.total = lesser(extent.total, extent.rows * extent.per_row);
      return extent;
    });
  }

  Extent of_set_operation(const sql::SelectStatement& query) {
    const auto left = of(*query.left);
    const auto right = of(*query.right);
    return {left.rows + right.rows, greater(left.per_row, right.per_row), left.total + right.total,
            std::max(left.cls, right.cls)};
  }

  Extent of_values(const sql::SelectStatement& query) {
    auto reader = output_reader(&query);
    for (const auto row : query.values) {
      for (const auto* value : row) reader.read(value);
    }
    const auto& out = reader.output();
    const auto extra = out.gathers_outer || out.gathers ? Count::unlimited() : out.extra + out.ones;
    return {Count(query.values.size()), extra, extra, out.cls};
  }

  Extent of_level(const sql::SelectStatement& query) {
    const auto from = of_from_list(query.from, query.where);
    auto reader = output_reader(&query);
    reader.read(query.targets);
    return put_out(query, from, reader.output());
  }

  Extent put_out(const sql::SelectStatement& query, const Extent& from, const Output& out) const {
    Extent extent = from;
    const bool grouped = out.aggregated || !query.group_by.empty();
    // A sum over one record is that record's value, and a group may be one record.
    const bool one_input = from.rows.is_known() && *from.rows.value() <= 1;
    const bool keeps =
        out.columns || out.keeps_values || (out.sums && (one_input || !query.group_by.empty()));
    if (grouped && !keeps) {
      extent.per_row = extent.total = Count(0);
      if (from.cls > ReadClass::metadata) {
        const bool counts = query.group_by.empty() && out.aggregated && !out.sums;
        extent.cls = counts ? ReadClass::count : ReadClass::aggregate;
      }
    } else if (from.cls == ReadClass::scroll && !grouped && is_nearest_first(query, distances_)) {
      extent.cls = ReadClass::search;
    }
    extent.total = extent.total + from.rows * out.extra;
    extent.per_row = extent.per_row + out.ones + out.extra;
    if (out.gathers) extent.per_row = extent.total + out.ones;
    if (out.gathers_outer) extent.per_row = extent.total = Count::unlimited();
    extent.cls = std::max(extent.cls, out.cls);
    if (out.aggregated && query.group_by.empty()) {
      extent.rows = Count(1);
    } else if (has_grouping_sets(query.group_by)) {
      extent.rows = Count::unlimited();  // every record in several rows
    }
    if (out.multiplies) extent.rows = Count::unlimited();
    return extent;
  }

  OutputReader output_reader(const sql::SelectStatement* level) {
    return {context_, level, nested_ > 0, [this](const sql::Statement& query) {
              ++nested_;
              auto extent = of(query);
              --nested_;
              return extent;
            }};
  }

  // --- FROM

  // Adds an item to what stands before it. What can refer to that is worked out anew for each row of it.
  static Extent beside(const Extent& before, const Extent& item, bool lateral) {
    return {before.rows * item.rows, before.per_row + item.per_row,
            before.total + (lateral ? before.rows * item.total : item.total), std::max(before.cls, item.cls)};
  }

  Extent of_from_list(sql::List<const sql::FromItem*> items, const sql::Expr* where) {
    Extent all{Count(1), Count(0), Count(0), ReadClass::none};
    std::vector<const sql::Expr*> conditions;
    if (where != nullptr) conditions.push_back(where);
    for (const auto* item : items) all = beside(all, of_from(*item, conditions), is_lateral(*item));
    return all;
  }

  Extent of_from(const sql::FromItem& item, const std::vector<const sql::Expr*>& conditions) {
    switch (item.kind) {
      case sql::FromKind::relation: return of_relation(static_cast<const sql::RangeVar&>(item), conditions);
      case sql::FromKind::sub_select: {
        const auto* query = static_cast<const sql::SubSelectItem&>(item).query;
        return query == nullptr ? kAnything : of(*query);
      }
      case sql::FromKind::join: return of_join(static_cast<const sql::JoinItem&>(item), conditions);
      case sql::FromKind::sample: {
        const auto* relation = static_cast<const sql::SampleItem&>(item).relation;
        return relation == nullptr ? kAnything : of_from(*relation, conditions);
      }
      case sql::FromKind::function: {
        auto reader = output_reader(nullptr);
        for (const auto& function : static_cast<const sql::FunctionItem&>(item).functions)
          reader.read(function.call);
        return of_arguments(reader.output());
      }
      case sql::FromKind::table_func: {
        const auto& table = static_cast<const sql::TableFuncItem&>(item);
        auto reader = output_reader(nullptr);
        reader.read(table.document);
        reader.read(table.rows);
        for (const auto& column : table.columns) {
          reader.read(column.path);
          reader.read(column.default_value);
        }
        return of_arguments(reader.output());
      }
      case sql::FromKind::unknown: break;
    }
    return kAnything;
  }

  // Rows that a function makes of its arguments: each may hold all that they hold.
  static Extent of_arguments(const Output& out) {
    const auto held = out.gathers || out.gathers_outer ? Count::unlimited() : out.extra;
    return {Count::unlimited(), held, held, out.cls};
  }

  Extent of_join(const sql::JoinItem& join, const std::vector<const sql::Expr*>& outer) {
    // A condition of ON holds for all rows of a side, unless that side's rows appear without a partner. An
    // alias over the join hides the names below it, and may give them new ones.
    const bool hidden = join.alias != nullptr && !join.alias->name.empty();
    auto left_conditions = hidden ? std::vector<const sql::Expr*>{} : outer;
    auto right_conditions = left_conditions;
    const bool left_whole = join.join == sql::JoinKind::left || join.join == sql::JoinKind::full;
    const bool right_whole = join.join == sql::JoinKind::right || join.join == sql::JoinKind::full;
    if (join.on != nullptr && !left_whole) left_conditions.push_back(join.on);
    if (join.on != nullptr && !right_whole) right_conditions.push_back(join.on);
    const auto left = of_from(*join.left, left_conditions);
    auto both = beside(left, of_from(*join.right, right_conditions), is_lateral(*join.right));
    if (left_whole) both.rows = both.rows + left.rows;
    if (right_whole) both.rows = Count::unlimited();
    return both;
  }

  Extent of_relation(const sql::RangeVar& name, const std::vector<const sql::Expr*>& conditions) const {
    if (name.schema.empty()) {
      for (auto at = tables_.rbegin(); at != tables_.rend(); ++at) {
        if (at->name == name.name) return at->extent;
      }
    }
    const auto* relation = context_.catalogue.find_relation(context_.search_path, name.schema, name.name);
    if (relation != nullptr && relation->system)
      return {Count::unlimited(), Count(0), Count(0), ReadClass::metadata};
    Extent extent{Count::unlimited(), Count(1), Count::unlimited(), ReadClass::scroll};
    if (relation == nullptr) return extent;
    extent.rows = rows_by_key(conditions, *relation, name, context_);
    extent.total = extent.rows;
    if (!extent.rows.is_unlimited()) extent.cls = ReadClass::fetch;
    return extent;
  }

  // --- INSERT, UPDATE, DELETE, MERGE

  // The rows that RETURNING answers with: each carries the changed record, and what was written into it.
  static Extent returned(Count rows, const Extent& sources, const Output& out, bool returning) {
    auto cls = std::max(sources.cls, out.cls);
    if (!returning) return {Count(0), Count(0), Count(0), cls};
    auto extra = out.extra + out.ones;
    if (out.gathers || out.gathers_outer) extra = Count::unlimited();
    return {rows, Count(1) + sources.per_row + extra, rows + sources.total + rows * extra, cls};
  }

  static void read_own(Extent& extent, bool by_key) {
    extent.cls = std::max(extent.cls, by_key ? ReadClass::fetch : ReadClass::scroll);
  }

  Extent of_insert(const sql::InsertStatement& insert) {
    return with(insert.with, [&] {
      const auto source = insert.source == nullptr ? Extent{Count(1), Count(0), Count(0), ReadClass::none}
                                                   : of(*insert.source);
      auto reader = output_reader(nullptr);
      reader.read(insert.returning);
      const bool updates = insert.on_conflict != nullptr && insert.on_conflict->update;
      if (updates) reader.read(insert.on_conflict->assignments);
      auto extent = returned(source.rows, source, reader.output(), !insert.returning.empty());
      // What INSERT returns is what the client has just written; DO UPDATE returns what was there.
      if (updates && !insert.returning.empty()) read_own(extent, true);
      return extent;
    });
  }

  Extent of_update(const sql::UpdateStatement& update) {
    return with(update.with, [&] {
      return of_change(*update.relation, update.from, update.where, update.assignments, update.returning);
    });
  }

  Extent of_delete(const sql::DeleteStatement& remove) {
    return with(remove.with, [&] {
      return of_change(*remove.relation, remove.using_items, remove.where, {}, remove.returning);
    });
  }

  Extent of_change(const sql::RangeVar& name, sql::List<const sql::FromItem*> items, const sql::Expr* where,
                   sql::List<sql::Target> assignments, sql::List<sql::Target> returning) {
    const auto sources = of_from_list(items, where);
    auto reader = output_reader(nullptr);
    reader.read(assignments);
    reader.read(returning);
    const auto* relation = context_.catalogue.find_relation(context_.search_path, name.schema, name.name);
    auto rows = Count::unlimited();
    if (relation != nullptr && where != nullptr) rows = rows_by_key({&where, 1}, *relation, name, context_);
    auto extent = returned(rows, sources, reader.output(), !returning.empty());
    if (!returning.empty()) read_own(extent, !rows.is_unlimited());
    return extent;
  }

  Extent of_merge(const sql::MergeStatement& merge) {
    return with(merge.with, [&] {
      const auto source = of_from(*merge.source, {});
      auto reader = output_reader(nullptr);
      for (const auto& when : merge.whens) {
        reader.read(when.targets);
        for (const auto* value : when.values) reader.read(value);
      }
      reader.read(merge.returning);
      auto extent = returned(Count::unlimited(), source, reader.output(), !merge.returning.empty());
      if (!merge.returning.empty()) read_own(extent, false);
      return extent;
    });
  }

  const DescribeContext& context_;
  const Distances& distances_;
  std::vector<NamedExtent> tables_;  // WITH queries in sight, innermost last
  std::uint32_t nested_ = 0;         // expressions of how many levels this level stands in
};

}  // namespace

Extent extent_of(const sql::Statement& statement, const DescribeContext& context,
                 const Distances& distances) {
  return Bounds{context, distances}.of(statement);
}

}  // namespace sluice::postgres
