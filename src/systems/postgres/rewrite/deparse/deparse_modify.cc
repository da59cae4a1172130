// INSERT, UPDATE and DELETE. The target stays the relation that it is, under the name that the client's
// columns go by; every other reference to a masked relation becomes a derived table, of which no masked
// column may be read: a statement that changes data on grounds of masked values would do something else than
// it says.
#include <fmt/format.h>

#include <algorithm>

#include "systems/postgres/rewrite/deparse/deparser.h"
#include "systems/postgres/sql/column_name.h"
#include "systems/postgres/sql/names.h"

namespace sluice::postgres::rewrite {

using namespace sql;

std::expected<std::string, Refusal> Deparser::deparse_change(const Statement& statement) {
  changes_data_ = true;
  return in_passes([&] { change(statement, nullptr); });
}

std::expected<std::string, Refusal> Deparser::deparse_stored(const SelectStatement& node) {
  changes_data_ = true;
  stored_ = &node;
  return in_passes([&] {
    reads_ = Reads::refused;
    select(node, nullptr, true);
  });
}

void Deparser::change(const Statement& statement, std::set<std::string>* masked_output) {
  if (refused()) return;
  const std::size_t depth = common_tables_.size();
  auto* outside = std::exchange(returned_names_, masked_output);
  const Reads reads = std::exchange(reads_, Reads::refused);
  switch (statement.kind) {
    case StatementKind::insert: insert(static_cast<const InsertStatement&>(statement)); break;
    case StatementKind::update: update(static_cast<const UpdateStatement&>(statement)); break;
    case StatementKind::delete_: remove(static_cast<const DeleteStatement&>(statement)); break;
    case StatementKind::merge: merge(static_cast<const MergeStatement&>(statement)); break;
    default: refuse("this statement is not supported within another one");
  }
  reads_ = reads;
  returned_names_ = outside;
  common_tables_.resize(depth);
}

// --- the target

Deparser::Written Deparser::declare_target(const RangeVar& var, Scope& scope) {
  Written written{.var = &var};
  if (common_table(var) != nullptr) {
    refuse(fmt::format("{} is a WITH query, which cannot be written", var.name));
    return written;
  }
  if (!var.catalog.empty() && var.catalog != catalogue_.contents().database) {
    refuse(fmt::format("{} is in another database", var.name));
    return written;
  }
  Entry entry;
  entry.alias = alias_of(var);
  entry.var = &var;
  entry.only = !var.inherit;
  entry.has_own_alias = var.alias != nullptr && !var.alias->name.empty();
  entry.target = true;
  entry.relation = written.relation = catalogue_.find_relation(path_, var.schema, var.name);
  if (entry.relation == nullptr) {
    if (plan_.in_force() && plan_.is_sensitive_name(var.name)) {
      refuse(fmt::format("{} may mean a masked relation", var.name), "Write its schema.");
    } else if (plan_.in_force() && !fresh_) {
      need_relation(std::string(var.name));
    }
    add_entry(std::move(entry), scope);
    return written;
  }
  const Relation& relation = *entry.relation;
  if (const std::string* why = plan_.carries(relation.oid)) {
    refuse(*why, "Write the table itself.");
    return written;
  }
  entry.columns.known = true;
  for (const Column& column : relation.columns) entry.columns.names.push_back(column.name);
  entry.mask = written.mask = plan_.find(relation.oid);
  written.guards = plan_.guards(relation.oid);
  if (entry.mask != nullptr) {
    if (relation.kind != RelationKind::table && relation.kind != RelationKind::partitioned_table) {
      refuse(fmt::format("{} has masked columns and is no table: what a write to it does is not known",
                         relation.qualified_name()),
             "Write the table itself.");
    }
    Usage& usage = usages_[&var];
    usage.relation = &relation;
    usage.mask = entry.mask;
  }
  add_entry(std::move(entry), scope);
  return written;
}

void Deparser::write_target(const Written& written, const Scope& scope) {
  const RangeVar& var = *written.var;
  if (!var.inherit) out_ += "ONLY ";
  out_ += written.relation == nullptr ? quote_qualified(var.schema, var.name)
                                      : quote_qualified(written.relation->schema, written.relation->name);
  out_ += " AS " + quote_identifier(scope.entries.front().alias);
}

// --- what stands beside it

void Deparser::declare_others(List<const FromItem*> items, Scope& scope) {
  for (const FromItem* item : items) declare(*item, scope, true);
  if (!refused()) refuse_equal_names(scope);
  order_others(scope);
}

void Deparser::refuse_equal_names(const Scope& scope) {
  for (const Entry& entry : scope.entries) {
    auto same = [&](const Entry& other) { return other.visible && other.alias == entry.alias; };
    if (entry.mask != nullptr && entry.visible && std::ranges::count_if(scope.entries, same) > 1) {
      return refuse(fmt::format("{} stands for two relations here", entry.alias),
                    "Give one of them another name with AS.");
    }
  }
}

void Deparser::write_others(std::string_view word, List<const FromItem*> items, Scope& scope) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    out_ += i == 0 ? word : std::string_view(", ");
    from_item(*items[i], scope);
  }
}

