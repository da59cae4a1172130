// The converter from PostgreSQL's raw parse tree to our model. Private to sql/pg_tree*.cc, the only files
// that see PostgreSQL's headers: inside this namespace `::SelectStmt` is PostgreSQL's and `SelectStatement`
// is ours.
//
// Deny by default: a tag, an enumerator or a field in use that is not listed here is noted as an Unknown, and
// the statement that holds it is thereby not understood. Every function descends at most `ParseLimits::depth`
// levels; when a limit is exceeded the converter stops looking and `failure()` says which.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "systems/postgres/sql/parse.h"

// After everything else: these define macros with names like ERROR, Min and foreach.
extern "C" {
#include "postgres.h"
// postgres.h first
#include "nodes/nodes.h"
#include "nodes/parsenodes.h"
#include "nodes/pg_list.h"
#include "nodes/primnodes.h"
#include "nodes/value.h"
}

namespace sluice::postgres::sql {

// PostgreSQL's name of a node tag, "A_Expr"; "node tag 123" for one that is not listed.
std::string_view tag_name(::NodeTag tag, Arena& arena);

class TreeConverter {
 public:
  TreeConverter(Arena& arena, const ParseLimits& limits) : arena_(arena), limits_(limits) {}

  ParsedStatement raw_statement(const ::RawStmt& raw, std::string_view text);
  std::optional<ParseErrorKind> failure() const { return failure_; }
  // Of what there is too much; empty: of nodes.
  const std::string& too_many() const { return too_many_; }

  static ParsedSql finish(Arena arena, std::string_view text, List<ParsedStatement> statements);

 private:
  // One level of nesting. False when the tree is too deep or too large: then return a placeholder.
  class Level {
   public:
    explicit Level(TreeConverter& of) : of_(of) {
      if (++of.depth_ > of.limits_.depth) of.failure_ = ParseErrorKind::too_deep;
      if (++of.nodes_ > of.limits_.nodes) of.failure_ = ParseErrorKind::too_large;
    }
    ~Level() { --of_.depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    explicit operator bool() const { return !of_.failure_; }

   private:
    TreeConverter& of_;
  };

  template <class T>
  T* make(int location) {
    auto* node = arena_.make<T>();
    node->kind = T::kKind;
    node->location = location;
    return node;
  }
  template <class T>
  T* make_statement() {
    auto* node = arena_.make<T>();
    node->kind = T::kKind;
    return node;
  }
  // A list of what `convert` makes of each element. Elements may be null.
  template <class T, class Convert>
  List<T> list(const ::List* in, Convert&& convert) {
    if (in == nullptr) return {};
    auto out = arena_.make_array<T>(static_cast<std::size_t>(in->length));
    for (int i = 0; i < in->length && !failure_; ++i) {
      out[static_cast<std::size_t>(i)] = convert(static_cast<const ::Node*>(in->elements[i].ptr_value));
    }
    return failure_ ? List<T>{} : List<T>{out};
  }
  // The node as a PG struct when it has the tag, else an Unknown is noted and the answer is null.
  template <class T>
  const T* expect(const ::Node* node, ::NodeTag tag, std::string_view where) {
    if (node != nullptr && nodeTag(node) == tag) return reinterpret_cast<const T*>(node);
    unknown(where);
    return nullptr;
  }

  bool fits(const ::List* in, std::uint32_t most, std::string_view what);
  void unknown(std::string_view what, int location = kNoLocation);
  std::string_view text(const char* from) { return from == nullptr ? std::string_view{} : arena_.copy(from); }

  // pg_tree_expr.cc
  const Expr* expr(const ::Node* node);
  const Expr* optional_expr(const ::Node* node) { return node == nullptr ? nullptr : expr(node); }
  const Expr* rare_expr(const ::Node* node);
  const Expr* unknown_expr(std::string_view what, int location);
  Exprs exprs(const ::List* in);
  const Expr* column_ref(const ::ColumnRef& in);
  const Expr* constant(const ::A_Const& in);
  const Expr* operation(const ::A_Expr& in);
  const Expr* operand(const ::Node* node);
  const Expr* boolean(const ::BoolExpr& in);
  const Expr* function_call(const ::FuncCall& in);
  const Expr* cast(const ::TypeCast& in);
  const Expr* case_expr(const ::CaseExpr& in);
  const Expr* sub_link(const ::SubLink& in);
  const Expr* null_test(const ::NullTest& in);
  const Expr* boolean_test(const ::BooleanTest& in);
  const Expr* sql_value(const ::SQLValueFunction& in);
  const Expr* indirection_expr(const ::A_Indirection& in);
  const Expr* grouping_set(const ::GroupingSet& in);
  const Expr* xml(const ::XmlExpr& in);
  const Expr* xml_serialize(const ::XmlSerialize& in);
  const Expr* multi_assign(const ::MultiAssignRef& in);
  const CollateExpr* collate(const ::CollateClause& in);
  const Window* window(const ::WindowDef& in);
  const TypeName* type_name(const ::TypeName* in);
  List<Indirection> indirection(const ::List* in);
  SortItem sort_item(const ::Node* node);
  List<SortItem> sort_items(const ::List* in);
  Names names(const ::List* in);        // of String nodes
  Names object_name(const ::Node* in);  // of whatever DROP, COMMENT and RENAME call an object

