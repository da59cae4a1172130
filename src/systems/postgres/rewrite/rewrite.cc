#include "systems/postgres/rewrite/rewrite.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/random.h"
#include "systems/postgres/rewrite/checks/ddl_rules.h"
#include "systems/postgres/rewrite/checks/missing_values.h"
#include "systems/postgres/rewrite/checks/statement_class.h"
#include "systems/postgres/rewrite/checks/verify.h"
#include "systems/postgres/rewrite/clamp.h"
#include "systems/postgres/rewrite/deparse/deparser.h"
#include "systems/postgres/sql/names.h"

namespace sluice::postgres::rewrite {
namespace {

using namespace sql;

// 36^10 names: a statement cannot name what it cannot guess. The rest of an identifier's 63 bytes holds two
// numbers.
constexpr std::size_t kPrefixRandom = 10;

// Without `wal` (statement_class.cc).
constexpr std::array<std::string_view, 11> kExplainOptions = {
    "analyze",   "buffers",  "costs",   "format", "generic_plan", "memory",
    "serialize", "settings", "summary", "timing", "verbose"};
constexpr std::array<std::string_view, 7> kCopyOptions = {"delimiter", "escape", "force_quote", "format",
                                                          "header",    "null",   "quote"};
constexpr std::array<std::string_view, 8> kCopyFromOptions = {
    "delimiter", "escape", "force_not_null", "force_null", "format", "header", "null", "quote"};

using Text = std::expected<std::string, Refusal>;

Denial denial(std::string message, std::string hint = "") {
  return Denial{Reason::masked_use, "", std::move(message), std::move(hint)};
}

// `(name value, ...)`, or nothing when there are none.
template <std::size_t N>
Text options(std::span<const DefinedOption> given, const std::array<std::string_view, N>& known) {
  if (given.empty()) return std::string();
  std::string text = "(";
  for (const DefinedOption& option : given) {
    if (!std::ranges::binary_search(known, option.name)) {
      return std::unexpected(
          denial(fmt::format("option {} is not supported for a statement that is rewritten", option.name)));
    }
    if (text.size() > 1) text += ", ";
    text += option.name;
    switch (option.value_kind) {
      case DefinedOption::ValueKind::none: break;
      case DefinedOption::ValueKind::text: text += " " + quote_literal(option.text); break;
      case DefinedOption::ValueKind::integer: text += fmt::format(" {}", option.integer); break;
      case DefinedOption::ValueKind::boolean: text += option.integer != 0 ? " TRUE" : " FALSE"; break;
      case DefinedOption::ValueKind::names: {
        text += " (";
        for (std::size_t i = 0; i < option.names.size(); ++i) {
          text += (i == 0 ? "" : ", ") + quote_identifier(option.names[i]);
        }
        text += ")";
        break;
      }
      case DefinedOption::ValueKind::number:
      case DefinedOption::ValueKind::other:
        return std::unexpected(denial(fmt::format("the value of option {} is not understood", option.name)));
    }
  }
  return text + ")";
}

class StatementRewriter {
 public:
  explicit StatementRewriter(const RewriteInput& input)
      : input_(input), prefix_("slc_" + random_identifier(kPrefixRandom)), deparser_(input, prefix_) {}

  RewriteResult run() {
    const Statement& body = *input_.statement.body;
    if (const SelectStatement* query = defined_query(body)) {
      // A view keeps its text, so that is left as it is: the query reads nothing that is masked.
      Text read = deparser_.deparse_stored(*query);
      if (!read) return refused(std::move(read).error());
      return Rewritten{std::string(input_.statement.text), deparser_.masked(), {}};
    }
    Text text = statement(body);
    if (!text) return refused(std::move(text).error());
    if (auto good = verify(*text, prefix_, input_); !good) {
      return denial("the statement could not be rewritten safely", std::move(good).error().detail);
    }
    return Rewritten{*std::move(text),    deparser_.masked(), deparser_.written(),
                     deparser_.outputs(), deparser_.search(), deparser_.value_tests()};
  }

 private:
  static RewriteResult refused(Refusal why) {
    return std::visit([](auto&& each) -> RewriteResult { return std::move(each); }, std::move(why));
  }

  // Of CREATE VIEW and CREATE MATERIALIZED VIEW.
  static const SelectStatement* defined_query(const Statement& node) {
    if (const auto* view = as<ViewStatement>(&node)) return view->query;
    const auto* create = as<CreateTableAsStatement>(&node);
    return create != nullptr && create->materialized_view ? as<SelectStatement>(create->query) : nullptr;
  }

