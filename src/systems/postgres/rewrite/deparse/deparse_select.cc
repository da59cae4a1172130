// SELECT, VALUES, set operations, WITH: the levels of a query.
#include <fmt/format.h>

#include <algorithm>

#include "systems/postgres/rewrite/clamp.h"
#include "systems/postgres/rewrite/deparse/deparser.h"
#include "systems/postgres/sql/column_name.h"
#include "systems/postgres/sql/expressions.h"
#include "systems/postgres/sql/names.h"

namespace sluice::postgres::rewrite {

using namespace sql;

namespace {

std::string_view set_word(const SelectStatement& node) {
  switch (node.set_operation) {
    case SetOperation::union_: return node.set_all ? " UNION ALL " : " UNION ";
    case SetOperation::intersect: return node.set_all ? " INTERSECT ALL " : " INTERSECT ";
    case SetOperation::except: return node.set_all ? " EXCEPT ALL " : " EXCEPT ";
    case SetOperation::none: break;
  }
  return "";
}

// JSON and XML have no equality, so they cannot be grouped by.
bool can_be_grouped(const Catalogue& catalogue, const Column& column) {
  const Type* type = catalogue.base_type(column.type);
  return type != nullptr && type->name != "json" && type->name != "xml" && type->name != "point";
}

bool has_change(const WithClause* with) {
  return with != nullptr && std::ranges::any_of(with->tables, [](const CommonTable& table) {
           return as<SelectStatement>(table.query) == nullptr;
         });
}

}  // namespace

Deparser::Deparser(const RewriteInput& input, std::string prefix)
    : catalogue_(input.catalogue),
      path_(input.search_path),
      plan_(input.plan),
      fresh_(input.fresh),
      max_names_(input.max_names),
      prefix_(std::move(prefix)),
      keys_(input.keys),
      statement_(*input.statement.body) {}

void Deparser::refuse(std::string message, std::string hint) {
  if (!refusal_) refusal_ = Denial{Reason::masked_use, "", std::move(message), std::move(hint)};
}

void Deparser::need_relation(std::string name) {
  if (!refusal_) refusal_ = NeedsCatalogue{std::move(name)};
}

// Output grows in each pass; only the last one's is kept. What the first has gathered only grows too, so the
// second sees all of it. A third comes where candidates are counted.
std::expected<std::string, Refusal> Deparser::in_passes(std::function<void()> write) {
  // A search's candidates, where they have to be counted, are written as the second pass has written its
  // level.
  const auto is_counted = [](const auto& each) { return !each.second.many; };
  for (int pass = 0; pass < (std::ranges::any_of(candidates_, is_counted) ? 3 : 2) && !refused(); ++pass) {
    out_.clear();
    written_.clear();
    gathers_ = pass == 0;
    write();
    auto sorted = [](const auto& usage) { return usage.second.ordered; };
    if (locks_rows_ && std::ranges::any_of(usages_, sorted)) {
      refuse("rows cannot be locked here: they would have to be sorted, and so locked, all",
             "Add an ORDER BY, without WITH TIES.");
    }
  }
  if (refused()) return std::unexpected(*refusal_);
  gather_masked();
  return std::move(out_);
}

std::expected<std::string, Refusal> Deparser::deparse(const SelectStatement& node,
                                                      std::optional<std::uint64_t> clamp, Reply reply) {
  clamp_ = clamp;
  reply_ = reply;
  outermost_ = &node;
  changes_data_ = has_change(node.with);
  return in_passes([&] { select(node, nullptr, true); });
}

void Deparser::gather_masked() {
  masked_.clear();
  for (const auto& [var, usage] : usages_) {
    MaskedUse use;
    use.relation = usage.relation->qualified_name();
    for (const ColumnMask& column : usage.mask->columns) {
      if (!usage.all_columns && !usage.columns.contains(column.attnum) &&
          !usage.hidden.contains(column.attnum) && !usage.hashed.contains(column.attnum))
        continue;
      use.columns.push_back(column.name);
      if (usage.in_conditions.contains(column.attnum)) use.in_conditions.push_back(column.name);
      if (std::ranges::find(use.rules, column.rule) == use.rules.end()) use.rules.push_back(column.rule);
    }
    use.in_expressions = usage.in_expressions;
    use.written = writes_masked_.contains(var);
    auto same = std::ranges::find(masked_, use.relation, &MaskedUse::relation);
    if (same == masked_.end()) {
      masked_.push_back(std::move(use));
      continue;
    }
    auto merge = [](std::vector<std::string>& into, const std::vector<std::string>& from) {
      for (const std::string& each : from) {
        if (std::ranges::find(into, each) == into.end()) into.push_back(each);
      }
    };
    merge(same->columns, use.columns);
    merge(same->in_conditions, use.in_conditions);
    merge(same->rules, use.rules);
    same->in_expressions |= use.in_expressions;
    same->written |= use.written;
  }
}

void Deparser::select(const SelectStatement& node, const Scope* outer, bool order_matters) {
  if (refused()) return;
  if (node.into != nullptr && &node != stored_)
    return refuse("SELECT INTO stands at the top of a statement only");
  std::size_t depth = common_tables_.size();
  int aggregates = std::exchange(aggregate_depth_, 0);
  bool condition = std::exchange(in_condition_, false);
  Place place = std::exchange(place_, Place::elsewhere);
  bool output_name = std::exchange(may_be_output_name_, false);
  with_clause(node.with, outer);
  Scope scope;
  scope.outer = outer;
  scope.select = &node;
  if (node.set_operation != SetOperation::none) {
    set_operation(node, outer);
  } else if (node.is_values) {
    values(node, scope);
  } else {
    plain_select(node, scope, order_matters);
  }
  common_tables_.resize(depth);
  aggregate_depth_ = aggregates;
  in_condition_ = condition;
  place_ = place;
  may_be_output_name_ = output_name;
}

void Deparser::with_clause(const WithClause* with, const Scope* outer) {
  if (with == nullptr) return;
  // Bodies are written while only those names are in scope that PostgreSQL has there: all of a recursive
  // WITH, the earlier ones otherwise.
  std::size_t before = common_tables_.size();
  declare_common_tables(with, outer);
  std::vector<CommonTableEntry> all(common_tables_.begin() + static_cast<std::ptrdiff_t>(before),
                                    common_tables_.end());
  if (!with->recursive) common_tables_.resize(before);
  out_ += with->recursive ? "WITH RECURSIVE " : "WITH ";
  for (std::size_t i = 0; i < with->tables.size(); ++i) {
    const CommonTable& table = with->tables[i];
    const auto* query = as<SelectStatement>(table.query);
    if (query == nullptr && outer != nullptr)
      return refuse("a WITH query that changes data stands at the top of a statement only");
    if (i > 0) out_ += ", ";
    out_ += quote_identifier(table.name);
    if (!table.columns.empty()) {
      out_ += '(';
      for (std::size_t c = 0; c < table.columns.size(); ++c) {
        out_ += fmt::format("{}{}", c == 0 ? "" : ", ", quote_identifier(table.columns[c]));
      }
      out_ += ')';
    }
    out_ += " AS ";
    if (table.materialized == Materialized::always) out_ += "MATERIALIZED ";
    if (table.materialized == Materialized::never) out_ += "NOT MATERIALIZED ";
    out_ += '(';
    // What one of them yields, another may store.
    Reads reads = std::exchange(reads_, changes_data_ ? Reads::refused : reads_);
    if (query != nullptr) {
      select(*query, outer, true);
    } else {
      change(*table.query, &masked_output_[&table]);
      hand_on_masked(table, all[i].columns);
      if (with->recursive) hand_on_masked(table, common_tables_[before + i].columns);
    }
    reads_ = reads;
    out_ += ')';
    search_and_cycle(table);
    if (!with->recursive) common_tables_.push_back(all[i]);
  }
  out_ += ' ';
}

void Deparser::search_and_cycle(const CommonTable& table) {
  auto names = [&](Names list) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      out_ += (i == 0 ? "" : ", ") + quote_identifier(list[i]);
    }
  };
  if (const CteSearch* search = table.search) {
    out_ += search->breadth_first ? " SEARCH BREADTH FIRST BY " : " SEARCH DEPTH FIRST BY ";
    names(search->columns);
    out_ += " SET " + quote_identifier(search->sequence_column);
  }
  const CteCycle* cycle = table.cycle;
  if (cycle == nullptr) return;
  out_ += " CYCLE ";
  names(cycle->columns);
  out_ += " SET " + quote_identifier(cycle->mark_column);
  if (cycle->mark_value != nullptr && cycle->mark_default != nullptr) {
    Scope nothing;
    out_ += " TO ";
    expr(cycle->mark_value, nothing);
    out_ += " DEFAULT ";
    expr(cycle->mark_default, nothing);
  }
  out_ += " USING " + quote_identifier(cycle->path_column);
}

