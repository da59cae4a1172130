#include "systems/postgres/rewrite/masks/hash_scope.h"

#include <fmt/format.h>

namespace sluice::postgres::rewrite {
namespace {

// Views of views and children of children; a circle, which no healthy catalogue has, ends here.
constexpr int kMaxSteps = 1000;

// What a view's column hands on; nullopt: it computes it, or hands on several.
std::optional<ColumnOrigin> handed_on(const Relation& view, std::int16_t attnum) {
  const auto place = static_cast<std::size_t>(attnum);
  if (!view.view.problem.empty() || place > view.view.columns.size()) return std::nullopt;
  const ViewColumn& column = view.view.columns[place - 1];
  if (!column.bare || column.origins.size() != 1) return std::nullopt;
  return column.origins.front();
}

// The column of that name in the one parent that has it.
std::optional<ColumnOrigin> inherited(const Catalogue& catalogue, const Relation& child,
                                      std::string_view name) {
  std::optional<ColumnOrigin> found;
  for (Oid oid : child.parents) {
    const Relation* parent = catalogue.relation(oid);
    const Column* column = parent == nullptr ? nullptr : parent->column(name);
    if (column == nullptr) continue;
    if (found) return std::nullopt;
    found = ColumnOrigin{oid, column->attnum};
  }
  return found;
}

}  // namespace

std::optional<ColumnOrigin> one_origin(const Catalogue& catalogue, ColumnOrigin column) {
  for (int step = 0; step < kMaxSteps; ++step) {
    const Relation* relation = catalogue.relation(column.relation);
    const Column* known =
        relation == nullptr || column.attnum < 1 ? nullptr : relation->column(column.attnum);
    if (known == nullptr) return std::nullopt;
    auto next = relation->is_view() ? handed_on(*relation, column.attnum)
                                    : inherited(catalogue, *relation, known->name);
    if (!next) return relation->is_view() ? std::nullopt : std::optional(column);
    column = *next;
  }
  return std::nullopt;
}

std::string hash_scope(const Catalogue& catalogue, ColumnOrigin stored) {
  // The numbers come first, so that no name can pass for them.
  return fmt::format("{}/{}/{}", stored.relation, stored.attnum, catalogue.contents().database);
}

}  // namespace sluice::postgres::rewrite
