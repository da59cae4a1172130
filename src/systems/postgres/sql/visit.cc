#include "systems/postgres/sql/visit.h"

#include <algorithm>

#include "systems/postgres/sql/expr_parts.h"

namespace sluice::postgres::sql {
namespace {

class Walk {
 public:
  explicit Walk(Visitor& visitor) : visitor_(visitor) {}

  void statement(const Statement* node);

 private:
  // ---- Lists and optional parts
  void exprs(Exprs nodes) {
    for (const Expr* node : nodes) expr(node);
  }
  void targets(List<Target> nodes) {
    for (const Target& node : nodes) {
      steps(node.indirection);
      expr(node.value);
    }
  }
  void sorts(List<SortItem> nodes) {
    for (const SortItem& node : nodes) {
      visitor_.on_sort(node);
      expr(node.expr);
    }
  }
  void steps(List<Indirection> nodes) {
    for (const Indirection& node : nodes) {
      expr(node.lower);
      expr(node.upper);
    }
  }
  void window(const Window* node) {
    if (node == nullptr) return;
    exprs(node->partition_by);
    sorts(node->order_by);
    expr(node->start_offset);
    expr(node->end_offset);
  }
  void type(const TypeName* node) {
    if (node == nullptr) return;
    visitor_.on_type(*node);
    exprs(node->typmods);
  }
  void columns(List<ColumnDefinition> nodes) {
    for (const ColumnDefinition& node : nodes) column(node);
  }
  void column(const ColumnDefinition& node) {
    type(node.type);
    expr(node.default_value);
    exprs(node.checks);
    relation(node.references, RelationRole::defined);
  }
  void relation(const RangeVar* node, RelationRole role) {
    if (node == nullptr) return;
    bool common = role == RelationRole::read && node->schema.empty() && is_common_table(node->name);
    visitor_.on_relation(*node, role, common);
  }
  void relations(List<const RangeVar*> nodes, RelationRole role) {
    for (const RangeVar* node : nodes) relation(node, role);
  }
  void index_elements(List<IndexElement> nodes) {
    for (const IndexElement& node : nodes) expr(node.expr);
  }

  // ---- Names of WITH
  bool is_common_table(std::string_view name) const {
    return std::ranges::find(common_tables_, name) != common_tables_.end();
  }
  template <class Body>
  void with(const WithClause* clause, Body body) {
    std::size_t depth = common_tables_.size();
    if (clause != nullptr) {
      if (clause->recursive) {
        for (const CommonTable& table : clause->tables) common_tables_.push_back(table.name);
      }
      for (const CommonTable& table : clause->tables) {
        statement(table.query);
        if (table.cycle != nullptr) {
          expr(table.cycle->mark_value);
          expr(table.cycle->mark_default);
        }
        if (!clause->recursive) common_tables_.push_back(table.name);
      }
    }
    body();
    common_tables_.resize(depth);
  }

  void select(const SelectStatement& node);
  void expr(const Expr* node);
  void from(const FromItem* node);
  void alter(const AlterTableStatement& node);
  void create_table(const CreateTableStatement& node);
  void on_conflict(const OnConflict* node);

