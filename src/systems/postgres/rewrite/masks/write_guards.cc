#include "systems/postgres/rewrite/masks/write_guards.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "systems/postgres/rewrite/masks/mask_plan.h"

namespace sluice::postgres::rewrite {
namespace {

constexpr std::int16_t kAnyEvent = kTriggerInsert | kTriggerDelete | kTriggerUpdate | kTriggerTruncate;

bool same_effect(const WriteGuard& a, const WriteGuard& b) {
  return a.columns == b.columns && a.on_insert == b.on_insert && a.on_update == b.on_update &&
         a.any_insert == b.any_insert && a.on_delete == b.on_delete;
}
bool same_effect(const CodeGuard& a, const CodeGuard& b) {
  return a.events == b.events;
}

class GuardBuilder {
 public:
  GuardBuilder(const Catalogue& catalogue, const MaskPlan& plan) : catalogue_(catalogue), plan_(plan) {}

  WriteGuardsByRelation build() {
    for (const Relation& relation : catalogue_.contents().relations) {
      if (relation.system) continue;
      add_code(relation);
      for (const Column& column : relation.columns) add_generated(relation, column);
      for (const Constraint& constraint : relation.constraints) add(relation, constraint);
    }
    hand_on_actions();
    return share_within_families();
  }

 private:
  // The mask of a column whose value the client is not to know; nullptr: there is none.
  const ColumnMask* hidden(const Relation& relation, std::int16_t attnum) const {
    const RelationMask* mask = plan_.find(relation.oid);
    const ColumnMask* column = mask == nullptr ? nullptr : mask->column(attnum);
    return column == nullptr || column->write_allowed ? nullptr : column;
  }

  static std::string about(const Relation& relation, const ColumnMask& mask) {
    return fmt::format("{}.{}, which is masked (rule {})", relation.qualified_name(), mask.name, mask.rule);
  }

  static std::vector<std::int16_t> all_of(const Relation& relation, std::vector<std::int16_t> attnums) {
    if (std::ranges::find(attnums, std::int16_t{0}) == attnums.end()) return attnums;
    attnums.clear();
    for (const Column& column : relation.columns) attnums.push_back(column.attnum);
    return attnums;
  }

  static std::vector<std::string> names_of(const Relation& relation,
                                           const std::vector<std::int16_t>& attnums) {
    std::vector<std::string> names;
    for (std::int16_t attnum : attnums) {
      if (const Column* column = relation.column(attnum)) names.push_back(column->name);
    }
    return names;
  }

  void guard(const Relation& relation, WriteGuard made) {
    auto& ties = found_[relation.oid].ties;
    if (std::ranges::none_of(ties, [&](const WriteGuard& other) { return same_effect(made, other); }))
      ties.push_back(std::move(made));
  }

  void add(const Relation& relation, const Constraint& constraint) {
    switch (constraint.kind) {
      case ConstraintKind::check: return add_check(relation, constraint, "constraint " + constraint.name);
      case ConstraintKind::partition: return add_check(relation, constraint, "the partition key");
      case ConstraintKind::key: return add_key(relation, constraint);
      case ConstraintKind::foreign_key: return add_foreign_key(relation, constraint);
      case ConstraintKind::computed:
        return add_check(relation, constraint, "what is computed for " + constraint.name);
    }
  }

  void add_check(const Relation& relation, const Constraint& constraint, const std::string& what) {
    const auto columns = all_of(relation, constraint.columns);
    const bool may_change = !is_foreseeable(constraint);
    for (std::int16_t attnum : columns) {
      const ColumnMask* mask = hidden(relation, attnum);
      const bool settled = constraint.validated && !may_change;
      if (mask == nullptr || (columns.size() == 1 && settled)) continue;
      // One that has never been checked, or that would be answered otherwise today, tells with whatever is
      // written to the row.
      const std::string how =
          may_change ? "depends on the clock, the user, a setting or a function that is not vouched for, and "
                       "each UPDATE checks it anew for"
                     : "looks at it together with";
      guard(relation, {.columns = names_of(relation, settled ? columns : all_of(relation, {0})),
                       .on_update = true,
                       .why = fmt::format("{} {} {}", what, how, about(relation, *mask))});
    }
  }

  // A function that somebody has made may be declared IMMUTABLE and read a table all the same.
  bool is_foreseeable(const Constraint& constraint) const {
    return constraint.foreseeable && std::ranges::all_of(constraint.calls, [&](Oid function) {
             return catalogue_.function_facts(function).is_harmless();
           });
  }

