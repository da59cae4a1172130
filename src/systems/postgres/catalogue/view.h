// Catalogue: what one upstream database looks like to one role, as an immutable snapshot that all sessions of
// that connection and role share (`std::shared_ptr<const Catalogue>`). Description (verbs, fields, keys) and
// masking (which columns there are, and of what type) both bind names against it. Thread-safe because nothing
// changes.
//
//   const Relation* docs = catalogue->find_relation(session.search_path, "", "docs");
//   if (docs == nullptr) ...            // not there, or not visible: never guess
//
// A snapshot is made by `Catalogue::make` from `CatalogueContents`, which the loader (loader.h) fills from
// the server's answers and tests fill by hand (testing.h). Its `version` is a digest of the content: two
// snapshots with the same version answer alike, so results that depend on the catalogue are cached under it.
//
// A session's own temporary relations are in it, in the schema "pg_temp": such a snapshot is that session's
// alone (has_temporary). What it does not hold: other sessions' temporary objects, temporary types, functions
// and operators, and anything that changed after it was read. `queries.h` says how staleness is noticed.
//
// Names are as in the catalogue (folded, unquoted). An oid is unique per kind of object, not across kinds.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "systems/postgres/catalogue/functions.h"
#include "systems/postgres/catalogue/lineage.h"
#include "systems/postgres/catalogue/triggers.h"

