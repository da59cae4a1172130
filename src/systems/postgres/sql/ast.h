// The SQL model: what PostgreSQL's own grammar understood of a text, as plain structs in an arena.
//
// `parse()` (sql/parse.h) makes it; nothing else does, and nothing changes it afterwards. Every pointer, list
// and string in here lives as long as the `ParsedSql` that owns it. A pointer that may be null says so; all
// others are never null.
//
// Deny by default: a node or a field of PostgreSQL's tree that the converter does not know becomes an
// `Unknown` in the statement's list (and an `UnknownExpr`/`UnknownFrom`/`OtherStatement` in its place). A
// statement whose list is not empty must not be treated as understood.
//
// Locations are byte offsets into the text that was parsed, as PostgreSQL gives them: the first byte of the
// token that it considers characteristic (the operator of an expression, the name of a function, the first
// part of a column reference); `kNoLocation` where it gives none. sql/tokens.h finds where a token ends.
//
//   if (const auto* select = as<SelectStatement>(statement)) ...
//   switch (expr->kind) { case ExprKind::column: ... static_cast<const ColumnRef*>(expr) ... }
//
// Names and comments follow PostgreSQL's nodes/parsenodes.h and nodes/primnodes.h.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace sluice::postgres::sql {

using Location = std::int32_t;
inline constexpr Location kNoLocation = -1;

template <class T>
using List = std::span<const T>;
using Names = List<std::string_view>;  // a possibly qualified name: {"public", "docs"}, {"docs"}

struct Unknown {
  std::string_view what;  // a node tag or "Tag.field": "JsonTable", "SelectStmt.intoClause"
  Location location = kNoLocation;
};

struct Expr;
struct FromItem;
struct Statement;
struct SelectStatement;
struct SubLink;
using Exprs = List<const Expr*>;

// ---- Types, sort items, windows, columns ----

struct TypeName {
  Names names;  // with the schema where written or implied by the grammar: {"pg_catalog", "int4"}, {"vector"}
  Exprs typmods;
  List<std::int32_t> array_bounds;  // -1: []
  bool setof = false;
  bool percent_type = false;  // column%TYPE
  Location location = kNoLocation;
};

enum class SortDirection : std::uint8_t { unstated, ascending, descending, using_operator };
enum class SortNulls : std::uint8_t { unstated, first, last };

struct SortItem {
  const Expr* expr = nullptr;
  SortDirection direction = SortDirection::unstated;
  SortNulls nulls = SortNulls::unstated;
  Names using_operator;
  Location location = kNoLocation;  // of the operator after USING
};

struct Window {
  std::string_view name;        // WINDOW name AS (...), or OVER name
  std::string_view references;  // OVER (name ...): the window that it extends
  Exprs partition_by;
  List<SortItem> order_by;
  std::int32_t frame_options = 0;      // FRAMEOPTION_* bits of parsenodes.h
  const Expr* start_offset = nullptr;  // may be null
  const Expr* end_offset = nullptr;    // may be null
  Location location = kNoLocation;
};

// One step of `.field`, `.*`, `[i]`, `[a:b]`.
struct Indirection {
  enum class Kind : std::uint8_t { field, star, subscript, slice };
  Kind kind = Kind::field;
  std::string_view field;
  const Expr* lower = nullptr;  // slice, may be null
  const Expr* upper = nullptr;  // subscript or slice, may be null in a slice
};

// Output column of SELECT or RETURNING, column of INSERT, assignment of UPDATE.
struct Target {
  std::string_view name;          // AS name (empty: none), or the column that is written
  List<Indirection> indirection;  // on the column that is written
  const Expr* value = nullptr;    // null in INSERT's column list
  Location location = kNoLocation;
};

struct Alias {
  std::string_view name;
  Names columns;
};

struct DefinedOption {     // DefElem: `name = value`
  std::string_view space;  // namespace; mostly empty
  std::string_view name;
  enum class ValueKind : std::uint8_t { none, text, integer, number, boolean, names, other };
  ValueKind value_kind = ValueKind::none;
  std::string_view text;     // text, number (as written); a type or list's first name
  std::int64_t integer = 0;  // integer, boolean
  Names names;               // list of strings, or a type's name
  enum class Action : std::uint8_t { unstated, set, add, drop };
  Action action = Action::unstated;
  Location location = kNoLocation;
};