// Where its columns have other names, any of them may be meant.
void Deparser::hand_on_masked(const CommonTable& table, Columns& columns) {
  const auto found = masked_output_.find(&table);
  if (found == masked_output_.end() || found->second.empty()) return;
  if (table.columns.empty()) {
    columns.masked = found->second;
  } else {
    columns.masked.insert(columns.names.begin(), columns.names.end());
  }
}

void Deparser::set_operation(const SelectStatement& node, const Scope* outer) {
  if (node.left == nullptr || node.right == nullptr) return refuse("a set operation is not understood");
  out_ += '(';
  select(*node.left, outer, true);
  out_ += ')';
  out_ += set_word(node);
  out_ += '(';
  select(*node.right, outer, true);
  out_ += ')';
  Scope scope;
  scope.outer = outer;
  scope.select = &node;
  order_by(node, scope, {});
  limits(node, scope);
  locking(node, scope);
}

void Deparser::values(const SelectStatement& node, Scope& scope) {
  out_ += "VALUES ";
  for (std::size_t i = 0; i < node.values.size(); ++i) {
    out_ += i == 0 ? "(" : ", (";
    for (std::size_t j = 0; j < node.values[i].size(); ++j) {
      if (j > 0) out_ += ", ";
      if (&node == insert_source_ && node.values[i][j]->kind == ExprKind::default_) {
        out_ += "DEFAULT";
        continue;
      }
      expr(node.values[i][j], scope);
    }
    out_ += ')';
  }
  order_by(node, scope, {});
  limits(node, scope);
}

