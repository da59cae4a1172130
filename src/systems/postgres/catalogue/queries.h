// The constant statements by which the gateway reads a catalogue. They work on PostgreSQL 13 to 18, for any
// role, under any search_path: every relation, function, type and operator in them names its schema. All
// columns are text.
//
// `kStaleness` is for polling: its one row differs whenever what a snapshot holds may have changed. It adds
// up the inserting transaction ids and counts of the rows of the system catalogues, so each insert, update
// and delete that has committed shows; VACUUM and ANALYZE do not. It costs one scan of those catalogues
// (pg_attribute is the large one: about 1 ms per 3,000 columns). What it misses, on purpose: changes that
// have not committed (a session that has run DDL reads the catalogue itself, on its own connection),
// temporary objects, and memberships of roles (the database checks privileges itself on each statement).
#pragma once

#include <string_view>

namespace sluice::postgres::catalogue_queries {

// Only where the reader is not inside somebody's transaction already: one snapshot for all that follow.
inline constexpr std::string_view kBegin = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY";
inline constexpr std::string_view kCommit = "COMMIT";

// sum | sum | ...: one text.
extern const std::string_view kStaleness;

// server_version_num, database, role, schema of extension vector or null
extern const std::string_view kServer;
// 'path' | 'schema', name: in order of the search path
extern const std::string_view kSchemas;
// oid, schema, name, kind, row estimate, row security, other rules, system
extern const std::string_view kRelations;
// relation, attnum, name, type, typmod, not null, generated, identity, default, readable, computed from
// (numbers)
extern const std::string_view kColumns;
// relation, oid, name, method, is a key, primary, key columns (numbers), columns computed from (numbers)
extern const std::string_view kIndexes;
// child, parent
extern const std::string_view kInheritance;
// view, 'relid' | any other word for a function, oid
extern const std::string_view kViews;
// view, its definition as a tree or null where it is too long (node_tree.h)
extern const std::string_view kViewTrees;
// oid, schema, name, kind, category, base, base typmod, element, relation, not null, extension or null,
// functions of casts (numbers), first label or null
extern const std::string_view kTypes;
// domain, one of its checks as a tree or null where it is too long
extern const std::string_view kChecks;
// oid, schema, name, extension or null, in C, takes a row, volatile, types of arguments (numbers), language,
// functions of an aggregate (numbers) or null, SHA-256 of the definition or null
extern const std::string_view kFunctions;
// oid, name, volatile
extern const std::string_view kBuiltinRoutines;
// oid, schema, name, extension or null, in C, its function
extern const std::string_view kOperators;
// relation, name, kind (ConstraintKind), columns (numbers), plain columns of a key (numbers), nulls are
// equal, referenced relation, its columns (numbers), on delete, on update
extern const std::string_view kConstraints;
// relation, name, function, events (tgtype), enabled, has a WHEN, arguments (hex, each with a NUL behind it)
extern const std::string_view kTriggers;
// relation, kind ('c': a check, 't': the WHEN of a trigger), name, columns (numbers), functions (numbers),
// foreseeable: immutable functions and such kinds of expressions only
extern const std::string_view kExpressions;

}  // namespace sluice::postgres::catalogue_queries