// ---- Expressions ----

enum class ExprKind : std::uint8_t {
  unknown,
  column,          // ColumnRef
  parameter,       // ParamRef
  constant,        // Constant
  operation,       // OperatorExpr
  boolean,         // BooleanExpr
  call,            // FunctionCall
  cast,            // TypeCast
  case_,           // CaseExpr
  sub_link,        // SubLink
  coalesce,        // CoalesceExpr
  min_max,         // MinMaxExpr
  array,           // ArrayExpr
  row,             // RowExpr
  null_test,       // NullTest
  boolean_test,    // BooleanTest
  collate,         // CollateExpr
  sql_value,       // SqlValueFunction
  indirection,     // IndirectionExpr
  grouping_func,   // GroupingFunc
  grouping_set,    // GroupingSet (in GROUP BY only)
  xml,             // XmlExpr
  xml_serialize,   // XmlSerialize
  default_,        // SetToDefault
  current_of,      // CurrentOf
  named_argument,  // NamedArgument
  multi_assign,    // MultiAssign (UPDATE only)
  list,            // ExprList: the right side of IN and BETWEEN
};

struct Expr {
  ExprKind kind = ExprKind::unknown;
  Location location = kNoLocation;
};

struct UnknownExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::unknown;
  std::string_view what;
};

// `a`, `t.a`, `s.t.a`, `*`, `t.*`, `s.t.*`. Whether the last part is a column or `t` a whole row is for the
// resolver.
struct ColumnRef : Expr {
  static constexpr ExprKind kKind = ExprKind::column;
  Names parts;  // without the star
  bool star = false;
};

struct ParamRef : Expr {
  static constexpr ExprKind kKind = ExprKind::parameter;
  std::int32_t number = 0;  // 1 for $1
};

enum class ConstantKind : std::uint8_t { null, integer, number, boolean, text, bits };

struct Constant : Expr {
  static constexpr ExprKind kKind = ExprKind::constant;
  ConstantKind value_kind = ConstantKind::null;
  std::int32_t integer = 0;  // integer; boolean: 0 or 1
  std::string_view text;     // text: after unescaping; number: as written; bits: "b0101" or "x1F"
};

enum class OperatorKind : std::uint8_t {
  plain,         // infix, or prefix when `left` is null
  any,           // left op ANY (right)
  all,           // left op ALL (right)
  distinct,      // IS DISTINCT FROM
  not_distinct,  // IS NOT DISTINCT FROM
  null_if,       // NULLIF(left, right)
  in,            // left IN (list): name "=" or, for NOT IN, "<>"; right is an ExprList
  like,          // name "~~" or "!~~"
  ilike,         // name "~~*" or "!~~*"
  similar,       // name "~" or "!~"; right is a call of pg_catalog.similar_to_escape
  between,       // right is an ExprList of two
  not_between,
  between_symmetric,
  not_between_symmetric,
};

struct OperatorExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::operation;
  OperatorKind form = OperatorKind::plain;
  Names name;                   // {"<->"}, or {"public", "<->"} for OPERATOR(public.<->)
  const Expr* left = nullptr;   // null for a prefix operator
  const Expr* right = nullptr;  // may be null
  std::string_view symbol() const { return name.empty() ? std::string_view{} : name.back(); }
};

struct ExprList : Expr {
  static constexpr ExprKind kKind = ExprKind::list;
  Exprs items;
};

enum class BooleanOperator : std::uint8_t { and_, or_, not_ };

struct BooleanExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::boolean;
  BooleanOperator op = BooleanOperator::and_;
  Exprs args;
};

struct FunctionCall : Expr {
  static constexpr ExprKind kKind = ExprKind::call;
  Names name;
  Exprs args;
  List<SortItem> order_by;       // f(... ORDER BY ...) or WITHIN GROUP (ORDER BY ...)
  const Expr* filter = nullptr;  // may be null
  const Window* over = nullptr;  // may be null
  bool within_group = false;
  bool star = false;  // f(*)
  bool distinct = false;
  bool variadic = false;
  bool sql_syntax =
      false;  // written in SQL's own syntax: EXTRACT, SUBSTRING ... FROM, AT TIME ZONE, TRIM, ...
};