  // Who adds a row cannot give the masked column a value. A NULL is equal to nothing, so that the row meets
  // no other; where it becomes something else, others show.
  void add_key(const Relation& relation, const Constraint& constraint) {
    for (std::int16_t attnum : constraint.columns) {
      const ColumnMask* mask = hidden(relation, attnum);
      if (mask == nullptr) continue;
      const Column* column = relation.column(attnum);
      const bool plain = std::ranges::find(constraint.plain, attnum) != constraint.plain.end();
      const Type* type = column == nullptr ? nullptr : catalogue_.type(column->type);
      const bool has_value = type == nullptr || type->kind == TypeKind::domain || column->has_default ||
                             column->identity || !column->computed_from.empty();
      const bool null = plain && !constraint.nulls_are_equal && !has_value;
      if (null && constraint.columns.size() == 1) continue;
      guard(relation, {.columns = names_of(relation, constraint.columns),
                       .on_update = true,
                       .any_insert = !null,
                       .why = fmt::format("the unique index or exclusion constraint {} also holds {}",
                                          constraint.name, about(relation, *mask))});
    }
  }

  void add_foreign_key(const Relation& from, const Constraint& constraint) {
    const Relation* to = catalogue_.relation(constraint.referenced);
    const auto own = names_of(from, constraint.columns);
    for (std::int16_t attnum : constraint.columns) {
      const ColumnMask* mask = hidden(from, attnum);
      if (mask == nullptr) continue;
      const std::string why =
          fmt::format("foreign key {} compares it with {}", constraint.name, about(from, *mask));
      guard(from, {.columns = own, .on_update = true, .why = why});
      if (to == nullptr) continue;
      guard(*to, {.columns = names_of(*to, constraint.referenced_columns),
                  .on_update = true,
                  .on_delete = true,
                  .why = why});
    }
    if (to == nullptr) return;
    for (std::int16_t attnum : constraint.referenced_columns) {
      const ColumnMask* mask = hidden(*to, attnum);
      if (mask == nullptr) continue;
      guard(from,
            {.columns = own,
             .on_insert = true,
             .on_update = true,
             .why = fmt::format("foreign key {} looks it up in {}", constraint.name, about(*to, *mask))});
      // Whether rows refer to a removed one is an error, or what happens to them.
      guard(*to, {.on_delete = true,
                  .why = fmt::format("foreign key {} finds the rows that refer to it by {}", constraint.name,
                                     about(*to, *mask))});
    }
  }

  void add_generated(const Relation& relation, const Column& column) {
    for (std::int16_t attnum : column.computed_from) {
      const ColumnMask* mask = hidden(relation, attnum);
      if (mask == nullptr || column.computed_from.size() == 1) continue;
      guard(relation, {.columns = names_of(relation, column.computed_from),
                       .on_update = true,
                       .why = fmt::format("column {} is computed from it and {}", column.name,
                                          about(relation, *mask))});
    }
  }

  // Triggers and rules of relations that have something masked.
  void add_code(const Relation& relation) {
    if (plan_.find(relation.oid) == nullptr) return;
    auto& code = found_[relation.oid].code;
    if (relation.has_rules && !relation.is_view()) {
      code.push_back({kAnyEvent, fmt::format("{} has rules", relation.qualified_name())});
    }
    for (const Trigger& trigger : relation.triggers) {
      if (!trigger.enabled) continue;
      const std::string name = fmt::format("trigger {} of {}", trigger.name, relation.qualified_name());
      if (catalogue_.action_of(trigger) == TriggerAction::other) {
        code.push_back({trigger.events, name + " runs a function that is not vouched for"});
      } else if (const ColumnMask* mask = condition_hides(relation, trigger)) {
        code.push_back(
            {trigger.events, fmt::format("the WHEN of {} looks at {}", name, about(relation, *mask))});
      } else if (!std::ranges::all_of(trigger.condition_calls, [&](Oid function) {
                   return catalogue_.function_facts(function).is_harmless();
                 })) {
        code.push_back({trigger.events, "the WHEN of " + name + " calls what is not vouched for"});
      }
    }
  }

  const ColumnMask* condition_hides(const Relation& relation, const Trigger& trigger) const {
    for (std::int16_t attnum : all_of(relation, trigger.condition_columns)) {
      if (const ColumnMask* mask = hidden(relation, attnum)) return mask;
    }
    return nullptr;
  }