  // pg_tree_select.cc
  const SelectStatement* select(const ::Node* node);
  void select_body(const ::SelectStmt& in, SelectStatement& out);
  void locking(const ::SelectStmt& in, SelectStatement& out);
  const FromItem* from_item(const ::Node* node);
  const FromItem* join(const ::JoinExpr& in);
  const FromItem* sub_select(const ::RangeSubselect& in);
  const FromItem* from_function(const ::RangeFunction& in);
  const FromItem* sample(const ::RangeTableSample& in);
  const FromItem* table_func(const ::RangeTableFunc& in);
  List<const FromItem*> from_items(const ::List* in);
  const RangeVar* relation(const ::RangeVar* in);
  const RangeVar* optional_relation(const ::RangeVar* in) { return in == nullptr ? nullptr : relation(in); }
  List<const RangeVar*> relations(const ::List* in);
  const Alias* alias(const ::Alias* in);
  const WithClause* with(const ::WithClause* in);
  CommonTable common_table(const ::Node* node);
  const IntoClause* into(const ::IntoClause* in);
  Target target(const ::Node* node);
  List<Target> targets(const ::List* in);

  // pg_tree_modify.cc
  const Statement* insert(const ::InsertStmt& in);
  const Statement* update(const ::UpdateStmt& in);
  const Statement* delete_from(const ::DeleteStmt& in);
  const Statement* merge(const ::MergeStmt& in);
  const Statement* copy(const ::CopyStmt& in);
  const OnConflict* on_conflict(const ::OnConflictClause* in);
  MergeWhen merge_when(const ::Node* node);
  IndexElement index_element(const ::Node* node);
  List<IndexElement> index_elements(const ::List* in);
  Overriding overriding(::OverridingKind in);

  // pg_tree_utility.cc
  const Statement* statement(const ::Node* node);
  const Statement* other(const ::Node* node);
  const Statement* utility(const ::Node* node);
  const Statement* session_statement(const ::Node* node);
  const Statement* cursor_statement(const ::Node* node);
  const Statement* variable_set(const ::VariableSetStmt& in);
  const Statement* transaction(const ::TransactionStmt& in);
  const Statement* explain(const ::ExplainStmt& in);
  const Statement* maintenance(const ::Node* node);
  DefinedOption option(const ::Node* node);
  List<DefinedOption> options(const ::List* in);

  // pg_tree_schema.cc
  const Statement* schema_statement(const ::Node* node);
  const Statement* create_table(const ::CreateStmt& in, bool foreign);
  const Statement* create_index(const ::IndexStmt& in);
  const Statement* create_function(const ::CreateFunctionStmt& in);
  const Statement* alter_table(const ::AlterTableStmt& in);
  const Statement* drop(const ::DropStmt& in);
  const Statement* grant(const ::GrantStmt& in);
  const Statement* grant_role(const ::GrantRoleStmt& in);
  AlterTableCommand alter_command(const ::Node* node);
  ColumnDefinition column(const ::Node* node);
  List<ColumnDefinition> columns(const ::List* in);
  void column_constraint(const ::Constraint& in, ColumnDefinition& out, std::vector<const Expr*>& checks);
  void partition_bound(const ::PartitionBoundSpec& in, std::vector<const Expr*>& expressions);
  void table_constraint(const ::Constraint& in, std::vector<const Expr*>& checks,
                        std::vector<const RangeVar*>& references);
  template <class T>
  List<T> keep(const std::vector<T>& items) {
    auto out = arena_.make_array<T>(items.size());
    for (std::size_t i = 0; i < items.size(); ++i) out[i] = items[i];
    return out;
  }

  // How many things that are not understood are named; one is enough to refuse.
  static constexpr std::size_t kMaxUnknowns = 16;

  Arena& arena_;
  const ParseLimits& limits_;
  std::vector<Unknown> unknowns_;
  std::optional<ParseErrorKind> failure_;
  std::string too_many_;
  std::uint32_t depth_ = 0;
  std::uint32_t nodes_ = 0;
  std::int32_t highest_parameter_ = 0;
  // UPDATE ... SET (a, b, c) = source repeats its source for each column.
  const ::Node* last_source_ = nullptr;
  const Expr* last_source_expr_ = nullptr;
};

}  // namespace sluice::postgres::sql