struct TypeCast : Expr {
  static constexpr ExprKind kKind = ExprKind::cast;
  const Expr* arg = nullptr;
  const TypeName* type = nullptr;
};

struct CaseWhen {
  const Expr* condition = nullptr;
  const Expr* result = nullptr;
  Location location = kNoLocation;
};

struct CaseExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::case_;
  const Expr* arg = nullptr;  // may be null
  List<CaseWhen> whens;
  const Expr* otherwise = nullptr;  // may be null
};

enum class SubLinkKind : std::uint8_t { exists, all, any, scalar, multi_column, array };

struct SubLink : Expr {
  static constexpr ExprKind kKind = ExprKind::sub_link;
  SubLinkKind form = SubLinkKind::scalar;
  const Expr* test = nullptr;              // left side of ANY/ALL/IN, may be null
  Names operator_name;                     // empty means "=" in IN (SELECT ...)
  const SelectStatement* query = nullptr;  // null only in a statement that is not understood
};

struct CoalesceExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::coalesce;
  Exprs args;
};

struct MinMaxExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::min_max;
  bool greatest = false;
  Exprs args;
};

struct ArrayExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::array;
  Exprs elements;
};

struct RowExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::row;
  Exprs args;
  bool explicit_row = false;  // ROW(...), not (...)
};

struct NullTest : Expr {
  static constexpr ExprKind kKind = ExprKind::null_test;
  const Expr* arg = nullptr;
  bool is_null = true;  // false: IS NOT NULL
};

enum class BooleanTestKind : std::uint8_t {
  is_true,
  is_not_true,
  is_false,
  is_not_false,
  is_unknown,
  is_not_unknown
};

struct BooleanTest : Expr {
  static constexpr ExprKind kKind = ExprKind::boolean_test;
  BooleanTestKind test = BooleanTestKind::is_true;
  const Expr* arg = nullptr;
};

struct CollateExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::collate;
  const Expr* arg = nullptr;  // null in a column definition
  Names collation;
};

// CURRENT_DATE, CURRENT_USER, LOCALTIMESTAMP(3) ...
struct SqlValueFunction : Expr {
  static constexpr ExprKind kKind = ExprKind::sql_value;
  std::string_view name;  // lower case: "current_user"
};

struct IndirectionExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::indirection;
  const Expr* arg = nullptr;
  List<Indirection> steps;
};

struct GroupingFunc : Expr {
  static constexpr ExprKind kKind = ExprKind::grouping_func;
  Exprs args;
};

enum class GroupingSetKind : std::uint8_t { empty, simple, rollup, cube, sets };

struct GroupingSet : Expr {
  static constexpr ExprKind kKind = ExprKind::grouping_set;
  GroupingSetKind form = GroupingSetKind::empty;
  Exprs content;  // expressions or nested GroupingSets
};

enum class XmlOperator : std::uint8_t { concat, element, forest, parse, pi, root, serialize, document };

struct XmlExpr : Expr {
  static constexpr ExprKind kKind = ExprKind::xml;
  XmlOperator op = XmlOperator::concat;
  std::string_view name;
  List<Target> named_args;  // attributes
  Exprs args;
};

struct XmlSerialize : Expr {
  static constexpr ExprKind kKind = ExprKind::xml_serialize;
  const Expr* arg = nullptr;
  const TypeName* type = nullptr;
};

struct SetToDefault : Expr {
  static constexpr ExprKind kKind = ExprKind::default_;
};

struct CurrentOf : Expr {
  static constexpr ExprKind kKind = ExprKind::current_of;
  std::string_view cursor;  // empty when a parameter names it
  std::int32_t parameter = 0;
};

struct NamedArgument : Expr {
  static constexpr ExprKind kKind = ExprKind::named_argument;
  std::string_view name;
  const Expr* arg = nullptr;
};

// UPDATE ... SET (a, b) = source: one of these for each column, sharing the source.
struct MultiAssign : Expr {
  static constexpr ExprKind kKind = ExprKind::multi_assign;
  const Expr* source = nullptr;
  std::int32_t column = 0;  // from 1
  std::int32_t columns = 0;
};

