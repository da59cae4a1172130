#include "systems/postgres/rewrite/verify.h"

#include "systems/postgres/rewrite/visit.h"

namespace sluice::postgres::rewrite {
namespace {

using namespace sql;

class Inspector : public Visitor {
 public:
  Inspector(std::string_view prefix, const RewriteInput& input) : prefix_(prefix), input_(input) {}

  void on_statement(const Statement& statement) override {
    creates_ |= statement.kind == StatementKind::create_table_as;
  }

  void on_relation(const RangeVar& var, RelationRole role, bool is_common_table) override {
    if (is_common_table || broken) return;
    if (role == RelationRole::defined) {  // CREATE TABLE AS
      broken = !creates_ || input_.plan.is_sensitive_name(var.name);
      return;
    }
    if (var.schema.empty()) {
      broken = input_.plan.is_sensitive_name(var.name);
      return;
    }
    const Relation* relation = input_.catalogue.find_relation({}, var.schema, var.name);
    if (relation == nullptr) return;
    if (input_.plan.carries(relation->oid) != nullptr) broken = true;
    if (input_.plan.find(relation->oid) == nullptr) return;
    if (role == RelationRole::written) return;  // it stays what it is, and is all that does
    if (var.alias == nullptr || !var.alias->name.starts_with(prefix_)) broken = true;
  }

  bool broken = false;

 private:
  bool creates_ = false;
  std::string_view prefix_;
  const RewriteInput& input_;
};

}  // namespace

Result<void> verify(std::string_view rewritten, std::string_view prefix, const RewriteInput& input) {
  auto parsed = sql::parse(rewritten);
  if (!parsed)
    return fail(Errc::internal, "the rewritten statement does not parse: {}", parsed.error().message);
  if (parsed->statements().size() != 1)
    return fail(Errc::internal, "the rewritten statement is not one statement");
  const ParsedStatement& statement = parsed->statements()[0];
  if (!statement.unknowns.empty()) {
    return fail(Errc::internal, "the rewritten statement has {}", statement.unknowns[0].what);
  }
  Inspector inspector(prefix, input);
  visit(*statement.body, inspector);
  if (inspector.broken) return fail(Errc::internal, "the rewritten statement reaches a masked relation");
  return {};
}

}  // namespace sluice::postgres::rewrite
