#include "systems/postgres/rewrite/checks/verify.h"

#include "systems/postgres/sql/visit.h"

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

// Literals from here on are not parsed again: a query vector is most of its statement, and nothing in it
// bears on what is looked for here.
constexpr std::size_t kLongLiteral = 256;  // bytes
constexpr std::size_t kShortText = 1024;   // bytes; looking for such literals in it would cost what it saves

bool begins_escape_string(std::string_view text, std::size_t quote) {
  return quote > 0 && (text[quote - 1] == 'E' || text[quote - 1] == 'e');
}

// The text with its long plain literals ('...') emptied. Between quotes only `'` and `"` open something, as
// long as there is no comment, no dollar quote and no E'...'; a text with one of those stays as it is, and
// so does what never ends.
std::string without_long_literals(std::string_view text) {
  std::string out;
  std::size_t copied = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    const char following = at + 1 < text.size() ? text[at + 1] : '\0';
    if ((c == '-' && following == '-') || (c == '/' && following == '*')) return std::string(text);
    if (c == '$' && (following < '0' || following > '9')) return std::string(text);
    if (c != '\'' && c != '"') continue;
    if (c == '\'' && begins_escape_string(text, at)) return std::string(text);
    std::size_t end = text.find(c, at + 1);
    while (end != std::string_view::npos && end + 1 < text.size() && text[end + 1] == c)
      end = text.find(c, end + 2);  // a doubled quote
    if (end == std::string_view::npos) return std::string(text);
    if (c == '\'' && end - at > kLongLiteral) {
      out.append(text.substr(copied, at + 1 - copied));
      copied = end;
    }
    at = end;
  }
  return out.append(text.substr(copied));
}

}  // namespace

Result<void> verify(std::string_view rewritten, std::string_view prefix, const RewriteInput& input) {
  auto parsed =
      rewritten.size() > kShortText ? sql::parse(without_long_literals(rewritten)) : sql::parse(rewritten);
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