// ---- FROM ----

enum class FromKind : std::uint8_t { unknown, relation, join, sub_select, function, sample, table_func };

struct FromItem {
  FromKind kind = FromKind::unknown;
  Location location = kNoLocation;
  const Alias* alias = nullptr;  // may be null
};

struct UnknownFrom : FromItem {
  static constexpr FromKind kKind = FromKind::unknown;
  std::string_view what;
};

enum class Persistence : std::uint8_t { permanent, unlogged, temporary };

struct RangeVar : FromItem {
  static constexpr FromKind kKind = FromKind::relation;
  std::string_view catalog;
  std::string_view schema;  // empty: found on the search_path, or a CTE
  std::string_view name;
  bool inherit = true;                               // false: ONLY
  Persistence persistence = Persistence::permanent;  // of a relation that is created
};

enum class JoinKind : std::uint8_t {
  inner,
  left,
  full,
  right
};  // CROSS JOIN and `a, b` within parentheses: inner

struct JoinItem : FromItem {
  static constexpr FromKind kKind = FromKind::join;
  JoinKind join = JoinKind::inner;
  bool natural = false;
  const FromItem* left = nullptr;
  const FromItem* right = nullptr;
  Names using_columns;
  const Alias* using_alias = nullptr;  // JOIN ... USING (...) AS x, may be null
  const Expr* on = nullptr;            // may be null
};

struct SubSelectItem : FromItem {
  static constexpr FromKind kKind = FromKind::sub_select;
  bool lateral = false;
  const SelectStatement* query = nullptr;  // null only in a statement that is not understood
};

struct ColumnDefinition {
  std::string_view name;
  const TypeName* type = nullptr;       // null in CREATE TABLE OF
  const Expr* default_value = nullptr;  // may be null; also a GENERATED expression
  bool generated = false;               // default_value is GENERATED ALWAYS AS (...) STORED
  bool not_null = false;
  bool identity = false;
  bool primary_key = false;
  bool unique = false;
  List<const Expr*> checks;
  const RangeVar* references = nullptr;    // may be null
  const CollateExpr* collation = nullptr;  // may be null
  Location location = kNoLocation;
};

struct FromFunction {
  const Expr* call = nullptr;  // a FunctionCall, or an SQL value function and the like
  List<ColumnDefinition> columns;
};

struct FunctionItem : FromItem {
  static constexpr FromKind kKind = FromKind::function;
  bool lateral = false;
  bool ordinality = false;
  bool rows_from = false;
  List<FromFunction> functions;
  List<ColumnDefinition> columns;
};

struct SampleItem : FromItem {
  static constexpr FromKind kKind = FromKind::sample;
  const FromItem* relation = nullptr;
  Names method;
  Exprs args;
  const Expr* repeatable = nullptr;  // may be null
};

struct TableFuncColumn {
  std::string_view name;
  const TypeName* type = nullptr;  // null for FOR ORDINALITY
  bool for_ordinality = false;
  bool not_null = false;
  const Expr* path = nullptr;           // may be null
  const Expr* default_value = nullptr;  // may be null
  Location location = kNoLocation;
};

// XMLTABLE
struct TableFuncItem : FromItem {
  static constexpr FromKind kKind = FromKind::table_func;
  bool lateral = false;
  const Expr* document = nullptr;
  const Expr* rows = nullptr;
  List<Target> namespaces;
  List<TableFuncColumn> columns;
};

// ---- Statements ----

enum class StatementKind : std::uint8_t {
  other,  // OtherStatement
  select,
  insert,
  update,
  delete_,
  merge,
  copy,
  prepare,
  execute,
  deallocate,
  declare_cursor,
  fetch,
  close_portal,
  explain,
  create_table_as,
  view,
  transaction,
  variable_set,
  variable_show,
  discard,
  listen,
  notify,
  unlisten,
  lock,
  truncate,
  drop,
  create_table,
  create_index,
  create_extension,
  create_schema,
  alter_table,
  rename,
  comment,
  grant,
  grant_role,
  create_function,
  do_block,
  call,
  vacuum,
  refresh_view,
  checkpoint,
};

struct Statement {
  StatementKind kind = StatementKind::other;
};

