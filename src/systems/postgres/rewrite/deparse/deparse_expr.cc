// Expressions: every operator application stands in parentheses, so that no precedence has to be remembered.
#include <fmt/format.h>

#include <algorithm>

#include "systems/postgres/rewrite/checks/missing_values.h"
#include "systems/postgres/rewrite/deparse/deparser.h"
#include "systems/postgres/sql/column_name.h"
#include "systems/postgres/sql/names.h"

namespace sluice::postgres::rewrite {

using namespace sql;

namespace {

// Bind carries their count in 16 bits; the scanner takes larger numbers, and lets them wrap around.
constexpr std::int32_t kMaxParameters = 65535;

bool is_number_text(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789.eE+-") == std::string_view::npos;
}

bool is_bits_text(std::string_view text) {
  return !text.empty() && (text[0] == 'b' || text[0] == 'x') &&
         text.find_first_not_of("0123456789abcdefABCDEF", 1) == std::string_view::npos;
}

std::string_view schema_of(Names name) {
  return name.size() == 2 ? name.front() : std::string_view{};
}

}  // namespace

void Deparser::exprs(Exprs nodes, Scope& scope) {
  bool first = true;
  for (const Expr* node : nodes) {
    if (!std::exchange(first, false)) out_ += ", ";
    expr(node, scope);
  }
}

void Deparser::expr(const Expr* node, Scope& scope) {
  if (refused()) return;
  if (node == nullptr) return refuse("a part of the statement was not understood");
  if (value_tests_.contains(node)) {
    out_ += "true";
    return;
  }
  if (distance(*node, scope)) return;
  Place place = std::exchange(place_, place_ == Place::score ? Place::score : Place::elsewhere);
  const bool conjunct = std::exchange(is_conjunct_, false);
  ++expr_depth_;
  switch (node->kind) {
    case ExprKind::column: {
      const auto& ref = static_cast<const ColumnRef&>(*node);
      const std::size_t begin = out_.size();
      column(ref, scope);
      if (hides_from_indexes(ref, scope)) {
        const std::string hidden = hidden_from_indexes(std::string_view(out_).substr(begin));
        out_.replace(begin, out_.size() - begin, hidden);
      }
      break;
    }
    case ExprKind::parameter: {
      std::int32_t number = static_cast<const ParamRef&>(*node).number;
      if (number < 1 || number > kMaxParameters) return refuse("there is no parameter of that number");
      out_.append("$").append(std::to_string(number));
      break;
    }
    case ExprKind::constant: constant(static_cast<const Constant&>(*node)); break;
    case ExprKind::operation: {
      const auto& it = static_cast<const OperatorExpr&>(*node);
      if (!conjunct || !open_key_of_target(it, scope)) operation(it, scope);
      break;
    }
    case ExprKind::boolean: {
      const auto& it = static_cast<const BooleanExpr&>(*node);
      if (it.op == BooleanOperator::not_) {
        out_ += "(NOT ";
        expr(it.args.front(), scope);
        out_ += ')';
        break;
      }
      std::string_view word = it.op == BooleanOperator::and_ ? " AND " : " OR ";
      out_ += '(';
      for (std::size_t i = 0; i < it.args.size(); ++i) {
        if (i > 0) out_ += word;
        is_conjunct_ = conjunct && it.op == BooleanOperator::and_;
        expr(it.args[i], scope);
      }
      out_ += ')';
      break;
    }
    case ExprKind::call: call(static_cast<const FunctionCall&>(*node), scope); break;
    case ExprKind::cast: {
      const auto& it = static_cast<const TypeCast&>(*node);
      out_ += "CAST(";
      expr(it.arg, scope);
      out_ += " AS ";
      type(*it.type);
      out_ += ')';
      break;
    }
    case ExprKind::case_: {
      const auto& it = static_cast<const CaseExpr&>(*node);
      out_ += "(CASE";
      if (it.arg != nullptr) {
        out_ += ' ';
        expr(it.arg, scope);
      }
      for (const CaseWhen& when : it.whens) {
        out_ += " WHEN ";
        expr(when.condition, scope);
        out_ += " THEN ";
        expr(when.result, scope);
      }
      if (it.otherwise != nullptr) {
        out_ += " ELSE ";
        expr(it.otherwise, scope);
      }
      out_ += " END)";
      break;
    }
    case ExprKind::sub_link: sub_link(static_cast<const SubLink&>(*node), scope); break;
    case ExprKind::coalesce:
      out_ += "COALESCE(";
      exprs(static_cast<const CoalesceExpr&>(*node).args, scope);
      out_ += ')';
      break;
    case ExprKind::min_max: {
      const auto& it = static_cast<const MinMaxExpr&>(*node);
      out_ += it.greatest ? "GREATEST(" : "LEAST(";
      exprs(it.args, scope);
      out_ += ')';
      break;
    }
    case ExprKind::array:
      out_ += "ARRAY[";
      exprs(static_cast<const ArrayExpr&>(*node).elements, scope);
      out_ += ']';
      break;
    case ExprKind::row:
      out_ += "ROW(";
      exprs(static_cast<const RowExpr&>(*node).args, scope);
      out_ += ')';
      break;
    case ExprKind::null_test: {
      const auto& it = static_cast<const NullTest&>(*node);
      if (conjunct && has_vector(it, scope)) break;
      out_ += '(';
      expr(it.arg, scope);
      out_ += it.is_null ? " IS NULL)" : " IS NOT NULL)";
      break;
    }
    case ExprKind::boolean_test: {
      constexpr std::string_view kWords[] = {"TRUE",      "NOT TRUE", "FALSE",
                                             "NOT FALSE", "UNKNOWN",  "NOT UNKNOWN"};
      const auto& it = static_cast<const BooleanTest&>(*node);
      out_ += '(';
      expr(it.arg, scope);
      out_ += fmt::format(" IS {})", kWords[static_cast<std::size_t>(it.test)]);
      break;
    }
    case ExprKind::collate: {
      const auto& it = static_cast<const CollateExpr&>(*node);
      if (it.collation.empty() || it.collation.size() > 2) return refuse("a collation is not understood");
      out_ += '(';
      expr(it.arg, scope);
      out_ += fmt::format(" COLLATE {})", quote_qualified(schema_of(it.collation), it.collation.back()));
      break;
    }
    case ExprKind::sql_value: {
      std::string word(static_cast<const SqlValueFunction&>(*node).name);
      std::ranges::transform(word, word.begin(),
                             [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
      out_ += word;
      break;
    }
    case ExprKind::indirection: {
      const auto& it = static_cast<const IndirectionExpr&>(*node);
      out_ += '(';
      expr(it.arg, scope);
      out_ += ')';
      indirection(it.steps, scope);
      break;
    }
    case ExprKind::grouping_func:
      out_ += "GROUPING(";
      exprs(static_cast<const GroupingFunc&>(*node).args, scope);
      out_ += ')';
      break;
    case ExprKind::grouping_set: {
      const auto& it = static_cast<const GroupingSet&>(*node);
      switch (it.form) {
        case GroupingSetKind::empty: out_ += "("; break;
        case GroupingSetKind::simple: out_ += "("; break;
        case GroupingSetKind::rollup: out_ += "ROLLUP("; break;
        case GroupingSetKind::cube: out_ += "CUBE("; break;
        case GroupingSetKind::sets: out_ += "GROUPING SETS("; break;
      }
      exprs(it.content, scope);
      out_ += ')';
      break;
    }
    case ExprKind::xml: xml(static_cast<const XmlExpr&>(*node), scope); break;
    case ExprKind::named_argument: {
      const auto& it = static_cast<const NamedArgument&>(*node);
      out_ += quote_identifier(it.name) + " => ";
      expr(it.arg, scope);
      break;
    }
    case ExprKind::list:
      out_ += '(';
      exprs(static_cast<const ExprList&>(*node).items, scope);
      out_ += ')';
      break;
    case ExprKind::unknown:
    case ExprKind::xml_serialize:
    case ExprKind::default_:
    case ExprKind::current_of:
    case ExprKind::multi_assign:
      refuse("an expression of this kind is not supported in a statement that is rewritten");
  }
  place_ = place;
  --expr_depth_;
}

void Deparser::constant(const Constant& node) {
  switch (node.value_kind) {
    case ConstantKind::null: out_ += "NULL"; return;
    case ConstantKind::integer:
      if (node.integer < 0) {
        out_.append("(").append(std::to_string(node.integer)).append(")");
      } else {
        out_ += std::to_string(node.integer);
      }
      return;
    case ConstantKind::number:
      if (!is_number_text(node.text)) return refuse("a number is not understood");
      out_.append("(").append(node.text).append(")");
      return;
    case ConstantKind::boolean: out_ += node.integer != 0 ? "TRUE" : "FALSE"; return;
    case ConstantKind::text: append_literal(out_, node.text); return;
    case ConstantKind::bits:
      if (!is_bits_text(node.text)) return refuse("a bit string is not understood");
      out_ += fmt::format("{}'{}'", node.text[0] == 'b' ? 'B' : 'X', node.text.substr(1));
      return;
  }
}

void Deparser::column(const ColumnRef& ref, Scope& scope) {
  if (ref.star) {
    if (ref.parts.empty()) {
      // `*` outside of an output list: ROW(*), f(*). Inside one, targets() has dealt with it.
      for (const Entry& entry : scope.entries) use_all(entry);
      if (of_target(ref, {}, scope)) return;
      if (!has_hidden(scope)) {
        out_ += '*';
        return;
      }
      return refuse("* is not supported here in a k-NN search on a masked vector", "Name the columns.");
    }
    const Entry* entry = find_entry(ref.parts, scope);
    if (entry != nullptr) use_all(*entry);
    Meaning row;
    row.entry = entry;
    if (of_target(ref, row, scope)) return;
    // A relation that stands under its own name is still that in the rewrite, without its schema.
    out_ += (entry != nullptr ? quote_identifier(entry->alias) : quote_identifier(ref.parts.back())) + ".*";
    return;
  }
  if (ref.parts.empty() || ref.parts.size() > 3) return refuse("a column name is not understood");
  Meaning meaning = resolve(ref, scope);
  note_reach(meaning);
  for (const auto& [entry, index] : meaning.candidates) use(*entry, index);
  if (ref.parts.back() == kMissingValues && plan_.in_force()) {
    const bool of_catalogue = std::ranges::any_of(meaning.candidates, [](const auto& candidate) {
      return candidate.first->relation != nullptr && candidate.first->relation->system;
    });
    // Of a sub-select it is NULL already.
    const bool of_another = meaning.kind == Meaning::Kind::column && meaning.certain && !of_catalogue;
    if (!of_another) {
      out_ += "CAST(NULL AS \"pg_catalog\".\"text\")";
      return;
    }
  }
  if (meaning.kind == Meaning::Kind::whole_row) use_all(*meaning.entry);
  if (of_target(ref, meaning, scope)) return;
  bool known = meaning.kind != Meaning::Kind::nothing;
  if (ref.parts.size() == 1) {
    if (!known && !fresh_ && !may_be_output_name_) may_be_new(scope);
    append_identifier(out_, ref.parts[0]);
    return;
  }
  const Entry* entry = meaning.entry;
  if (!known && entry != nullptr && entry->mask != nullptr) {
    std::string what = fmt::format("{}.{}", entry->alias, ref.parts.back());
    if (is_system_column(ref.parts.back())) {
      return refuse(fmt::format("{} tells where a row of a masked relation is stored", what));
    }
    if (!fresh_) return need_relation(entry->relation->qualified_name());
    return refuse(fmt::format("column {} does not exist", what));
  }
  if (!known && entry == nullptr && ref.parts.size() > 2) {
    return refuse(fmt::format("{} does not name a relation in FROM", display_name(ref.parts)));
  }
  if (entry == nullptr) {
    append_qualified(out_, ref.parts[0], ref.parts[1]);
    return;
  }
  append_identifier(out_, entry->alias);
  out_ += '.';
  append_identifier(out_, ref.parts.back());
}

// A name that nothing has may be a column that a masked relation got after the catalogue was read.
void Deparser::may_be_new(const Scope& innermost) {
  for (const Scope* scope = &innermost; scope != nullptr; scope = scope->outer) {
    for (const Entry& entry : scope->entries) {
      if (entry.mask != nullptr && entry.visible) return need_relation(entry.relation->qualified_name());
    }
  }
}

void Deparser::operation(const OperatorExpr& node, Scope& scope) {
  auto infix = [&](std::string_view word) {
    out_ += '(';
    expr(node.left, scope);
    out_ += ' ';
    out_ += word;
    out_ += ' ';
    expr(node.right, scope);
    out_ += ')';
  };
  auto between = [&](std::string_view word) {
    const auto* bounds = as<ExprList>(node.right);
    if (bounds == nullptr || bounds->items.size() != 2) return refuse("BETWEEN is not understood");
    out_ += '(';
    expr(node.left, scope);
    out_ += fmt::format(" {} ", word);
    expr(bounds->items[0], scope);
    out_ += " AND ";
    expr(bounds->items[1], scope);
    out_ += ')';
  };
  switch (node.form) {
    case OperatorKind::plain:
    case OperatorKind::like:
    case OperatorKind::ilike:
    case OperatorKind::similar:
      out_ += '(';
      if (node.left != nullptr) {
        expr(node.left, scope);
        out_ += ' ';
      }
      operator_symbol(node.name, known_type(node.left, scope), known_type(node.right, scope));
      out_ += ' ';
      expr(node.right, scope);
      out_ += ')';
      return;
    case OperatorKind::any:
    case OperatorKind::all:
      out_ += '(';
      expr(node.left, scope);
      out_ += ' ';
      operator_symbol(node.name, known_type(node.left, scope), nullptr);
      out_ += node.form == OperatorKind::any ? " ANY (" : " ALL (";
      expr(node.right, scope);
      out_ += "))";
      return;
    case OperatorKind::distinct: return infix("IS DISTINCT FROM");
    case OperatorKind::not_distinct: return infix("IS NOT DISTINCT FROM");
    case OperatorKind::null_if:
      out_ += "NULLIF(";
      expr(node.left, scope);
      out_ += ", ";
      expr(node.right, scope);
      out_ += ')';
      return;
    case OperatorKind::in: return infix(node.symbol() == "<>" ? "NOT IN" : "IN");
    case OperatorKind::between: return between("BETWEEN");
    case OperatorKind::not_between: return between("NOT BETWEEN");
    case OperatorKind::between_symmetric: return between("BETWEEN SYMMETRIC");
    case OperatorKind::not_between_symmetric: return between("NOT BETWEEN SYMMETRIC");
  }
}

void Deparser::call_arguments(const FunctionCall& node, Scope& scope) {
  out_ += '(';
  if (node.star) out_ += '*';
  if (node.distinct) out_ += "DISTINCT ";
  for (std::size_t i = 0; i < node.args.size(); ++i) {
    if (i > 0) out_ += ", ";
    if (node.variadic && i + 1 == node.args.size()) out_ += "VARIADIC ";
    expr(node.args[i], scope);
  }
  if (!node.order_by.empty() && !node.within_group) {
    out_ += " ORDER BY ";
    sort_items(node.order_by, scope);
  }
  out_ += ')';
}

void Deparser::call(const FunctionCall& node, Scope& scope) {
  auto cls = function_class(node.name);
  bool aggregates = cls == FunctionClass::aggregate || cls == FunctionClass::value_aggregate;
  if (aggregates && node.over == nullptr) ++aggregate_depth_;
  // EXTRACT is written as such: PostgreSQL 13 has no function of that name behind it.
  if (node.sql_syntax && node.name.back() == "extract" && node.args.size() == 2) {
    out_ += "EXTRACT(";
    expr(node.args[0], scope);
    out_ += " FROM ";
    expr(node.args[1], scope);
    out_ += ')';
  } else {
    function_name(node.name);
    call_arguments(node, scope);
  }
  if (node.within_group) {
    out_ += " WITHIN GROUP (ORDER BY ";
    sort_items(node.order_by, scope);
    out_ += ')';
  }
  if (node.filter != nullptr) {
    out_ += " FILTER (WHERE ";
    expr(node.filter, scope);
    out_ += ')';
  }
  if (node.over != nullptr) {
    out_ += " OVER ";
    window(*node.over, scope, cls == FunctionClass::window);
  }
  if (aggregates && node.over == nullptr) --aggregate_depth_;
}

void Deparser::sub_link(const SubLink& node, Scope& scope) {
  if (node.query == nullptr) return refuse("a sub-select is not understood");
  auto query = [&](bool order_matters) {
    out_ += '(';
    select(*node.query, &scope, order_matters);
    out_ += ')';
  };
  switch (node.form) {
    case SubLinkKind::exists:
      out_ += "EXISTS ";
      only_tested_ = node.query;
      return query(false);
    case SubLinkKind::array: out_ += "ARRAY"; return query(true);
    case SubLinkKind::scalar: return query(true);
    case SubLinkKind::any:
    case SubLinkKind::all:
      out_ += '(';
      expr(node.test, scope);
      if (node.form == SubLinkKind::any && node.operator_name.empty()) {
        out_ += " IN ";
      } else {
        out_ += ' ';
        operator_symbol(node.operator_name, known_type(node.test, scope), nullptr);
        out_ += node.form == SubLinkKind::any ? " ANY " : " ALL ";
      }
      query(false);
      out_ += ')';
      return;
    case SubLinkKind::multi_column: return refuse("a sub-select with several columns is not understood here");
  }
}

void Deparser::indirection(List<Indirection> steps, Scope& scope) {
  for (const Indirection& step : steps) {
    switch (step.kind) {
      case Indirection::Kind::field: out_ += "." + quote_identifier(step.field); break;
      case Indirection::Kind::star: out_ += ".*"; break;
      case Indirection::Kind::subscript:
        out_ += '[';
        expr(step.upper, scope);
        out_ += ']';
        break;
      case Indirection::Kind::slice:
        out_ += '[';
        if (step.lower != nullptr) expr(step.lower, scope);
        out_ += ':';
        if (step.upper != nullptr) expr(step.upper, scope);
        out_ += ']';
        break;
    }
  }
}

void Deparser::xml(const XmlExpr& node, Scope& scope) {
  auto named = [&] {
    for (std::size_t i = 0; i < node.named_args.size(); ++i) {
      if (i > 0) out_ += ", ";
      expr(node.named_args[i].value, scope);
      std::string_view name = output_name(node.named_args[i]);
      if (!name.empty()) out_ += " AS " + quote_identifier(name);
    }
  };
  switch (node.op) {
    case XmlOperator::concat:
      out_ += "XMLCONCAT(";
      exprs(node.args, scope);
      out_ += ')';
      return;
    case XmlOperator::forest:
      out_ += "XMLFOREST(";
      named();
      out_ += ')';
      return;
    case XmlOperator::element:
      out_ += "XMLELEMENT(NAME " + quote_identifier(node.name);
      if (!node.named_args.empty()) {
        out_ += ", XMLATTRIBUTES(";
        named();
        out_ += ')';
      }
      if (!node.args.empty()) {
        out_ += ", ";
        exprs(node.args, scope);
      }
      out_ += ')';
      return;
    default: return refuse("this XML expression is not supported in a statement that is rewritten");
  }
}

void Deparser::sort_items(List<SortItem> items, Scope& scope) {
  bool first = true;
  for (const SortItem& item : items) {
    if (!std::exchange(first, false)) out_ += ", ";
    sort_item(item, scope);
  }
}

void Deparser::sort_item(const SortItem& item, Scope& scope) {
  expr(item.expr, scope);
  sort_direction(item);
}

void Deparser::sort_direction(const SortItem& item) {
  switch (item.direction) {
    case SortDirection::unstated: break;
    case SortDirection::ascending: out_ += " ASC"; break;
    case SortDirection::descending: out_ += " DESC"; break;
    case SortDirection::using_operator:
      out_ += " USING ";
      operator_symbol(item.using_operator, nullptr, nullptr);
      break;
  }
  if (item.nulls == SortNulls::first) out_ += " NULLS FIRST";
  if (item.nulls == SortNulls::last) out_ += " NULLS LAST";
}

}  // namespace sluice::postgres::rewrite