namespace sluice::postgres {

using Oid = std::uint32_t;

// Objects made by initdb have oids below this (FirstNormalObjectId in access/transam.h).
inline constexpr Oid kFirstNormalOid = 16384;

struct Column {
  std::int16_t attnum = 0;  // from 1; dropped columns are left out, so numbers may have gaps
  std::string name;
  Oid type = 0;
  std::int32_t typmod = -1;  // varchar(n): n + 4; vector(n): n; -1: none
  bool not_null = false;
  bool generated = false;  // GENERATED ALWAYS AS (expression), stored or virtual
  bool identity = false;   // GENERATED ... AS IDENTITY
  bool has_default = false;
  // What INSERT puts here is what somebody can bring about without writing the column: the next number of a
  // sequence, a setting, the user.
  bool default_moves = false;
  bool readable = true;  // the role may SELECT it
  // Of a generated column: the columns that its expression reads; of one that a trigger makes of others
  // (triggers.h): those.
  std::vector<std::int16_t> computed_from;
  std::vector<std::string> former_names;  // other names that it has had (name_history.h)
};

// relkind of pg_class.
enum class RelationKind : char {
  table = 'r',
  partitioned_table = 'p',
  view = 'v',
  materialized_view = 'm',
  foreign_table = 'f',
  sequence = 'S',
  composite_type = 'c',
  toast = 't',
};

struct Index {
  Oid oid = 0;
  std::string name;
  std::string method;   // "btree", "hnsw", "ivfflat", ...
  bool unique = false;  // and immediate, valid, without predicate and expression: a key
  bool primary = false;
  std::vector<std::int16_t> key;  // key columns in order; 0 for an expression
  std::vector<std::int16_t>
      columns;  // every column that the index holds or computes from, also in its predicate
};

// What ties the values of several columns, or of two relations, to each other: its error tells about all of
// them.
enum class ConstraintKind : char {
  check = 'c',
  foreign_key = 'f',
  key = 'k',  // a unique index or an exclusion constraint, also on a part of the rows or on expressions
  partition = 'p',
  // What PostgreSQL computes for each row that is written, or for statistics: the expressions and the
  // condition of an index, the expressions of extended statistics.
  computed = 'x',
};

// What becomes of a referencing row: confdeltype and confupdtype of pg_constraint.
enum class ForeignKeyAction : char {
  none = 'a',
  restrict = 'r',
  cascade = 'c',
  set_null = 'n',
  set_default = 'd',
};

struct Constraint {
  std::string name;
  ConstraintKind kind = ConstraintKind::check;
  // All columns that it looks at, in predicates and expressions too; 0 among them: any may be meant (a whole
  // row). Of a foreign key in the order of `referenced_columns`.
  std::vector<std::int16_t> columns;
  std::vector<std::int16_t> plain;  // of `key`: columns that it compares as they are
  bool nulls_are_equal = false;     // of `key`: NULLS NOT DISTINCT
  bool validated = true;            // false: NOT VALID, so stored rows may break it
  // Of `check`: false when it may answer something else for the same row later. It calls what is not
  // immutable (the clock, the user, settings), or something that is not known.
  bool foreseeable = true;
  std::vector<Oid> calls;  // of `check`: the functions that it calls and that initdb did not make
  Oid referenced = 0;      // of `foreign_key`
  std::vector<std::int16_t> referenced_columns;
  ForeignKeyAction on_delete = ForeignKeyAction::none;
  ForeignKeyAction on_update = ForeignKeyAction::none;
};

// Bits of pg_trigger.tgtype (catalog/pg_trigger.h).
inline constexpr std::int16_t kTriggerInsert = 1 << 2;
inline constexpr std::int16_t kTriggerDelete = 1 << 3;
inline constexpr std::int16_t kTriggerUpdate = 1 << 4;
inline constexpr std::int16_t kTriggerTruncate = 1 << 5;

// A trigger that somebody made; not those that keep foreign keys. What it does: triggers.h.
struct Trigger {
  std::string name;
  Oid function = 0;
  std::int16_t events = 0;  // kTrigger...
  bool enabled = true;      // what one that is disabled has made before is still there
  std::vector<std::string> arguments;
  // What its WHEN looks at and calls, built-in functions too. A column 0: any may be meant, a function 0: it
  // has something that is not known.
  std::vector<std::int16_t> condition_columns;
  std::vector<Oid> condition_calls;
};

// How a session calls the schema of its own temporary relations; the true name has a number of its server
// process.
inline constexpr std::string_view kTemporarySchema = "pg_temp";

struct Relation {
  Oid oid = 0;
  std::string schema;
  std::string name;
  RelationKind kind = RelationKind::table;
  std::vector<Column> columns;  // live columns in attnum order
  std::vector<Index> indexes;
  std::vector<Constraint> constraints;
  std::vector<Trigger> triggers;
  std::vector<Oid> parents;   // inheritance and partitioning, one step up
  std::vector<Oid> children;  // one step down
  std::vector<Oid> reads;     // of a view or materialised view: relations its definition reads, one step
  std::vector<Oid> calls;     // of a view: functions its definition calls, built-in ones too
  ViewLineage view;           // of a view: what its columns and rows come from
  std::vector<std::int16_t> primary_key;  // attnums in key order; empty: none
  std::int64_t row_estimate = -1;         // reltuples; -1: unknown
  bool system = false;                    // in pg_catalog, information_schema or pg_toast, made by initdb
  bool row_security = false;
  bool has_rules = false;                 // rules other than a view's own ON SELECT
  std::vector<std::string> former_names;  // others that it has had, with their schemas (name_history.h)