// A statement class that needs no structure: `tag` is PostgreSQL's node tag ("AlterSystemStmt"). What it does
// is for the describer to know by tag; `relation` is the table, view or sequence that it names, if it names
// one.
struct OtherStatement : Statement {
  static constexpr StatementKind kKind = StatementKind::other;
  std::string_view tag;
  const RangeVar* relation = nullptr;  // may be null
};

struct CteSearch {
  Names columns;
  bool breadth_first = false;
  std::string_view sequence_column;
};

struct CteCycle {
  Names columns;
  std::string_view mark_column;
  const Expr* mark_value = nullptr;
  const Expr* mark_default = nullptr;
  std::string_view path_column;
};

enum class Materialized : std::uint8_t { unstated, always, never };

struct CommonTable {
  std::string_view name;
  Names columns;
  Materialized materialized = Materialized::unstated;
  const Statement* query = nullptr;   // SELECT, INSERT, UPDATE or DELETE (17: MERGE)
  const CteSearch* search = nullptr;  // may be null
  const CteCycle* cycle = nullptr;    // may be null
  Location location = kNoLocation;
};

struct WithClause {
  List<CommonTable> tables;
  bool recursive = false;
  Location location = kNoLocation;
};

enum class SetOperation : std::uint8_t { none, union_, intersect, except };
enum class LockStrength : std::uint8_t { none, key_share, share, no_key_update, update };
enum class LockWait : std::uint8_t { block, skip, error };

struct Locking {
  List<const RangeVar*> relations;  // names of FROM items; empty: all
  LockStrength strength = LockStrength::update;
  LockWait wait = LockWait::block;
};

enum class OnCommit : std::uint8_t { unstated, preserve_rows, delete_rows, drop };

struct IntoClause {
  const RangeVar* relation = nullptr;
  Names columns;
  OnCommit on_commit = OnCommit::unstated;
  std::string_view access_method;
  std::string_view tablespace;
  List<DefinedOption> options;
  bool with_no_data = false;
};

// One SELECT or VALUES, or a set operation over two of them.
struct SelectStatement : Statement {
  static constexpr StatementKind kKind = StatementKind::select;
  // A plain SELECT:
  bool distinct = false;
  Exprs distinct_on;                 // with `distinct`; empty: plain DISTINCT
  const IntoClause* into = nullptr;  // may be null
  List<Target> targets;
  List<const FromItem*> from;
  const Expr* where = nullptr;  // may be null
  Exprs group_by;               // expressions and GroupingSets
  bool group_distinct = false;
  const Expr* having = nullptr;  // may be null
  List<const Window*> windows;
  // VALUES: one list for each row; then all of the above is empty.
  List<Exprs> values;
  bool is_values = false;
  // All forms:
  List<SortItem> order_by;
  const Expr* offset = nullptr;  // may be null
  const Expr* limit = nullptr;   // may be null; LIMIT ALL is a null constant
  bool with_ties = false;
  List<Locking> locking;
  const WithClause* with = nullptr;  // may be null
  // A set operation; then the plain SELECT's fields are empty.
  SetOperation set_operation = SetOperation::none;
  bool set_all = false;
  const SelectStatement* left = nullptr;
  const SelectStatement* right = nullptr;
};

struct IndexElement {
  std::string_view name;       // column, or empty
  const Expr* expr = nullptr;  // may be null
  Names collation;
  Names operator_class;
  List<DefinedOption> operator_class_options;
  SortDirection direction = SortDirection::unstated;
  SortNulls nulls = SortNulls::unstated;
};

struct OnConflict {
  bool update = false;  // false: DO NOTHING
  bool has_target = false;
  List<IndexElement> target;
  const Expr* target_where = nullptr;  // may be null
  std::string_view constraint;
  List<Target> assignments;
  const Expr* where = nullptr;  // may be null
  Location location = kNoLocation;
};

enum class Overriding : std::uint8_t { none, user_value, system_value };

struct InsertStatement : Statement {
  static constexpr StatementKind kKind = StatementKind::insert;
  const RangeVar* relation = nullptr;
  List<Target> columns;
  const SelectStatement* source = nullptr;  // SELECT or VALUES; null: DEFAULT VALUES
  const OnConflict* on_conflict = nullptr;  // may be null
  List<Target> returning;
  const WithClause* with = nullptr;  // may be null
  Overriding overriding = Overriding::none;
};

