// MERGE: like INSERT, UPDATE and DELETE in one (deparse_modify.cc).
#include <fmt/format.h>

#include "systems/postgres/rewrite/deparse/deparser.h"
#include "systems/postgres/sql/names.h"

namespace sluice::postgres::rewrite {

using namespace sql;

void Deparser::merge(const MergeStatement& node) {
  with_clause(node.with, nullptr);
  Scope scope;
  const Written written = declare_target(*node.relation, scope);
  if (refused()) return;
  if (node.source == nullptr) return refuse("MERGE is not understood");
  const FromItem* source[] = {node.source};
  declare_others(source, scope);
  refuse_order_of_writes(scope, nullptr);
  out_ += "MERGE INTO ";
  write_target(written, scope);
  write_others(" USING ", source, scope);
  condition_of_writes(" ON ", node.on, scope);
  for (const MergeWhen& when : node.whens) merge_when(when, written, scope, source);
  returning(node.returning, scope, source, nullptr, true);
}

void Deparser::merge_when(const MergeWhen& when, const Written& written, Scope& scope,
                          List<const FromItem*> source) {
  switch (when.match) {
    case MergeWhen::Match::matched: out_ += " WHEN MATCHED"; break;
    case MergeWhen::Match::not_matched_by_source: out_ += " WHEN NOT MATCHED BY SOURCE"; break;
    case MergeWhen::Match::not_matched_by_target: out_ += " WHEN NOT MATCHED"; break;
  }
  condition(" AND ", when.condition, scope);
  switch (when.action) {
    case MergeAction::nothing: out_ += " THEN DO NOTHING"; return;
    case MergeAction::delete_:
      check_event(written, kTriggerDelete);
      out_ += " THEN DELETE";
      return;
    case MergeAction::update:
      check_event(written, kTriggerUpdate);
      out_ += " THEN UPDATE SET ";
      refuse_defaults_in_order(when.targets, scope, nullptr);
      return assignments(when.targets, written, scope, source);
    case MergeAction::insert: return merge_insert(when, written, scope, source);
  }
}

void Deparser::merge_insert(const MergeWhen& when, const Written& written, Scope& scope,
                            List<const FromItem*> source) {
  check_event(written, kTriggerInsert);
  out_ += " THEN INSERT";
  std::vector<std::string> names;
  for (const Target& column : when.targets) {
    if (!column.indirection.empty()) return refuse("MERGE into a part of a column is not supported");
    names.emplace_back(column.name);
  }
  if (names.empty() && written.is_checked()) {
    const auto& columns = written.relation->columns;
    for (std::size_t i = 0; i < std::min(when.values.size(), columns.size()); ++i)
      names.push_back(columns[i].name);
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    out_ += fmt::format("{}{}", i == 0 ? " (" : ", ", quote_identifier(names[i]));
    std::vector<const Expr*> values;
    if (i < when.values.size()) values = values_of(when.values[i], source);
    check_write(written, kTriggerInsert, names[i], &values, false);
  }
  if (!names.empty()) out_ += ')';
  overriding(when.overriding);
  if (when.values.empty()) {
    out_ += " DEFAULT VALUES";
    return;
  }
  for (std::size_t i = 0; i < when.values.size(); ++i) {
    out_ += i == 0 ? " VALUES (" : ", ";
    assigned_value(when.values[i], scope);
  }
  out_ += ')';
}

}  // namespace sluice::postgres::rewrite
