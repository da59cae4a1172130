// Conditions on open keys of a JSON column that has masked ones: tested on the stored value as well, within
// the derived table, so that an index on the column serves.
//
//   SELECT id FROM docs WHERE metadata @> '{"topic": "x"}'        and metadata's key `email` is masked
//   ... FROM (SELECT t.id, <metadata without email> AS metadata FROM docs t WHERE t.metadata @> '{"topic":
//   "x"}' OR <the other side is not of open keys only>) AS docs WHERE metadata @> '{"topic": "x"}'
//
// The result is that of the outer condition alone, because it implies the inner one: a masked value is the
// stored one without some keys, or {}. A side that names a masked key (or none) is not tested on stored
// values: how many rows an index finds for it would tell. The planner decides that while it plans, for
// parameters too.
#include <fmt/format.h>

#include <algorithm>

#include "systems/postgres/rewrite/checks/row_errors.h"
#include "systems/postgres/rewrite/deparse/deparser.h"
#include "systems/postgres/rewrite/masks/mask_json.h"
#include "systems/postgres/sql/conjuncts.h"
#include "systems/postgres/sql/names.h"

namespace sluice::postgres::rewrite {

using namespace sql;

namespace {

bool has_operator(const OperatorExpr& node, OperatorKind form, std::string_view symbol) {
  return node.form == form && node.symbol() == symbol &&
         (node.name.size() == 1 || (node.name.size() == 2 && node.name.front() == "pg_catalog"));
}

// A literal or parameter, perhaps cast to one of these types: the same value wherever it stands, of a type
// for which the operators in question are PostgreSQL's own.
bool is_given(const Expr* expr, std::initializer_list<std::string_view> types) {
  if (expr == nullptr) return false;
  if (expr->kind == ExprKind::parameter) return true;
  if (const auto* constant = as<Constant>(expr)) return constant->value_kind == ConstantKind::text;
  const auto* cast = as<TypeCast>(expr);
  if (cast == nullptr || cast->type->setof || cast->type->percent_type || !cast->type->typmods.empty())
    return false;
  Names names = cast->type->names;
  const bool plain = names.size() == 1 || (names.size() == 2 && names.front() == "pg_catalog");
  return plain && cast->arg->kind != ExprKind::cast && is_given(cast->arg, {}) &&
         std::ranges::find(types, names.back()) != types.end();
}

// An index scan for one key of such an index gives rows in the order of the others, which may be masked.
// (Where rows are sorted anyway that is no matter, and GIN has no order.)
bool has_wide_expression_index(const Catalogue& catalogue, const Relation& relation) {
  return std::ranges::any_of(catalogue.family(relation.oid), [&](Oid oid) {
    const Relation* each = catalogue.relation(oid);
    return each == nullptr || std::ranges::any_of(each->indexes, [](const Index& index) {
             return index.method != "gin" && index.key.size() > 1 &&
                    std::ranges::find(index.key, 0) != index.key.end();
           });
  });
}

std::string_view text_of(const Expr* expr) {
  const auto* constant = as<Constant>(expr);
  return constant != nullptr && constant->value_kind == ConstantKind::text ? constant->text
                                                                           : std::string_view{};
}

}  // namespace

void Deparser::stored_conditions(const SelectStatement& node, Scope& scope) {
  for (const Entry& entry : scope.entries) {
    if (entry.mask != nullptr) usages_[entry.var].stored_conditions.clear();
  }
  if (node.where == nullptr || shows_counts_) return;
  each_conjunct(node.where, [&](const Expr* each) {
    if (!answer_equality(node, each, scope)) stored_condition(each, scope);
  });
}

// The masked JSON column that an operand is, of this level, beyond doubt.
const ColumnMask* Deparser::masked_json(const Expr* operand, const Scope& scope, Meaning& meaning) const {
  const auto* column = as<ColumnRef>(operand);
  if (column == nullptr || column->star) return nullptr;
  meaning = resolve(*column, scope);
  if (meaning.kind != Meaning::Kind::column || !meaning.certain || meaning.scope != &scope ||
      meaning.entry->mask == nullptr)
    return nullptr;
  // What a view is led to beneath itself is not known here.
  if (meaning.entry->relation->kind == RelationKind::view) return nullptr;
  const Column& stored = meaning.entry->relation->columns[meaning.index];
  const ColumnMask* mask = meaning.entry->mask->column(stored.attnum);
  if (mask == nullptr || mask->json_keys.empty()) return nullptr;
  const Type* type = catalogue_.base_type(stored.type);
  return type != nullptr && type->name == "jsonb" ? mask : nullptr;
}

void Deparser::stored_condition(const Expr* condition, Scope& scope) {
  const auto* test = as<OperatorExpr>(condition);
  if (test == nullptr) return;
  Meaning meaning;
  auto written = [&](const Expr* expression) {
    const std::size_t begin = out_.size();
    expr(expression, scope);
    std::string text = out_.substr(begin);
    out_.resize(begin);
    return text;
  };
  // The condition on the stored value; where something that may fail could be computed before the masked one
  // is tested, that one as well, and nothing before both.
  auto add = [&](const ColumnMask& mask, const auto& text_for) {
    Usage& usage = usages_[meaning.entry->var];
    const std::string column = fmt::format(
        "{}.{}", inner_alias(), quote_identifier(meaning.entry->relation->columns[meaning.index].name));
    usage.stored_conditions.push_back(text_for(column, true));
    if (errs()) {
      usage.stored_conditions.push_back(text_for("(" + mask.value(column) + ")", false));
      usage.fenced = true;
    }
    tests_stored_values_ = true;
  };
  auto is_open = [](const ColumnMask& mask, std::string_view key) {
    return is_open_key(mask.json_keys, key);
  };
  if (has_operator(*test, OperatorKind::plain, "@>") && is_given(test->right, {"jsonb"})) {
    const ColumnMask* mask = masked_json(test->left, scope, meaning);
    if (mask == nullptr) return;
    const std::string given = fmt::format("CAST({} AS pg_catalog.jsonb)", written(test->right));
    return add(*mask, [&](const std::string& document, bool is_stored) {
      const std::string holds = fmt::format("({} OPERATOR(pg_catalog.@>) {})", document, given);
      if (!is_stored) return holds;
      return fmt::format(
          "({0} OR (((pg_catalog.jsonb_typeof({1}) OPERATOR(pg_catalog.=) 'object') AND "
          "({1} OPERATOR(pg_catalog.<>) '{{}}'::pg_catalog.jsonb) AND NOT pg_catalog.jsonb_path_exists({1}, "
          "{2}::pg_catalog.jsonpath, '{{}}'::pg_catalog.jsonb, true)) IS NOT TRUE))",
          holds, given, quote_literal(json_key_path(mask->json_keys)));
    });
  }
  if (has_operator(*test, OperatorKind::plain, "?")) {
    const ColumnMask* mask = masked_json(test->left, scope, meaning);
    if (mask == nullptr || !is_open(*mask, text_of(test->right))) return;
    return add(*mask, [&](const std::string& document, bool) {
      return fmt::format("({} OPERATOR(pg_catalog.?) {})", document, quote_literal(text_of(test->right)));
    });
  }

  // column ->> 'key' = given, IN (given, ...)
  const auto* path = as<OperatorExpr>(test->left);
  if (path == nullptr || !has_operator(*path, OperatorKind::plain, "->>")) return;
  const ColumnMask* mask = masked_json(path->left, scope, meaning);
  if (mask == nullptr || !is_open(*mask, text_of(path->right))) return;
  if (!meaning.entry->mask->order_leaks && has_wide_expression_index(catalogue_, *meaning.entry->relation))
    return;
  auto value = [&](const std::string& document) {
    return fmt::format("({} OPERATOR(pg_catalog.->>) {})", document, quote_literal(text_of(path->right)));
  };
  if (has_operator(*test, OperatorKind::plain, "=") && is_given(test->right, {"text", "varchar"})) {
    return add(*mask, [&](const std::string& document, bool) {
      return fmt::format("({} OPERATOR(pg_catalog.=) {})", value(document), written(test->right));
    });
  }
  const auto* list = as<ExprList>(test->right);
  if (list == nullptr || !has_operator(*test, OperatorKind::in, "=")) return;
  if (!std::ranges::all_of(list->items, [](const Expr* item) { return is_given(item, {"text", "varchar"}); }))
    return;
  add(*mask, [&](const std::string& document, bool) {
    return fmt::format("({} IN {})", value(document), written(list));
  });
}

namespace {

// Types of which all values compare, with operators that are PostgreSQL's own.
bool compares_without_errors(const Type* type) {
  constexpr std::string_view kCategories =
      "BDENSU";  // boolean, date/time, enumeration, numeric, string, uuid...
  return type != nullptr && type->schema == "pg_catalog" && kCategories.contains(type->category);
}

bool is_constant(const Expr* expr) {
  while (const auto* cast = as<TypeCast>(expr)) expr = cast->arg;
  return expr != nullptr && (expr->kind == ExprKind::constant || expr->kind == ExprKind::parameter);
}

}  // namespace

// A condition of WHERE on open columns of a relation that comes sorted and fenced, tested within as well, so
// that only those rows are sorted and an index serves: `tenant = $1`, `id IN (1, 2)`, `day BETWEEN ...`.
void Deparser::condition_within(const Expr* condition, const Entry& entry, Scope& scope) {
  const auto* test = as<OperatorExpr>(condition);
  const auto* ref = test == nullptr ? nullptr : as<ColumnRef>(test->left);
  if (ref == nullptr || ref->star || test->right == nullptr) return;
  const Meaning meaning = resolve(*ref, scope);
  if (meaning.kind != Meaning::Kind::column || !meaning.certain || meaning.scope != &scope ||
      meaning.entry != &entry)
    return;
  const Column& column = entry.relation->columns[meaning.index];
  const Type* type = catalogue_.base_type(column.type);
  if (entry.mask->column(column.attnum) != nullptr || !column.readable || !compares_without_errors(type))
    return;
  constexpr std::string_view kComparisons[] = {"=", "<>", "<", "<=", ">", ">="};
  if (std::ranges::find(kComparisons, test->symbol()) == std::end(kComparisons) &&
      test->form != OperatorKind::between)
    return;
  const auto* list = as<ExprList>(test->right);
  const bool several = (test->form == OperatorKind::in || test->form == OperatorKind::between) &&
                       list != nullptr && std::ranges::all_of(list->items, is_constant);
  const bool one = test->form == OperatorKind::plain || test->form == OperatorKind::any;
  if (!several && (!one || !is_constant(test->right))) return;
  // The condition as it will be written, of the inner column.
  auto written = [&](auto write) {
    const std::size_t begin = out_.size();
    write();
    std::string text = out_.substr(begin);
    out_.resize(begin);
    return text;
  };
  const std::string outer = "(" + written([&] { expr(ref, scope); });
  const std::string text = written([&] { operation(*test, scope); });
  if (refused() || !text.starts_with(outer)) return;
  usages_[entry.var].stored_conditions.push_back(fmt::format(
      "({}.{}{}", inner_alias(), quote_identifier(column.name), std::string_view(text).substr(outer.size())));
}

// `metadata ->> 'key' = given` and `IN (...)`, of a key that is not masked, in WHERE of UPDATE and DELETE:
// the one way in which these may look at such a column. It is tested on the masked value, which is {} where a
// masked key lies deep, so that nothing is changed that a query would not show; and on the stored one, for an
// index. True: it has been written.
bool Deparser::open_key_of_target(const OperatorExpr& test, Scope& scope) {
  if (reads_ != Reads::refused) return false;
  const auto* path = as<OperatorExpr>(test.left);
  if (path == nullptr || !has_operator(*path, OperatorKind::plain, "->>")) return false;
  const auto* column = as<ColumnRef>(path->left);
  if (column == nullptr || column->star) return false;
  const Meaning meaning = resolve(*column, scope);
  if (meaning.kind != Meaning::Kind::column || !meaning.certain || meaning.scope != &scope ||
      !meaning.entry->target || meaning.entry->mask == nullptr) {
    return false;
  }
  const Column& stored = meaning.entry->relation->columns[meaning.index];
  const ColumnMask* mask = meaning.entry->mask->column(stored.attnum);
  if (mask == nullptr || mask->json_keys.empty() || !is_open_key(mask->json_keys, text_of(path->right)))
    return false;
  const auto* list = as<ExprList>(test.right);
  const bool one = has_operator(test, OperatorKind::plain, "=") && is_given(test.right, {"text", "varchar"});
  const bool several =
      list != nullptr && has_operator(test, OperatorKind::in, "=") &&
      std::ranges::all_of(list->items, [](const Expr* item) { return is_given(item, {"text", "varchar"}); });
  if (!one && !several) return false;
  std::string value =
      fmt::format("{}.{}", quote_identifier(meaning.entry->alias), quote_identifier(stored.name));
  // What rows are found by shows in their order (condition_of_writes).
  if ((hides_order_ && orders_writes(*meaning.entry, meaning.index)) ||
      has_wide_expression_index(catalogue_, *meaning.entry->relation)) {
    value = hidden_from_indexes(value);
  }
  const std::string key = quote_literal(text_of(path->right));
  if (target_where_ != nullptr &&
      errs_by_row(*target_where_, [&](const ColumnRef& ref) { return known_type(&ref, scope); })) {
    refuse(fmt::format("{} is masked: beside a condition on it nothing may be computed that could fail",
                       mask->name),
           "Compare columns with values only.");
  }
  // EXPLAIN ANALYZE counts what each condition leaves.
  std::vector<std::string> documents;
  if (!shows_counts_) documents.push_back(value);
  documents.push_back("(" + mask->value(value) + ")");
  tests_stored_values_ |= !shows_counts_;
  out_ += '(';
  for (const std::string& document : documents) {
    if (&document != &documents.front()) out_ += " AND ";
    out_ += fmt::format("(({} OPERATOR(pg_catalog.->>) {}) {}", document, key,
                        one ? "OPERATOR(pg_catalog.=) " : "IN (");
    if (one) {
      expr(test.right, scope);
    } else {
      exprs(list->items, scope);
      out_ += ')';
    }
    out_ += ')';
  }
  out_ += ')';
  return true;
}

}  // namespace sluice::postgres::rewrite