  Text statement(const Statement& node) {
    switch (node.kind) {
      case StatementKind::select: {
        const auto& select = static_cast<const SelectStatement&>(node);
        if (select.into != nullptr) return create_as(select, *select.into, false);
        return deparser_.deparse(select, input_.clamp, reply_);
      }
      case StatementKind::declare_cursor: return cursor(static_cast<const DeclareCursorStatement&>(node));
      case StatementKind::copy: return copy(static_cast<const CopyStatement&>(node));
      case StatementKind::prepare: return prepare(static_cast<const PrepareStatement&>(node));
      case StatementKind::explain: return explain(static_cast<const ExplainStatement&>(node));
      default: break;
    }
    if (input_.clamp) {
      return std::unexpected(
          Denial{Reason::over_limit, "", "this statement has no number of rows that could be limited", ""});
    }
    switch (node.kind) {
      case StatementKind::insert:
      case StatementKind::update:
      case StatementKind::delete_:
      case StatementKind::merge: return deparser_.deparse_change(node);
      case StatementKind::create_table_as: {
        const auto& create = static_cast<const CreateTableAsStatement&>(node);
        const auto* select = as<SelectStatement>(create.query);
        if (select == nullptr || create.into == nullptr || create.materialized_view) break;
        return create_as(*select, *create.into, create.if_not_exists);
      }
      default: break;
    }
    return std::unexpected(
        denial("a statement of this class may not name a relation with masked columns, or one of its name",
               "If another relation is meant, write its schema."));
  }

  // The query inside of a cursor, PREPARE, EXPLAIN or COPY; what else may stand there is refused as above.
  Text query(const Statement* node) {
    if (node == nullptr) return std::unexpected(denial("the statement was not understood"));
    const auto* select = as<SelectStatement>(node);
    if (select != nullptr && select->into != nullptr)
      return std::unexpected(denial("SELECT INTO stands at the top of a statement only"));
    return statement(*node);
  }

  Text cursor(const DeclareCursorStatement& node) {
    // Whether a FETCH answers in binary then depends on more than what the wire says of it.
    if (node.binary) reply_ = Reply::other;
    Text inner = query(node.query);
    if (!inner) return inner;
    std::string text = "DECLARE " + quote_identifier(node.name);
    if (node.binary) text += " BINARY";
    if (node.insensitive) text += " INSENSITIVE";
    if (node.scroll) text += " SCROLL";
    if (node.no_scroll) text += " NO SCROLL";
    text += " CURSOR";
    if (node.hold) text += " WITH HOLD";
    return text + " FOR " + *inner;
  }

  // CREATE TABLE AS, and SELECT INTO, which is the same.
  Text create_as(const SelectStatement& query, const IntoClause& into, bool if_not_exists) {
    if (input_.clamp) {
      return std::unexpected(
          Denial{Reason::over_limit, "", "this statement has no number of rows that could be limited", ""});
    }
    if (into.relation == nullptr || !into.options.empty() || !into.relation->catalog.empty())
      return std::unexpected(denial("storage options are not supported in a statement that is rewritten"));
    Text inner = deparser_.deparse_stored(query);
    if (!inner) return inner;
    std::string text = "CREATE ";
    if (into.relation->persistence == Persistence::temporary) text += "TEMPORARY ";
    if (into.relation->persistence == Persistence::unlogged) text += "UNLOGGED ";
    text += if_not_exists ? "TABLE IF NOT EXISTS " : "TABLE ";
    text += quote_qualified(into.relation->schema, into.relation->name);
    for (std::size_t i = 0; i < into.columns.size(); ++i)
      text += (i == 0 ? " (" : ", ") + quote_identifier(into.columns[i]);
    if (!into.columns.empty()) text += ")";
    if (!into.access_method.empty()) text += " USING " + quote_identifier(into.access_method);
    constexpr std::string_view kOnCommit[] = {"", " ON COMMIT PRESERVE ROWS", " ON COMMIT DELETE ROWS",
                                              " ON COMMIT DROP"};
    text += kOnCommit[static_cast<std::size_t>(into.on_commit)];
    if (!into.tablespace.empty()) text += " TABLESPACE " + quote_identifier(into.tablespace);
    return text + " AS " + *inner + (into.with_no_data ? " WITH NO DATA" : "");
  }

  Text copy_from(const CopyStatement& node) {
    if (node.program || !node.file.empty() || node.relation == nullptr) {
      return std::unexpected(denial("COPY from a file or program of the server is not available"));
    }
    if (input_.clamp) {
      return std::unexpected(
          Denial{Reason::over_limit, "", "this statement has no number of rows that could be limited", ""});
    }
    Text with = options(node.options, kCopyFromOptions);
    if (!with) return with;
    return deparser_.deparse_copy_from(node, with->empty() ? "" : " WITH " + *with);
  }