struct UpdateStatement : Statement {
  static constexpr StatementKind kKind = StatementKind::update;
  const RangeVar* relation = nullptr;
  List<Target> assignments;
  List<const FromItem*> from;
  const Expr* where = nullptr;  // may be null
  List<Target> returning;
  const WithClause* with = nullptr;  // may be null
};

struct DeleteStatement : Statement {
  static constexpr StatementKind kKind = StatementKind::delete_;
  const RangeVar* relation = nullptr;
  List<const FromItem*> using_items;
  const Expr* where = nullptr;  // may be null
  List<Target> returning;
  const WithClause* with = nullptr;  // may be null
};

enum class MergeAction : std::uint8_t { nothing, insert, update, delete_ };

struct MergeWhen {
  enum class Match : std::uint8_t { matched, not_matched_by_source, not_matched_by_target };
  Match match = Match::matched;
  MergeAction action = MergeAction::nothing;
  const Expr* condition = nullptr;  // may be null
  List<Target> targets;             // assignments, or the columns of INSERT
  Exprs values;                     // of INSERT
  Overriding overriding = Overriding::none;
};

struct MergeStatement : Statement {
  static constexpr StatementKind kKind = StatementKind::merge;
  const RangeVar* relation = nullptr;
  const FromItem* source = nullptr;
  const Expr* on = nullptr;
  List<MergeWhen> whens;
  List<Target> returning;            // PostgreSQL 17
  const WithClause* with = nullptr;  // may be null
};

struct CopyStatement : Statement {
  static constexpr StatementKind kKind = StatementKind::copy;
  const RangeVar* relation = nullptr;  // null when `query` is set
  const Statement* query = nullptr;    // COPY (query) TO
  Names columns;
  bool from = false;      // FROM: into the table; else TO
  bool program = false;   // `file` is a command line on the server
  std::string_view file;  // empty: STDIN or STDOUT
  List<DefinedOption> options;
  const Expr* where = nullptr;  // may be null
};

struct PrepareStatement : Statement {
  static constexpr StatementKind kKind = StatementKind::prepare;
  std::string_view name;
  List<const TypeName*> types;
  const Statement* query = nullptr;
};

struct ExecuteStatement : Statement {
  static constexpr StatementKind kKind = StatementKind::execute;
  std::string_view name;
  Exprs arguments;
};

struct DeallocateStatement : Statement {
  static constexpr StatementKind kKind = StatementKind::deallocate;
  bool all = false;
  std::string_view name;
};

struct DeclareCursorStatement : Statement {
  static constexpr StatementKind kKind = StatementKind::declare_cursor;
  std::string_view name;
  bool binary = false;
  bool scroll = false;
  bool no_scroll = false;
  bool insensitive = false;
  bool hold = false;
  const Statement* query = nullptr;
};

enum class FetchDirection : std::uint8_t { forward, backward, absolute, relative };

struct FetchStatement : Statement {
  static constexpr StatementKind kKind = StatementKind::fetch;
  FetchDirection direction = FetchDirection::forward;
  bool all = false;        // FETCH ALL, FORWARD ALL, BACKWARD ALL
  std::int64_t count = 1;  // rows, or the position for absolute and relative
  std::string_view cursor;
  bool move = false;  // MOVE: returns no rows
};

struct ClosePortalStatement : Statement {
  static constexpr StatementKind kKind = StatementKind::close_portal;
  bool all = false;
  std::string_view name;
};

struct ExplainStatement : Statement {
  static constexpr StatementKind kKind = StatementKind::explain;
  const Statement* query = nullptr;
  List<DefinedOption> options;
  bool analyze = false;  // the query is executed
};

struct CreateTableAsStatement : Statement {
  static constexpr StatementKind kKind = StatementKind::create_table_as;
  const Statement* query = nullptr;  // SELECT, or EXECUTE
  const IntoClause* into = nullptr;
  bool materialized_view = false;
  bool if_not_exists = false;
};

struct ViewStatement : Statement {
  static constexpr StatementKind kKind = StatementKind::view;
  const RangeVar* view = nullptr;
  Names columns;
  const SelectStatement* query = nullptr;
  bool replace = false;
  List<DefinedOption> options;
};

