// The derived table that stands for a masked relation.
#include <fmt/format.h>

#include <algorithm>

#include "systems/postgres/rewrite/deparse/deparser.h"
#include "systems/postgres/sql/names.h"

namespace sluice::postgres::rewrite {

using namespace sql;
using namespace std::string_view_literals;

// Names of the rewrite's own: the prefix and numbers, which need no quotes but get them like every other
// name.
std::string Deparser::inner_alias() const {
  std::string name = "\"";
  name.append(prefix_).append("_0\""sv);
  return name;
}

const std::string& Deparser::hidden_alias(const RangeVar& var) {
  auto [at, added] = hidden_aliases_.try_emplace(&var);
  if (added) {
    at->second.append("\""sv).append(prefix_).append("_"sv);
    at->second.append(std::to_string(hidden_aliases_.size())).append("\""sv);
  }
  return at->second;
}

void Deparser::hidden_column(std::string& out, const RangeVar& var, std::int16_t attnum, bool hashed) {
  std::string_view alias = hidden_alias(var);
  alias.remove_suffix(1);
  out.append(alias).append("_"sv).append(std::to_string(attnum)).append(hashed ? "h\""sv : "\""sv);
}

void Deparser::hidden_reference(std::string& out, const RangeVar& var, std::int16_t attnum, bool hashed) {
  out.append(hidden_alias(var)).push_back('.');
  hidden_column(out, var, attnum, hashed);
}

bool Deparser::has_hidden(const Scope& scope) const {
  return std::ranges::any_of(scope.entries, [&](const Entry& entry) {
    auto usage = usages_.find(entry.var);
    return entry.mask != nullptr && usage != usages_.end() && usage->second.hands_on();
  });
}

void Deparser::use(const Entry& entry, std::size_t index) {
  if (reads_ == Reads::refused) refuse_read(entry, index);
  if (entry.mask == nullptr) {
    saw_masked_ |=
        index < entry.columns.names.size() && entry.columns.masked.contains(entry.columns.names[index]);
    return;
  }
  std::int16_t attnum = entry.relation->columns[index].attnum;
  Usage& usage = usages_[entry.var];
  usage.columns.insert(attnum);
  if (aggregate_depth_ == 0) usage.bare_columns.insert(attnum);
  const ColumnMask* mask = entry.mask->column(attnum);
  saw_masked_ |= mask != nullptr;
  if (in_condition_ && mask != nullptr) usage.in_conditions.insert(attnum);
  if (expr_depth_ > 1 && mask != nullptr && !mask->vector) usage.in_expressions = true;
}

void Deparser::use_all(const Entry& entry) {
  if (entry.mask == nullptr) {
    for (std::size_t i = 0; !entry.columns.masked.empty() && i < entry.columns.names.size(); ++i)
      use(entry, i);
    return;
  }
  usages_[entry.var].all_columns = true;
  for (std::size_t i = 0; i < entry.relation->columns.size(); ++i) {
    const Column& column = entry.relation->columns[i];
    use(entry, i);
    if (!column.readable && entry.mask->column(column.attnum) == nullptr) {
      return refuse(
          fmt::format("permission denied for column {} of {}", column.name, entry.relation->qualified_name()),
          "Name the columns that you may read.");
    }
  }
}

// Rows of a view have no place of their own, and that of a row in a table without a key tells in which order
// an UPDATE came to it. Those that agree in all that may be seen look alike.
void Deparser::order_by_open_columns(const RelationMask& mask, const Relation& relation,
                                     std::string_view inner) {
  constexpr std::string_view kOrdered = "BDENST";  // categories of types of which all have an order
  bool first = true;
  for (const Column& column : relation.columns) {
    const ColumnMask* hidden = mask.column(column.attnum);
    if ((hidden != nullptr && !hidden->reads_column()) || !column.readable) continue;
    const Type* type = catalogue_.base_type(column.type);
    bool ordered = hidden == nullptr && type != nullptr && type->schema == "pg_catalog" &&
                   kOrdered.contains(type->category);
    std::string reference = fmt::format("{}.{}", inner, quote_identifier(column.name));
    if (hidden != nullptr) reference = hidden->value(reference);
    out_ += std::exchange(first, false) ? " ORDER BY " : ", ";
    out_ += ordered ? reference : fmt::format("CAST({} AS \"pg_catalog\".\"text\")", reference);
  }
}

void Deparser::wrap_relation(const Entry& entry, Scope& scope, const SampleItem* sample) {
  if (gathers_) {  // what is used is not known yet
    if (sample != nullptr) sample_clause(*sample, scope);
    return;
  }
  const Relation& relation = *entry.relation;
  const RangeVar& var = *entry.var;
  const Usage& usage = usages_[entry.var];
  const bool two_levels = usage.hands_on();
  const std::string inner = inner_alias();
  auto real = [&](std::string& to, const Column& column) {
    to.append(inner).push_back('.');
    append_identifier(to, column.name);
  };
  // How the outer level of two refers to a column, and how the only one does.
  auto reference = [&](std::string& to, const Column& column) {
    two_levels ? hidden_reference(to, var, column.attnum) : real(to, column);
  };
  auto next = [](std::string& list) {
    if (!list.empty()) list.append(", "sv);
  };

  std::string visible;  // what the statement sees
  std::string needed;   // what the inner level hands to the outer one
  std::string names;
  std::string masked;
  std::vector<std::int16_t> read;
  bool shows_hidden = false;
  for (std::size_t i = 0; i < relation.columns.size(); ++i) {
    const Column& column = relation.columns[i];
    const bool seen = usage.all_columns || usage.columns.contains(column.attnum);
    const bool searched = usage.hidden.contains(column.attnum);
    const bool hashed = usage.hashed.contains(column.attnum);
    if (!seen && !searched && !hashed) continue;
    const bool is_cell = (searched || hashed) && entry.mask->column(column.attnum)->cell != nullptr;
    const ColumnMask* mask = entry.mask->column(column.attnum);
    const bool unread = mask != nullptr && reply_ == Reply::plan && !mask->unread.empty();
    const bool reads = seen && (mask == nullptr || (mask->reads_column() && !unread));
    if (reads || searched || hashed) read.push_back(column.attnum);
    shows_hidden |= is_cell || (reads && mask != nullptr);
    if (two_levels && (reads || searched)) {
      next(needed);
      real(needed, column);
      next(names);
      hidden_column(names, var, column.attnum);
    }
    if (two_levels && hashed) {
      next(needed);
      needed.append("COALESCE("sv);
      real(needed, column);
      needed.append(", "sv).append(mask->cell_null).push_back(')');
      next(names);
      hidden_column(names, var, column.attnum, true);
    }
    if (!seen) continue;
    next(visible);
    if (mask == nullptr) {
      reference(visible, column);
    } else if (unread) {
      visible.append(mask->unread);
    } else {
      masked.clear();
      reference(masked, column);
      visible.append(mask->value(masked));
    }
    visible.append(" AS "sv);
    append_identifier(visible, entry.columns.names[i]);
  }

  // An index alone may have all that is read, in the order of what it hides.
  const bool lone =
      shows_hidden &&
      (entry.mask->lone_below || std::ranges::any_of(entry.mask->lone_indexes, [&](const auto& index) {
         return std::ranges::all_of(
             read, [&](std::int16_t attnum) { return std::ranges::find(index, attnum) != index.end(); });
       }));
  const bool ordered = usage.ordered || lone;
  const bool fenced = usage.fenced || lone;

  auto source = [&] {
    out_.append(entry.only ? " FROM ONLY "sv : " FROM "sv);
    append_qualified(out_, relation.schema, relation.name);
    out_.append(" AS "sv).append(inner);
    if (sample != nullptr) sample_clause(*sample, scope);
    for (std::size_t i = 0; i < usage.stored_conditions.size(); ++i)
      out_.append(i == 0 ? " WHERE "sv : " AND "sv).append(usage.stored_conditions[i]);
    const auto& key = entry.mask->order_key;
    if (!ordered) {
    } else if (entry.mask->view || key.empty()) {
      order_by_open_columns(*entry.mask, relation, inner);
    } else {
      for (std::size_t i = 0; i < key.size(); ++i) {
        out_.append(i == 0 ? " ORDER BY "sv : ", "sv).append(inner).push_back('.');
        append_identifier(out_, key[i]);
      }
    }
    // PostgreSQL moves conditions below a sort, but not below this.
    if (fenced) out_ += " OFFSET 0";
  };
  auto select = [&](std::string_view list) {
    out_.append(list.empty() ? "(SELECT"sv : "(SELECT "sv).append(list);
  };
  if (!two_levels) {
    select(visible);
    source();
    out_.append(") AS "sv);
    return append_identifier(out_, entry.alias);
  }
  out_ += '(';
  select(needed);
  source();
  out_.append(") AS "sv).append(hidden_alias(var)).append("("sv).append(names);
  out_.append(") CROSS JOIN LATERAL "sv);
  select(visible);
  out_.append(") AS "sv);
  append_identifier(out_, entry.alias);
  out_ += ')';
}

}  // namespace sluice::postgres::rewrite