void Deparser::plain_select(const SelectStatement& node, Scope& scope, bool order_matters) {
  for (const FromItem* item : node.from) declare(*item, scope, true);
  if (refused()) return;
  for (const Entry& entry : scope.entries) {
    auto same = [&](const Entry& other) { return other.visible && other.alias == entry.alias; };
    if (entry.mask != nullptr && entry.visible && std::ranges::count_if(scope.entries, same) > 1) {
      return refuse(fmt::format("{} stands for two relations here", entry.alias),
                    "Give one of them another name with AS.");
    }
  }
  note_errors(node, scope);
  scope.knn = find_knn(node, scope);
  if (scope.knn) refuse_one_record(node, scope);
  stored_conditions(node, scope);
  auto extra = order_keys(node, scope, order_matters);

  if (scope.knn) begin_watching(node, scope);
  out_ += "SELECT";
  if (node.distinct) out_ += " DISTINCT";
  if (!node.distinct_on.empty()) {
    out_ += " ON (";
    positions(node.distinct_on, node, scope);
    out_ += ')';
  }
  targets(node, scope);
  const std::size_t from = out_.size();
  if (scope.knn) begin_rows(scope);
  from_list(node, scope);
  if (scope.knn) watched_.back().where = out_.size();
  if (node.where != nullptr) {
    out_ += " WHERE ";
    in_condition_ = true;
    is_conjunct_ = true;
    expr(node.where, scope);
    is_conjunct_ = false;
    in_condition_ = false;
  }
  if (scope.knn) note_candidates(node, from);
  group_by(node, scope);
  if (node.having != nullptr) {
    out_ += " HAVING ";
    in_condition_ = true;
    expr(node.having, scope);
    in_condition_ = false;
  }
  for (std::size_t i = 0; i < node.windows.size(); ++i) {
    out_ += fmt::format("{}{} AS ", i == 0 ? " WINDOW " : ", ", quote_identifier(node.windows[i]->name));
    window_body(*node.windows[i], scope, false);
  }
  order_by(node, scope, extra);
  limits(node, scope);
  if (scope.knn) end_watching(node, from);
  locking(node, scope);
}