  Text copy(const CopyStatement& node) {
    if (node.from) return copy_from(node);
    if (node.program || !node.file.empty()) {
      return std::unexpected(denial("COPY to a file or program of the server is not available"));
    }
    Text with = options(node.options, kCopyOptions);
    if (!with) return with;
    reply_ = Reply::other;
    Text inner = node.query != nullptr ? query(node.query) : deparser_.deparse_copy(node, input_.clamp);
    if (!inner) return inner;
    return fmt::format("COPY ({}) TO STDOUT{}{}", *inner, with->empty() ? "" : " WITH ", *with);
  }

  Text prepare(const PrepareStatement& node) {
    Text inner = query(node.query);
    if (!inner) return inner;
    std::string text = "PREPARE " + quote_identifier(node.name);
    for (std::size_t i = 0; i < node.types.size(); ++i) {
      text += i == 0 ? "(" : ", ";
      text += deparser_.type_name(*node.types[i]);
    }
    if (deparser_.refusal()) return std::unexpected(*deparser_.refusal());
    if (!node.types.empty()) text += ")";
    return text + " AS " + *inner;
  }

  // Where an index mixes masked and open columns, its order must not show: not by how many rows went through
  // it until there was an answer, which is what ANALYZE counts, nor by the estimated cost, which depends on
  // how its order lies to that of the table.
  Text explain(const ExplainStatement& node) {
    reply_ = Reply::plan;
    if (node.analyze) deparser_.shows_counts();
    if (node.query == nullptr) return std::unexpected(denial("the statement was not understood"));
    Text inner = statement(*node.query);
    if (!inner) return inner;
    const bool tells = deparser_.order_leaks();
    if (tells && node.analyze) {
      return std::unexpected(
          denial("EXPLAIN ANALYZE would count how far an index over masked columns was followed",
                 "EXPLAIN without ANALYZE shows the plan."));
    }
    std::vector<DefinedOption> given(node.options.begin(), node.options.end());
    if (tells || deparser_.tests_stored_values() || deparser_.reads_stored_json()) {
      std::erase_if(given, [](const DefinedOption& option) { return option.name == "costs"; });
      DefinedOption costs;
      costs.name = "costs";
      costs.value_kind = DefinedOption::ValueKind::boolean;
      given.push_back(costs);
    }
    Text with = options(given, kExplainOptions);
    if (!with) return with;
    return fmt::format("EXPLAIN {}{}{}", *with, with->empty() ? "" : " ", *inner);
  }

  const RewriteInput& input_;
  std::string prefix_;
  Deparser deparser_;
  Reply reply_ = Reply::rows;
};

}  // namespace

RewriteResult rewrite(const RewriteInput& input) {
  const Statement& statement = *input.statement.body;
  bool in_force = input.plan.in_force();
  if (!in_force && !input.clamp) return Unchanged{};
  if (!input.statement.unknowns.empty()) {
    return Denial{Reason::not_understood, "",
                  fmt::format("{} is not understood", input.statement.unknowns[0].what), ""};
  }
  if (input.clamp) {
    if (auto aggregate = gathering_aggregate(statement, input.catalogue, input.search_path)) {
      return Denial{Reason::over_limit, "",
                    fmt::format("{} gathers any number of records into one row, so that no LIMIT bounds it",
                                *aggregate),
                    ""};
    }
  }
  bool needed = input.clamp.has_value();
  if (in_force) {
    if (auto why = check_functions(statement, input.catalogue, input.search_path, input.vouch))
      return *std::move(why);
    if (auto why = refuse_statement_class(statement, input.catalogue, input.search_path, input.plan))
      return *std::move(why);
    DefinitionRuling definition =
        rule_on_definition(statement, input.catalogue, input.search_path, input.plan);
    if (definition.denial) return *std::move(definition.denial);
    Touched touched =
        touched_relations(statement, input.catalogue, input.search_path, input.plan, definition.harmless);
    if (!touched.changed.empty()) {
      return denial(
          fmt::format("{} has masked columns: it cannot be written or changed in this way while masks are in "
                      "force",
                      touched.changed));
    }
    // Its errors are reduced.
    if (touched.defined && !touched.masked) {
      if (input.clamp) {
        return Denial{Reason::over_limit, "", "this statement has no number of rows that could be limited",
                      ""};
      }
      return Rewritten{std::string(input.statement.text), {MaskedUse{.relation = touched.defined_name}}, {}};
    }
    if (!touched.unknown.empty() && !input.fresh) return NeedsCatalogue{std::move(touched.unknown)};
    needed = needed || touched.masked || touched.ambiguous_name || names_missing_values(statement);
  }
  if (!needed) return Unchanged{};
  return StatementRewriter(input).run();
}

}  // namespace sluice::postgres::rewrite