void Deparser::condition(std::string_view word, const Expr* node, Scope& scope) {
  if (node == nullptr) return;
  out_ += word;
  expr(node, scope);
}

// Of UPDATE and DELETE: what stands beside AND in it must hold.
void Deparser::where(const Expr* node, Scope& scope) {
  is_conjunct_ = true;
  const Expr* outside = std::exchange(target_where_, node);
  condition_of_writes(" WHERE ", node, scope);
  target_where_ = outside;
  is_conjunct_ = false;
}

// --- INSERT

void Deparser::insert(const InsertStatement& node) {
  with_clause(node.with, nullptr);
  Scope scope;
  const Written written = declare_target(*node.relation, scope);
  if (refused()) return;
  check_event(written, kTriggerInsert);
  out_ += "INSERT INTO ";
  write_target(written, scope);
  insert_columns(node, written, scope);
  overriding(node.overriding);
  if (node.source == nullptr) {
    out_ += " DEFAULT VALUES";
  } else {
    out_ += ' ';
    insert_source_ = node.source->is_values ? node.source : nullptr;
    select(*node.source, nullptr, true);
    insert_source_ = nullptr;
  }
  on_conflict(node, written, scope);
  returning(node.returning, scope, {}, nullptr, false);
}

void Deparser::overriding(Overriding word) {
  if (word == Overriding::user_value) out_ += " OVERRIDING USER VALUE";
  if (word == Overriding::system_value) out_ += " OVERRIDING SYSTEM VALUE";
}

// Without a list all columns are meant, in order, as far as there are values (transformInsertStmt).
void Deparser::insert_columns(const InsertStatement& node, const Written& written, Scope& scope) {
  std::vector<std::string> names;
  for (const Target& column : node.columns) names.emplace_back(column.name);
  if (names.empty() && written.is_checked() && node.source != nullptr) {
    std::optional<std::size_t> width;
    if (node.source->is_values) {
      width = node.source->values.empty() ? 0 : node.source->values.front().size();
    } else if (Columns columns = columns_of(*node.source, nullptr); columns.known) {
      width = columns.names.size();
    }
    if (!width) {
      return refuse(
          fmt::format("which columns of {} this writes cannot be told", written.relation->qualified_name()),
          "Name the columns that are written.");
    }
    for (std::size_t i = 0; i < std::min(*width, written.relation->columns.size()); ++i)
      names.push_back(written.relation->columns[i].name);
  }

  std::vector<std::string_view> from_excluded;
  if (node.on_conflict != nullptr) {
    for (const Target& item : node.on_conflict->assignments) {
      if (is_same_of_excluded(item)) from_excluded.push_back(item.name);
    }
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    out_ += i == 0 ? " (" : ", ";
    out_ += quote_identifier(names[i]);
    const bool part = i < node.columns.size() && !node.columns[i].indirection.empty();
    if (part) indirection(node.columns[i].indirection, scope);
    std::vector<const Expr*> values;
    if (node.source != nullptr && node.source->is_values) {
      for (Exprs row : node.source->values) {
        if (i < row.size()) values.push_back(row[i]);
      }
    } else if (node.source != nullptr && node.source->set_operation == SetOperation::none &&
               std::ranges::none_of(node.source->targets, is_star) && i < node.source->targets.size()) {
      values = values_of(node.source->targets[i].value, node.source->from);
    }
    // What an upsert hands on replaces what is stored.
    const bool replaces = std::ranges::find(from_excluded, names[i]) != from_excluded.end();
    check_write(written, kTriggerInsert, names[i], &values, replaces);
    if (part) refuse_part(written, names[i]);
  }
  if (!names.empty()) out_ += ')';
}