void Deparser::targets(const SelectStatement& node, Scope& scope) {
  bool first = true;
  auto separate = [&] { out_ += std::exchange(first, false) ? " " : ", "; };
  if (&node == outermost_) carried_keys(scope, separate);
  if (is_outermost(node)) {
    if (const auto item = candidates_item(); !item.empty()) {
      counts_candidates_ = true;
      separate();
      out_ += item;
    }
  }
  if (scope.knn) watched_.back().list = out_.size();
  if (&node == outermost_) begin_outputs(node, scope);
  bool used_all = false;
  for (const Target& target : node.targets) {
    if (refused()) return;
    const auto* star = as<ColumnRef>(target.value);
    if (shows_cells_ && &node == outermost_ && is_star(target)) {
      if (star_with_cells(node, *star, scope, separate)) continue;
    }
    if (&node == outermost_) count_output(target, scope);
    // EXISTS (SELECT * ...) looks at no column.
    const bool untold = &node == only_tested_ && !node.distinct && node.group_by.empty() &&
                        node.order_by.empty() && node.targets.size() == 1;
    if (untold && star != nullptr && star->star) continue;
    if (star != nullptr && star->star && star->parts.empty()) {
      // Many stars over many relations: each column is noted once.
      if (!std::exchange(used_all, true)) {
        for (const Entry& entry : scope.entries) use_all(entry);
      }
      if (!has_hidden(scope)) {
        separate();
        out_ += '*';
        continue;
      }
      for (const FromItem* item : node.from) {
        auto items = expand_star(*item, scope);
        if (!items)
          return refuse("* cannot be written out here, which a search on a masked vector needs",
                        "Name the columns.");
        for (const std::string& each : *items) {
          separate();
          out_ += each;
        }
      }
      continue;
    }
    separate();
    place_ = scope.knn && target.value != nullptr && is_score(*target.value, scope.knn->distance)
                 ? Place::score
                 : Place::elsewhere;
    if (&node != outermost_ || !cell(target, scope)) expr(target.value, scope);
    place_ = Place::elsewhere;
    std::string_view name = output_name(target);
    if (!name.empty() && !is_star(target)) out_ += " AS " + quote_identifier(name);
  }
}

void Deparser::carried_keys(Scope& scope, std::function<void()> separate) {
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    auto entry = std::ranges::find(scope.entries, keys_[i].var, &Entry::var);
    const bool found = entry != scope.entries.end() && entry->relation != nullptr;
    const Column* column = found ? entry->relation->column(keys_[i].attnum) : nullptr;
    if (column == nullptr) return refuse("a key is not in reach");
    use(*entry, static_cast<std::size_t>(column - entry->relation->columns.data()));
    separate();
    out_ += carried_item(keys_[i], i + 1);
  }
}

// A table's columns may be output when its primary key is grouped by; a derived table has no key that
// PostgreSQL knows, so the other columns in use are grouped by too. That changes nothing: the key determines
// them.
void Deparser::group_by(const SelectStatement& node, Scope& scope) {
  if (node.group_by.empty()) return;
  out_ += node.group_distinct ? " GROUP BY DISTINCT " : " GROUP BY ";
  positions(node.group_by, node, scope);
  if (has_grouping_sets(node)) return;
  for (const Entry& entry : scope.entries) {
    if (entry.mask == nullptr || entry.relation->primary_key.empty()) continue;
    std::set<std::int16_t> grouped;
    for (const Expr* item : node.group_by) {
      SortItem as_item;
      as_item.expr = item;
      const auto* ref =
          as<ColumnRef>(item->kind == ExprKind::constant ? sort_expression(as_item, node) : item);
      if (ref == nullptr) continue;
      Meaning meaning = resolve(*ref, scope);
      if (meaning.certain && meaning.entry == &entry && meaning.kind == Meaning::Kind::column) {
        grouped.insert(entry.relation->columns[meaning.index].attnum);
      }
    }
    auto is_grouped = [&](std::int16_t attnum) { return grouped.contains(attnum); };
    if (!std::ranges::all_of(entry.relation->primary_key, is_grouped)) continue;
    for (std::size_t i = 0; i < entry.relation->columns.size(); ++i) {
      const Column& column = entry.relation->columns[i];
      if (!usages_[entry.var].bare_columns.contains(column.attnum) || is_grouped(column.attnum)) continue;
      if (!can_be_grouped(catalogue_, column)) continue;
      out_ += fmt::format(", {}.{}", quote_identifier(entry.alias), quote_identifier(entry.columns.names[i]));
    }
  }
}