  std::string qualified_name() const { return schema + "." + name; }  // for people: not quoted
  const Column* column(std::string_view column_name) const;
  const Column* column(std::int16_t attnum) const;
  bool is_temporary() const { return schema == kTemporarySchema; }
  bool is_view() const { return kind == RelationKind::view || kind == RelationKind::materialized_view; }
};

// typtype of pg_type.
enum class TypeKind : char {
  base = 'b',
  composite = 'c',
  domain = 'd',
  enumeration = 'e',
  pseudo = 'p',
  range = 'r',
  multirange = 'm',
};

struct Type {
  Oid oid = 0;
  std::string schema;
  std::string name;
  TypeKind kind = TypeKind::base;
  char category = 'X';            // typcategory: 'S' string, 'N' number, 'D' date/time, 'B' boolean, ...
  Oid base = 0;                   // of a domain: the type under it (one step)
  std::int32_t base_typmod = -1;  // of a domain
  Oid element = 0;                // of a true array: its element type
  Oid relation = 0;               // of a composite: its relation
  bool not_null = false;          // of a domain
  std::vector<Oid> check_calls;   // of a domain: the functions that its CHECKs call, those of operators too
  std::vector<Oid> check_types;   // of a domain: the types that its CHECKs convert to
  std::vector<Oid> cast_calls;    // functions of others that casts from or to it call
  // False when using the type can run somebody's code: a domain whose CHECK calls a function that is not
  // vouched for, a base type outside pg_catalog and the vouched extensions, a type with such a cast.
  bool vouched = true;
  std::string extension;    // the extension it belongs to, if any
  std::string first_label;  // of an enumeration: a label that always exists
};

// How a function name resolved: its class, and the schema that has to be written to mean exactly this one.
struct FunctionChoice {
  FunctionFacts facts;
  std::string schema;  // empty: unknown, or `ambiguous`
  // True when several schemas of the search path have functions of that name: which one is meant depends on
  // the types of the arguments. `facts` are then those of the most consequential one, so `dangerous` and
  // `unvouched` win.
  bool ambiguous = false;
};

struct OperatorChoice {
  std::string schema;      // "pg_catalog", or the schema of the extension; empty: unknown, or `ambiguous`
  bool vouched = false;    // whichever is meant, it only computes from its operands
  bool ambiguous = false;  // as above
  bool vector = false;     // pgvector has an operator of that name among them
};

// A function or operator outside pg_catalog, as far as the snapshot keeps it.
struct RoutineEntry {
  Oid oid = 0;
  std::string schema;
  std::string name;
  std::string extension;    // the extension it belongs to, if any
  bool c_language = false;  // written in C or internal: only a superuser can have made it
  // A function that `row.name` calls: it can be called with one argument, which is a row or of any type.
  bool takes_row = false;
  bool is_volatile = false;    // of a function: PostgreSQL calls it also where nobody needs what it answers
  std::vector<Oid> arguments;  // types; OUT arguments are none
  std::string language;        // "sql", "plpgsql", "c"
  // SHA-256 in hex of all that defines a function (queries.cc, kFunctions); empty: of an aggregate or
  // operator.
  std::string definition;
  std::vector<Oid> made_of;  // of an aggregate or operator: its functions; with a 0: it cannot be vouched for
  // An operator vouches for its definition, or for all that it is made of. Set by Catalogue::with_vouches.
  bool vouched = false;
};

// What an operator has read and stands for, in a policy.
struct Vouch {
  std::string signature;   // as Catalogue::signature gives it: "public.slugify(text)"
  std::string definition;  // RoutineEntry::definition
  auto operator<=>(const Vouch&) const = default;
};

// Everything that a snapshot is made of. Relations, types: all that the role can see, system ones included.
// Routines: user-defined and extension ones; of those that initdb made only the oid and name
// (`builtin_routines`), because what they do is known from functions.h.
struct CatalogueContents {
  int server_version = 0;  // server_version_num: 150020
  std::string database;
  std::string role;
  std::vector<std::string> default_search_path;  // as current_schemas(false) told when it was read
  std::vector<std::string> schemas;
  std::vector<Relation> relations;
  std::vector<Type> types;
  std::vector<RoutineEntry> functions;
  std::vector<RoutineEntry> operators;  // outside pg_catalog only
  std::unordered_map<Oid, std::string> builtin_routines;
  std::unordered_set<Oid> volatile_builtins;  // of these
  std::string vector_schema;                  // where extension "vector" is installed; empty: it is not
  std::string fingerprint;  // what the staleness query answered when this was read (queries.h)
};

// Unqualified names resolve over these, in order; pg_catalog is searched first when it is not named.
// Relations also in the temporary schema: before all others when it is not named, by whatever of its names.
// Empty names are skipped.
using SearchPath = std::span<const std::string>;

class Catalogue {
 public:
  static std::shared_ptr<const Catalogue> make(CatalogueContents contents);

  // The same with what is vouched for: functions whose signature and definition are those of a vouch, and
  // operators, aggregates, casts and checks that are built on them. A copy; of another version.
  static std::shared_ptr<const Catalogue> with_vouches(const Catalogue& base, std::span<const Vouch> vouches);

  std::uint64_t version() const { return version_; }  // digest of the content, never 0
  const CatalogueContents& contents() const { return contents_; }
  int server_version() const { return contents_.server_version; }
  const std::string& fingerprint() const { return contents_.fingerprint; }
  const std::string& vector_schema() const { return contents_.vector_schema; }

