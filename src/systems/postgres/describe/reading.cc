#include "systems/postgres/describe/reading.h"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include "systems/postgres/catalogue/counters.h"
#include "systems/postgres/describe/calls.h"
#include "systems/postgres/describe/vector_search.h"
#include "systems/postgres/sql/expr_parts.h"
#include "systems/postgres/sql/visit.h"

namespace sluice::postgres {
namespace {

using sql::RelationRole;
using sql::StatementKind;

bool is_test(const sql::SubLink& link) {
  return link.form == sql::SubLinkKind::exists || link.form == sql::SubLinkKind::any ||
         link.form == sql::SubLinkKind::all;
}

// Of the system's relations that checks/vouch.h refuses: those that tell about the own session, or count.
constexpr std::array<std::string_view, 4> kHarmlessHere = {"pg_cursors", "pg_locks", "pg_prepared_statements",
                                                           "pg_stat_database"};

bool holds_values(const Relation& relation) {
  return dangerous_system_relation(relation.schema, relation.name).has_value() &&
         !is_counter_view(relation.schema, relation.name) &&
         !std::ranges::binary_search(kHarmlessHere, relation.name);
}

// What a column reference means, as far as it can be told from the text.
struct Reference {
  std::string_view qualifier;
  std::string_view name;  // empty: `*`
  bool output = false;
  bool insert_tail = false;
  auto operator<=>(const Reference&) const = default;
};

Reference reference_of(const sql::ColumnRef& column, bool output, bool insert_tail) {
  const auto parts = column.parts.size();
  if (column.star) return {parts == 0 ? std::string_view{} : column.parts.back(), {}, output, insert_tail};
  return {parts > 1 ? column.parts[parts - 2] : std::string_view{},
          parts == 0 ? std::string_view{} : column.parts.back(), output, insert_tail};
}

class NameReader final : public sql::Visitor {
 public:
  NameReader(const DescribeContext& context, Reading& out) : context_(context), out_(out), calls_(context) {}

  void on_statement(const sql::Statement& statement) override;
  void on_select(const sql::SelectStatement& query) override;
  void on_from(const sql::FromItem& item) override;
  void on_relation(const sql::RangeVar& name, RelationRole role, bool is_common_table) override;
  void on_expr(const sql::Expr& expr) override;
  void on_sort(const sql::SortItem& item) override {
    if (!item.using_operator.empty()) calls_.operator_named(item.using_operator);
  }
  void on_type(const sql::TypeName& name) override {
    if (!defines_) calls_.type(name);
  }

  // Columns can be told only when all relations are known.
  void finish();

 private:
  void add_output(sql::List<sql::Target> targets) {
    for (const auto& target : targets) {
      if (target.value != nullptr) add_output(*target.value);
      if (!target.name.empty()) output_names_.push_back(target.name);
    }
  }
  void add_output(const sql::Expr& expr);
  bool is_count(const sql::Expr& expr) const;
  void add_level(const sql::FromItem& item);
  void add_tail(const sql::Expr* expr);
  void only_tests(const sql::FromItem& item);
  void on_drop(const sql::DropStatement& drop);
  void on_missing(const sql::RangeVar& name, Access access);
  void on_system(const Relation& relation, Access access);
  void define(sql::Names name);
  void define_schema(std::string_view schema);
  void define_table_of(sql::Names index);
  void resolve(const Reference& reference);
  void resolve_searches();
  bool is_known_column(std::string_view name) const;
  CollectionUse& use_of(const std::string& name);
  void mark(const Binding& binding, const Column* column, bool output);