void Deparser::on_conflict(const InsertStatement& node, const Written& written, Scope& scope) {
  const OnConflict* conflict = node.on_conflict;
  if (conflict == nullptr) return;
  out_ += " ON CONFLICT";
  if (!conflict->constraint.empty()) {
    conflict_constraint(conflict->constraint, written);
    out_ += " ON CONSTRAINT " + quote_identifier(conflict->constraint);
  } else if (conflict->has_target) {
    for (std::size_t i = 0; i < conflict->target.size(); ++i) {
      out_ += i == 0 ? " (" : ", ";
      index_element(conflict->target[i], written, scope);
    }
    out_ += ')';
    condition(" WHERE ", conflict->target_where, scope);
  }
  if (!conflict->update) {
    out_ += " DO NOTHING";
    return;
  }
  check_event(written, kTriggerUpdate);
  Scope both = scope;
  Entry excluded = scope.entries.front();
  excluded.alias = "excluded";
  excluded.has_own_alias = true;
  both.entries.push_back(std::move(excluded));
  out_ += " DO UPDATE SET ";
  assignments(conflict->assignments, written, both, {});
  condition(" WHERE ", conflict->where, both);
}

void Deparser::index_element(const IndexElement& element, const Written& written, Scope& scope) {
  if (!element.operator_class_options.empty() || element.collation.size() > 2 ||
      element.operator_class.size() > 2) {
    return refuse("the target of ON CONFLICT is not understood");
  }
  if (element.expr != nullptr) {
    out_ += '(';
    expr(element.expr, scope);
    out_ += ')';
  } else {
    check_write(written, 0, element.name, nullptr, false);
    out_ += quote_identifier(element.name);
  }
  auto schema_of = [](Names name) { return name.size() == 2 ? name.front() : std::string_view{}; };
  if (!element.collation.empty())
    out_ += " COLLATE " + quote_qualified(schema_of(element.collation), element.collation.back());
  if (!element.operator_class.empty())
    out_ += " " + quote_qualified(schema_of(element.operator_class), element.operator_class.back());
}

void Deparser::conflict_constraint(std::string_view name, const Written& written) {
  if (!written.is_checked()) return;
  const Relation& relation = *written.relation;
  const auto index = std::ranges::find(relation.indexes, name, &Index::name);
  if (index == relation.indexes.end()) {
    if (!fresh_) return need_relation(relation.qualified_name());
    return refuse(fmt::format("constraint {} of {} does not exist", name, relation.qualified_name()));
  }
  for (std::int16_t attnum : index->columns) {
    if (const Column* column = relation.column(attnum)) check_write(written, 0, column->name, nullptr, false);
  }
}

// --- UPDATE

void Deparser::update(const UpdateStatement& node) {
  with_clause(node.with, nullptr);
  Scope scope;
  const Written written = declare_target(*node.relation, scope);
  if (refused()) return;
  declare_others(node.from, scope);
  refuse_order_of_writes(scope, node.where);
  refuse_defaults_in_order(node.assignments, scope, node.where);
  check_event(written, kTriggerUpdate);
  out_ += "UPDATE ";
  write_target(written, scope);
  out_ += " SET ";
  assignments(node.assignments, written, scope, node.from);
  write_others(" FROM ", node.from, scope);
  where(node.where, scope);
  returning(node.returning, scope, node.from, node.where, false);
}

// SET column = excluded.column: what was to be inserted.
bool Deparser::is_same_of_excluded(const Target& item) {
  const auto* ref = as<ColumnRef>(item.value);
  return ref != nullptr && !ref->star && ref->parts.size() == 2 && ref->parts[0] == "excluded" &&
         ref->parts[1] == item.name && item.indirection.empty();
}

void Deparser::assignments(List<Target> items, const Written& written, Scope& scope,
                           List<const FromItem*> from) {
  const bool upsert =
      std::ranges::any_of(scope.entries,
                          [](const Entry& entry) {
                            return entry.target && entry.alias == "excluded" && entry.has_own_alias;
                          }) &&
      scope.entries.size() == 2;
  for (std::size_t i = 0; i < items.size() && !refused(); ++i) {
    if (i > 0) out_ += ", ";
    const Target& item = items[i];
    if (item.value != nullptr && item.value->kind == ExprKind::multi_assign) {
      i += shared_assignment(items, i, written, scope, from) - 1;
      continue;
    }
    out_ += quote_identifier(item.name);
    if (!item.indirection.empty()) {
      indirection(item.indirection, scope);
      refuse_part(written, item.name);
    }
    out_ += " = ";
    if (upsert && is_same_of_excluded(item)) {
      check_write(written, kTriggerUpdate, item.name, nullptr, true);
      out_ += "\"excluded\"." + quote_identifier(item.name);
      continue;
    }
    const auto values = values_of(item.value, from);
    check_write(written, kTriggerUpdate, item.name, &values, true);
    assigned_value(item.value, scope);
  }
}