  const Relation* relation(Oid oid) const;
  // `schema` empty: over the search path. nullptr: no such relation is visible.
  const Relation* find_relation(SearchPath path, std::string_view schema, std::string_view name) const;
  // The relation that an unqualified name would mean were it not for a temporary one in front of it; nullptr:
  // none. Which of the two is meant could change with a transaction's end, so the schema has to be written.
  const Relation* shadowed(SearchPath path, std::string_view name) const;
  // The snapshot holds temporary relations, so that it is one session's.
  bool has_temporary() const { return has_temporary_; }
  // All relations of that name, in whatever schema.
  std::span<const Relation* const> relations_named(std::string_view name) const;

  const Type* type(Oid oid) const;
  // As in SQL after the parser: "int4", "varchar", "vector"; array types as "_int4".
  const Type* find_type(SearchPath path, std::string_view schema, std::string_view name) const;
  // Through all domains, to the type under them; the same type when it is none. nullptr: unknown.
  const Type* base_type(Oid oid) const;
  // "schema.name" for people, array types with "[]"; "?" when unknown.
  std::string type_name(Oid oid) const;

  FunctionChoice find_function(SearchPath path, std::string_view schema, std::string_view name) const;
  OperatorChoice find_operator(SearchPath path, std::string_view schema, std::string_view name) const;
  // "public.slugify(text, public.mood[])": types of pg_catalog without their schema, under the names that
  // pg_type has (int4, varchar).
  std::string signature(const RoutineEntry& function) const;
  // The functions that a name means on the path, or in a schema; without those of pg_catalog.
  std::vector<const RoutineEntry*> functions_named(SearchPath path, std::string_view schema,
                                                   std::string_view name) const;
  // What is known about a function by oid, for `Relation::calls`. Unlike for names, a function of pg_catalog
  // that no table holds counts as plain when it stands behind an operator or cast (int4pl), because
  // definitions name those.
  FunctionFacts function_facts(Oid oid) const;
  TriggerAction action_of(const Trigger& trigger) const;
  // Whether PostgreSQL may have to call it where its result is not needed; true when it is not known.
  bool is_volatile(Oid function) const;
  // Whether the order in which calls were made may tell: of a built-in one (tells_order_of_calls), or of one
  // that somebody made and that is volatile.
  bool tells_order(std::string_view function) const;
  // Whether `row.name` may call a function that is not vouched, where `name` is not a column.
  bool names_unvouched_row_function(std::string_view name) const;

  // All relations that share rows with this one through inheritance or partitioning, in both directions and
  // any number of steps, itself included.
  std::vector<Oid> family(Oid oid) const;
  // All relations that a view reads, any number of steps down, itself included; for a table: itself.
  std::vector<Oid> lineage(Oid oid) const;

  // Schemas of temporary objects ("pg_temp", "pg_temp_3").
  static bool is_temporary_schema(std::string_view schema);

 private:
  explicit Catalogue(CatalogueContents contents);
  const Relation* find_permanent(SearchPath path, const std::string& name) const;

  // Aggregates and operators are no better than the functions that they are made of.
  void judge_routines();
  // What triggers make of other columns.
  void find_made_columns();
  // Types are no better than the functions that their checks and casts call, and the types they are made of.
  void judge_types();
  bool is_part_harmless(Oid function) const;

  CatalogueContents contents_;
  std::vector<std::size_t> distrusted_;  // types that were vouched for as they were read
  std::uint64_t version_ = 0;
  bool has_temporary_ = false;
  std::unordered_map<Oid, const Relation*> relation_by_oid_;
  std::unordered_map<std::string, std::vector<const Relation*>> relations_by_name_;
  std::unordered_map<Oid, const Type*> type_by_oid_;
  std::unordered_map<std::string, std::vector<const Type*>> types_by_name_;
  std::unordered_map<Oid, const RoutineEntry*> function_by_oid_;
  std::unordered_map<std::string, std::vector<const RoutineEntry*>> functions_by_name_;
  std::unordered_map<std::string, std::vector<const RoutineEntry*>> operators_by_name_;
  std::unordered_set<std::string> builtin_function_names_;
};

}  // namespace sluice::postgres
