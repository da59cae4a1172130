#include "proxy/pg/planning/text_names.h"

#include <algorithm>

#include "proxy/pg/exchange/refusal.h"
#include "proxy/pg/exchange/written_back.h"
#include "systems/postgres/sql/names.h"
#include "systems/postgres/sql/tokens.h"
#include "wire/pg/sqlstate.h"

namespace sluice::proxy::pg {
namespace {

using namespace wire::pg;
namespace sql = postgres::sql;
using sql::StatementKind;

constexpr std::string_view kNoName = "slc_none";  // towards the server, for what does not exist

template <class T>
const T& as(const Plan& plan) {
  return static_cast<const T&>(*plan.statement->body);
}

// The text with one token replaced: the name of a prepared statement or cursor, which stands second (PREPARE
// n, EXECUTE n, DECLARE n, CLOSE n), third (DEALLOCATE PREPARE n) or last (FETCH ... n).
std::string with_name(std::string_view text, const sql::Statement& statement, std::string_view name) {
  sql::Token chosen;
  if (statement.kind == StatementKind::fetch) {
    for (auto token = sql::next_token(text, 0); token.kind != sql::TokenKind::end;
         token = sql::next_token(text, token.end)) {
      if (token.kind == sql::TokenKind::punctuation) continue;
      chosen = token;
    }
  } else {
    chosen = sql::next_token(text, sql::next_token(text, 0).end);
    if (statement.kind == StatementKind::deallocate) {
      const auto next = sql::next_token(text, chosen.end);
      if (next.kind == sql::TokenKind::word || next.kind == sql::TokenKind::quoted_identifier) chosen = next;
    }
  }
  std::string out{text.substr(0, chosen.begin)};
  out.append(sql::quote_identifier(name)).append(text.substr(chosen.end));
  return out;
}

bool is_execute(std::string_view word) {
  return std::ranges::equal(word, std::string_view{"execute"}, {},
                            [](char c) { return static_cast<char>(c | 0x20); });
}

// EXPLAIN (...) EXECUTE n: the name behind the first EXECUTE that stands in no parentheses.
std::string with_executed_name(std::string_view text, std::string_view name) {
  int depth = 0;
  auto token = sql::next_token(text, 0);
  for (; token.kind != sql::TokenKind::end; token = sql::next_token(text, token.end)) {
    const auto word = text.substr(token.begin, token.end - token.begin);
    if (word == "(") ++depth;
    if (word == ")") --depth;
    if (depth == 0 && token.kind == sql::TokenKind::word && is_execute(word)) break;
  }
  const auto chosen = sql::next_token(text, token.end);
  return fmt::format("{}{}{}", text.substr(0, chosen.begin), sql::quote_identifier(name),
                     text.substr(chosen.end));
}

// What a name stands for afterwards: the statement inside of PREPARE or DECLARE.
std::shared_ptr<const Plan> inner_of(const Plan& plan, const sql::Statement& body) {
  auto inner = std::make_shared<Plan>(plan);
  inner->kind = PlanKind::statement;
  inner->body = &body;
  inner->object.clear();
  inner->upstream_object.clear();
  return inner;
}

// What was planned before runs under the masks of now, or not at all. A cursor (`runs`) is past its names; a
// prepared statement's are looked up again when path or schema have changed.
std::optional<Denial> is_out_of_date(const Plan& plan, const Plan& inner, bool runs) {
  if (inner.denial) return inner.denial;
  if (inner.basis.masks != plan.basis.masks) {
    return Denial{Reason::revoked, "", "the policy has changed since this statement was prepared",
                  "Prepare or declare it again."};
  }
  if (runs || inner.basis == plan.basis) return std::nullopt;
  return Denial{Reason::not_understood, "",
                "the search_path or the schema has changed since this statement was prepared, so that "
                "its names may mean something else",
                "Prepare it again."};
}

// EXECUTE and FETCH.
void follow_inner(Plan& plan) {
  plan.carried = plan.inner->carried;
  plan.outputs = plan.inner->outputs;
  plan.search = plan.inner->search;
  if (plan.kind == PlanKind::execute) plan.tests = plan.inner->tests;
  plan.masking = plan.inner->masking;
  plan.touches_masked |= plan.inner->touches_masked;
  plan.masked_fields = plan.inner->masked_fields;
  plan.writes |= plan.inner->writes;
  plan.large |= plan.inner->large;
  if (!plan.denial) plan.denial = is_out_of_date(plan, *plan.inner, plan.kind == PlanKind::fetch);
}

// CREATE TABLE AS EXECUTE, alone or explained: the name in it is not replaced by the gateway's own, so it
// would mean another statement than the one that was described, by a name that a client can guess.
bool creates_by_executing(const sql::Statement& statement) {
  const sql::Statement* inner = &statement;
  if (const auto* explain = sql::as<sql::ExplainStatement>(inner)) inner = explain->query;
  const auto* create = sql::as<sql::CreateTableAsStatement>(inner);
  return create != nullptr && create->query != nullptr && create->query->kind == StatementKind::execute;
}

const sql::ExecuteStatement* explained_execute(const sql::Statement& statement) {
  const auto* explain = sql::as<sql::ExplainStatement>(&statement);
  return explain == nullptr ? nullptr : sql::as<sql::ExecuteStatement>(explain->query);
}

ErrorFields unknown_statement(std::string_view name) {
  return render_error(sqlstate::kInvalidStatementName,
                      fmt::format("prepared statement \"{}\" does not exist", name));
}

ErrorFields unknown_cursor(std::string_view name) {
  return render_error(sqlstate::kInvalidCursorName, fmt::format("cursor \"{}\" does not exist", name));
}

}  // namespace

// --- what stands for what ---

std::shared_ptr<const Plan> TextNames::find_prepared(std::string_view name) const {
  if (const auto made = prepared_.find(name); made != prepared_.end()) return made->second.plan;
  const auto known = deallocated_all_ || name.empty() ? nullptr : session_.statement(name);
  return known ? known->plan : nullptr;
}

std::shared_ptr<const Plan> TextNames::find_cursor(std::string_view name) const {
  if (const auto made = cursors_.find(name); made != cursors_.end()) return made->second.plan;
  const auto known = closed_all_ || name.empty() ? nullptr : session_.portal(name);
  return known ? known->plan : nullptr;
}

std::string TextNames::upstream_prepared(std::string_view name) const {
  if (const auto made = prepared_.find(name); made != prepared_.end()) return made->second.upstream_name;
  const auto known = session_.statement(name);
  return known ? known->upstream_name : std::string{kNoName};
}

std::string TextNames::upstream_cursor(std::string_view name) const {
  if (const auto made = cursors_.find(name); made != cursors_.end()) return made->second.upstream_name;
  const auto known = session_.portal(name);
  return known ? known->upstream_name : std::string{kNoName};
}

std::optional<postgres::NamedStatement> TextNames::named(const std::shared_ptr<const Plan>& plan) const {
  if (!plan || plan->body == nullptr) return std::nullopt;
  if (plan->large && !large_) {
    met_large_ = true;
    return std::nullopt;
  }
  return postgres::NamedStatement{plan->body, plan->statement->unknowns, {}};
}

std::optional<postgres::NamedStatement> TextNames::prepared(std::string_view name) const {
  return named(find_prepared(name));
}

std::optional<postgres::NamedStatement> TextNames::cursor(std::string_view name) const {
  return named(find_cursor(name));
}

// --- statements that name ---

std::optional<ErrorFields> TextNames::resolve(Plan& plan) {
  std::optional<ErrorFields> error;
  switch (plan.kind) {
    case PlanKind::prepare: error = prepare(plan); break;
    case PlanKind::declare: error = declare(plan); break;
    case PlanKind::execute: error = execute(plan); break;
    case PlanKind::fetch: error = fetch(plan); break;
    case PlanKind::deallocate: error = deallocate(plan); break;
    case PlanKind::close_cursor: error = close(plan); break;
    default: return execute_within(plan);
  }
  if (error || plan.object.empty()) return error;  // DEALLOCATE ALL and CLOSE ALL name nothing
  plan.text = with_name(plan.text, *plan.statement->body, plan.upstream_object);
  plan.rewritten = true;
  plan.insertion = {};
  return std::nullopt;
}

std::optional<ErrorFields> TextNames::prepare(Plan& plan) {
  const auto& statement = as<sql::PrepareStatement>(plan);
  plan.object = statement.name;
  if (find_prepared(plan.object)) {
    return render_error(sqlstate::kDuplicatePreparedStatement,
                        fmt::format("prepared statement \"{}\" already exists", plan.object));
  }
  if (!session_.has_room_for_statement(plan.object)) return too_many("prepared statements");
  plan.upstream_object = session_.next_statement_name();
  plan.inner = inner_of(plan, *statement.query);
  prepared_.insert_or_assign(plan.object, Made{plan.inner, plan.upstream_object});
  return std::nullopt;
}

std::optional<ErrorFields> TextNames::declare(Plan& plan) {
  const auto& statement = as<sql::DeclareCursorStatement>(plan);
  plan.object = statement.name;
  plan.hold_cursor = statement.hold;
  if (find_cursor(plan.object)) {
    return render_error(sqlstate::kDuplicateCursor, fmt::format("cursor \"{}\" already exists", plan.object));
  }
  if (!session_.has_room_for_portal(plan.object)) return too_many("cursors");
  plan.upstream_object = session_.next_portal_name();
  plan.inner = inner_of(plan, *statement.query);
  cursors_.insert_or_assign(plan.object, Made{plan.inner, plan.upstream_object});
  return std::nullopt;
}

std::optional<ErrorFields> TextNames::execute(Plan& plan) const {
  plan.object = as<sql::ExecuteStatement>(plan).name;
  plan.inner = find_prepared(plan.object);
  if (!plan.inner) return unknown_statement(plan.object);
  plan.upstream_object = upstream_prepared(plan.object);
  follow_inner(plan);
  if (!plan.denial)
    plan.denial = refuse_written_back(plan.inner->written, as<sql::ExecuteStatement>(plan).arguments);
  return std::nullopt;
}

std::optional<ErrorFields> TextNames::execute_within(Plan& plan) const {
  if (plan.denial || plan.statement == nullptr) return std::nullopt;
  if (creates_by_executing(*plan.statement->body)) {
    plan.denial = Denial{Reason::not_understood, "", "EXECUTE within CREATE TABLE AS is not supported",
                         "Write the statement itself instead of its name."};
    return std::nullopt;
  }
  const auto* execute = explained_execute(*plan.statement->body);
  if (execute == nullptr) return std::nullopt;
  const auto inner = find_prepared(execute->name);
  if (!inner) return unknown_statement(execute->name);
  plan.denial = is_out_of_date(plan, *inner, false);
  if (!plan.denial && inner->touches_masked) {
    plan.denial = Denial{Reason::not_understood, "", "EXPLAIN EXECUTE of a statement on masked relations",
                         "Explain the statement itself instead of its name."};
  }
  plan.writes |= inner->writes;
  plan.large |= inner->large;
  plan.text = with_executed_name(plan.text, upstream_prepared(execute->name));
  plan.rewritten = true;
  plan.insertion = {};
  return std::nullopt;
}

std::optional<ErrorFields> TextNames::fetch(Plan& plan) const {
  plan.object = as<sql::FetchStatement>(plan).cursor;
  plan.inner = find_cursor(plan.object);
  if (!plan.inner) return unknown_cursor(plan.object);
  plan.upstream_object = upstream_cursor(plan.object);
  follow_inner(plan);
  return std::nullopt;
}

std::optional<ErrorFields> TextNames::deallocate(Plan& plan) {
  const auto& statement = as<sql::DeallocateStatement>(plan);
  if (statement.all) {
    prepared_.clear();
    deallocated_all_ = true;
    return std::nullopt;
  }
  plan.object = statement.name;
  if (!find_prepared(plan.object)) return unknown_statement(plan.object);
  plan.upstream_object = upstream_prepared(plan.object);
  prepared_.insert_or_assign(plan.object, Made{nullptr, plan.upstream_object});
  return std::nullopt;
}

std::optional<ErrorFields> TextNames::close(Plan& plan) {
  const auto& statement = as<sql::ClosePortalStatement>(plan);
  if (statement.all) {
    cursors_.clear();
    closed_all_ = true;
    return std::nullopt;
  }
  plan.object = statement.name;
  if (!find_cursor(plan.object)) return unknown_cursor(plan.object);
  plan.upstream_object = upstream_cursor(plan.object);
  cursors_.insert_or_assign(plan.object, Made{nullptr, plan.upstream_object});
  return std::nullopt;
}

}  // namespace sluice::proxy::pg
