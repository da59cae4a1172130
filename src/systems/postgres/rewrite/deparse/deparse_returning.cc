// RETURNING: what a statement that changes data hands to the client. It names columns of the real relation,
// so the masked ones are replaced where they stand; and references to that relation wherever they are.
#include <fmt/format.h>

#include <algorithm>

#include "systems/postgres/rewrite/deparse/deparser.h"
#include "systems/postgres/sql/column_name.h"
#include "systems/postgres/sql/names.h"

namespace sluice::postgres::rewrite {

using namespace sql;

namespace {

const Entry* masked_target(const Scope& innermost) {
  for (const Scope* scope = &innermost; scope != nullptr; scope = scope->outer) {
    for (const Entry& entry : scope->entries) {
      if (entry.target && entry.mask != nullptr) return &entry;
    }
  }
  return nullptr;
}

std::string reference(const Entry& entry, std::size_t index) {
  return fmt::format("{}.{}", quote_identifier(entry.alias), quote_identifier(entry.columns.names[index]));
}

const ColumnMask* mask_of(const Entry& entry, std::size_t index) {
  return entry.mask == nullptr ? nullptr : entry.mask->column(entry.relation->columns[index].attnum);
}

std::string yielded(const Entry& entry, std::size_t index) {
  const ColumnMask* mask = mask_of(entry, index);
  return mask == nullptr ? reference(entry, index) : mask->value(reference(entry, index));
}

const Expr* under_casts(const Expr* node) {
  while (const auto* cast = as<TypeCast>(node)) node = cast->arg;
  return node;
}

bool is_given(const Expr* node) {
  node = under_casts(node);
  return node != nullptr && (node->kind == ExprKind::constant || node->kind == ExprKind::parameter);
}

// `*` and `t.*` as an item, by the entry that is meant.
bool names_all_of(const ColumnRef& star, const Entry& entry, const Scope& scope) {
  return star.parts.empty() || find_entry(star.parts, scope) == &entry;
}

}  // namespace

void Deparser::refuse_read(const Entry& entry, std::size_t index) {
  if (entry.mask == nullptr) {
    const auto& columns = entry.columns;
    if (index >= columns.names.size() || !columns.masked.contains(columns.names[index])) return;
    return refuse(fmt::format("{}.{} holds masked values: a statement that changes data cannot read them",
                              entry.alias, columns.names[index]));
  }
  const ColumnMask* mask = mask_of(entry, index);
  if (mask == nullptr) return;
  refuse(fmt::format("{}.{} is masked (rule {}): a statement that changes or stores data cannot read it",
                     entry.relation->qualified_name(), mask->name, mask->rule),
         "Only RETURNING may name it, and yields its masked value.");
}

bool Deparser::of_target(const ColumnRef& ref, const Meaning& meaning, const Scope& scope) {
  if (refused()) return true;
  const Entry* target = masked_target(scope);
  if (target == nullptr) return false;
  const bool other = meaning.entry != nullptr && !meaning.entry->target;
  if (ref.star) {
    if (other) return false;
    refuse("* of the relation that is written is not supported here", "Name the columns.");
    return true;
  }
  switch (meaning.kind) {
    case Meaning::Kind::nothing: {
      if (meaning.entry != nullptr) return false;  // a column of it that is not known
      // Nothing that the catalogue does not know may be reached: system columns, columns that are new, and
      // what later versions call `old` and `new`.
      if (ref.parts.size() > 1) {
        refuse(fmt::format("{} does not name a relation here",
                           display_name(ref.parts.first(ref.parts.size() - 1))));
        return true;
      }
      const auto same = [&](const Target& item) { return output_name(item) == ref.parts.front(); };
      if (may_be_output_name_ && scope.select != nullptr && std::ranges::any_of(scope.select->targets, same))
        return false;
      if (is_system_column(ref.parts.front())) {
        refuse(fmt::format("{} tells where a row of a masked relation is stored", ref.parts.front()));
      } else if (!fresh_) {
        need_relation(target->relation->qualified_name());
      } else {
        refuse(fmt::format("column {} does not exist", ref.parts.front()));
      }
      return true;
    }
    case Meaning::Kind::column: {
      const auto is_masked = [](const auto& candidate) {
        return candidate.first->target && mask_of(*candidate.first, candidate.second) != nullptr;
      };
      if (std::ranges::none_of(meaning.candidates, is_masked)) return false;
      if (!meaning.certain) {
        refuse(fmt::format("{} may mean several columns here", ref.parts.back()),
               "Write the relation before it: relation.column.");
        return true;
      }
      out_ += yielded(*meaning.entry, meaning.index);
      return true;
    }
    case Meaning::Kind::whole_row: {
      if (other || meaning.entry->mask == nullptr) return false;
      out_ += "CAST(ROW(";
      for (std::size_t i = 0; i < meaning.entry->columns.names.size(); ++i)
        out_ += (i == 0 ? "" : ", ") + yielded(*meaning.entry, i);
      out_ += fmt::format(") AS {})",
                          quote_qualified(meaning.entry->relation->schema, meaning.entry->relation->name));
      return true;
    }
  }
  return false;
}

// --- the list

void Deparser::returning(List<Target> items, Scope& scope, List<const FromItem*> others, const Expr* where,
                         bool others_first) {
  if (items.empty() || refused()) return;
  const bool may_tell_order = where != nullptr || !others.empty();
  const auto leaks = [](const Entry& entry) { return entry.mask != nullptr && entry.mask->order_leaks; };
  if (may_tell_order && std::ranges::any_of(scope.entries, leaks) && !is_one_row(where, scope)) {
    return refuse("an index makes the order of the returned rows tell about a masked column",
                  "Name one row by its primary key, or leave RETURNING out.");
  }
  const Reads reads = std::exchange(reads_, Reads::returned);
  out_ += " RETURNING ";
  bool first = true;
  auto separate = [&] { out_ += std::exchange(first, false) ? "" : ", "; };
  for (const Target& item : items) {
    saw_masked_ = false;
    const auto* star = as<ColumnRef>(item.value);
    if (is_star(item) && star != nullptr && names_all_of(*star, scope.entries.front(), scope)) {
      if (star->parts.empty()) {
        returned_star(scope, others, others_first, separate);
      } else {
        returned_columns(scope.entries.front(), separate);
      }
    } else {
      separate();
      expr(item.value, scope);
      const std::string_view name = output_name(item);
      if (!name.empty() && !is_star(item)) out_ += " AS " + quote_identifier(name);
    }
    if (saw_masked_ && returned_names_ != nullptr) note_masked(item, scope);
  }
  reads_ = reads;
}

// Of what a WITH query returns: which columns later queries must take for masked.
void Deparser::note_masked(const Target& item, const Scope& scope) {
  if (!is_star(item)) {
    const std::string_view name = output_name(item);
    returned_names_->emplace(name.empty() ? "?column?" : name);
    return;
  }
  for (const Entry& entry : scope.entries) {
    const auto* named = as<ColumnRef>(item.value);  // or the fields of a value: (x).*, which may be any
    if (named != nullptr && !names_all_of(*named, entry, scope)) continue;
    for (std::size_t i = 0; i < entry.columns.names.size(); ++i) {
      const bool of_relation = entry.mask != nullptr && mask_of(entry, i) != nullptr;
      if (of_relation || entry.columns.masked.contains(entry.columns.names[i]))
        returned_names_->insert(entry.columns.names[i]);
    }
  }
}

void Deparser::returned_star(Scope& scope, List<const FromItem*> others, bool others_first,
                             const std::function<void()>& separate) {
  auto write_the_others = [&] {
    for (const FromItem* item : others) {
      auto expanded = expand_star(*item, scope);
      if (!expanded) return refuse("* cannot be written out here", "Name the columns.");
      for (const std::string& each : *expanded) {
        separate();
        out_ += each;
      }
    }
  };
  for (std::size_t i = 1; i < scope.entries.size(); ++i) use_all(scope.entries[i]);
  if (others_first) write_the_others();
  returned_columns(scope.entries.front(), separate);
  if (!others_first) write_the_others();
}

void Deparser::returned_columns(const Entry& target, const std::function<void()>& separate) {
  if (target.mask == nullptr) {
    separate();
    out_ += quote_identifier(target.alias) + ".*";
    return;
  }
  use_all(target);
  for (std::size_t i = 0; i < target.columns.names.size(); ++i) {
    separate();
    out_ += fmt::format("{} AS {}", yielded(target, i), quote_identifier(target.columns.names[i]));
  }
}

// The conditions that all must hold.
void Deparser::conjuncts(const Expr* node, std::vector<const Expr*>& out) {
  const auto* both = as<BooleanExpr>(node);
  if (both != nullptr && both->op == BooleanOperator::and_) {
    for (const Expr* arg : both->args) conjuncts(arg, out);
  } else if (node != nullptr) {
    out.push_back(node);
  }
}

// Whether the condition names the target's whole primary key, or that of another unique index.
bool Deparser::is_one_row(const Expr* where, const Scope& scope) const {
  const Entry& target = scope.entries.front();
  if (target.relation == nullptr) return false;
  std::set<std::int16_t> named;
  std::vector<const Expr*> all;
  conjuncts(where, all);
  for (const Expr* each : all) {
    const auto* equal = as<OperatorExpr>(each);
    if (equal == nullptr || equal->form != OperatorKind::plain || equal->symbol() != "=") continue;
    for (auto [column, given] :
         {std::pair{equal->left, equal->right}, std::pair{equal->right, equal->left}}) {
      const auto* ref = as<ColumnRef>(column);
      if (ref == nullptr || !is_given(given)) continue;
      const Meaning meaning = resolve(*ref, scope);
      if (meaning.kind == Meaning::Kind::column && meaning.certain && meaning.entry == &target)
        named.insert(target.relation->columns[meaning.index].attnum);
    }
  }
  return std::ranges::any_of(target.relation->indexes, [&](const Index& index) {
    return index.unique && !index.key.empty() &&
           std::ranges::all_of(index.key, [&](std::int16_t attnum) { return named.contains(attnum); });
  });
}

// What a WITH query that changes data has for columns.
Columns Deparser::returning_columns(const Statement& statement) {
  const RangeVar* target = nullptr;
  List<Target> items;
  std::vector<const FromItem*> others;
  bool others_first = false;
  switch (statement.kind) {
    case StatementKind::insert: {
      const auto& it = static_cast<const InsertStatement&>(statement);
      target = it.relation;
      items = it.returning;
      break;
    }
    case StatementKind::update: {
      const auto& it = static_cast<const UpdateStatement&>(statement);
      target = it.relation;
      items = it.returning;
      others.assign(it.from.begin(), it.from.end());
      break;
    }
    case StatementKind::delete_: {
      const auto& it = static_cast<const DeleteStatement&>(statement);
      target = it.relation;
      items = it.returning;
      others.assign(it.using_items.begin(), it.using_items.end());
      break;
    }
    case StatementKind::merge: {
      const auto& it = static_cast<const MergeStatement&>(statement);
      target = it.relation;
      items = it.returning;
      others.push_back(it.source);
      others_first = true;
      break;
    }
    default: break;
  }
  Columns columns;
  if (target == nullptr || items.empty()) return columns;
  columns.known = true;
  Scope scope;
  declare_target(*target, scope);
  declare_others(others, scope);
  if (refused()) return columns;
  auto add = [&](const Columns& from) {
    columns.known = columns.known && from.known;
    columns.names.insert(columns.names.end(), from.names.begin(), from.names.end());
  };
  auto add_others = [&] {
    for (const FromItem* item : others) {
      auto all = star_columns(*item, scope);
      columns.known = columns.known && all.has_value();
      for (const StarColumn& each : all.value_or(std::vector<StarColumn>{}))
        columns.names.push_back(each.name);
    }
  };
  for (const Target& item : items) {
    if (!is_star(item)) {
      const std::string_view name = output_name(item);
      columns.names.emplace_back(name.empty() ? "?column?" : name);
      continue;
    }
    const auto* star = as<ColumnRef>(item.value);
    if (star == nullptr) {  // the fields of a value: (x).*
      columns.known = false;
      continue;
    }
    if (!star->parts.empty()) {
      const Entry* entry = find_entry(star->parts, scope);
      add(entry == nullptr ? Columns{} : entry->columns);
      continue;
    }
    if (others_first) add_others();
    add(scope.entries.front().columns);
    if (!others_first) add_others();
  }
  have_seen(columns.names.size());
  return columns;
}

}  // namespace sluice::postgres::rewrite
