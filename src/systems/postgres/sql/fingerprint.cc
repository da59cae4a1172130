#include "systems/postgres/sql/fingerprint.h"

#include <cstring>
#include <type_traits>

namespace sluice::postgres::sql {
namespace {

// Mixes words into 64 bits by 128-bit multiplication (the folded multiply of wyhash and its kin).
class Mixer {
 public:
  void add(std::uint64_t word) {
    auto product = static_cast<unsigned __int128>(state_ ^ word) * kMultiplier;
    state_ = static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64) ^ kIncrement;
  }
  void add(std::string_view text) {
    add(text.size() + 1);
    while (text.size() >= 8) {
      std::uint64_t word;
      std::memcpy(&word, text.data(), 8);
      add(word);
      text.remove_prefix(8);
    }
    std::uint64_t rest = 0;
    if (!text.empty()) std::memcpy(&rest, text.data(), text.size());
    add(rest);
  }
  std::uint64_t value() const { return state_; }
  void restore(std::uint64_t state) { state_ = state; }

 private:
  static constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15;
  static constexpr std::uint64_t kIncrement = 0xD1B54A32D192ED03;
  std::uint64_t state_ = kIncrement;
};

// Marks that no kind of node shares.
enum Mark : std::uint64_t { kNone = 0x1001, kLiteral, kLiterals, kListEnd, kTargets, kWith, kRow };

// True for literals, parameters, and these under casts and signs: what a query generator varies.
bool is_literal(const Expr* expr) {
  while (const auto* cast = as<TypeCast>(expr)) expr = cast->arg;
  return expr != nullptr && (expr->kind == ExprKind::constant || expr->kind == ExprKind::parameter);
}

class Fingerprinter {
 public:
  std::uint64_t value() const { return mixer_.value(); }

  void statement(const Statement* node) {
    if (node == nullptr) return mixer_.add(kNone);
    add(node->kind);
    switch (node->kind) {
      case StatementKind::select: return select(static_cast<const SelectStatement&>(*node));
      case StatementKind::insert: return insert(static_cast<const InsertStatement&>(*node));
      case StatementKind::update: return update(static_cast<const UpdateStatement&>(*node));
      case StatementKind::delete_: return delete_from(static_cast<const DeleteStatement&>(*node));
      case StatementKind::merge: return merge(static_cast<const MergeStatement&>(*node));
      case StatementKind::copy: return copy(static_cast<const CopyStatement&>(*node));
      case StatementKind::prepare: return statement(static_cast<const PrepareStatement&>(*node).query);
      case StatementKind::execute: return mixer_.add(static_cast<const ExecuteStatement&>(*node).name);
      case StatementKind::declare_cursor:
        return statement(static_cast<const DeclareCursorStatement&>(*node).query);
      case StatementKind::fetch: return fetch(static_cast<const FetchStatement&>(*node));
      case StatementKind::explain: {
        const auto& explain = static_cast<const ExplainStatement&>(*node);
        add(explain.analyze);
        return statement(explain.query);
      }
      case StatementKind::create_table_as: {
        const auto& create = static_cast<const CreateTableAsStatement&>(*node);
        into(create.into);
        return statement(create.query);
      }
      case StatementKind::view: {
        const auto& view = static_cast<const ViewStatement&>(*node);
        relation(view.view);
        return statement(view.query);
      }
      default: return utility(*node);
    }
  }

 private:
  template <class E>
    requires std::is_enum_v<E> || std::is_same_v<E, bool>
  void add(E value) {
    mixer_.add(static_cast<std::uint64_t>(value) + 1);
  }

  void names(Names list) {
    for (auto name : list) mixer_.add(name);
    mixer_.add(kListEnd);
  }

