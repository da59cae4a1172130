// The derived table that stands for a masked relation.
#include <fmt/format.h>

#include <algorithm>

#include "systems/postgres/rewrite/deparser.h"
#include "systems/postgres/sql/names.h"

namespace sluice::postgres::rewrite {

using namespace sql;

std::string Deparser::inner_alias() const {
  return quote_identifier(fmt::format("{}_0", prefix_));
}

std::string Deparser::hidden_alias(const RangeVar& var) {
  auto [at, added] = numbers_.emplace(&var, numbers_.size() + 1);
  return quote_identifier(fmt::format("{}_{}", prefix_, at->second));
}

std::string Deparser::hidden_column(const RangeVar& var, std::int16_t attnum) {
  auto [at, added] = numbers_.emplace(&var, numbers_.size() + 1);
  return quote_identifier(fmt::format("{}_{}_{}", prefix_, at->second, attnum));
}

std::string Deparser::hashed_column(const RangeVar& var, std::int16_t attnum) {
  auto [at, added] = numbers_.emplace(&var, numbers_.size() + 1);
  return quote_identifier(fmt::format("{}_{}_{}h", prefix_, at->second, attnum));
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

// Rows of a view have no place of their own, and those that agree in all open columns look alike.
void Deparser::order_view(const RelationMask& mask, const Relation& view, std::string_view inner) {
  constexpr std::string_view kOrdered = "BDENST";  // categories of types of which all have an order
  bool first = true;
  for (const Column& column : view.columns) {
    if (mask.column(column.attnum) != nullptr || !column.readable) continue;
    const Type* type = catalogue_.base_type(column.type);
    bool ordered = type != nullptr && type->schema == "pg_catalog" && kOrdered.contains(type->category);
    std::string reference = fmt::format("{}.{}", inner, quote_identifier(column.name));
    out_ += std::exchange(first, false) ? " ORDER BY " : ", ";
    out_ += ordered ? reference : fmt::format("CAST({} AS \"pg_catalog\".\"text\")", reference);
  }
}

void Deparser::wrap_relation(const Entry& entry, Scope& scope, const SampleItem* sample) {
  const Relation& relation = *entry.relation;
  const RangeVar& var = *entry.var;
  const Usage& usage = usages_[entry.var];
  bool two_levels = usage.hands_on();
  std::string inner = inner_alias();
  auto real = [&](const Column& column) {
    return fmt::format("{}.{}", inner, quote_identifier(column.name));
  };
  // How the outer level of two refers to a column.
  auto hidden = [&](const Column& column) {
    return fmt::format("{}.{}", hidden_alias(var), hidden_column(var, column.attnum));
  };

  std::string visible;  // what the statement sees
  std::string needed;   // what the inner level hands to the outer one
  std::string names;
  auto need = [&](const Column& column) {
    needed += fmt::format("{}{}", needed.empty() ? "" : ", ", real(column));
    names += fmt::format("{}{}", names.empty() ? "" : ", ", hidden_column(var, column.attnum));
  };
  for (std::size_t i = 0; i < relation.columns.size(); ++i) {
    const Column& column = relation.columns[i];
    const ColumnMask* mask = entry.mask->column(column.attnum);
    bool seen = usage.all_columns || usage.columns.contains(column.attnum);
    const bool unread = mask != nullptr && reply_ == Reply::plan && !mask->unread.empty();
    bool reads = seen && (mask == nullptr || (mask->reads_column() && !unread));
    if (two_levels && (reads || usage.hidden.contains(column.attnum))) need(column);
    if (two_levels && usage.hashed.contains(column.attnum)) {
      needed += fmt::format("{}COALESCE({}, {})", needed.empty() ? "" : ", ", real(column), mask->cell_null);
      names += fmt::format("{}{}", names.empty() ? "" : ", ", hashed_column(var, column.attnum));
    }
    if (!seen) continue;
    std::string reference = two_levels ? hidden(column) : real(column);
    visible += fmt::format("{}{} AS {}", visible.empty() ? "" : ", ",
                           mask == nullptr ? reference
                           : unread        ? mask->unread
                                           : mask->value(reference),
                           quote_identifier(entry.columns.names[i]));
  }

  auto source = [&] {
    out_ += fmt::format(" FROM {}{} AS {}", entry.only ? "ONLY " : "",
                        quote_qualified(relation.schema, relation.name), inner);
    if (sample != nullptr) sample_clause(*sample, scope);
    for (std::size_t i = 0; i < usage.stored_conditions.size(); ++i) {
      out_ += (i == 0 ? " WHERE " : " AND ") + usage.stored_conditions[i];
    }
    if (usage.ordered && entry.mask->view) return order_view(*entry.mask, relation, inner);
    if (!usage.ordered) return;
    out_ += " ORDER BY ";
    if (entry.mask->order_key.empty()) out_ += inner + ".\"tableoid\", " + inner + ".\"ctid\"";
    for (std::size_t i = 0; i < entry.mask->order_key.size(); ++i) {
      out_ += fmt::format("{}{}.{}", i == 0 ? "" : ", ", inner, quote_identifier(entry.mask->order_key[i]));
    }
  };
  auto select = [&](const std::string& list) { out_ += list.empty() ? "(SELECT" : "(SELECT " + list; };
  std::string name = quote_identifier(entry.alias);
  if (!two_levels) {
    select(visible);
    source();
    out_ += fmt::format(") AS {}", name);
    return;
  }
  out_ += '(';
  select(needed);
  source();
  out_ += fmt::format(") AS {}({}) CROSS JOIN LATERAL ", hidden_alias(var), names);
  select(visible);
  out_ += fmt::format(") AS {})", name);
}

}  // namespace sluice::postgres::rewrite
