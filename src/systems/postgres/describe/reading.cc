#include "systems/postgres/describe/reading.h"

#include <algorithm>
#include <map>

#include "systems/postgres/describe/recorded_text.h"
#include "systems/postgres/rewrite/visit.h"

namespace sluice::postgres {
namespace {

using rewrite::RelationRole;

const sql::Expr* without_casts(const sql::Expr* expr) {
  while (const auto* cast = sql::as<sql::TypeCast>(expr)) expr = cast->arg;
  return expr;
}

bool is_vector_column(const Catalogue& catalogue, const Column& column) {
  const auto* type = catalogue.base_type(column.type);
  if (type == nullptr) return false;
  if (type->element != 0) type = catalogue.base_type(type->element);
  return type != nullptr && (type->name == "vector" || type->name == "halfvec" || type->name == "sparsevec");
}

// Every expression below the output of some query level.
class OutputExprs final : public rewrite::Visitor {
 public:
  explicit OutputExprs(std::set<const sql::Expr*>& out) : out_(out) {}
  void on_expr(const sql::Expr& expr) override { out_.insert(&expr); }

 private:
  std::set<const sql::Expr*>& out_;
};

class NameReader final : public rewrite::Visitor {
 public:
  NameReader(const DescribeContext& context, Reading& out) : context_(context), out_(out) {}

  void on_statement(const sql::Statement& statement) override {
    using sql::StatementKind;
    switch (statement.kind) {
      case StatementKind::insert:
        add_output(static_cast<const sql::InsertStatement&>(statement).returning);
        break;
      case StatementKind::update:
        add_output(static_cast<const sql::UpdateStatement&>(statement).returning);
        break;
      case StatementKind::delete_:
        add_output(static_cast<const sql::DeleteStatement&>(statement).returning);
        break;
      case StatementKind::merge:
        add_output(static_cast<const sql::MergeStatement&>(statement).returning);
        break;
      default: break;
    }
    out_.writes |= statement.kind == StatementKind::insert || statement.kind == StatementKind::update ||
                   statement.kind == StatementKind::merge;
    out_.removes |= statement.kind == StatementKind::delete_;
  }

  void on_select(const sql::SelectStatement& query) override { add_output(query.targets); }

  void on_relation(const sql::RangeVar& name, RelationRole role, bool is_common_table) override {
    if (is_common_table) return;
    const auto* relation = context_.catalogue.find_relation(context_.search_path, name.schema, name.name);
    const auto access = role == RelationRole::read      ? Access::read
                        : role == RelationRole::written ? Access::write
                                                        : Access::define;
    if (relation == nullptr) return on_missing(name, access);
    if (relation->system) {
      out_.reads_system = true;
      return;
    }
    if (access == Access::read) {
      out_.read.push_back(relation);
      aliases_.emplace(name.alias != nullptr ? name.alias->name : name.name, relation);
    }
    auto& use = use_of(relation->qualified_name());
    use.access = use.access == Access::none ? access : use.access | access;
  }

  void on_expr(const sql::Expr& expr) override {
    if (const auto* column = sql::as<sql::ColumnRef>(&expr)) columns_.push_back(column);
    if (const auto* call = sql::as<sql::FunctionCall>(&expr)) on_call(*call);
    if (const auto* operation = sql::as<sql::OperatorExpr>(&expr)) {
      if (const auto distance = distance_operator(operation->symbol())) {
        add_search(expr, distance->metric, operation->left, operation->right);
      }
    }
  }

  // Columns can be told only when all relations are known.
  void finish() {
    for (const auto* column : columns_) on_column(*column, output_.contains(column));
    for (const auto& use : out_.collections) {
      for (const auto* relation : out_.read) {
        if (relation->qualified_name() != use.name) continue;
        for (const auto& column : relation->columns) {
          const bool leaves = use.all_fields || std::ranges::count(use.output_fields, column.name) > 0;
          if (leaves && is_vector_column(context_.catalogue, column)) out_.returns_vectors = true;
        }
      }
    }
  }

 private:
  void add_output(sql::List<sql::Target> targets) {
    sql::SelectStatement only_targets;
    only_targets.targets = targets;
    OutputExprs collector{output_};
    rewrite::visit(only_targets, collector);
  }

  CollectionUse& use_of(const std::string& name) {
    const auto at = std::ranges::find(out_.collections, name, &CollectionUse::name);
    if (at != out_.collections.end()) return *at;
    out_.collections.push_back(
        {.name = name, .access = Access::none, .output_fields = {}, .tested_fields = {}});
    return out_.collections.back();
  }

