#include "systems/postgres/describe/statement_verbs.h"

#include <algorithm>
#include <array>

namespace sluice::postgres {
namespace {

using sql::StatementKind;

// Statements that the parser gives no structure, by PostgreSQL's node tag. What plants code that runs later,
// or concerns roles, servers and other databases, is `admin`; objects of this database are `schema`. Sorted.
struct Other {
  std::string_view tag;
  std::string_view name;
  Verb verb = Verb::schema;
};
constexpr Other kOthers[] = {
    {"AlterCollationStmt", "ALTER COLLATION", Verb::schema},
    {"AlterDatabaseRefreshCollStmt", "ALTER DATABASE", Verb::admin},
    {"AlterDatabaseSetStmt", "ALTER DATABASE", Verb::admin},
    {"AlterDatabaseStmt", "ALTER DATABASE", Verb::admin},
    {"AlterDefaultPrivilegesStmt", "ALTER DEFAULT PRIVILEGES", Verb::admin},
    {"AlterDomainStmt", "ALTER DOMAIN", Verb::schema},
    {"AlterEnumStmt", "ALTER TYPE", Verb::schema},
    {"AlterEventTrigStmt", "ALTER EVENT TRIGGER", Verb::admin},
    {"AlterExtensionContentsStmt", "ALTER EXTENSION", Verb::admin},
    {"AlterExtensionStmt", "ALTER EXTENSION", Verb::schema},
    {"AlterFdwStmt", "ALTER FOREIGN DATA WRAPPER", Verb::admin},
    {"AlterForeignServerStmt", "ALTER SERVER", Verb::admin},
    {"AlterFunctionStmt", "ALTER FUNCTION", Verb::admin},
    {"AlterObjectDependsStmt", "ALTER DEPENDS", Verb::schema},
    {"AlterObjectSchemaStmt", "ALTER SET SCHEMA", Verb::schema},
    {"AlterOpFamilyStmt", "ALTER OPERATOR FAMILY", Verb::admin},
    {"AlterOperatorStmt", "ALTER OPERATOR", Verb::admin},
    {"AlterOwnerStmt", "ALTER OWNER", Verb::admin},
    {"AlterPolicyStmt", "ALTER POLICY", Verb::admin},
    {"AlterPublicationStmt", "ALTER PUBLICATION", Verb::admin},
    {"AlterRoleSetStmt", "ALTER ROLE", Verb::admin},
    {"AlterRoleStmt", "ALTER ROLE", Verb::admin},
    {"AlterSeqStmt", "ALTER SEQUENCE", Verb::schema},
    {"AlterStatsStmt", "ALTER STATISTICS", Verb::schema},
    {"AlterSubscriptionStmt", "ALTER SUBSCRIPTION", Verb::admin},
    {"AlterSystemStmt", "ALTER SYSTEM", Verb::admin},
    {"AlterTSConfigurationStmt", "ALTER TEXT SEARCH CONFIGURATION", Verb::schema},
    {"AlterTSDictionaryStmt", "ALTER TEXT SEARCH DICTIONARY", Verb::schema},
    {"AlterTableMoveAllStmt", "ALTER TABLE ALL", Verb::admin},
    {"AlterTableSpaceOptionsStmt", "ALTER TABLESPACE", Verb::admin},
    {"AlterTypeStmt", "ALTER TYPE", Verb::schema},
    {"AlterUserMappingStmt", "ALTER USER MAPPING", Verb::admin},
    {"ClusterStmt", "CLUSTER", Verb::admin},
    {"CompositeTypeStmt", "CREATE TYPE", Verb::schema},
    {"ConstraintsSetStmt", "SET CONSTRAINTS", Verb::session},
    {"CreateAmStmt", "CREATE ACCESS METHOD", Verb::admin},
    {"CreateCastStmt", "CREATE CAST", Verb::admin},
    {"CreateConversionStmt", "CREATE CONVERSION", Verb::admin},
    {"CreateDomainStmt", "CREATE DOMAIN", Verb::schema},
    {"CreateEnumStmt", "CREATE TYPE", Verb::schema},
    {"CreateEventTrigStmt", "CREATE EVENT TRIGGER", Verb::admin},
    {"CreateFdwStmt", "CREATE FOREIGN DATA WRAPPER", Verb::admin},
    {"CreateForeignServerStmt", "CREATE SERVER", Verb::admin},
    {"CreateOpClassStmt", "CREATE OPERATOR CLASS", Verb::admin},
    {"CreateOpFamilyStmt", "CREATE OPERATOR FAMILY", Verb::admin},
    {"CreatePLangStmt", "CREATE LANGUAGE", Verb::admin},
    {"CreatePolicyStmt", "CREATE POLICY", Verb::admin},
    {"CreatePublicationStmt", "CREATE PUBLICATION", Verb::admin},
    {"CreateRangeStmt", "CREATE TYPE", Verb::schema},
    {"CreateRoleStmt", "CREATE ROLE", Verb::admin},
    {"CreateSeqStmt", "CREATE SEQUENCE", Verb::schema},
    {"CreateStatsStmt", "CREATE STATISTICS", Verb::schema},
    {"CreateSubscriptionStmt", "CREATE SUBSCRIPTION", Verb::admin},
    {"CreateTableSpaceStmt", "CREATE TABLESPACE", Verb::admin},
    {"CreateTransformStmt", "CREATE TRANSFORM", Verb::admin},
    {"CreateTrigStmt", "CREATE TRIGGER", Verb::admin},
    {"CreateUserMappingStmt", "CREATE USER MAPPING", Verb::admin},
    {"CreatedbStmt", "CREATE DATABASE", Verb::admin},
    {"DefineStmt", "CREATE", Verb::admin},  // aggregate, operator, base type, collation, text search
    {"DropOwnedStmt", "DROP OWNED", Verb::admin},
    {"DropRoleStmt", "DROP ROLE", Verb::admin},
    {"DropSubscriptionStmt", "DROP SUBSCRIPTION", Verb::admin},
    {"DropTableSpaceStmt", "DROP TABLESPACE", Verb::admin},
    {"DropUserMappingStmt", "DROP USER MAPPING", Verb::admin},
    {"DropdbStmt", "DROP DATABASE", Verb::admin},
    {"ImportForeignSchemaStmt", "IMPORT FOREIGN SCHEMA", Verb::admin},
    {"LoadStmt", "LOAD", Verb::admin},
    {"ReassignOwnedStmt", "REASSIGN OWNED", Verb::admin},
    {"ReindexStmt", "REINDEX", Verb::admin},
    {"RuleStmt", "CREATE RULE", Verb::admin},
    {"SecLabelStmt", "SECURITY LABEL", Verb::admin},
};
static_assert(std::ranges::is_sorted(kOthers, {}, &Other::tag));

const Other* find_other(const sql::Statement& statement) {
  const auto tag = static_cast<const sql::OtherStatement&>(statement).tag;
  const auto* at = std::ranges::lower_bound(kOthers, tag, {}, &Other::tag);
  return at != std::end(kOthers) && at->tag == tag ? at : nullptr;
}

// Who may see and change a table, and what happens when it is changed.
bool changes_access(const sql::AlterTableStatement& alter) {
  return std::ranges::any_of(alter.commands, [](const sql::AlterTableCommand& command) {
    return command.name == "OWNER TO" || command.name.ends_with("ROW LEVEL SECURITY") ||
           command.name.ends_with("TRIGGER");
  });
}

Verb transaction_verb(sql::TransactionKind action) {
  // Two-phase commit outlives the session, and with it everything that is known about it.
  return action == sql::TransactionKind::prepare || action == sql::TransactionKind::commit_prepared ||
                 action == sql::TransactionKind::rollback_prepared
             ? Verb::admin
             : Verb::session;
}

constexpr std::array kByConsequence = {
    Verb::admin,  Verb::schema, Verb::export_,   Verb::remove, Verb::write,    Verb::scroll,
    Verb::search, Verb::fetch,  Verb::aggregate, Verb::count,  Verb::metadata, Verb::session,
};

bool is_read(Verb verb) {
  return verb == Verb::scroll || verb == Verb::search || verb == Verb::fetch || verb == Verb::aggregate ||
         verb == Verb::count;
}

}  // namespace

std::string_view statement_class(const sql::Statement& statement) {
  switch (statement.kind) {
    case StatementKind::select: return "SELECT";
    case StatementKind::insert: return "INSERT";
    case StatementKind::update: return "UPDATE";
    case StatementKind::delete_: return "DELETE";
    case StatementKind::merge: return "MERGE";
    case StatementKind::copy: return "COPY";
    case StatementKind::prepare: return "PREPARE";
    case StatementKind::execute: return "EXECUTE";
    case StatementKind::deallocate: return "DEALLOCATE";
    case StatementKind::declare_cursor: return "DECLARE CURSOR";
    case StatementKind::fetch: return "FETCH";
    case StatementKind::close_portal: return "CLOSE";
    case StatementKind::explain: return "EXPLAIN";
    case StatementKind::create_table_as: return "CREATE TABLE AS";
    case StatementKind::view: return "CREATE VIEW";
    case StatementKind::transaction: return "TRANSACTION";
    case StatementKind::variable_set: return "SET";
    case StatementKind::variable_show: return "SHOW";
    case StatementKind::discard: return "DISCARD";
    case StatementKind::listen: return "LISTEN";
    case StatementKind::notify: return "NOTIFY";
    case StatementKind::unlisten: return "UNLISTEN";
    case StatementKind::lock: return "LOCK";
    case StatementKind::truncate: return "TRUNCATE";
    case StatementKind::drop: return "DROP";
    case StatementKind::create_table: return "CREATE TABLE";
    case StatementKind::create_index: return "CREATE INDEX";
    case StatementKind::create_extension: return "CREATE EXTENSION";
    case StatementKind::create_schema: return "CREATE SCHEMA";
    case StatementKind::alter_table: return "ALTER";
    case StatementKind::rename: return "RENAME";
    case StatementKind::comment: return "COMMENT";
    case StatementKind::grant: return "GRANT";
    case StatementKind::grant_role: return "GRANT ROLE";
    case StatementKind::create_function: return "CREATE FUNCTION";
    case StatementKind::do_block: return "DO";
    case StatementKind::call: return "CALL";
    case StatementKind::vacuum: return "VACUUM";
    case StatementKind::refresh_view: return "REFRESH MATERIALIZED VIEW";
    case StatementKind::checkpoint: return "CHECKPOINT";
    case StatementKind::other: {
      const auto* known = find_other(statement);
      return known == nullptr ? "OTHER" : known->name;
    }
  }
  return "OTHER";
}

constexpr std::int32_t kAccessShare = 1;  // LockStatement::mode

std::optional<Verb> fixed_verb(const sql::Statement& statement) {
  switch (statement.kind) {
    case StatementKind::transaction:
      return transaction_verb(static_cast<const sql::TransactionStatement&>(statement).action);
    case StatementKind::variable_set:
    case StatementKind::variable_show:
    case StatementKind::discard:
    case StatementKind::deallocate:
    case StatementKind::close_portal:
    case StatementKind::listen:
    case StatementKind::notify:
    case StatementKind::unlisten: return Verb::session;
    case StatementKind::truncate:
      // CASCADE empties tables that the statement does not name.
      return static_cast<const sql::TruncateStatement&>(statement).cascade ? Verb::admin : Verb::remove;
    case StatementKind::alter_table:
      return changes_access(static_cast<const sql::AlterTableStatement&>(statement)) ? Verb::admin
                                                                                     : Verb::schema;
    case StatementKind::create_table:
      // A foreign table reads other servers, or files.
      return static_cast<const sql::CreateTableStatement&>(statement).foreign_ ? Verb::admin : Verb::schema;
    case StatementKind::create_table_as:
    case StatementKind::view:
    case StatementKind::drop:
    case StatementKind::create_index:
    case StatementKind::create_extension:
    case StatementKind::create_schema:
    case StatementKind::rename:
    case StatementKind::comment:
    case StatementKind::create_function:
    case StatementKind::refresh_view: return Verb::schema;
    case StatementKind::lock:
      // The lock that every SELECT takes, which pg_dump takes beforehand: of the table it only says that it
      // is there.
      return static_cast<const sql::LockStatement&>(statement).mode == kAccessShare ? Verb::metadata
                                                                                    : Verb::admin;
    case StatementKind::grant:
    case StatementKind::grant_role:
    case StatementKind::vacuum:
    case StatementKind::checkpoint: return Verb::admin;
    case StatementKind::call: return Verb::write;  // of a procedure that the operator vouches for
    case StatementKind::other: {
      const auto* known = find_other(statement);
      return known == nullptr ? std::nullopt : std::optional(known->verb);
    }
    default: return std::nullopt;
  }
}

Verb Verbs::main() const {
  const auto* at = std::ranges::find_if(kByConsequence, [this](Verb verb) { return has(verb); });
  return at == kByConsequence.end() ? Verb::unknown : *at;
}

std::vector<Verb> Verbs::beside() const {
  std::vector<Verb> out;
  const auto first = main();
  bool reads = is_read(first) || first == Verb::export_;
  for (const auto verb : kByConsequence) {
    if (verb == first || !has(verb) || verb == Verb::metadata || verb == Verb::session) continue;
    if (is_read(verb) && reads) continue;
    reads |= is_read(verb);
    out.push_back(verb);
  }
  return out;
}

}  // namespace sluice::postgres
