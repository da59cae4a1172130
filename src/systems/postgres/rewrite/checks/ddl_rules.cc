#include "systems/postgres/rewrite/checks/ddl_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "systems/postgres/sql/visit.h"

namespace sluice::postgres::rewrite {
namespace {

using namespace sql;

// Of ALTER TABLE: what concerns neither values nor names. Sorted.
constexpr std::array<std::string_view, 3> kHarmlessCommands = {"DROP CONSTRAINT", "RESET OPTIONS",
                                                               "SET OPTIONS"};
// What may be done to a column that is not masked. Sorted.
constexpr std::array<std::string_view, 7> kColumnCommands = {
    "ALTER COLUMN DEFAULT", "ALTER COLUMN TYPE", "DROP COLUMN", "DROP NOT NULL",
    "SET NOT NULL",         "SET STATISTICS",    "SET STORAGE"};

// Whether an expression of a definition could look at anything but open columns of its relation.
class ExpressionCheck : public Visitor {
 public:
  ExpressionCheck(const Relation& relation, const RelationMask* mask) : relation_(relation), mask_(mask) {}

  void on_expr(const Expr& expr) override {
    if (expr.kind == ExprKind::sub_link) found = "a sub-select";
    const auto* ref = as<ColumnRef>(&expr);
    if (ref == nullptr) return;
    const Column* column = ref->star || ref->parts.empty() ? nullptr : relation_.column(ref->parts.back());
    if (column == nullptr) {
      found = "a whole row";
    } else if (mask_ == nullptr || mask_->column(column->attnum) != nullptr) {
      found = fmt::format("{}.{}, which is masked", relation_.qualified_name(), column->name);
    }
  }

  std::string found;

 private:
  const Relation& relation_;
  const RelationMask* mask_;
};

class DefinitionCheck {
 public:
  DefinitionCheck(const Catalogue& catalogue, SearchPath path, const MaskPlan& plan)
      : catalogue_(catalogue), path_(path), plan_(plan) {}

  DefinitionRuling run(const Statement& statement) {
    switch (statement.kind) {
      case StatementKind::lock: pass_all(static_cast<const LockStatement&>(statement).relations); break;
      case StatementKind::grant: pass_all(static_cast<const GrantStatement&>(statement).relations); break;
      case StatementKind::truncate: truncate(static_cast<const TruncateStatement&>(statement)); break;
      case StatementKind::refresh_view: refresh(static_cast<const RefreshViewStatement&>(statement)); break;
      case StatementKind::create_index: index(static_cast<const CreateIndexStatement&>(statement)); break;
      case StatementKind::alter_table: alter(static_cast<const AlterTableStatement&>(statement)); break;
      case StatementKind::rename: rename(static_cast<const RenameStatement&>(statement)); break;
      default: break;
    }
    return std::move(ruling_);
  }

 private:
  struct Target {
    const Relation* relation = nullptr;  // null: nothing masked about it
    const RelationMask* mask = nullptr;  // null: it carries masked data
  };

  Target target(const RangeVar* var) const {
    const Relation* relation = named(var);
    if (relation == nullptr) return {};
    const RelationMask* mask = plan_.find(relation->oid);
    if (mask == nullptr && plan_.carries(relation->oid) == nullptr) return {};
    return {relation, mask};
  }

  void refuse(const Relation& relation, std::string_view what) {
    if (ruling_.denial) return;
    ruling_.denial = Denial{
        Reason::masked_use, "",
        fmt::format("{} has masked columns: {} while masks are in force", relation.qualified_name(), what),
        ""};
  }

  void refuse_because(const Relation& relation, std::string_view what, std::string_view why) {
    if (ruling_.denial) return;
    ruling_.denial = Denial{
        Reason::masked_use, "",
        fmt::format("{} of {} is refused while masks are in force: {}", what, relation.qualified_name(), why),
        ""};
  }

  const Relation* named(const RangeVar* var) const {
    return var == nullptr ? nullptr : catalogue_.find_relation(path_, var->schema, var->name);
  }

  void pass(const RangeVar* var) { ruling_.harmless.insert(var); }
  void pass_all(List<const RangeVar*> vars) {
    for (const RangeVar* var : vars) pass(var);
  }

  void truncate(const TruncateStatement& node) {
    std::vector<const Relation*> emptied;
    for (const RangeVar* var : node.relations) {
      if (const Relation* relation = named(var)) emptied.push_back(relation);
      if (target(var).relation != nullptr) pass(var);
    }
    if (node.cascade) add_referring(emptied);
    for (const Relation* relation : emptied) {
      const WriteGuards* guards = plan_.guards(relation->oid);
      const std::string* why = guards == nullptr ? nullptr : guards->find(kTriggerTruncate);
      if (why != nullptr) return refuse(*relation, fmt::format("it cannot be emptied ({})", *why));
    }
  }

  // What refers to these, at any number of steps.
  void add_referring(std::vector<const Relation*>& emptied) const {
    for (std::size_t i = 0; i < emptied.size(); ++i) {
      const Oid referenced = emptied[i]->oid;
      for (const Relation& relation : catalogue_.contents().relations) {
        const bool refers = std::ranges::any_of(relation.constraints, [&](const Constraint& each) {
          return each.kind == ConstraintKind::foreign_key && each.referenced == referenced;
        });
        if (refers && std::ranges::find(emptied, &relation) == emptied.end()) emptied.push_back(&relation);
      }
    }
  }