  Visitor& visitor_;
  std::vector<std::string_view> common_tables_;
};

void Walk::select(const SelectStatement& node) {
  visitor_.on_select(node);
  with(node.with, [&] {
    for (const FromItem* item : node.from) from(item);
    exprs(node.distinct_on);
    targets(node.targets);
    expr(node.where);
    exprs(node.group_by);
    expr(node.having);
    for (const Window* each : node.windows) window(each);
    for (Exprs row : node.values) exprs(row);
    if (node.left != nullptr) statement(node.left);
    if (node.right != nullptr) statement(node.right);
    sorts(node.order_by);
    expr(node.offset);
    expr(node.limit);
    if (node.into != nullptr) relation(node.into->relation, RelationRole::defined);
  });
}

void Walk::expr(const Expr* node) {
  if (node == nullptr) return;
  visitor_.on_expr(*node);
  switch (node->kind) {  // those that hold more than expressions, and then all others
    case ExprKind::call: {
      const auto& it = static_cast<const FunctionCall&>(*node);
      exprs(it.args);
      sorts(it.order_by);
      expr(it.filter);
      return window(it.over);
    }
    case ExprKind::cast: {
      const auto& it = static_cast<const TypeCast&>(*node);
      expr(it.arg);
      return type(it.type);
    }
    case ExprKind::sub_link: {
      const auto& it = static_cast<const SubLink&>(*node);
      expr(it.test);
      if (it.query != nullptr) statement(it.query);
      return;
    }
    case ExprKind::xml_serialize: {
      const auto& it = static_cast<const XmlSerialize&>(*node);
      expr(it.arg);
      return type(it.type);
    }
    default: for_each_part(*node, [this](const Expr& part) { expr(&part); });
  }
}

void Walk::from(const FromItem* node) {
  if (node == nullptr) return;
  visitor_.on_from(*node);
  switch (node->kind) {
    case FromKind::unknown: return;
    case FromKind::relation: return relation(static_cast<const RangeVar*>(node), RelationRole::read);
    case FromKind::join: {
      const auto& it = static_cast<const JoinItem&>(*node);
      from(it.left);
      from(it.right);
      return expr(it.on);
    }
    case FromKind::sub_select: {
      const auto& it = static_cast<const SubSelectItem&>(*node);
      if (it.query != nullptr) statement(it.query);
      return;
    }
    case FromKind::function: {
      const auto& it = static_cast<const FunctionItem&>(*node);
      for (const FromFunction& function : it.functions) {
        expr(function.call);
        columns(function.columns);
      }
      return columns(it.columns);
    }
    case FromKind::sample: {
      const auto& it = static_cast<const SampleItem&>(*node);
      from(it.relation);
      exprs(it.args);
      return expr(it.repeatable);
    }
    case FromKind::table_func: {
      const auto& it = static_cast<const TableFuncItem&>(*node);
      expr(it.document);
      expr(it.rows);
      targets(it.namespaces);
      for (const TableFuncColumn& each : it.columns) {
        type(each.type);
        expr(each.path);
        expr(each.default_value);
      }
      return;
    }
  }
}

void Walk::on_conflict(const OnConflict* node) {
  if (node == nullptr) return;
  index_elements(node->target);
  expr(node->target_where);
  targets(node->assignments);
  expr(node->where);
}

void Walk::create_table(const CreateTableStatement& node) {
  relation(node.relation, RelationRole::defined);
  columns(node.columns);
  relations(node.likes, RelationRole::defined);
  relations(node.inherits, RelationRole::defined);
  relations(node.references, RelationRole::defined);
  exprs(node.checks);
  type(node.of_type);
}

void Walk::alter(const AlterTableStatement& node) {
  relation(node.relation, RelationRole::defined);
  for (const AlterTableCommand& command : node.commands) {
    if (command.column != nullptr) column(*command.column);
    relation(command.relation, RelationRole::defined);
    exprs(command.expressions);
  }
}

void Walk::statement(const Statement* node) {
  if (node == nullptr) return;
  visitor_.on_statement(*node);
  switch (node->kind) {
    case StatementKind::select: return select(static_cast<const SelectStatement&>(*node));
    case StatementKind::insert: {
      const auto& it = static_cast<const InsertStatement&>(*node);
      return with(it.with, [&] {
        relation(it.relation, RelationRole::written);
        targets(it.columns);
        statement(it.source);
        on_conflict(it.on_conflict);
        targets(it.returning);
      });
    }
    case StatementKind::update: {
      const auto& it = static_cast<const UpdateStatement&>(*node);
      return with(it.with, [&] {
        relation(it.relation, RelationRole::written);
        for (const FromItem* item : it.from) from(item);
        targets(it.assignments);
        expr(it.where);
        targets(it.returning);
      });
    }
    case StatementKind::delete_: {
      const auto& it = static_cast<const DeleteStatement&>(*node);
      return with(it.with, [&] {
        relation(it.relation, RelationRole::written);
        for (const FromItem* item : it.using_items) from(item);
        expr(it.where);
        targets(it.returning);
      });
    }
    case StatementKind::merge: {
      const auto& it = static_cast<const MergeStatement&>(*node);
      return with(it.with, [&] {
        relation(it.relation, RelationRole::written);
        from(it.source);
        expr(it.on);
        for (const MergeWhen& when : it.whens) {
          expr(when.condition);
          targets(when.targets);
          exprs(when.values);
        }
        targets(it.returning);
      });
    }
    case StatementKind::copy: {
      const auto& it = static_cast<const CopyStatement&>(*node);
      relation(it.relation, it.from ? RelationRole::written : RelationRole::read);
      statement(it.query);
      return expr(it.where);
    }
    case StatementKind::prepare: {
      const auto& it = static_cast<const PrepareStatement&>(*node);
      for (const TypeName* each : it.types) type(each);
      return statement(it.query);
    }
    case StatementKind::execute: return exprs(static_cast<const ExecuteStatement&>(*node).arguments);
    case StatementKind::declare_cursor:
      return statement(static_cast<const DeclareCursorStatement&>(*node).query);
    case StatementKind::explain: return statement(static_cast<const ExplainStatement&>(*node).query);
    case StatementKind::create_table_as: {
      const auto& it = static_cast<const CreateTableAsStatement&>(*node);
      if (it.into != nullptr) relation(it.into->relation, RelationRole::defined);
      return statement(it.query);
    }
    case StatementKind::view: {
      const auto& it = static_cast<const ViewStatement&>(*node);
      relation(it.view, RelationRole::defined);
      return statement(it.query);
    }
    case StatementKind::lock:
      return relations(static_cast<const LockStatement&>(*node).relations, RelationRole::defined);
    case StatementKind::truncate:
      return relations(static_cast<const TruncateStatement&>(*node).relations, RelationRole::defined);
    case StatementKind::create_table: return create_table(static_cast<const CreateTableStatement&>(*node));
    case StatementKind::create_index: {
      const auto& it = static_cast<const CreateIndexStatement&>(*node);
      relation(it.relation, RelationRole::defined);
      index_elements(it.elements);
      index_elements(it.including);
      return expr(it.where);
    }
    case StatementKind::create_schema:
      for (const Statement* each : static_cast<const CreateSchemaStatement&>(*node).elements) statement(each);
      return;
    case StatementKind::alter_table: return alter(static_cast<const AlterTableStatement&>(*node));
    case StatementKind::rename:
      return relation(static_cast<const RenameStatement&>(*node).relation, RelationRole::defined);
    case StatementKind::grant:
      return relations(static_cast<const GrantStatement&>(*node).relations, RelationRole::defined);
    case StatementKind::call: return expr(static_cast<const CallStatement&>(*node).call);
    case StatementKind::vacuum:
      for (const VacuumTarget& each : static_cast<const VacuumStatement&>(*node).targets) {
        relation(each.relation, RelationRole::defined);
      }
      return;
    case StatementKind::refresh_view:
      return relation(static_cast<const RefreshViewStatement&>(*node).relation, RelationRole::defined);
    case StatementKind::other:
      return relation(static_cast<const OtherStatement&>(*node).relation, RelationRole::defined);
    case StatementKind::variable_set: return exprs(static_cast<const VariableSetStatement&>(*node).args);
    case StatementKind::deallocate:
    case StatementKind::fetch:
    case StatementKind::close_portal:
    case StatementKind::transaction:
    case StatementKind::variable_show:
    case StatementKind::discard:
    case StatementKind::listen:
    case StatementKind::notify:
    case StatementKind::unlisten:
    case StatementKind::drop:
    case StatementKind::create_extension:
    case StatementKind::comment:
    case StatementKind::grant_role:
    case StatementKind::create_function:
    case StatementKind::do_block:
    case StatementKind::checkpoint: return;
  }
}

}  // namespace

void visit(const Statement& statement, Visitor& visitor) {
  Walk(visitor).statement(&statement);
}

}  // namespace sluice::postgres::sql
