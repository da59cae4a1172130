#include "systems/postgres/describe/output.h"
#include "systems/postgres/sql/expr_parts.h"

#include <algorithm>

namespace sluice::postgres {
namespace {

using reading::Count;

// --- to which level an aggregate belongs

bool yields_column(const sql::SelectStatement& query, std::string_view name) {
  const auto* level = &query;
  while (level->left != nullptr) level = level->left;
  return std::ranges::any_of(level->targets, [&](const sql::Target& target) {
    if (!target.name.empty()) return target.name == name;
    const auto* column = sql::as<sql::ColumnRef>(target.value);
    return column != nullptr && !column->star && !column->parts.empty() && column->parts.back() == name;
  });
}

// Whether a reference surely means something of this FROM item. What cannot be told counts as not.
bool offers(const sql::FromItem& item, const sql::ColumnRef& column, const DescribeContext& context) {
  if (column.parts.empty()) return false;
  const auto name = column.parts.back();
  const auto qualifier = column.parts.size() > 1 ? column.parts[column.parts.size() - 2]
                         : column.star           ? name
                                                 : std::string_view{};
  const auto alias = item.alias != nullptr ? item.alias->name : std::string_view{};
  if (const auto* join = sql::as<sql::JoinItem>(&item)) {
    return (!alias.empty() && qualifier == alias) || offers(*join->left, column, context) ||
           offers(*join->right, column, context);
  }
  if (const auto* sample = sql::as<sql::SampleItem>(&item)) {
    return sample->relation != nullptr && offers(*sample->relation, column, context);
  }
  const auto* relation_name = sql::as<sql::RangeVar>(&item);
  const auto own = !alias.empty()             ? alias
                   : relation_name != nullptr ? relation_name->name
                                              : std::string_view{};
  if (!qualifier.empty()) return qualifier == own;
  if (!own.empty() && name == own) return true;
  if (item.alias != nullptr && !item.alias->columns.empty())
    return std::ranges::find(item.alias->columns, name) != item.alias->columns.end();
  if (relation_name != nullptr) {
    const auto* relation =
        context.catalogue.find_relation(context.search_path, relation_name->schema, relation_name->name);
    return relation != nullptr && relation->column(name) != nullptr;
  }
  const auto* sub = sql::as<sql::SubSelectItem>(&item);
  return sub != nullptr && sub->query != nullptr && yields_column(*sub->query, name);
}

struct References {
  bool any = false;
  bool own = false;
};

void look_for_references(const sql::Expr& expr, const sql::SelectStatement& level,
                         const DescribeContext& context, References& out) {
  if (out.own) return;
  if (const auto* column = sql::as<sql::ColumnRef>(&expr)) {
    out.any = true;
    out.own =
        std::ranges::any_of(level.from, [&](const auto* item) { return offers(*item, *column, context); });
  }
  for_each_part(expr, [&](const sql::Expr& part) { look_for_references(part, level, context, out); });
}

// An aggregate belongs to the innermost level that its arguments refer to (parse_agg.c,
// check_agg_arguments): one without references to the level in which it stands.
bool belongs_to(const sql::FunctionCall& call, const sql::SelectStatement& level,
                const DescribeContext& context) {
  References found;
  for (const auto* arg : call.args) look_for_references(*arg, level, context, found);
  for (const auto& item : call.order_by) look_for_references(*item.expr, level, context, found);
  return found.own || !found.any;
}

// percentile_disc(array) gives a value for each element.
bool has_one_fraction(const sql::FunctionCall& call) {
  return std::ranges::all_of(call.args, [](const sql::Expr* arg) {
    const auto* constant = sql::as<sql::Constant>(arg);
    return constant != nullptr && (constant->value_kind == sql::ConstantKind::number ||
                                   constant->value_kind == sql::ConstantKind::integer);
  });
}

}  // namespace

void OutputReader::read(const sql::Expr* expr) {
  if (expr != nullptr) walk(*expr, Inside::nothing);
}

void OutputReader::read(sql::List<sql::Target> targets) {
  for (const auto& target : targets) read(target.value);
}

void OutputReader::walk(const sql::Expr& expr, Inside inside) {
  switch (expr.kind) {
    case sql::ExprKind::column: out_.columns |= inside == Inside::nothing; return;
    case sql::ExprKind::grouping_func: return;  // which columns are grouped, no value of them
    case sql::ExprKind::sub_link: return walk_link(static_cast<const sql::SubLink&>(expr), inside);
    case sql::ExprKind::call: return walk_call(static_cast<const sql::FunctionCall&>(expr), inside);
    default: for_each_part(expr, [&](const sql::Expr& part) { walk(part, inside); });
  }
}

void OutputReader::walk_link(const sql::SubLink& link, Inside inside) {
  if (link.test != nullptr) walk(*link.test, inside);
  out_.columns |= inside == Inside::nothing;  // what it refers to may be a column of this level
  const bool truth = link.form == sql::SubLinkKind::exists || link.form == sql::SubLinkKind::any ||
                     link.form == sql::SubLinkKind::all;
  if (truth || inside == Inside::count || link.query == nullptr) return;
  const auto inner = extent_of_(*link.query);
  // A scalar sub-select yields one row at most, an array all of them.
  out_.extra =
      out_.extra + (link.form == sql::SubLinkKind::array ? inner.total : lesser(inner.total, inner.per_row));
  out_.cls = std::max(out_.cls, inner.cls);
}

void OutputReader::walk_call(const sql::FunctionCall& call, Inside inside) {
  const auto schema = call.name.size() > 1 ? call.name[call.name.size() - 2] : std::string_view{};
  const auto name = call.name.empty() ? std::string_view{} : call.name.back();
  const auto cls = context_.catalogue.find_function(context_.search_path, schema, name).facts.cls;
  auto parts = inside;
  switch (cls) {
    case FunctionClass::aggregate:
      if (call.over != nullptr) {
        out_.columns = true;
        if (name != "count") out_.ones = out_.ones + Count(1);  // a frame may be a single other row
        break;
      }
      out_.aggregated = true;
      out_.sums |= name != "count";
      parts = name == "count" ? Inside::count : std::max(inside, Inside::aggregate);
      break;
    case FunctionClass::value_aggregate: parts = std::max(inside, value_aggregate(call)); break;
    case FunctionClass::window:
      if (call.over != nullptr) {
        out_.columns = true;  // a position for each row
      } else {
        out_.aggregated = out_.sums = true;  // rank(x) WITHIN GROUP (ORDER BY y)
        parts = std::max(inside, Inside::aggregate);
      }
      break;
    case FunctionClass::value_window:
      out_.columns = true;
      out_.ones = out_.ones + Count(1);
      break;
    case FunctionClass::set_returning: out_.multiplies = true; break;
    case FunctionClass::unvouched:
    case FunctionClass::dangerous:  // vouched for by the operator: it may be an aggregate of any kind
      if (name == "set_config") break;
      out_.gathers = true;
      out_.keeps_values = true;
      out_.multiplies = true;
      break;
    default: break;
  }
  for_each_part(call, [&](const sql::Expr& part) { walk(part, parts); });
}

OutputReader::Inside OutputReader::value_aggregate(const sql::FunctionCall& call) {
  const auto name = call.name.back();
  const bool percentile = name.starts_with("percentile_");
  const bool one = keeps_one_value(name) && (!percentile || has_one_fraction(call));
  out_.keeps_values = true;
  if (call.over == nullptr) {
    out_.aggregated = true;
  } else {
    out_.columns = true;
  }
  if (nested_ && call.over == nullptr && (level_ == nullptr || !belongs_to(call, *level_, context_))) {
    out_.gathers_outer |= !one;
    out_.extra = out_.extra + Count(1);
  } else if (one) {
    out_.ones = out_.ones + Count(1);
  } else {
    out_.gathers = true;
  }
  return call.over == nullptr ? Inside::aggregate : Inside::nothing;
}

}  // namespace sluice::postgres