  void select(const SelectStatement& node) {
    with(node.with);
    add(node.set_operation);
    if (node.set_operation != SetOperation::none) {
      add(node.set_all);
      statement(node.left);
      statement(node.right);
    }
    add(node.distinct);
    exprs(node.distinct_on);
    into(node.into);
    targets(node.targets);
    from_items(node.from);
    expr(node.where);
    arguments(node.group_by);
    expr(node.having);
    for (const auto* each : node.windows) window(each);
    rows(node.values);
    sort_items(node.order_by);
    expr(node.offset);
    expr(node.limit);
    add(node.with_ties);
    for (const auto& lock : node.locking) {
      add(lock.strength);
      add(lock.wait);
      for (const auto* each : lock.relations) relation(each);
    }
    mixer_.add(kListEnd);
  }

  // VALUES rows of the same shape count once.
  void rows(List<Exprs> values) {
    std::uint64_t last = 0;
    for (const auto& row : values) {
      auto before = mixer_.value();
      mixer_.restore(kRow);
      for (const auto* each : row) expr(each);
      auto shape = mixer_.value();
      mixer_.restore(before);
      if (shape != last) mixer_.add(shape);
      last = shape;
    }
  }

  void with(const WithClause* node) {
    if (node == nullptr) return;
    mixer_.add(kWith);
    add(node->recursive);
    for (const auto& table : node->tables) {
      mixer_.add(table.name);
      names(table.columns);
      add(table.materialized);
      statement(table.query);
      add(table.search != nullptr);
      add(table.cycle != nullptr);
    }
    mixer_.add(kListEnd);
  }

  void into(const IntoClause* node) {
    if (node != nullptr) relation(node->relation);
  }

  void targets(List<Target> list) {
    mixer_.add(kTargets);
    for (const auto& target : list) {
      mixer_.add(target.name);
      indirection(target.indirection);
      expr(target.value);
    }
    mixer_.add(kListEnd);
  }

  void insert(const InsertStatement& node) {
    with(node.with);
    relation(node.relation);
    targets(node.columns);
    statement(node.source);
    if (const auto* conflict = node.on_conflict) {
      add(conflict->update);
      for (const auto& element : conflict->target) index_element(element);
      expr(conflict->target_where);
      mixer_.add(conflict->constraint);
      targets(conflict->assignments);
      expr(conflict->where);
    }
    targets(node.returning);
    add(node.overriding);
  }
  void update(const UpdateStatement& node) {
    with(node.with);
    relation(node.relation);
    targets(node.assignments);
    from_items(node.from);
    expr(node.where);
    targets(node.returning);
  }
  void delete_from(const DeleteStatement& node) {
    with(node.with);
    relation(node.relation);
    from_items(node.using_items);
    expr(node.where);
    targets(node.returning);
  }
  void merge(const MergeStatement& node) {
    with(node.with);
    relation(node.relation);
    from_item(node.source);
    expr(node.on);
    for (const auto& when : node.whens) {
      add(when.match);
      add(when.action);
      expr(when.condition);
      targets(when.targets);
      exprs(when.values);
    }
    targets(node.returning);
  }
  void copy(const CopyStatement& node) {
    if (node.relation != nullptr) relation(node.relation);
    statement(node.query);
    names(node.columns);
    add(node.from);
    add(node.program);
    add(node.file.empty());
    expr(node.where);
  }
  void fetch(const FetchStatement& node) {
    add(node.direction);
    add(node.all);
    add(node.move);
  }