  const DescribeContext& context_;
  Reading& out_;
  Calls calls_;
  std::vector<Binding> bindings_;
  std::vector<std::string_view> join_aliases_;
  std::map<std::string, std::size_t, std::less<>> places_;  // of collections
  std::vector<const sql::ColumnRef*> columns_;
  std::unordered_set<const sql::Expr*> stars_;        // `*` of a select
  std::unordered_set<const sql::RangeVar*> starred_;  // and what is in the FROM of its level
  std::vector<std::string_view> using_columns_;
  std::vector<std::string_view> fields_;  // of `(row).field`
  std::vector<std::string_view> output_names_;
  std::unordered_set<const sql::Expr*> output_;       // columns and distances that leave
  std::unordered_set<const sql::Expr*> insert_tail_;  // columns of RETURNING and ON CONFLICT
  std::unordered_set<const sql::RangeVar*> inserted_;
  std::unordered_set<const sql::SelectStatement*> exists_;
  std::unordered_set<const sql::SelectStatement*> only_tested_;  // queries that yield no more than a truth
  std::vector<DistanceUse> distances_;
  const sql::CopyStatement* copy_ = nullptr;
  std::string_view created_schema_;
  std::size_t mentions_ = 0;
  bool defines_ = false;
  bool whole_rows_ = false;  // some names cannot be resolved: every relation is read whole
};

void NameReader::on_statement(const sql::Statement& statement) {
  switch (statement.kind) {
    case StatementKind::insert: {
      const auto& insert = static_cast<const sql::InsertStatement&>(statement);
      out_.writes = true;
      inserted_.insert(insert.relation);
      for (const auto& target : insert.returning) add_tail(target.value);
      if (insert.on_conflict != nullptr) {
        for (const auto& target : insert.on_conflict->assignments) add_tail(target.value);
        add_tail(insert.on_conflict->where);
      }
      return add_output(insert.returning);
    }
    case StatementKind::update:
      out_.writes = true;
      return add_output(static_cast<const sql::UpdateStatement&>(statement).returning);
    case StatementKind::delete_:
      out_.removes = true;
      return add_output(static_cast<const sql::DeleteStatement&>(statement).returning);
    case StatementKind::merge: {
      const auto& merge = static_cast<const sql::MergeStatement&>(statement);
      for (const auto& when : merge.whens) {
        out_.removes |= when.action == sql::MergeAction::delete_;
        out_.writes |= when.action == sql::MergeAction::insert || when.action == sql::MergeAction::update;
      }
      return add_output(merge.returning);
    }
    case StatementKind::copy: copy_ = static_cast<const sql::CopyStatement*>(&statement); return;
    case StatementKind::create_table:
    case StatementKind::alter_table: defines_ = true; break;
    case StatementKind::drop: return on_drop(static_cast<const sql::DropStatement&>(statement));
    case StatementKind::create_schema:
      created_schema_ = static_cast<const sql::CreateSchemaStatement&>(statement).name;
      return;
    case StatementKind::rename: {
      const auto& rename = static_cast<const sql::RenameStatement&>(statement);
      if (rename.object == sql::ObjectKind::schema) define_schema(rename.old_name);
      return;
    }
    case StatementKind::comment: {
      const auto& comment = static_cast<const sql::CommentStatement&>(statement);
      auto name = comment.object_name;
      if (comment.object == sql::ObjectKind::column && name.size() > 1) name = name.first(name.size() - 1);
      if (comment.object == sql::ObjectKind::table || comment.object == sql::ObjectKind::view ||
          comment.object == sql::ObjectKind::materialized_view || comment.object == sql::ObjectKind::column) {
        define(name);
      }
      return;
    }
    default: return;
  }
}

bool NameReader::is_count(const sql::Expr& expr) const {
  const auto* call = sql::as<sql::FunctionCall>(&expr);
  if (call == nullptr || call->name.empty() || call->name.back() != "count") return false;
  const auto schema = call->name.size() > 1 ? call->name[call->name.size() - 2] : std::string_view{};
  return context_.catalogue.find_function(context_.search_path, schema, "count").facts.cls ==
         FunctionClass::aggregate;
}

void NameReader::on_select(const sql::SelectStatement& query) {
  out_.creates |= query.into != nullptr;
  out_.locks |= !query.locking.empty();
  bool all = false;
  for (const auto& target : query.targets) {
    const auto* column = sql::as<sql::ColumnRef>(target.value);
    if (column == nullptr || !column->star || !column->parts.empty()) continue;
    stars_.insert(column);
    all = !exists_.contains(&query);  // EXISTS (SELECT * …) looks at no column
  }
  if (all) {
    for (const auto* item : query.from) add_level(*item);
  }
  if (only_tested_.contains(&query)) {
    for (const auto* item : query.from) only_tests(*item);
    if (query.left != nullptr) only_tested_.insert(query.left);
    if (query.right != nullptr) only_tested_.insert(query.right);
    return;
  }
  add_output(query.targets);
  for (const auto row : query.values) {
    for (const auto* value : row) {
      if (value->kind != sql::ExprKind::constant) add_output(*value);
    }
  }
}

// The relations that a bare `*` means: of its own level, not of sub-selects below it.
void NameReader::add_level(const sql::FromItem& item) {
  if (const auto* relation = sql::as<sql::RangeVar>(&item)) {
    starred_.insert(relation);
  } else if (const auto* join = sql::as<sql::JoinItem>(&item)) {
    add_level(*join->left);
    add_level(*join->right);
  } else if (const auto* sample = sql::as<sql::SampleItem>(&item);
             sample != nullptr && sample->relation != nullptr) {
    add_level(*sample->relation);
  }
}

// Where names of the table that is inserted into are in sight.
void NameReader::add_tail(const sql::Expr* expr) {
  if (expr == nullptr) return;
  if (expr->kind == sql::ExprKind::column) insert_tail_.insert(expr);
  for_each_part(*expr, [this](const sql::Expr& part) { add_tail(&part); });
}

void NameReader::only_tests(const sql::FromItem& item) {
  if (const auto* sub = sql::as<sql::SubSelectItem>(&item)) {
    if (sub->query != nullptr) only_tested_.insert(sub->query);
  } else if (const auto* join = sql::as<sql::JoinItem>(&item)) {
    only_tests(*join->left);
    only_tests(*join->right);
  }
}

void NameReader::on_from(const sql::FromItem& item) {
  if (const auto* join = sql::as<sql::JoinItem>(&item)) {
    if (join->natural || !join->using_columns.empty()) {
      static constexpr std::string_view kEquals[] = {"="};
      calls_.operator_named(kEquals);
      for (const auto column : join->using_columns) using_columns_.push_back(column);
    }
    if (join->alias != nullptr) {
      join_aliases_.push_back(join->alias->name);
      whole_rows_ |= !join->alias->columns.empty();  // new names for columns of several relations
    }
    if (join->using_alias != nullptr) join_aliases_.push_back(join->using_alias->name);
  } else if (const auto* function = sql::as<sql::FunctionItem>(&item)) {
    // What a function is given may come out of it.
    for (const auto& each : function->functions) {
      if (each.call != nullptr) add_output(*each.call);
    }
  } else if (const auto* table = sql::as<sql::TableFuncItem>(&item)) {
    if (table->document != nullptr) add_output(*table->document);
  }
}

void NameReader::on_relation(const sql::RangeVar& name, RelationRole role, bool is_common_table) {
  if (is_common_table) return;
  if (++mentions_ > kMaxRelationMentions) return;
  if (role == RelationRole::defined && name.persistence == sql::Persistence::temporary) {
    // The session's own, whatever the path is and whoever else has that name.
    auto& use = use_of(fmt::format("{}.{}", kTemporarySchema, name.name));
    use.access = use.access | Access::define;
    return;
  }
  if (role == RelationRole::defined && name.schema.empty() && !created_schema_.empty()) {
    auto& use = use_of(fmt::format("{}.{}", created_schema_, name.name));
    use.access = use.access | Access::define;
  }
  const auto* relation = context_.catalogue.find_relation(context_.search_path, name.schema, name.name);
  const auto access = role == RelationRole::read      ? Access::read
                      : role == RelationRole::written ? Access::write
                                                      : Access::define;
  if (relation == nullptr) {
    if (created_schema_.empty() || access != Access::define) on_missing(name, access);
    return;
  }
  if (name.schema.empty() && relation->is_temporary()) {
    if (const auto* other = context_.catalogue.shadowed(context_.search_path, name.name)) {
      out_.not_understood.push_back(fmt::format("{} is a temporary table that stands before {}: write {}.{}",
                                                name.name, other->qualified_name(), kTemporarySchema,
                                                name.name));
      return;
    }
    if (access == Access::define) on_missing(name, access);  // CREATE makes another one beside it
  }
  if (relation->system) return on_system(*relation, access);
  if (access == Access::read) out_.read.push_back(relation);
  if (access != Access::define) {
    const bool renamed = name.alias != nullptr;
    bindings_.push_back({.alias = renamed ? name.alias->name : name.name,
                         .relation = relation,
                         .columns = renamed ? name.alias->columns : sql::Names{},
                         .item = &name,
                         .inserted = inserted_.contains(&name)});
  }
  auto& use = use_of(relation->qualified_name());
  use.access = use.access | access;
}

void NameReader::on_expr(const sql::Expr& expr) {
  switch (expr.kind) {
    case sql::ExprKind::column: columns_.push_back(static_cast<const sql::ColumnRef*>(&expr)); return;
    case sql::ExprKind::call: calls_.function(static_cast<const sql::FunctionCall&>(expr)); break;
    case sql::ExprKind::operation: calls_.operator_of(static_cast<const sql::OperatorExpr&>(expr)); break;
    case sql::ExprKind::case_:
      if (static_cast<const sql::CaseExpr&>(expr).arg != nullptr) {
        static constexpr std::string_view kEquals[] = {"="};
        calls_.operator_named(kEquals);
      }
      return;
    case sql::ExprKind::sub_link: {
      const auto& link = static_cast<const sql::SubLink&>(expr);
      if (link.query != nullptr && is_test(link)) only_tested_.insert(link.query);
      if (link.query != nullptr && link.form == sql::SubLinkKind::exists) exists_.insert(link.query);
      static constexpr std::string_view kEquals[] = {"="};
      if (link.test != nullptr)
        calls_.operator_named(link.operator_name.empty() ? sql::Names{kEquals} : link.operator_name);
      return;
    }
    case sql::ExprKind::indirection:
      for (const auto& step : static_cast<const sql::IndirectionExpr&>(expr).steps) {
        if (step.kind == sql::Indirection::Kind::field) fields_.push_back(step.field);
      }
      return;
    default: return;
  }
  if (const auto use = as_distance_use(expr, context_)) distances_.push_back(*use);
}

// Sub-queries put out their own targets, so they are not entered here.
void NameReader::add_output(const sql::Expr& expr) {
  if (expr.kind == sql::ExprKind::column) output_.insert(&expr);
  if (as_distance_use(expr, context_)) {
    output_.insert(&expr);  // a score leaves, not the vector
    return;
  }
  // What is counted does not leave.
  if (is_count(expr)) return;
  for_each_part(expr, [this](const sql::Expr& part) { add_output(part); });
}

// --- relations that are not ordinary ones

void NameReader::on_drop(const sql::DropStatement& drop) {
  using sql::ObjectKind;
  for (auto name : drop.objects) {
    switch (drop.object) {
      case ObjectKind::trigger:
      case ObjectKind::rule:
      case ObjectKind::policy:  // named after their relation
        define(name.size() > 1 ? name.first(name.size() - 1) : name);
        break;
      case ObjectKind::table:
      case ObjectKind::foreign_table:
      case ObjectKind::view:
      case ObjectKind::materialized_view:
      case ObjectKind::sequence: define(name); break;
      case ObjectKind::index: define_table_of(name); break;
      case ObjectKind::schema:
        if (!name.empty()) define_schema(name.back());
        break;
      default: break;
    }
  }
}

void NameReader::define(sql::Names name) {
  if (name.empty()) return;
  sql::RangeVar relation;
  relation.schema = name.size() > 1 ? name[name.size() - 2] : std::string_view{};
  relation.name = name.back();
  on_relation(relation, RelationRole::defined, false);
}

void NameReader::define_schema(std::string_view schema) {
  for (const auto& relation : context_.catalogue.contents().relations) {
    if (relation.schema != schema || ++mentions_ > kMaxRelationMentions) continue;
    auto& use = use_of(relation.qualified_name());
    use.access = use.access | Access::define;
  }
}

void NameReader::define_table_of(sql::Names index) {
  for (const auto& relation : context_.catalogue.contents().relations) {
    if (index.empty() || (index.size() > 1 && index[index.size() - 2] != relation.schema)) continue;
    if (std::ranges::find(relation.indexes, index.back(), &Index::name) == relation.indexes.end()) continue;
    auto& use = use_of(relation.qualified_name());
    use.access = use.access | Access::define;
  }
}

// What is defined need not exist; everything else must.
void NameReader::on_missing(const sql::RangeVar& name, Access access) {
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
  use.access = use.access | access;
}

void NameReader::on_system(const Relation& relation, Access access) {
  out_.reads_system = true;
  if (access == Access::write) {
    // UPDATE pg_settings is a SET, and everything else is surgery.
    out_.not_understood.push_back(fmt::format("writing to {} is not understood", relation.qualified_name()));
    return;
  }
  const bool secret = holds_values(relation);
  out_.reads_secrets |= secret;
  if (!secret && access == Access::read) return;
  auto& use = use_of(relation.qualified_name());
  use.access = use.access | access;
}

// --- columns

void NameReader::finish() {
  if (mentions_ > kMaxRelationMentions) {
    out_.not_understood.push_back(
        fmt::format("a statement that names more than {} relations is not understood", kMaxRelationMentions));
  }
  std::vector<Reference> references;
  references.reserve(columns_.size());
  for (const auto* column : columns_) {
    if (stars_.contains(column)) continue;
    references.push_back(reference_of(*column, output_.contains(column), insert_tail_.contains(column)));
  }
  for (const auto& binding : bindings_) {
    if (starred_.contains(binding.item)) mark(binding, nullptr, true);
  }
  for (const auto column : using_columns_) references.push_back({{}, column, false, false});
  if (copy_ != nullptr && copy_->relation != nullptr && !copy_->from) {
    if (copy_->columns.empty()) references.push_back({{}, {}, true, false});
    for (const auto column : copy_->columns) references.push_back({{}, column, true, false});
  }
  std::ranges::sort(references);
  const auto repeated = std::ranges::unique(references);
  references.erase(repeated.begin(), repeated.end());
  whole_rows_ |= references.size() * bindings_.size() > kMaxColumnLookups;
  if (whole_rows_) {
    for (const auto& binding : bindings_) mark(binding, nullptr, true);
  } else {
    for (const auto& reference : references) resolve(reference);
  }
  for (const auto field : fields_) {
    if (!is_known_column(field)) calls_.field(field);
  }
  resolve_searches();
  for (const auto& binding : bindings_) {
    const auto& use = use_of(binding.relation->qualified_name());
    for (const auto& column : binding.relation->columns) {
      const bool leaves = use.all_fields || std::ranges::count(use.output_fields, column.name) > 0;
      if (leaves && is_vector_column(context_.catalogue, column)) out_.returns_vectors = true;
    }
  }
  for (auto& reason : calls_.take_reasons()) out_.not_understood.push_back(std::move(reason));
  out_.functions = calls_.take_functions();
}

// `d.email`, `email`, `d.*`, `*`, a whole row, or a function on one.
void NameReader::resolve(const Reference& reference) {
  const bool star = reference.name.empty();
  auto qualifier = reference.qualifier;
  if (std::ranges::find(join_aliases_, qualifier) != join_aliases_.end()) qualifier = {};
  bool named = false;  // the qualifier is a relation of this statement
  bool found = false;
  const auto look = [&](const Binding& binding) {
    if (!qualifier.empty() && qualifier != binding.alias) return;
    named |= !qualifier.empty();
    const auto* column = star ? nullptr : binding.column(reference.name);
    const bool whole = star || (qualifier.empty() && reference.name == binding.alias);
    if (column == nullptr && !whole) return;
    found = true;
    mark(binding, column, reference.output);
  };
  // A bare name in the source of an INSERT means the source, if that has it.
  const auto is_aside = [&](const Binding& binding) {
    return binding.inserted && qualifier.empty() && !reference.insert_tail;
  };
  for (const auto& binding : bindings_) {
    if (!is_aside(binding)) look(binding);
  }
  for (const auto& binding : bindings_) {
    if (is_aside(binding) && !found) look(binding);
  }
  if (found || star || reference.qualifier.empty()) return;
  if (named) {
    for (const auto& binding : bindings_) {
      if (binding.alias == qualifier) mark(binding, nullptr, reference.output);
    }
  }
  if (!is_known_column(reference.name)) calls_.field(reference.name);
}

bool NameReader::is_known_column(std::string_view name) const {
  return std::ranges::any_of(bindings_,
                             [&](const auto& binding) { return binding.column(name) != nullptr; }) ||
         std::ranges::find(output_names_, name) != output_names_.end();
}

CollectionUse& NameReader::use_of(const std::string& name) {
  const auto [at, added] = places_.try_emplace(name, out_.collections.size());
  if (added) {
    out_.collections.push_back(
        {.name = name, .access = Access::none, .output_fields = {}, .tested_fields = {}});
  }
  return out_.collections[at->second];
}

// `column` null: the whole row.
void NameReader::mark(const Binding& binding, const Column* column, bool output) {
  auto& use = use_of(binding.relation->qualified_name());
  use.access = use.access | Access::read;
  if (column == nullptr) {
    use.all_fields = true;
    return;
  }
  auto& fields = output ? use.output_fields : use.tested_fields;
  if (std::ranges::find(fields, column->name) == fields.end()) fields.push_back(column->name);
}

void NameReader::resolve_searches() {
  for (const auto& use : distances_) {
    auto search = vector_search(use, bindings_, context_);
    if (!search) continue;
    out_.distances.insert(use.whole);
    search->returns_score = output_.contains(use.whole);
    out_.returns_scores |= search->returns_score;
    add_search(out_.searches, std::move(*search));
  }
}

}  // namespace

Reading read_names(const sql::Statement& statement, const DescribeContext& context) {
  Reading reading;
  NameReader reader{context, reading};
  sql::visit(statement, reader);
  reader.finish();
  return reading;
}

}  // namespace sluice::postgres
