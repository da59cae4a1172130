// FROM: first declared, so that names resolve, then written.
#include <fmt/format.h>

#include <algorithm>

#include "systems/postgres/rewrite/deparse/deparser.h"
#include "systems/postgres/sql/column_name.h"
#include "systems/postgres/sql/names.h"

namespace sluice::postgres::rewrite {

using namespace sql;

namespace {

void rename(Columns& columns, const Alias* alias) {
  if (alias == nullptr) return;
  for (std::size_t i = 0; i < alias->columns.size(); ++i) {
    if (i < columns.names.size()) {
      if (columns.vectors.erase(columns.names[i]) > 0) columns.vectors.emplace(alias->columns[i]);
      if (columns.masked.erase(columns.names[i]) > 0) columns.masked.emplace(alias->columns[i]);
      columns.names[i] = alias->columns[i];
    } else {
      columns.names.emplace_back(alias->columns[i]);
    }
  }
}

// By name: a column of that name that is no vector has no distance either.
void hand_on_vectors(const Entry& entry, Columns& columns) {
  for (std::size_t i = 0; i < entry.columns.names.size(); ++i) {
    bool listed = entry.mask == nullptr || i < entry.relation->columns.size();
    if (listed && is_masked_vector(entry, i)) columns.vectors.insert(entry.columns.names[i]);
  }
}

}  // namespace

const Deparser::CommonTableEntry* Deparser::common_table(const RangeVar& var) const {
  if (!var.schema.empty() || !var.catalog.empty()) return nullptr;
  auto at =
      std::ranges::find(common_tables_.rbegin(), common_tables_.rend(), var.name, &CommonTableEntry::name);
  return at == common_tables_.rend() ? nullptr : &*at;
}

// Pushes the WITH queries; the caller pops them. A recursive query has the columns of its first arm.
void Deparser::declare_common_tables(const WithClause* with, const Scope* outer) {
  if (with == nullptr) return;
  std::size_t first = common_tables_.size();
  if (with->recursive) {
    for (const CommonTable& table : with->tables) common_tables_.push_back({table.name, {}});
  }
  for (std::size_t i = 0; i < with->tables.size(); ++i) {
    const CommonTable& table = with->tables[i];
    Columns columns;
    if (const auto* query = as<SelectStatement>(table.query)) {
      bool by_arm = with->recursive && query->set_operation != SetOperation::none;
      columns = columns_of(by_arm ? *query->left : *query, outer);
    } else {
      columns = returning_columns(*table.query);
    }
    Alias names{table.name, table.columns};
    rename(columns, &names);
    if (table.search != nullptr) columns.names.emplace_back(table.search->sequence_column);
    if (table.cycle != nullptr) {
      columns.names.emplace_back(table.cycle->mark_column);
      columns.names.emplace_back(table.cycle->path_column);
    }
    hand_on_masked(table, columns);
    if (table.search != nullptr || table.cycle != nullptr) columns.known = false;
    if (with->recursive) {
      common_tables_[first + i].columns = std::move(columns);
    } else {
      common_tables_.push_back({table.name, std::move(columns)});
    }
  }
}

Columns Deparser::columns_of(const SelectStatement& node, const Scope* outer) {
  if (auto found = columns_memo_.find(&node); found != columns_memo_.end()) return found->second;
  columns_memo_[&node] = {};  // unknown, for what refers to itself
  std::size_t depth = common_tables_.size();
  declare_common_tables(node.with, outer);
  Scope scope;
  scope.outer = outer;
  scope.select = &node;
  for (const FromItem* item : node.from) declare(*item, scope, true);
  Columns columns = target_columns(node, scope);
  common_tables_.resize(depth);
  columns_memo_[&node] = columns;
  return columns;
}

Columns Deparser::target_columns(const SelectStatement& node, const Scope& scope) {
  if (node.set_operation != SetOperation::none) return columns_of(*node.left, scope.outer);
  Columns columns;
  columns.known = true;
  if (node.is_values) {
    std::size_t width = node.values.empty() ? 0 : node.values.front().size();
    for (std::size_t i = 1; i <= width; ++i) columns.names.push_back(fmt::format("column{}", i));
    return columns;
  }
  for (const Target& target : node.targets) {
    const std::size_t before = columns.names.size();
    const auto* star = is_star(target) ? as<ColumnRef>(target.value) : nullptr;
    if (star != nullptr && star->parts.empty()) {
      for (const FromItem* item : node.from) {
        auto all = star_columns(*item, scope);
        columns.known = columns.known && all.has_value();
        for (const StarColumn& each : all.value_or(std::vector<StarColumn>{}))
          columns.names.push_back(each.name);
      }
    } else if (star != nullptr) {
      const Entry* entry = find_entry(star->parts, scope);
      columns.known = columns.known && entry != nullptr && entry->columns.known;
      if (entry != nullptr) {
        columns.names.insert(columns.names.end(), entry->columns.names.begin(), entry->columns.names.end());
        hand_on_vectors(*entry, columns);
      }
    } else if (auto name = output_name(target); !name.empty()) {
      columns.names.emplace_back(name);
      if (!masked_vector(target.value, scope).empty()) columns.vectors.emplace(name);
    } else {
      columns.known = false;
    }
    if (!have_seen(columns.names.size() - before)) break;
  }
  return columns;
}

bool Deparser::have_seen(std::size_t names) {
  names_seen_ += names;
  if (names_seen_ > kMaxNames) {
    refuse(fmt::format("a statement with more than {} columns in reach is not understood", kMaxNames));
  } else if (names_seen_ > max_names_ && !refusal_) {
    refusal_ = TooLarge{};
  }
  return !refused();
}

void Deparser::add_entry(Entry entry, Scope& scope) {
  if (scope.entries.size() >= kMaxRelations)
    return refuse(fmt::format("a query of more than {} relations is not understood", kMaxRelations));
  if (have_seen(entry.columns.names.size())) scope.entries.push_back(std::move(entry));
}

void Deparser::declare(const FromItem& item, Scope& scope, bool visible) {
  if (refused()) return;
  switch (item.kind) {
    case FromKind::relation: return declare_relation(static_cast<const RangeVar&>(item), scope, visible);
    case FromKind::sample: {
      const auto& sample = static_cast<const SampleItem&>(item);
      if (as<RangeVar>(sample.relation) == nullptr) return refuse("TABLESAMPLE of this is not understood");
      return declare(*sample.relation, scope, visible);
    }
    case FromKind::join: return declare_join(static_cast<const JoinItem&>(item), scope, visible);
    case FromKind::sub_select: {
      const auto& it = static_cast<const SubSelectItem&>(item);
      if (it.query == nullptr) return refuse("a sub-select is not understood");
      Entry entry;
      entry.alias = alias_of(item);
      entry.has_own_alias = true;
      entry.visible = visible;
      entry.columns = columns_of(*it.query, it.lateral ? &scope : scope.outer);
      rename(entry.columns, item.alias);
      add_entry(std::move(entry), scope);
      return;
    }
    case FromKind::function: {
      const auto& it = static_cast<const FunctionItem&>(item);
      Entry entry;
      entry.alias = alias_of(item);
      entry.has_own_alias = true;
      entry.visible = visible;
      for (const ColumnDefinition& column : it.columns) entry.columns.names.emplace_back(column.name);
      entry.columns.known = !it.columns.empty() && !it.ordinality;
      rename(entry.columns, item.alias);
      // A function that yields one value has a column of its own name.
      if (it.columns.empty() && entry.columns.names.empty()) entry.columns.names.push_back(entry.alias);
      add_entry(std::move(entry), scope);
      return;
    }
    case FromKind::table_func: return refuse("XMLTABLE is not supported in a statement that is rewritten");
    case FromKind::unknown: return refuse("a part of FROM was not understood");
  }
}

void Deparser::declare_relation(const RangeVar& var, Scope& scope, bool visible) {
  Entry entry;
  entry.alias = alias_of(var);
  entry.var = &var;
  entry.only = !var.inherit;
  entry.has_own_alias = var.alias != nullptr && !var.alias->name.empty();
  entry.visible = visible;
  if (const CommonTableEntry* table = common_table(var)) {
    note_common_table();
    entry.columns = table->columns;
    rename(entry.columns, var.alias);
    entry.has_own_alias = true;
    add_entry(std::move(entry), scope);
    return;
  }
  if (!var.catalog.empty() && var.catalog != catalogue_.contents().database) {
    return refuse(fmt::format("{} is in another database", var.name));
  }
  entry.relation = catalogue_.find_relation(path_, var.schema, var.name);
  if (entry.relation == nullptr) {
    if (plan_.in_force() && plan_.is_sensitive_name(var.name)) {
      return refuse(fmt::format("{} may mean a masked relation", var.name), "Write its schema.");
    }
    if (plan_.in_force() && !fresh_) return need_relation(std::string(var.name));
    rename(entry.columns, var.alias);
    add_entry(std::move(entry), scope);
    return;
  }
  if (const std::string* why = plan_.carries(entry.relation->oid)) {
    return refuse(*why, "Read the table itself: its masked columns are masked in place.");
  }
  entry.columns.known = true;
  for (const Column& column : entry.relation->columns) entry.columns.names.push_back(column.name);
  rename(entry.columns, var.alias);
  if (entry.columns.names.size() > entry.relation->columns.size()) {
    return refuse(fmt::format("{} has {} columns, and {} names are given", entry.relation->qualified_name(),
                              entry.relation->columns.size(), entry.columns.names.size()));
  }
  entry.mask = plan_.find(entry.relation->oid);
  if (entry.mask != nullptr) {
    Usage& usage = usages_[&var];
    usage.relation = entry.relation;
    usage.mask = entry.mask;
  }
  add_entry(std::move(entry), scope);
}

void Deparser::declare_join(const JoinItem& item, Scope& scope, bool visible) {
  bool named = item.alias != nullptr && !item.alias->name.empty();
  std::size_t first = scope.entries.size();
  if (item.left == nullptr || item.right == nullptr) return refuse("a join is not understood");
  declare(*item.left, scope, visible && !named);
  declare(*item.right, scope, visible && !named);
  if (refused()) return;
  // NATURAL compares all columns that both sides have, and an alias shows all columns: so all must be there.
  for (std::size_t i = first; i < scope.entries.size(); ++i) {
    const Entry& entry = scope.entries[i];
    if (named || item.natural) use_all(entry);
    for (std::string_view name : item.using_columns) {
      auto at = std::ranges::find(entry.columns.names, name);
      if (at != entry.columns.names.end())
        use(entry, static_cast<std::size_t>(at - entry.columns.names.begin()));
    }
  }
  if (item.using_alias != nullptr) {
    Entry entry;
    entry.alias = item.using_alias->name;
    entry.has_own_alias = true;
    entry.visible = visible;
    entry.columns.known = true;
    for (std::string_view name : item.using_columns) entry.columns.names.emplace_back(name);
    add_entry(std::move(entry), scope);
  }
  if (!named) return;
  Entry entry;
  entry.alias = item.alias->name;
  entry.has_own_alias = true;
  entry.visible = visible;
  rename(entry.columns, item.alias);
  add_entry(std::move(entry), scope);
}

void Deparser::from_list(const SelectStatement& node, Scope& scope) {
  if (node.from.empty()) return;
  out_ += " FROM ";
  for (std::size_t i = 0; i < node.from.size(); ++i) {
    if (i > 0) out_ += ", ";
    from_item(*node.from[i], scope);
  }
}

void Deparser::from_item(const FromItem& item, Scope& scope) {
  if (refused()) return;
  switch (item.kind) {
    case FromKind::relation: return from_relation(static_cast<const RangeVar&>(item), scope, nullptr);
    case FromKind::sample: return from_sample(static_cast<const SampleItem&>(item), scope);
    case FromKind::join: return from_join(static_cast<const JoinItem&>(item), scope);
    case FromKind::function: return from_function(static_cast<const FunctionItem&>(item), scope);
    case FromKind::sub_select: {
      const auto& it = static_cast<const SubSelectItem&>(item);
      out_ += it.lateral ? "LATERAL (" : "(";
      select(*it.query, it.lateral ? &scope : scope.outer, true);
      out_ += ')';
      return alias(item.alias);
    }
    case FromKind::table_func:
    case FromKind::unknown: return refuse("a part of FROM was not understood");
  }
}

void Deparser::from_relation(const RangeVar& var, Scope& scope, const SampleItem* sample) {
  auto entry = std::ranges::find(scope.entries, &var, &Entry::var);
  if (entry == scope.entries.end()) return refuse("a relation is not understood");
  if (entry->mask != nullptr) return wrap_relation(*entry, scope, sample);
  if (entry->only) out_ += "ONLY ";
  out_ += entry->relation == nullptr ? quote_qualified(var.schema, var.name)
                                     : quote_qualified(entry->relation->schema, entry->relation->name);
  alias(var.alias);
  if (sample != nullptr) sample_clause(*sample, scope);
}

void Deparser::from_sample(const SampleItem& item, Scope& scope) {
  const auto* var = as<RangeVar>(item.relation);
  auto entry = std::ranges::find(scope.entries, var, &Entry::var);
  bool bernoulli = !item.method.empty() && item.method.back() == "bernoulli";
  if (entry != scope.entries.end() && entry->mask != nullptr && !bernoulli) {
    return refuse(
        "a masked relation can only be sampled with BERNOULLI: other methods tell how rows are stored");
  }
  if (entry != scope.entries.end() && entry->mask != nullptr && entry->mask->order_leaks &&
      item.repeatable != nullptr) {
    return refuse(
        "REPEATABLE tells where rows are stored, and so in which order an index over masked columns had "
        "them");
  }
  from_relation(*var, scope, &item);
}

void Deparser::sample_clause(const SampleItem& sample, Scope& scope) {
  if (sample.method.empty() || sample.method.size() > 2) return refuse("a sampling method is not understood");
  auto plain = [](const Expr* node) {
    return node->kind == ExprKind::constant || node->kind == ExprKind::parameter;
  };
  if (!std::ranges::all_of(sample.args, plain) ||
      (sample.repeatable != nullptr && !plain(sample.repeatable))) {
    return refuse("TABLESAMPLE takes literals and parameters here");
  }
  std::string_view schema =
      sample.method.size() == 2 ? sample.method.front() : std::string_view("pg_catalog");
  out_ += fmt::format(" TABLESAMPLE {}(", quote_qualified(schema, sample.method.back()));
  exprs(sample.args, scope);
  out_ += ')';
  if (sample.repeatable == nullptr) return;
  out_ += " REPEATABLE (";
  expr(sample.repeatable, scope);
  out_ += ')';
}

void Deparser::from_join(const JoinItem& item, Scope& scope) {
  constexpr std::string_view kWords[] = {"JOIN", "LEFT JOIN", "FULL JOIN", "RIGHT JOIN"};
  bool named = item.alias != nullptr && !item.alias->name.empty();
  bool cross = item.on == nullptr && !item.natural && item.using_columns.empty();
  out_ += '(';
  from_item(*item.left, scope);
  out_ += item.natural ? " NATURAL " : " ";
  out_ += cross ? "CROSS JOIN" : kWords[static_cast<std::size_t>(item.join)];
  out_ += ' ';
  from_item(*item.right, scope);
  if (item.on != nullptr) {
    out_ += " ON ";
    bool outside = std::exchange(in_condition_, true);
    expr(item.on, scope);
    in_condition_ = outside;
  }
  if (!item.using_columns.empty()) {
    out_ += " USING (";
    for (std::size_t i = 0; i < item.using_columns.size(); ++i) {
      out_ += fmt::format("{}{}", i == 0 ? "" : ", ", quote_identifier(item.using_columns[i]));
    }
    out_ += ')';
    if (item.using_alias != nullptr) out_ += " AS " + quote_identifier(item.using_alias->name);
  }
  out_ += ')';
  if (named) alias(item.alias);
}

void Deparser::from_function(const FunctionItem& item, Scope& scope) {
  if (item.lateral) out_ += "LATERAL ";
  if (!item.rows_from && item.functions.size() != 1) return refuse("a function in FROM is not understood");
  // unnest(a, b) is short for ROWS FROM (unnest(a), unnest(b)), but only under its bare name
  // (transformRangeFunction).
  auto unnested = [](const FromFunction& function) -> const FunctionCall* {
    const auto* call = as<FunctionCall>(function.call);
    bool many =
        call != nullptr && call->name.size() == 1 && call->name[0] == "unnest" && call->args.size() > 1;
    return many ? call : nullptr;
  };
  bool rows_from = item.rows_from || unnested(item.functions.front()) != nullptr;
  if (rows_from) out_ += "ROWS FROM (";
  for (std::size_t i = 0; i < item.functions.size(); ++i) {
    if (i > 0) out_ += ", ";
    if (const FunctionCall* call = unnested(item.functions[i])) {
      for (std::size_t j = 0; j < call->args.size(); ++j) {
        out_ += j == 0 ? "pg_catalog.unnest(" : ", pg_catalog.unnest(";
        expr(call->args[j], scope);
        out_ += ')';
      }
      continue;
    }
    expr(item.functions[i].call, scope);
    if (!item.functions[i].columns.empty()) {
      out_ += " AS ";
      column_definitions(item.functions[i].columns, scope);
    }
  }
  if (rows_from) out_ += ')';
  if (item.ordinality) out_ += " WITH ORDINALITY";
  if (item.columns.empty()) return alias(item.alias);
  out_ += " AS ";
  if (item.alias != nullptr) out_ += quote_identifier(item.alias->name);
  column_definitions(item.columns, scope);
}

void Deparser::column_definitions(List<ColumnDefinition> columns, Scope&) {
  out_ += '(';
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].type == nullptr || columns[i].collation != nullptr)
      return refuse("a column definition is not understood");
    out_ += fmt::format("{}{} ", i == 0 ? "" : ", ", quote_identifier(columns[i].name));
    type(*columns[i].type);
  }
  out_ += ')';
}

void Deparser::alias(const Alias* alias) {
  if (alias == nullptr || alias->name.empty()) return;
  out_ += " AS " + quote_identifier(alias->name);
  if (alias->columns.empty()) return;
  out_ += '(';
  for (std::size_t i = 0; i < alias->columns.size(); ++i) {
    out_ += fmt::format("{}{}", i == 0 ? "" : ", ", quote_identifier(alias->columns[i]));
  }
  out_ += ')';
}

}  // namespace sluice::postgres::rewrite