  // Statements whose shape is little more than what they name.
  void utility(const Statement& node) {
    switch (node.kind) {
      case StatementKind::other: {
        const auto& other = static_cast<const OtherStatement&>(node);
        mixer_.add(other.tag);
        if (other.relation != nullptr) relation(other.relation);
        break;
      }
      case StatementKind::transaction: add(static_cast<const TransactionStatement&>(node).action); break;
      case StatementKind::variable_set: {
        const auto& set = static_cast<const VariableSetStatement&>(node);
        add(set.action);
        mixer_.add(set.name);
        add(set.local);
        break;
      }
      case StatementKind::variable_show:
        mixer_.add(static_cast<const VariableShowStatement&>(node).name);
        break;
      case StatementKind::discard: add(static_cast<const DiscardStatement&>(node).target); break;
      case StatementKind::listen: mixer_.add(static_cast<const ListenStatement&>(node).channel); break;
      case StatementKind::notify: mixer_.add(static_cast<const NotifyStatement&>(node).channel); break;
      case StatementKind::lock:
        for (const auto* each : static_cast<const LockStatement&>(node).relations) relation(each);
        break;
      case StatementKind::truncate:
        for (const auto* each : static_cast<const TruncateStatement&>(node).relations) relation(each);
        break;
      case StatementKind::drop: {
        const auto& drop = static_cast<const DropStatement&>(node);
        add(drop.object);
        for (const auto& object : drop.objects) names(object);
        break;
      }
      case StatementKind::create_table: create_table(static_cast<const CreateTableStatement&>(node)); break;
      case StatementKind::create_index: {
        const auto& index = static_cast<const CreateIndexStatement&>(node);
        mixer_.add(index.name);
        relation(index.relation);
        mixer_.add(index.access_method);
        for (const auto& element : index.elements) index_element(element);
        expr(index.where);
        break;
      }
      case StatementKind::create_extension:
        mixer_.add(static_cast<const CreateExtensionStatement&>(node).name);
        break;
      case StatementKind::create_schema:
        mixer_.add(static_cast<const CreateSchemaStatement&>(node).name);
        break;
      case StatementKind::alter_table: {
        const auto& alter = static_cast<const AlterTableStatement&>(node);
        relation(alter.relation);
        for (const auto& command : alter.commands) {
          mixer_.add(command.name);
          mixer_.add(command.object);
          if (command.column != nullptr) column(*command.column);
        }
        break;
      }
      case StatementKind::rename: {
        const auto& rename = static_cast<const RenameStatement&>(node);
        add(rename.object);
        if (rename.relation != nullptr) relation(rename.relation);
        names(rename.object_name);
        mixer_.add(rename.old_name);
        mixer_.add(rename.new_name);
        break;
      }
      case StatementKind::comment: names(static_cast<const CommentStatement&>(node).object_name); break;
      case StatementKind::grant: {
        const auto& grant = static_cast<const GrantStatement&>(node);
        add(grant.grant);
        for (const auto* each : grant.relations) relation(each);
        names(grant.privileges);
        break;
      }
      case StatementKind::grant_role: names(static_cast<const GrantRoleStatement&>(node).roles); break;
      case StatementKind::create_function:
        names(static_cast<const CreateFunctionStatement&>(node).name);
        break;
      case StatementKind::do_block: mixer_.add(static_cast<const DoStatement&>(node).code); break;
      case StatementKind::call: expr(static_cast<const CallStatement&>(node).call); break;
      case StatementKind::vacuum:
        add(static_cast<const VacuumStatement&>(node).vacuum);
        for (const auto& target : static_cast<const VacuumStatement&>(node).targets)
          relation(target.relation);
        break;
      case StatementKind::refresh_view:
        relation(static_cast<const RefreshViewStatement&>(node).relation);
        break;
      default: break;  // DEALLOCATE, CLOSE, UNLISTEN, CHECKPOINT: the kind is all
    }
  }

  void create_table(const CreateTableStatement& node) {
    relation(node.relation);
    for (const auto& each : node.columns) column(each);
    for (const auto* each : node.likes) relation(each);
    for (const auto* each : node.inherits) relation(each);
  }
  void column(const ColumnDefinition& node) {
    mixer_.add(node.name);
    if (node.type != nullptr) type(*node.type);
    expr(node.default_value);
  }
  void index_element(const IndexElement& node) {
    mixer_.add(node.name);
    expr(node.expr);
    names(node.operator_class);
  }

  void from_items(List<const FromItem*> list) {
    for (const auto* item : list) from_item(item);
    mixer_.add(kListEnd);
  }