// (a, b) = ROW(1, 2) or (SELECT ...): how many items it is.
std::size_t Deparser::shared_assignment(List<Target> items, std::size_t first, const Written& written,
                                        Scope& scope, List<const FromItem*> from) {
  const auto& shared = static_cast<const MultiAssign&>(*items[first].value);
  const auto count = static_cast<std::size_t>(shared.columns);
  if (shared.column != 1 || count == 0 || first + count > items.size()) {
    refuse("SET is not understood");
    return 1;
  }
  const auto* row = as<RowExpr>(shared.source);
  for (std::size_t i = 0; i < count; ++i) {
    const Target& item = items[first + i];
    const auto* each = as<MultiAssign>(item.value);
    if (each == nullptr || each->source != shared.source ||
        each->column != static_cast<std::int32_t>(i + 1)) {
      refuse("SET is not understood");
      return 1;
    }
    out_ += i == 0 ? "(" : ", ";
    out_ += quote_identifier(item.name);
    if (!item.indirection.empty()) {
      indirection(item.indirection, scope);
      refuse_part(written, item.name);
    }
    std::vector<const Expr*> values;
    if (row != nullptr && row->args.size() == count) values = values_of(row->args[i], from);
    check_write(written, kTriggerUpdate, item.name, &values, true);
  }
  out_ += ") = ";
  if (row == nullptr) {
    expr(shared.source, scope);
    return count;
  }
  out_ += "ROW(";
  for (std::size_t i = 0; i < row->args.size(); ++i) {
    if (i > 0) out_ += ", ";
    assigned_value(row->args[i], scope);
  }
  out_ += ')';
  return count;
}

void Deparser::assigned_value(const Expr* value, Scope& scope) {
  if (value != nullptr && value->kind == ExprKind::default_) {
    out_ += "DEFAULT";
    return;
  }
  expr(value, scope);
}

// --- DELETE

void Deparser::remove(const DeleteStatement& node) {
  with_clause(node.with, nullptr);
  Scope scope;
  const Written written = declare_target(*node.relation, scope);
  if (refused()) return;
  declare_others(node.using_items, scope);
  refuse_order_of_writes(scope, node.where);
  check_event(written, kTriggerDelete);
  out_ += "DELETE FROM ";
  write_target(written, scope);
  write_others(" USING ", node.using_items, scope);
  where(node.where, scope);
  returning(node.returning, scope, node.using_items, node.where, false);
}

// --- COPY FROM

std::expected<std::string, Refusal> Deparser::deparse_copy_from(const CopyStatement& copy,
                                                                const std::string& options) {
  return in_passes([&] {
    reads_ = Reads::refused;
    Scope scope;
    const Written written = declare_target(*copy.relation, scope);
    if (refused()) return;
    check_event(written, kTriggerInsert);
    out_ += "COPY " + (written.relation == nullptr
                           ? quote_qualified(copy.relation->schema, copy.relation->name)
                           : quote_qualified(written.relation->schema, written.relation->name));
    std::vector<std::string> names(copy.columns.begin(), copy.columns.end());
    if (names.empty() && written.relation != nullptr) {
      for (const Column& column : written.relation->columns) {
        if (!column.generated) names.push_back(column.name);
      }
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
      out_ += fmt::format("{}{}", i == 0 ? " (" : ", ", quote_identifier(names[i]));
      check_write(written, kTriggerInsert, names[i], nullptr, false);
      const Column* column = written.mask == nullptr ? nullptr : written.relation->column(names[i]);
      if (column == nullptr || written.mask->column(column->attnum) == nullptr) continue;
      refuse(fmt::format("{}.{} is masked: what COPY writes to it is not looked at",
                         written.relation->qualified_name(), names[i]),
             "Write it with INSERT, or name the other columns: COPY relation (columns) FROM STDIN.");
    }
    if (!names.empty()) out_ += ')';
    out_ += " FROM STDIN" + options;
    condition(" WHERE ", copy.where, scope);
  });
}

}  // namespace sluice::postgres::rewrite
