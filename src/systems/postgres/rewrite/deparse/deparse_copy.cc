// COPY relation TO, as a query.
#include <fmt/format.h>

#include <algorithm>

#include "systems/postgres/rewrite/deparse/deparser.h"
#include "systems/postgres/sql/names.h"

namespace sluice::postgres::rewrite {

using namespace sql;

std::expected<std::string, Refusal> Deparser::deparse_copy(const CopyStatement& copy,
                                                           std::optional<std::uint64_t> clamp) {
  return in_passes([&] {
    Scope scope;
    declare_relation(*copy.relation, scope, true);
    if (refused()) return;
    const Entry& entry = scope.entries.front();
    if (entry.relation == nullptr) return need_relation(std::string(copy.relation->name));
    if (entry.relation->kind == RelationKind::partitioned_table) {
      return refuse("a partitioned table cannot be copied by name", "Use COPY (SELECT ...) TO.");
    }
    // COPY writes generated columns only where they are named, and rows of the relation alone.
    std::string list;
    for (std::size_t i = 0; i < entry.relation->columns.size(); ++i) {
      const Column& column = entry.relation->columns[i];
      bool named = std::ranges::find(copy.columns, column.name) != copy.columns.end();
      if (copy.columns.empty() ? column.generated : !named) continue;
      if (copy.columns.empty())
        list += fmt::format("{}{}", list.empty() ? "" : ", ", quote_identifier(column.name));
      use(entry, i);
    }
    for (std::string_view name : copy.columns) {
      if (entry.relation->column(name) == nullptr)
        return refuse(fmt::format("column {} does not exist", name));
      list += fmt::format("{}{}", list.empty() ? "" : ", ", quote_identifier(name));
    }
    scope.entries.front().only = true;
    if (entry.mask != nullptr && entry.mask->order_leaks) usages_[entry.var].ordered = true;
    out_ += "SELECT " + list + " FROM ";
    from_relation(*copy.relation, scope, nullptr);
    if (clamp) out_ += fmt::format(" LIMIT {}", *clamp);
  });
}

}  // namespace sluice::postgres::rewrite
