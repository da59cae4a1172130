#include "proxy/pg/planning/plan.h"

#include <algorithm>

namespace sluice::proxy::pg {
namespace {

namespace sql = postgres::sql;
using sql::StatementKind;

template <class T>
const T& as(const sql::Statement& statement) {
  return static_cast<const T&>(statement);
}

}  // namespace

PlanKind kind_of(const sql::Statement& statement, const Operation& operation) {
  switch (statement.kind) {
    case StatementKind::transaction:
      switch (as<sql::TransactionStatement>(statement).action) {
        case sql::TransactionKind::begin:
        case sql::TransactionKind::start: return PlanKind::begin;
        case sql::TransactionKind::commit: return PlanKind::commit;
        case sql::TransactionKind::rollback: return PlanKind::rollback;
        default: return PlanKind::other_transaction;
      }
    case StatementKind::variable_set: return PlanKind::set;
    case StatementKind::prepare: return PlanKind::prepare;
    case StatementKind::execute: return PlanKind::execute;
    case StatementKind::deallocate: return PlanKind::deallocate;
    case StatementKind::declare_cursor: return PlanKind::declare;
    case StatementKind::fetch: return PlanKind::fetch;
    case StatementKind::close_portal: return PlanKind::close_cursor;
    case StatementKind::copy:
      return as<sql::CopyStatement>(statement).from ? PlanKind::copy_in : PlanKind::copy_out;
    case StatementKind::discard:
      switch (as<sql::DiscardStatement>(statement).target) {
        case sql::DiscardTarget::all: return PlanKind::discard_all;
        case sql::DiscardTarget::temp: return PlanKind::schema_change;
        default: return PlanKind::statement;
      }
    default: break;
  }
  const bool defines = operation.verb == Verb::schema || std::ranges::count(operation.also, Verb::schema) > 0;
  return defines ? PlanKind::schema_change : PlanKind::statement;
}

bool may_write(const Operation& operation) {
  const auto writes = [](Verb verb) {
    return verb == Verb::write || verb == Verb::remove || verb == Verb::schema || verb == Verb::admin;
  };
  return writes(operation.verb) || std::ranges::any_of(operation.also, writes);
}

bool finds_names_late(const Plan& plan) {
  switch (plan.kind) {
    case PlanKind::empty:
    case PlanKind::begin:
    case PlanKind::commit:
    case PlanKind::rollback:
    case PlanKind::other_transaction:
    case PlanKind::set:
    case PlanKind::deallocate:
    case PlanKind::fetch:
    case PlanKind::close_cursor:
    case PlanKind::discard_all: return false;
    default: break;
  }
  if (plan.statement == nullptr) return true;
  switch (plan.statement->body->kind) {
    case StatementKind::select: return plan.kind != PlanKind::statement;  // SELECT INTO
    case StatementKind::insert:
    case StatementKind::update:
    case StatementKind::delete_:
    case StatementKind::merge: return false;
    default: return true;
  }
}

}  // namespace sluice::proxy::pg