  void refresh(const RefreshViewStatement& node) {
    const Relation* view = named(node.relation);
    if (view == nullptr) return;
    constexpr std::string_view kWhat = "REFRESH";
    if (const std::string* why = plan_.carries(view->oid)) return refuse_because(*view, kWhat, *why);
    if (const std::string* why = plan_.refreshing_tells(view->oid)) return refuse_because(*view, kWhat, *why);
    const RelationMask* mask = plan_.find(view->oid);
    if (mask == nullptr) return;
    // It compares whole rows, and another error says that two of them are the same.
    if (node.concurrently && !mask->columns.empty())
      return refuse_because(*view, "REFRESH CONCURRENTLY", "it would tell which rows are the same");
    for (const Constraint& each : view->constraints) {
      const bool holds_masked = std::ranges::any_of(
          each.columns, [&](std::int16_t attnum) { return attnum == 0 || mask->column(attnum) != nullptr; });
      if (holds_masked)
        return refuse_because(*view, kWhat,
                              fmt::format("an error of index {} would tell about masked columns", each.name));
    }
    pass(node.relation);
  }

  bool is_open(const Target& at, std::string_view column) const {
    const Column* known = at.relation->column(column);
    return at.mask != nullptr && known != nullptr && at.mask->column(known->attnum) == nullptr;
  }

  // What of it is not open; empty: nothing.
  std::string reads(const Target& at, const Expr* expression) const {
    if (expression == nullptr) return "";
    ExpressionCheck check(*at.relation, at.mask);
    SelectStatement around;
    around.kind = StatementKind::select;
    around.where = expression;
    visit(around, check);
    return check.found;
  }

  void index(const CreateIndexStatement& node) {
    const Target at = target(node.relation);
    if (at.relation == nullptr) return;
    auto check = [&](const Expr* expression) {
      const std::string found = reads(at, expression);
      if (!found.empty())
        refuse(*at.relation,
               fmt::format("an index over {} tells about its values, it cannot be made", found));
    };
    for (List<IndexElement> elements : {node.elements, node.including}) {
      for (const IndexElement& element : elements) {
        if (element.expr != nullptr) {
          check(element.expr);
        } else if (!is_open(at, element.name)) {
          refuse(*at.relation,
                 fmt::format("an index on {} tells about its values, it cannot be made", element.name));
        }
      }
    }
    check(node.where);
    pass(node.relation);
  }

  void alter(const AlterTableStatement& node) {
    if (const Relation* relation = named(node.relation)) {
      for (const AlterTableCommand& command : node.commands) {
        if (auto why = tells(*relation, command)) return refuse_because(*relation, command.name, *why);
      }
    }
    const Target at = target(node.relation);
    if (at.relation == nullptr) return;
    for (const AlterTableCommand& command : node.commands) {
      if (!may(at, command)) {
        const std::string object = command.object.empty() ? "" : fmt::format(" ({})", command.object);
        return refuse(*at.relation, fmt::format("{}{} is refused", command.name, object));
      }
    }
    pass(node.relation);
  }

  // Also of a relation without masked columns, which may share a foreign key with one.
  std::optional<std::string> tells(const Relation& relation, const AlterTableCommand& command) const {
    const WriteGuards* guards = plan_.guards(relation.oid);
    if (guards == nullptr) return std::nullopt;
    if (command.name == "ALTER COLUMN TYPE") {
      const std::string* why = guards->find(kTriggerUpdate, command.object);
      if (why == nullptr) return std::nullopt;
      return fmt::format("it writes {} in all rows, and {}", command.object, *why);
    }
    if (command.name != "VALIDATE CONSTRAINT" && command.name != "ATTACH PARTITION") return std::nullopt;
    if (guards->ties.empty()) return std::nullopt;
    return fmt::format("it tests rows, and {}", guards->ties.front().why);
  }

  bool may(const Target& at, const AlterTableCommand& command) const {
    if (command.relation != nullptr) return false;  // INHERIT, ATTACH PARTITION, a foreign key
    if (std::ranges::binary_search(kHarmlessCommands, command.name)) return true;
    if (command.name == "ADD COLUMN") return command.column != nullptr && is_plain(at, *command.column);
    if (!std::ranges::binary_search(kColumnCommands, command.name) || !is_open(at, command.object))
      return false;
    if (command.column != nullptr && !is_plain(at, *command.column)) return false;
    return std::ranges::all_of(command.expressions,
                               [&](const Expr* each) { return reads(at, each).empty(); });
  }

  // A column whose definition looks at nothing masked. Its own name is in its checks.
  bool is_plain(const Target& at, const ColumnDefinition& column) const {
    if (at.mask == nullptr || column.references != nullptr || !column.checks.empty()) return false;
    return reads(at, column.default_value).empty();
  }

  void rename(const RenameStatement& node) {
    const Target at = target(node.relation);
    if (at.relation != nullptr)
      refuse(*at.relation, "neither it nor what belongs to it can be renamed, because masks go by names,");
  }

  const Catalogue& catalogue_;
  SearchPath path_;
  const MaskPlan& plan_;
  DefinitionRuling ruling_;
};

}  // namespace

DefinitionRuling rule_on_definition(const Statement& statement, const Catalogue& catalogue, SearchPath path,
                                    const MaskPlan& plan) {
  return DefinitionCheck(catalogue, path, plan).run(statement);
}

}  // namespace sluice::postgres::rewrite
