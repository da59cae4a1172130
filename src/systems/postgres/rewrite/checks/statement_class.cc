#include "systems/postgres/rewrite/checks/statement_class.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "systems/postgres/sql/names.h"
#include "systems/postgres/sql/visit.h"

namespace sluice::postgres::rewrite {
namespace {

using namespace sql;

// Of the statements without structure of their own, those that neither run code nor move relations.
constexpr std::array<std::string_view, 7> kHarmlessTags = {
    "AlterEnumStmt",  "AlterSeqStmt",  "CompositeTypeStmt", "ConstraintsSetStmt",
    "CreateEnumStmt", "CreateSeqStmt", "ReindexStmt",
};

Denial denial(std::string message, std::string hint = "") {
  return Denial{Reason::masked_use, "", std::move(message), std::move(hint)};
}

bool names_objects_in_relations(ObjectKind kind) {
  return kind == ObjectKind::table || kind == ObjectKind::view || kind == ObjectKind::materialized_view ||
         kind == ObjectKind::foreign_table || kind == ObjectKind::trigger || kind == ObjectKind::rule ||
         kind == ObjectKind::policy || kind == ObjectKind::column || kind == ObjectKind::constraint;
}

class ClassVisitor : public Visitor {
 public:
  ClassVisitor(const Catalogue& catalogue, SearchPath path, const MaskPlan& plan)
      : catalogue_(catalogue), path_(path), plan_(plan) {}

  void on_statement(const Statement& statement) override {
    if (found) return;
    switch (statement.kind) {
      case StatementKind::do_block: return runs_code("DO");
      case StatementKind::create_function: return runs_code("CREATE FUNCTION");
      case StatementKind::other: {
        std::string_view tag = static_cast<const OtherStatement&>(statement).tag;
        if (!std::ranges::binary_search(kHarmlessTags, tag)) {
          found =
              denial(fmt::format("statements of class {} are not available while masks are in force", tag));
        }
        if (tag == "ReindexStmt") check_reindex(static_cast<const OtherStatement&>(statement).relation);
        return;
      }
      case StatementKind::create_table:
        if (static_cast<const CreateTableStatement&>(statement).foreign_) runs_code("CREATE FOREIGN TABLE");
        return;
      case StatementKind::drop: return check_drop(static_cast<const DropStatement&>(statement));
      case StatementKind::rename: {
        const auto& rename = static_cast<const RenameStatement&>(statement);
        if (rename.object == ObjectKind::schema &&
            (plan_.is_sensitive_schema(rename.old_name) ||
             (!rename.object_name.empty() && plan_.is_sensitive_schema(rename.object_name.back())))) {
          found = denial("a schema with masked relations cannot be renamed while masks are in force");
        }
        // Of a composite type: columns of that type are masked by the names of their attributes, and tables
        // made of it have them as columns.
        if (rename.object == ObjectKind::attribute) {
          found = denial(
              "attributes of types cannot be renamed while masks are in force, because masks go by names");
        }
        return;
      }
      case StatementKind::explain: return check_explain(static_cast<const ExplainStatement&>(statement));
      default: return;
    }
  }

  std::optional<Denial> found;

 private:
  void runs_code(std::string_view what) {
    found = denial(
        fmt::format("{} is not available while masks are in force: it could read masked values", what));
  }

  // An UPDATE logs what is not the same at both ends of the old and the new row. Whoever moves a masked value
  // onto one of his own (sets a column before it to NULL) reads from that number how much of the two is the
  // same.
  void check_explain(const ExplainStatement& explain) {
    const bool counts = std::ranges::any_of(explain.options, [](const DefinedOption& option) {
      return option.name == "wal" &&
             (option.value_kind != DefinedOption::ValueKind::boolean || option.integer != 0);
    });
    if (counts) {
      found = denial(
          "EXPLAIN (WAL) tells how much of a row has changed; it is not available while masks are in force",
          "Leave the option out.");
    }
  }

  // Of a unique index that could not be built when it was made, and was left invalid, an error says whether
  // two values are still the same, after whatever has been removed. That of a masked table is refused in any
  // case.
  void check_reindex(const RangeVar* named) {
    if (named == nullptr) {
      found = denial("REINDEX of a schema or database is not available while masks are in force");
      return;
    }
    for (const Relation& relation : catalogue_.contents().relations) {
      const RelationMask* mask = plan_.find(relation.oid);
      if (mask == nullptr || (!named->schema.empty() && named->schema != relation.schema)) continue;
      const bool tells = std::ranges::any_of(relation.constraints, [&](const Constraint& each) {
        return each.kind == ConstraintKind::key && each.name == named->name &&
               std::ranges::any_of(each.columns, [&](std::int16_t attnum) {
                 return attnum == 0 || mask->column(attnum) != nullptr;
               });
      });
      if (tells) {
        found = denial(fmt::format(
            "REINDEX of {}, a unique index over masked columns, would tell which values are the same",
            named->name));
      }
    }
  }