  void from_item(const FromItem* item) {
    if (item == nullptr) return mixer_.add(kNone);
    add(item->kind);
    switch (item->kind) {
      case FromKind::relation: relation(static_cast<const RangeVar*>(item)); break;
      case FromKind::join: {
        const auto& join = static_cast<const JoinItem&>(*item);
        add(join.join);
        add(join.natural);
        from_item(join.left);
        from_item(join.right);
        names(join.using_columns);
        expr(join.on);
        break;
      }
      case FromKind::sub_select: {
        const auto& sub = static_cast<const SubSelectItem&>(*item);
        add(sub.lateral);
        statement(sub.query);
        break;
      }
      case FromKind::function: {
        const auto& function = static_cast<const FunctionItem&>(*item);
        for (const auto& each : function.functions) expr(each.call);
        add(function.ordinality);
        break;
      }
      case FromKind::sample: {
        const auto& sample = static_cast<const SampleItem&>(*item);
        from_item(sample.relation);
        names(sample.method);
        break;
      }
      case FromKind::table_func: {
        const auto& table = static_cast<const TableFuncItem&>(*item);
        expr(table.document);
        expr(table.rows);
        for (const auto& each : table.columns) mixer_.add(each.name);
        break;
      }
      case FromKind::unknown: mixer_.add(static_cast<const UnknownFrom&>(*item).what); break;
    }
    if (item->alias != nullptr) {
      mixer_.add(item->alias->name);
      names(item->alias->columns);
    }
  }

  void relation(const RangeVar* node) {
    if (node == nullptr) return mixer_.add(kNone);
    mixer_.add(node->schema);
    mixer_.add(node->name);
    add(node->inherit);
  }

  void window(const Window* node) {
    mixer_.add(node->name);
    mixer_.add(node->references);
    exprs(node->partition_by);
    sort_items(node->order_by);
    mixer_.add(static_cast<std::uint64_t>(node->frame_options));
    expr(node->start_offset);
    expr(node->end_offset);
  }

  void sort_items(List<SortItem> list) {
    for (const auto& item : list) {
      expr(item.expr);
      add(item.direction);
      add(item.nulls);
      names(item.using_operator);
    }
    mixer_.add(kListEnd);
  }

  void type(const TypeName& node) {
    names(node.names);
    mixer_.add(node.array_bounds.size());
  }

  void indirection(List<Indirection> list) {
    for (const auto& step : list) {
      add(step.kind);
      mixer_.add(step.field);
      expr(step.lower);
      expr(step.upper);
    }
  }

  // A list of literals counts as one, whatever its length.
  void exprs(Exprs list) {
    bool in_literals = false;
    for (const auto* each : list) {
      bool literal = is_literal(each);
      if (!literal) {
        expr(each);
      } else if (!in_literals) {
        mixer_.add(kLiterals);
      }
      in_literals = literal;
    }
    mixer_.add(kListEnd);
  }
  // The arguments of a call keep their number: f(1) is not f(1, 2).
  void arguments(Exprs list) {
    for (const auto* each : list) expr(each);
    mixer_.add(kListEnd);
  }

  void expr(const Expr* node) {
    if (node == nullptr) return mixer_.add(kNone);
    if (node->kind == ExprKind::constant || node->kind == ExprKind::parameter) return mixer_.add(kLiteral);
    add(node->kind);
    switch (node->kind) {
      case ExprKind::column: {
        const auto& column_ref = static_cast<const ColumnRef&>(*node);
        names(column_ref.parts);
        return add(column_ref.star);
      }
      case ExprKind::operation: {
        const auto& op = static_cast<const OperatorExpr&>(*node);
        add(op.form);
        names(op.name);
        expr(op.left);
        return expr(op.right);
      }
      case ExprKind::boolean: {
        const auto& boolean = static_cast<const BooleanExpr&>(*node);
        add(boolean.op);
        return arguments(boolean.args);
      }
      case ExprKind::call: return call(static_cast<const FunctionCall&>(*node));
      case ExprKind::cast:
        expr(static_cast<const TypeCast&>(*node).arg);
        return type(*static_cast<const TypeCast&>(*node).type);
      case ExprKind::sub_link: {
        const auto& link = static_cast<const SubLink&>(*node);
        add(link.form);
        expr(link.test);
        names(link.operator_name);
        return statement(link.query);
      }
      default: return rare(*node);
    }
  }