enum class TransactionKind : std::uint8_t {
  begin,
  start,
  commit,
  rollback,
  savepoint,
  release,
  rollback_to,
  prepare,
  commit_prepared,
  rollback_prepared
};

struct TransactionStatement : Statement {
  static constexpr StatementKind kKind = StatementKind::transaction;
  TransactionKind action = TransactionKind::begin;
  List<DefinedOption> options;  // transaction_isolation, transaction_read_only, transaction_deferrable
  std::string_view name;        // savepoint, or the identifier of a prepared transaction
  bool chain = false;
};

enum class SetKind : std::uint8_t { value, to_default, from_current, multi, reset, reset_all };

struct VariableSetStatement : Statement {
  static constexpr StatementKind kKind = StatementKind::variable_set;
  SetKind action = SetKind::value;
  std::string_view
      name;    // as written, lower-cased where unquoted; "TRANSACTION", "SESSION CHARACTERISTICS" for multi
  Exprs args;  // constants; for multi see `options`
  List<DefinedOption> options;
  bool local = false;
};

struct VariableShowStatement : Statement {
  static constexpr StatementKind kKind = StatementKind::variable_show;
  std::string_view name;  // "all" for SHOW ALL
};

enum class DiscardTarget : std::uint8_t { all, plans, sequences, temp };

struct DiscardStatement : Statement {
  static constexpr StatementKind kKind = StatementKind::discard;
  DiscardTarget target = DiscardTarget::all;
};

struct ListenStatement : Statement {
  static constexpr StatementKind kKind = StatementKind::listen;
  std::string_view channel;
};

struct NotifyStatement : Statement {
  static constexpr StatementKind kKind = StatementKind::notify;
  std::string_view channel;
  std::string_view payload;
};

struct UnlistenStatement : Statement {
  static constexpr StatementKind kKind = StatementKind::unlisten;
  bool all = false;
  std::string_view channel;
};

struct LockStatement : Statement {
  static constexpr StatementKind kKind = StatementKind::lock;
  List<const RangeVar*> relations;
  std::int32_t mode = 0;  // 1 (ACCESS SHARE) to 8 (ACCESS EXCLUSIVE)
  bool nowait = false;
};

struct TruncateStatement : Statement {
  static constexpr StatementKind kKind = StatementKind::truncate;
  List<const RangeVar*> relations;
  bool restart_sequences = false;
  bool cascade = false;
};

// Kinds of objects of DROP, ALTER, RENAME, COMMENT and GRANT, as far as they matter here.
enum class ObjectKind : std::uint8_t {
  other,
  table,
  foreign_table,
  view,
  materialized_view,
  index,
  sequence,
  column,
  attribute,  // of a composite type, and of the tables made of it
  schema,
  extension,
  function,
  procedure,
  routine,
  aggregate,
  type,
  domain,
  trigger,
  rule,
  policy,
  constraint,
  role,
  database,
  collation,
  language,
  operator_,
};

struct DropStatement : Statement {
  static constexpr StatementKind kKind = StatementKind::drop;
  ObjectKind object = ObjectKind::other;
  std::string_view object_name;  // for display: "TABLE", "FUNCTION"
  List<Names> objects;
  bool if_exists = false;
  bool cascade = false;
  bool concurrently = false;
};

struct CreateTableStatement : Statement {
  static constexpr StatementKind kKind = StatementKind::create_table;
  const RangeVar* relation = nullptr;
  List<ColumnDefinition> columns;
  List<const RangeVar*> likes;
  List<const RangeVar*> inherits;     // INHERITS or PARTITION OF
  List<const RangeVar*> references;   // of table-level foreign keys
  List<const Expr*> checks;           // of table-level constraints, of the partition key and of FOR VALUES
  const TypeName* of_type = nullptr;  // may be null
  List<DefinedOption> options;
  OnCommit on_commit = OnCommit::unstated;
  bool partition = false;    // PARTITION OF
  bool partitioned = false;  // PARTITION BY
  bool if_not_exists = false;
  bool foreign_ = false;  // CREATE FOREIGN TABLE
};

