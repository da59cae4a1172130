#include "systems/postgres/rewrite/checks/missing_values.h"

#include <algorithm>
#include <unordered_set>
#include <vector>

#include "systems/postgres/sql/visit.h"

namespace sluice::postgres::rewrite {
namespace {

using namespace sql;

constexpr std::string_view kRelation = "pg_attribute";
constexpr std::string_view kColumn = kMissingValues;

bool is_pg_attribute(const RangeVar& var) {
  return var.name == kRelation && (var.schema.empty() || var.schema == "pg_catalog");
}

// Whether the columns of pg_attribute are among those of this item. What a sub-select yields is seen to
// there.
bool shows_pg_attribute(const FromItem* item) {
  if (const auto* var = as<RangeVar>(item)) return is_pg_attribute(*var);
  if (const auto* sample = as<SampleItem>(item)) return shows_pg_attribute(sample->relation);
  const auto* join = as<JoinItem>(item);
  return join != nullptr && (shows_pg_attribute(join->left) || shows_pg_attribute(join->right));
}

class Inspector : public Visitor {
 public:
  // Named as a column of a query, where NULL can stand in its place.
  bool queried() const { return queried_; }
  bool found() const {
    if (named_ || (queried_ && !only_queries_)) return true;
    return std::ranges::any_of(rows_, [&](std::string_view row) { return references_.contains(row); });
  }

  void on_from(const FromItem& item) override {
    if (const auto* join = as<JoinItem>(&item)) {
      named_ |= std::ranges::find(join->using_columns, kColumn) != join->using_columns.end();
    }
    if (!shows_pg_attribute(&item)) return;
    const auto* var = as<RangeVar>(&item);
    if (item.alias != nullptr && !item.alias->name.empty()) {
      rows_.push_back(item.alias->name);
      named_ |= !item.alias->columns.empty();
    } else if (var != nullptr) {
      rows_.push_back(var->name);
    }
  }

  void on_select(const SelectStatement& select) override {
    if (!std::ranges::any_of(select.from, shows_pg_attribute)) return;
    for (const Target& target : select.targets) {
      const auto* column = as<ColumnRef>(target.value);
      named_ |= column != nullptr && column->star && column->parts.empty();
    }
  }

  void on_expr(const Expr& expr) override {
    if (const auto* column = as<ColumnRef>(&expr); column != nullptr && !column->parts.empty()) {
      queried_ |= !column->star && column->parts.back() == kColumn;
      references_.insert(column->parts.back());  // a row, `a` or `a.*`; or a column of that name
    }
    if (const auto* steps = as<IndirectionExpr>(&expr)) {
      for (const Indirection& step : steps->steps) named_ |= step.field == kColumn;
    }
  }

  void on_statement(const Statement& statement) override {
    const auto* select = as<SelectStatement>(&statement);
    only_queries_ &= select != nullptr ? select->into == nullptr : answers_with_its_query(statement.kind);
    const auto* copy = as<CopyStatement>(&statement);
    if (copy == nullptr || copy->relation == nullptr || !is_pg_attribute(*copy->relation)) return;
    named_ |= copy->columns.empty() || std::ranges::find(copy->columns, kColumn) != copy->columns.end();
  }

 private:
  static bool answers_with_its_query(StatementKind kind) {
    return kind == StatementKind::prepare || kind == StatementKind::declare_cursor ||
           kind == StatementKind::explain || kind == StatementKind::copy;
  }

  bool named_ = false;
  bool queried_ = false;
  bool only_queries_ = true;  // nothing stores what it reads, or keeps its text
  std::vector<std::string_view> rows_;
  std::unordered_set<std::string_view> references_;
};

}  // namespace

std::optional<Denial> refuse_missing_values(const Statement& statement) {
  Inspector inspector;
  visit(statement, inspector);
  if (!inspector.found()) return std::nullopt;
  return Denial{
      Reason::masked_use, "",
      "pg_attribute.attmissingval holds values of rows; it is not available while masks are in force",
      "Name the columns of pg_attribute that you need."};
}

bool names_missing_values(const Statement& statement) {
  Inspector inspector;
  visit(statement, inspector);
  return inspector.queried();
}

}  // namespace sluice::postgres::rewrite