  // What is defined need not exist; everything else must.
  void on_missing(const sql::RangeVar& name, Access access) {
    if (access != Access::define) {
      if (out_.missing_relation.empty()) {
        out_.missing_relation =
            name.schema.empty() ? std::string{name.name} : fmt::format("{}.{}", name.schema, name.name);
      }
      return;
    }
    const auto schema = name.schema.empty() && !context_.search_path.empty()
                            ? std::string_view{context_.search_path.front()}
                            : name.schema;
    auto& use = use_of(fmt::format("{}.{}", schema, name.name));
    use.access = use.access == Access::none ? access : use.access | access;
  }

  void on_call(const sql::FunctionCall& call) {
    if (call.name.empty()) return;
    const auto schema = call.name.size() > 1 ? call.name[call.name.size() - 2] : std::string_view{};
    const auto name = call.name.back();
    const auto choice = context_.catalogue.find_function(context_.search_path, schema, name);
    switch (choice.facts.cls) {
      case FunctionClass::aggregate: ++(name == "count" ? out_.counts : out_.aggregates); break;
      case FunctionClass::value_aggregate: ++out_.value_aggregates; break;
      case FunctionClass::vector:
        if (const auto distance = distance_function(name); distance && call.args.size() == 2) {
          add_search(call, distance->metric, call.args[0], call.args[1]);
        }
        break;
      case FunctionClass::dangerous:
      case FunctionClass::unvouched: {
        const auto where = choice.schema.empty() ? std::string{schema} : choice.schema;
        if (context_.vouched != nullptr && context_.vouched->contains(where, name)) break;
        auto full = where.empty() ? std::string{name} : fmt::format("{}.{}", where, name);
        // set_config is judged by the setting that it names (describe/settings.h).
        if (name == "set_config") break;
        out_.unvouched.push_back(choice.facts.cls == FunctionClass::dangerous
                                     ? fmt::format("function {} {}", full, explain(choice.facts.danger))
                                     : fmt::format("nobody vouches for function {}", full));
        out_.functions.push_back(std::move(full));
        break;
      }
      default: break;
    }
  }

  void add_search(const sql::Expr& whole, std::string_view metric, const sql::Expr* left,
                  const sql::Expr* right) {
    VectorSearch search;
    search.metric = metric;
    for (const auto* side : {left, right}) {
      const auto* bare = without_casts(side);
      if (const auto* column = sql::as<sql::ColumnRef>(bare); column != nullptr && !column->parts.empty()) {
        search.field = column->parts.back();
      } else if (const auto* literal = sql::as<sql::Constant>(bare);
                 literal != nullptr && literal->value_kind == sql::ConstantKind::text) {
        search.dimension = vector_text_dimension(literal->text);
        search.query_digest = sha256(as_bytes(literal->text));
      }
    }
    search.returns_score = output_.contains(&whole);
    out_.returns_scores |= search.returns_score;
    for (const auto* relation : out_.read) {
      if (relation->column(search.field) != nullptr) {
        search.collection = relation->qualified_name();
        break;
      }
    }
    out_.searches.push_back(std::move(search));
  }

  // `d.email`, `email`, `d.*`, `*`, or a whole row: where it cannot be told which relation is meant, all of
  // them are.
  void on_column(const sql::ColumnRef& column, bool output) {
    const auto qualifier =
        column.star ? (column.parts.empty() ? std::string_view{} : column.parts.back())
                    : (column.parts.size() > 1 ? column.parts[column.parts.size() - 2] : std::string_view{});
    const auto name = column.star || column.parts.empty() ? std::string_view{} : column.parts.back();
    bool found = false;
    for (const auto& [alias, relation] : aliases_) {
      if (!qualifier.empty() && qualifier != alias) continue;
      const bool whole = column.star || (column.parts.size() == 1 && name == alias);
      if (!whole && relation->column(name) == nullptr) continue;
      found = true;
      mark(*relation, whole ? std::string_view{} : name, output);
    }
    if (found || !qualifier.empty()) return;
    if (column.star) {
      for (const auto* relation : out_.read) mark(*relation, {}, output);
    }
  }

  void mark(const Relation& relation, std::string_view field, bool output) {
    auto& use = use_of(relation.qualified_name());
    if (field.empty()) {
      use.all_fields = true;
      return;
    }
    auto& fields = output ? use.output_fields : use.tested_fields;
    if (std::ranges::find(fields, field) == fields.end()) fields.emplace_back(field);
  }

  const DescribeContext& context_;
  Reading& out_;
  std::multimap<std::string_view, const Relation*> aliases_;
  std::vector<const sql::ColumnRef*> columns_;
  std::set<const sql::Expr*> output_;
};

}  // namespace

Reading read_names(const sql::Statement& statement, const DescribeContext& context) {
  Reading reading;
  NameReader reader{context, reading};
  rewrite::visit(statement, reader);
  reader.finish();
  return reading;
}

}  // namespace sluice::postgres
