#include "systems/postgres/catalogue/triggers.h"

#include <algorithm>
#include <string>
#include <vector>

#include "systems/postgres/catalogue/view.h"

namespace sluice::postgres {
namespace {

constexpr Oid kTsvectorType = 3614;  // pg_type.dat

bool is_called(const Column& column, const std::string& name) {
  return column.name == name || std::ranges::find(column.former_names, name) != column.former_names.end();
}

}  // namespace

TriggerAction trigger_action(std::string_view extension, std::string_view function, std::size_t arguments) {
  const bool lexemes = function == "tsvector_update_trigger" || function == "tsvector_update_trigger_column";
  if (extension.empty() && lexemes && arguments >= 3) return TriggerAction::makes_lexemes;
  const bool stamps = function == "moddatetime" || function == "insert_username";
  if (stamps && extension == function && arguments == 1) return TriggerAction::stamps;
  return TriggerAction::other;
}

void note_made_columns(Relation& relation, const Trigger& trigger) {
  std::vector<std::int16_t> sources = trigger.condition_columns;
  bool any = std::ranges::find(sources, std::int16_t{0}) != sources.end();
  const auto target = trigger.arguments.begin();
  for (auto name = target + 1; name != trigger.arguments.end(); ++name) {
    bool found = false;
    for (const Column& column : relation.columns) {
      if (!is_called(column, *name)) continue;
      sources.push_back(column.attnum);
      found = found || column.name == *name;
    }
    // The second names a configuration; in the other function the column that holds one, which is found.
    any = any || (!found && name != target + 1);
  }
  if (any) {
    for (const Column& column : relation.columns) sources.push_back(column.attnum);
  }
  const bool found = relation.column(*target) != nullptr;
  for (Column& column : relation.columns) {
    if (found ? !is_called(column, *target) : column.type != kTsvectorType) continue;
    auto& from = column.computed_from;
    from.insert(from.end(), sources.begin(), sources.end());
    std::ranges::sort(from);
    const auto repeated = std::ranges::unique(from);
    from.erase(repeated.begin(), repeated.end());
    std::erase_if(from, [&](std::int16_t attnum) { return attnum <= 0 || attnum == column.attnum; });
  }
}

}  // namespace sluice::postgres