void Deparser::positions(Exprs nodes, const SelectStatement& node, Scope& scope) {
  const bool outside = std::exchange(may_be_output_name_, true);
  bool first = true;
  for (const Expr* each : nodes) {
    if (!std::exchange(first, false)) out_ += ", ";
    const auto* ordinal = as<Constant>(each);
    if (is_outermost(node) && ordinal != nullptr && ordinal->value_kind == ConstantKind::integer) {
      out_ += std::to_string(ordinal->integer + static_cast<std::int64_t>(carried()));
    } else {
      expr(each, scope);
    }
  }
  may_be_output_name_ = outside;
}

void Deparser::order_by(const SelectStatement& node, Scope& scope, const std::vector<std::string>& extra) {
  if (node.order_by.empty() && extra.empty()) return;
  out_ += " ORDER BY ";
  bool first = true;
  bool outside = std::exchange(may_be_output_name_, true);
  for (const SortItem& item : node.order_by) {
    if (!std::exchange(first, false)) out_ += ", ";
    place_ = scope.knn && same_expression(item.expr, scope.knn->distance.expr) ? Place::knn_order
                                                                               : Place::elsewhere;
    if (&node == outermost_ && sorts_by_cell(item)) {
      // Written.
    } else if (is_outermost(node) && carried() > 0 && is_ordinal(item)) {
      Constant shifted = *as<Constant>(item.expr);
      shifted.integer += static_cast<std::int32_t>(carried());
      SortItem counted = item;
      counted.expr = &shifted;
      sort_item(counted, scope);
    } else {
      sort_item(item, scope);
    }
    place_ = Place::elsewhere;
  }
  may_be_output_name_ = outside;
  for (const std::string& key : extra) {
    if (!std::exchange(first, false)) out_ += ", ";
    out_ += key;
  }
}

void Deparser::limits(const SelectStatement& node, Scope& scope) {
  if (node.offset != nullptr) {
    out_ += " OFFSET ";
    expr(node.offset, scope);
  }
  bool clamped = clamp_.has_value() && &node == outermost_;
  if (node.limit == nullptr) {
    if (clamped) out_ += fmt::format(" LIMIT {}", *clamp_);
    return;
  }
  std::size_t begin = out_.size();
  expr(node.limit, scope);
  std::string limit = out_.substr(begin);
  out_.resize(begin);
  if (clamped) {
    if (node.with_ties) return refuse("FETCH ... WITH TIES has no bound that could be lowered");
    limit = clamped_limit(*node.limit, limit, *clamp_);
  }
  out_ += node.with_ties ? fmt::format(" FETCH FIRST ({}) ROWS WITH TIES", limit)
                         : fmt::format(" LIMIT {}", limit);
}

// Rows of a derived table are locked as those of a view are: in the relation beneath it.
void Deparser::locking(const SelectStatement& node, const Scope& scope) {
  constexpr std::string_view kStrength[] = {"", "KEY SHARE", "SHARE", "NO KEY UPDATE", "UPDATE"};
  for (const Locking& lock : node.locking) {
    locks_rows_ = true;
    out_ += fmt::format(" FOR {}", kStrength[static_cast<std::size_t>(lock.strength)]);
    for (std::size_t i = 0; i < lock.relations.size(); ++i) {
      const RangeVar& named = *lock.relations[i];
      if (!named.schema.empty()) return refuse("FOR UPDATE OF takes names without a schema");
      auto entry = std::ranges::find_if(
          scope.entries, [&](const Entry& each) { return each.visible && each.alias == named.name; });
      // Where there are two levels, the relation is in the inner one.
      const bool two_levels =
          entry != scope.entries.end() && entry->mask != nullptr && usages_[entry->var].hands_on();
      out_ +=
          (i == 0 ? " OF " : ", ") + (two_levels ? hidden_alias(*entry->var) : quote_identifier(named.name));
    }
    if (lock.wait == LockWait::skip) out_ += " SKIP LOCKED";
    if (lock.wait == LockWait::error) out_ += " NOWAIT";
  }
}

}  // namespace sluice::postgres::rewrite
