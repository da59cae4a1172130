// `*` where hidden columns are in reach: written out, so that it means what it meant.
//
// Without USING and NATURAL it is the star of each FROM item in turn. With them the merged columns come
// first, once, then the others of the left side and of the right (parse_clause.c, transformFromClauseItem),
// so every column is named.
#include <fmt/format.h>

#include <algorithm>

#include "systems/postgres/rewrite/deparse/deparser.h"
#include "systems/postgres/sql/names.h"

namespace sluice::postgres::rewrite {

using namespace sql;

std::string alias_of(const FromItem& item) {
  if (item.alias != nullptr && !item.alias->name.empty()) return std::string(item.alias->name);
  if (const auto* var = as<RangeVar>(&item)) return std::string(var->name);
  if (const auto* sample = as<SampleItem>(&item)) return alias_of(*sample->relation);
  if (const auto* function = as<FunctionItem>(&item); function != nullptr && !function->functions.empty()) {
    if (const auto* call = as<FunctionCall>(function->functions[0].call))
      return std::string(call->name.back());
  }
  return "";
}

namespace {

bool merges(const FromItem& item) {
  const auto* join = as<JoinItem>(&item);
  if (join == nullptr || join->alias != nullptr) return false;
  return join->natural || !join->using_columns.empty() || merges(*join->left) || merges(*join->right);
}

}  // namespace

std::optional<std::vector<StarColumn>> star_columns(const FromItem& item, const Scope& scope) {
  const auto* join = as<JoinItem>(&item);
  if (join == nullptr || join->alias != nullptr) {
    std::string alias = alias_of(item);
    auto entry =
        std::ranges::find_if(scope.entries, [&](const Entry& e) { return e.visible && e.alias == alias; });
    if (alias.empty() || entry == scope.entries.end() || !entry->columns.known) return std::nullopt;
    std::vector<StarColumn> columns;
    for (const std::string& name : entry->columns.names) columns.push_back({alias, name});
    return columns;
  }
  auto left = star_columns(*join->left, scope);
  auto right = star_columns(*join->right, scope);
  if (!left || !right) return std::nullopt;
  auto has = [](const std::vector<StarColumn>& columns, std::string_view name) {
    return std::ranges::find(columns, name, &StarColumn::name) != columns.end();
  };
  std::vector<std::string> merged(join->using_columns.begin(), join->using_columns.end());
  if (join->natural) {
    for (const StarColumn& column : *left) {
      if (has(*right, column.name)) merged.push_back(column.name);
    }
  }
  auto is_merged = [&](std::string_view name) { return std::ranges::find(merged, name) != merged.end(); };
  std::vector<StarColumn> columns;
  for (const std::string& name : merged) columns.push_back({"", name});
  for (const auto* side : {&*left, &*right}) {
    for (const StarColumn& column : *side) {
      if (!is_merged(column.name)) columns.push_back(column);
    }
  }
  return columns;
}

std::optional<std::vector<std::string>> Deparser::expand_star(const FromItem& item, const Scope& scope) {
  std::vector<std::string> items;
  if (merges(item)) {
    auto columns = star_columns(item, scope);
    if (!columns) return std::nullopt;
    for (const StarColumn& column : *columns) {
      std::string name = quote_identifier(column.name);
      items.push_back(column.alias.empty() ? name
                                           : fmt::format("{}.{}", quote_identifier(column.alias), name));
    }
    return items;
  }
  const auto* join = as<JoinItem>(&item);
  if (join != nullptr && join->alias == nullptr) {
    for (const FromItem* side : {join->left, join->right}) {
      auto expanded = expand_star(*side, scope);
      if (!expanded) return std::nullopt;
      items.insert(items.end(), expanded->begin(), expanded->end());
    }
    return items;
  }
  std::string alias = alias_of(item);
  if (alias.empty()) return std::nullopt;
  items.push_back(quote_identifier(alias) + ".*");
  return items;
}

}  // namespace sluice::postgres::rewrite