struct CreateIndexStatement : Statement {
  static constexpr StatementKind kKind = StatementKind::create_index;
  std::string_view name;  // may be empty
  const RangeVar* relation = nullptr;
  std::string_view access_method;
  List<IndexElement> elements;
  List<IndexElement> including;
  List<DefinedOption> options;
  const Expr* where = nullptr;  // may be null
  bool unique = false;
  bool concurrently = false;
  bool if_not_exists = false;
};

struct CreateExtensionStatement : Statement {
  static constexpr StatementKind kKind = StatementKind::create_extension;
  std::string_view name;
  bool if_not_exists = false;
  List<DefinedOption> options;
};

struct CreateSchemaStatement : Statement {
  static constexpr StatementKind kKind = StatementKind::create_schema;
  std::string_view name;  // empty: AUTHORIZATION's role gives it
  std::string_view owner;
  List<const Statement*> elements;
  bool if_not_exists = false;
};

struct AlterTableCommand {
  std::string_view name;                     // "ADD COLUMN", "DROP COLUMN", "ENABLE ROW LEVEL SECURITY", ...
  std::string_view object;                   // column, constraint, trigger ...
  const ColumnDefinition* column = nullptr;  // ADD COLUMN and ALTER COLUMN TYPE, may be null
  const RangeVar* relation = nullptr;        // INHERIT, ATTACH PARTITION, REFERENCES: may be null
  Exprs expressions;                         // DEFAULT, USING, CHECK, FOR VALUES
};

struct AlterTableStatement : Statement {
  static constexpr StatementKind kKind = StatementKind::alter_table;
  ObjectKind object = ObjectKind::table;
  const RangeVar* relation = nullptr;
  List<AlterTableCommand> commands;
  bool if_exists = false;
};

struct RenameStatement : Statement {
  static constexpr StatementKind kKind = StatementKind::rename;
  ObjectKind object = ObjectKind::other;
  const RangeVar* relation = nullptr;  // may be null
  Names object_name;                   // when it is not a relation
  std::string_view old_name;           // of a column, trigger ...
  std::string_view new_name;
  bool if_exists = false;
};

struct CommentStatement : Statement {
  static constexpr StatementKind kKind = StatementKind::comment;
  ObjectKind object = ObjectKind::other;
  Names object_name;
  std::string_view comment;
};

struct GrantStatement : Statement {
  static constexpr StatementKind kKind = StatementKind::grant;
  bool grant = true;  // false: REVOKE
  ObjectKind object = ObjectKind::other;
  List<const RangeVar*> relations;
  Names privileges;  // empty: ALL
};

struct GrantRoleStatement : Statement {
  static constexpr StatementKind kKind = StatementKind::grant_role;
  bool grant = true;
  Names roles;
  Names grantees;
};

struct CreateFunctionStatement : Statement {
  static constexpr StatementKind kKind = StatementKind::create_function;
  Names name;
  bool procedure = false;
  bool replace = false;
  std::string_view language;
  bool security_definer = false;
};

struct DoStatement : Statement {
  static constexpr StatementKind kKind = StatementKind::do_block;
  std::string_view code;
  std::string_view language;  // empty: plpgsql
};

struct CallStatement : Statement {
  static constexpr StatementKind kKind = StatementKind::call;
  const FunctionCall* call = nullptr;
};

struct VacuumTarget {
  const RangeVar* relation = nullptr;
  Names columns;
};

struct VacuumStatement : Statement {
  static constexpr StatementKind kKind = StatementKind::vacuum;
  bool vacuum = true;  // false: ANALYZE
  List<DefinedOption> options;
  List<VacuumTarget> targets;  // empty: the whole database
};

struct RefreshViewStatement : Statement {
  static constexpr StatementKind kKind = StatementKind::refresh_view;
  const RangeVar* relation = nullptr;
  bool concurrently = false;
  bool with_no_data = false;
};

struct CheckpointStatement : Statement {
  static constexpr StatementKind kKind = StatementKind::checkpoint;
};

// ---- Looking at nodes ----

// The node as a T, or null when it is null or of another kind.
template <class T, class Base>
const T* as(const Base* node) {
  return node != nullptr && node->kind == T::kKind ? static_cast<const T*>(node) : nullptr;
}

}  // namespace sluice::postgres::sql