  void call(const FunctionCall& node) {
    names(node.name);
    arguments(node.args);
    sort_items(node.order_by);
    expr(node.filter);
    if (node.over != nullptr) window(node.over);
    add(node.within_group);
    add(node.star);
    add(node.distinct);
    add(node.variadic);
  }

  void rare(const Expr& node) {
    switch (node.kind) {
      case ExprKind::case_: {
        const auto& each = static_cast<const CaseExpr&>(node);
        expr(each.arg);
        for (const auto& when : each.whens) {
          expr(when.condition);
          expr(when.result);
        }
        return expr(each.otherwise);
      }
      case ExprKind::coalesce: return arguments(static_cast<const CoalesceExpr&>(node).args);
      case ExprKind::min_max:
        add(static_cast<const MinMaxExpr&>(node).greatest);
        return arguments(static_cast<const MinMaxExpr&>(node).args);
      case ExprKind::array: return exprs(static_cast<const ArrayExpr&>(node).elements);
      case ExprKind::row: return arguments(static_cast<const RowExpr&>(node).args);
      case ExprKind::list: return exprs(static_cast<const ExprList&>(node).items);
      case ExprKind::null_test:
        add(static_cast<const NullTest&>(node).is_null);
        return expr(static_cast<const NullTest&>(node).arg);
      case ExprKind::boolean_test:
        add(static_cast<const BooleanTest&>(node).test);
        return expr(static_cast<const BooleanTest&>(node).arg);
      case ExprKind::collate:
        names(static_cast<const CollateExpr&>(node).collation);
        return expr(static_cast<const CollateExpr&>(node).arg);
      case ExprKind::sql_value: return mixer_.add(static_cast<const SqlValueFunction&>(node).name);
      case ExprKind::indirection:
        indirection(static_cast<const IndirectionExpr&>(node).steps);
        return expr(static_cast<const IndirectionExpr&>(node).arg);
      case ExprKind::grouping_func: return arguments(static_cast<const GroupingFunc&>(node).args);
      case ExprKind::grouping_set:
        add(static_cast<const GroupingSet&>(node).form);
        return arguments(static_cast<const GroupingSet&>(node).content);
      case ExprKind::xml:
        add(static_cast<const XmlExpr&>(node).op);
        mixer_.add(static_cast<const XmlExpr&>(node).name);
        targets(static_cast<const XmlExpr&>(node).named_args);
        return arguments(static_cast<const XmlExpr&>(node).args);
      case ExprKind::xml_serialize: return expr(static_cast<const XmlSerialize&>(node).arg);
      case ExprKind::named_argument:
        mixer_.add(static_cast<const NamedArgument&>(node).name);
        return expr(static_cast<const NamedArgument&>(node).arg);
      case ExprKind::multi_assign: {
        const auto& assign = static_cast<const MultiAssign&>(node);
        mixer_.add(static_cast<std::uint64_t>(assign.column));
        return assign.column == 1 ? expr(assign.source) : void();
      }
      case ExprKind::unknown: return mixer_.add(static_cast<const UnknownExpr&>(node).what);
      default: return;  // DEFAULT, CURRENT OF: the kind is all
    }
  }

  Mixer mixer_;
};

}  // namespace

std::uint64_t fingerprint(const Statement& statement) {
  Fingerprinter fingerprinter;
  fingerprinter.statement(&statement);
  return fingerprinter.value();
}

}  // namespace sluice::postgres::sql