  // A trigger that stamps a column writes it.
  void add_stamps(const Relation& relation, WriteGuards& guards) const {
    for (const Trigger& trigger : relation.triggers) {
      if (!trigger.enabled || catalogue_.action_of(trigger) != TriggerAction::stamps) continue;
      for (std::int16_t event : {kTriggerInsert, kTriggerUpdate}) {
        const std::string* why =
            (trigger.events & event) == 0 ? nullptr : guards.find(event, trigger.arguments.front());
        if (why == nullptr) continue;
        guards.code.push_back({event, fmt::format("trigger {} writes {}, and {}", trigger.name,
                                                  trigger.arguments.front(), *why)});
      }
    }
  }

  // What a foreign key does to the rows that refer to a removed or changed one is a write like any other.
  void hand_on_actions() {
    bool grown = true;
    while (grown) {
      grown = false;
      for (const Relation& relation : catalogue_.contents().relations) {
        for (const Constraint& constraint : relation.constraints) {
          const Relation* to = constraint.kind == ConstraintKind::foreign_key
                                   ? catalogue_.relation(constraint.referenced)
                                   : nullptr;
          if (to != nullptr && found_.contains(relation.oid)) grown |= hand_on(relation, constraint, *to);
        }
      }
    }
  }

  bool hand_on(const Relation& from, const Constraint& constraint, const Relation& to) {
    using enum ForeignKeyAction;
    const bool sets_on_delete = constraint.on_delete == set_null || constraint.on_delete == set_default;
    const bool sets_on_update = constraint.on_update == set_null || constraint.on_update == set_default ||
                                constraint.on_update == cascade;
    const auto own = names_of(from, constraint.columns);
    const auto sets = [&](const WriteGuard& tie) {
      return tie.on_update && std::ranges::any_of(own, [&](const std::string& name) {
               return std::ranges::find(tie.columns, name) != tie.columns.end();
             });
    };
    bool grown = false;
    const auto ties = found_[from.oid].ties;  // a copy: a relation may refer to itself
    for (const WriteGuard& tie : ties) {
      WriteGuard made;
      made.on_delete = (sets_on_delete && sets(tie)) || (constraint.on_delete == cascade && tie.on_delete);
      made.on_update = sets_on_update && sets(tie);
      if (!made.on_delete && !made.on_update) continue;
      if (made.on_update) made.columns = names_of(to, constraint.referenced_columns);
      made.why = tie.why;
      auto& there = found_[to.oid].ties;
      if (std::ranges::any_of(there, [&](const WriteGuard& other) { return same_effect(made, other); }))
        continue;
      there.push_back(std::move(made));
      grown = true;
    }
    return grown;
  }

  WriteGuardsByRelation share_within_families() {
    WriteGuardsByRelation made;
    for (const auto& [oid, mine] : found_) {
      if (made.contains(oid) || (mine.ties.empty() && mine.code.empty())) continue;
      const auto family = catalogue_.family(oid);
      auto all = std::make_shared<WriteGuards>();
      for (Oid each : family) {
        const auto theirs = found_.find(each);
        if (theirs == found_.end()) continue;
        merge(all->ties, theirs->second.ties);
        merge(all->code, theirs->second.code);
      }
      for (Oid each : family) {
        if (const Relation* member = catalogue_.relation(each)) add_stamps(*member, *all);
      }
      for (Oid each : family) made.emplace(each, all);
    }
    return made;
  }

  // Thousands of partitions have as many indexes of the same kind, under other names.
  template <class T>
  static void merge(std::vector<T>& into, const std::vector<T>& from) {
    for (const T& each : from) {
      if (std::ranges::none_of(into, [&](const T& other) { return same_effect(each, other); }))
        into.push_back(each);
    }
  }

  const Catalogue& catalogue_;
  const MaskPlan& plan_;
  std::unordered_map<Oid, WriteGuards> found_;
};

}  // namespace

const std::string* WriteGuards::find(std::int16_t event, std::string_view column) const {
  for (const WriteGuard& tie : ties) {
    const bool applies = event == kTriggerInsert ? tie.on_insert : event == kTriggerUpdate && tie.on_update;
    if (applies && std::ranges::find(tie.columns, column) != tie.columns.end()) return &tie.why;
  }
  return nullptr;
}

const std::string* WriteGuards::find(std::int16_t event) const {
  for (const CodeGuard& each : code) {
    if ((each.events & event) != 0) return &each.why;
  }
  for (const WriteGuard& tie : ties) {
    if ((event == kTriggerInsert && tie.any_insert) || (event == kTriggerDelete && tie.on_delete))
      return &tie.why;
  }
  return nullptr;
}

WriteGuardsByRelation write_guards(const Catalogue& catalogue, const MaskPlan& plan) {
  return GuardBuilder(catalogue, plan).build();
}

}  // namespace sluice::postgres::rewrite