  void check_drop(const DropStatement& drop) {
    for (Names name : drop.objects) {
      if (name.empty()) continue;
      if (drop.object == ObjectKind::schema && plan_.is_sensitive_schema(name.back())) {
        found = denial("a schema with masked relations cannot be dropped while masks are in force");
      }
      if (!names_objects_in_relations(drop.object)) continue;
      // Triggers, rules and policies are named after their relation: {schema, relation, trigger}.
      bool inner = drop.object != ObjectKind::table && drop.object != ObjectKind::view &&
                   drop.object != ObjectKind::materialized_view && drop.object != ObjectKind::foreign_table;
      if (!inner) continue;  // with its masks goes what they hide
      Names relation = name.size() > 1 ? name.first(name.size() - 1) : name;
      std::string_view schema = relation.size() > 1 ? relation[relation.size() - 2] : std::string_view{};
      const Relation* target = catalogue_.find_relation(path_, schema, relation.back());
      if (target != nullptr && plan_.find(target->oid) != nullptr) {
        found = denial(
            fmt::format("{} has masked columns: what runs on it cannot be dropped while masks are in force",
                        target->qualified_name()));
      }
    }
  }

  const Catalogue& catalogue_;
  SearchPath path_;
  const MaskPlan& plan_;
};

constexpr std::int32_t kAccessShare = 1;  // LockStatement::mode

class TouchVisitor : public Visitor {
 public:
  TouchVisitor(const Catalogue& catalogue, SearchPath path, const MaskPlan& plan,
               const std::unordered_set<const RangeVar*>& harmless)
      : catalogue_(catalogue), path_(path), plan_(plan), harmless_(harmless) {}

  void on_statement(const Statement& statement) override {
    if (const auto* table = as<CreateTableStatement>(&statement)) exists_already_ = is_no_op(*table);
    if (statement.kind == StatementKind::vacuum) only_named_ = true;
    if (const auto* lock = as<LockStatement>(&statement)) only_named_ = lock->mode == kAccessShare;
  }

  void on_relation(const RangeVar& var, RelationRole role, bool is_common_table) override {
    if (is_common_table || (role == RelationRole::defined && (exists_already_ || only_named_))) return;
    const Relation* relation = catalogue_.find_relation(path_, var.schema, var.name);
    const bool harmless = harmless_.contains(&var);
    if (var.schema.empty() && plan_.is_sensitive_name(var.name) && !harmless) touched.ambiguous_name = true;
    if (relation == nullptr) {
      if (role != RelationRole::defined) touched.unknown = var.name;
      if (role != RelationRole::read && var.schema.empty() && plan_.is_sensitive_name(var.name))
        touched.changed = var.name;
      return;
    }
    bool masked = plan_.find(relation->oid) != nullptr;
    bool carries = plan_.carries(relation->oid) != nullptr;
    if (role == RelationRole::written && plan_.guards(relation->oid) != nullptr) touched.masked = true;
    if (role == RelationRole::written && relation->is_view() && reaches_guarded(*relation))
      touched.changed = relation->qualified_name();
    if (!masked && !carries) return;
    if (role == RelationRole::read || (role == RelationRole::written && masked)) {
      touched.masked = true;
    } else if (harmless) {
      touched.defined = true;
      touched.defined_name = relation->qualified_name();
    } else {
      touched.changed = relation->qualified_name();
    }
  }

  Touched touched;

 private:
  // A write to a view goes on to a table, whose guards are by its own columns.
  bool reaches_guarded(const Relation& view) const {
    return std::ranges::any_of(catalogue_.lineage(view.oid),
                               [&](Oid oid) { return plan_.guards(oid) != nullptr; });
  }

  // CREATE TABLE IF NOT EXISTS of what exists, in the schema where it would be made.
  bool is_no_op(const CreateTableStatement& table) const {
    if (!table.if_not_exists || table.relation == nullptr) return false;
    if (table.relation->persistence == Persistence::temporary) return false;
    std::string_view schema = table.relation->schema;
    if (schema.empty() && !path_.empty()) schema = path_.front();
    return !schema.empty() && catalogue_.find_relation({}, schema, table.relation->name) != nullptr;
  }

  const Catalogue& catalogue_;
  SearchPath path_;
  const MaskPlan& plan_;
  const std::unordered_set<const RangeVar*>& harmless_;
  bool exists_already_ = false;
  bool only_named_ =
      false;  // VACUUM, ANALYZE, the lock of a SELECT: neither reads nor changes for the client
};

}  // namespace

std::optional<Denial> refuse_statement_class(const Statement& statement, const Catalogue& catalogue,
                                             SearchPath path, const MaskPlan& plan) {
  ClassVisitor visitor(catalogue, path, plan);
  visit(statement, visitor);
  return std::move(visitor.found);
}

Touched touched_relations(const Statement& statement, const Catalogue& catalogue, SearchPath path,
                          const MaskPlan& plan, const std::unordered_set<const RangeVar*>& harmless) {
  TouchVisitor visitor(catalogue, path, plan, harmless);
  visit(statement, visitor);
  return std::move(visitor.touched);
}

}  // namespace sluice::postgres::rewrite
