// Deparser: writes a SELECT again from its model, with everything named in full and every masked relation
// replaced by a derived table that yields masked values.
//
// It emits only node kinds that it knows; anything else is a refusal. It goes over the statement twice: the
// first pass finds out which columns of each masked relation are used, the second writes them into the
// derived tables. Where candidates of a search are counted, a third pass writes the count (in_passes).
//
// Two forms of derived table, `t` and `h` being names that are random per statement:
//
//   (SELECT t."id" AS "id", CAST('***' AS "pg_catalog"."text") AS "email" FROM "public"."docs" AS t)
//     AS "docs"
//
// and where a k-NN search needs the vector itself at that level:
//
//   ((SELECT t."id", t."embedding" FROM "public"."docs" AS t) AS h(h1, h2)
//     CROSS JOIN LATERAL (SELECT h.h1 AS "id", CAST(NULL AS "public"."vector"(4)) AS "embedding") AS "docs")
//
// The planner pulls both up, so that index scans survive. Nothing but the listed columns is in reach of the
// statement: no system columns, no column that was added after the catalogue was read, no masked value that
// is not the vector. In the second form an unqualified `*` is expanded, so that it does not reach `h`.
//
// A column whose mask works on the reply (ColumnMask::cell) is handed on by the hidden alias too, where the
// outermost query outputs it bare; everything else there is sees it redacted (deparse_outputs.cc).
//
// Internal to this folder; rewrite.h is the way in. Not thread-safe; one statement each.
#pragma once

#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/decision.h"
#include "systems/postgres/rewrite/deparse/scope.h"
#include "systems/postgres/rewrite/rewrite.h"

namespace sluice::postgres::rewrite {

// What a statement's outermost query answers with.
enum class Reply : std::uint8_t {
  rows,   // to the client, as DataRows
  plan,   // EXPLAIN: estimates, which know the statistics of every column that is read
  other,  // rows that go elsewhere, or in another form: COPY, a binary cursor
};

class Deparser {
 public:
  explicit Deparser(const RewriteInput& input, std::string prefix);

  // The whole statement; `clamp` is the largest number of rows that the outermost select may return.
  std::expected<std::string, Refusal> deparse(const sql::SelectStatement& select,
                                              std::optional<std::uint64_t> clamp, Reply reply);
  // COPY relation TO, as the select that yields the same rows: the named columns, or all that COPY would
  // write.
  std::expected<std::string, Refusal> deparse_copy(const sql::CopyStatement& copy,
                                                   std::optional<std::uint64_t> clamp);

  // INSERT, UPDATE, DELETE, MERGE (deparse_modify.cc, deparse_merge.cc).
  std::expected<std::string, Refusal> deparse_change(const sql::Statement& statement);
  // COPY relation FROM STDIN; `options` is what stands behind that.
  std::expected<std::string, Refusal> deparse_copy_from(const sql::CopyStatement& copy,
                                                        const std::string& options);
  // A query whose rows are stored: it must read nothing that is masked.
  std::expected<std::string, Refusal> deparse_stored(const sql::SelectStatement& select);

  // After a deparse: what was masked ("public.docs": {"email", ...}), and which masked columns the
  // statement's conditions compare with their masked values.
  const std::vector<MaskedUse>& masked() const { return masked_; }
  // And whether a relation is among them of which an index scan tells (RelationMask::order_leaks).
  bool order_leaks() const;
  // The masked columns that the outermost query outputs as they stand.
  const std::vector<MaskedOutput>& outputs() const { return outputs_; }
  const std::vector<WrittenParameter>& written() const { return written_; }
  // Its searches of masked vectors; nullopt: there are none.
  std::optional<MaskedSearch> search() const;

  // Its comparisons with values that masks hide but answer.
  std::vector<ValueTest> value_tests() const;

  // A type as written by the client, with its schema. Refuses unknown ones.
  std::string type_name(const sql::TypeName& type);
  const std::optional<Refusal>& refusal() const { return refusal_; }

  // The statement's result says how many rows each step of it came to (EXPLAIN ANALYZE): no step may come to
  // rows by stored values then.
  void shows_counts() { shows_counts_ = true; }
  // After a deparse: it reads JSON of which a mask leaves something, so the planner's estimates know what is
  // stored.
  bool reads_stored_json() const;
  // After a deparse: the planner sees conditions on stored values, so its estimates tell about them.
  bool tests_stored_values() const { return tests_stored_values_; }

 private:
  // Where an expression stands, as far as distances of masked vectors are concerned.
  enum class Place : std::uint8_t { elsewhere, knn_order, score };

  // What a masked column gives where the text now stands.
  enum class Reads : std::uint8_t {
    masked,    // its masked value: derived tables
    refused,   // nothing: what changes data must not depend on it
    returned,  // its masked value, of the real relation too: RETURNING
  };

  // The relation that a statement writes.
  struct Written {
    const sql::RangeVar* var = nullptr;
    const Relation* relation = nullptr;  // null: not known, a temporary one
    const RelationMask* mask = nullptr;
    const WriteGuards* guards = nullptr;
    bool is_checked() const { return mask != nullptr || guards != nullptr; }
  };

  // A WITH query in scope.
  struct CommonTableEntry {
    std::string_view name;
    Columns columns;
  };

  // ---- Refusals: the first one stands, output after it is thrown away
  void refuse(std::string message, std::string hint = "");
  void need_relation(std::string name);
  bool refused() const { return refusal_.has_value(); }

  // ---- select (deparse_select.cc)
  void select(const sql::SelectStatement& node, const Scope* outer, bool order_matters);
  void plain_select(const sql::SelectStatement& node, Scope& scope, bool order_matters);
  void values(const sql::SelectStatement& node, Scope& scope);
  void set_operation(const sql::SelectStatement& node, const Scope* outer);
  void with_clause(const sql::WithClause* with, const Scope* outer);
  void hand_on_masked(const sql::CommonTable& table, Columns& columns);
  void targets(const sql::SelectStatement& node, Scope& scope);
  void carried_keys(Scope& scope, std::function<void()> separate);
  void group_by(const sql::SelectStatement& node, Scope& scope);
  void order_by(const sql::SelectStatement& node, Scope& scope, const std::vector<std::string>& extra);
  void limits(const sql::SelectStatement& node, Scope& scope);
  void locking(const sql::SelectStatement& node, const Scope& scope);
  void search_and_cycle(const sql::CommonTable& table);
  void window(const sql::Window& window, Scope& scope, bool ranks_only);
  void window_body(const sql::Window& window, Scope& scope, bool ranks_only);
  // Conditions of WHERE that are tested on stored values too (stored_conditions.cc).
  void stored_conditions(const sql::SelectStatement& node, Scope& scope);
  void stored_condition(const sql::Expr* condition, Scope& scope);
  void condition_within(const sql::Expr* condition, const Entry& entry, Scope& scope);
  bool open_key_of_target(const sql::OperatorExpr& test, Scope& scope);
  const ColumnMask* masked_json(const sql::Expr* operand, const Scope& scope, Meaning& meaning) const;

  // Equality with a masked value, where its mask allows that (equality_filters.cc).
  bool answer_equality(const sql::SelectStatement& node, const sql::Expr* condition, Scope& scope);

  // ---- what the outermost query outputs (deparse_outputs.cc)
  void begin_outputs(const sql::SelectStatement& node, const Scope& scope);
  bool star_with_cells(const sql::SelectStatement& node, const sql::ColumnRef& star, Scope& scope,
                       const std::function<void()>& separate);
  bool cell(const sql::Target& target, Scope& scope);
  void show(const Entry& entry, std::size_t index);
  void count_output(const sql::Target& target, const Scope& scope);
  void note_output(const Entry& entry, std::size_t index, std::shared_ptr<const CellMask> cell);
  const ColumnMask* mask_of_cell(const Entry& entry, std::size_t index) const;
  bool sorts_by_cell(const sql::SortItem& item);
  void sort_direction(const sql::SortItem& item);

  // ---- what searches of masked vectors choose from (deparse_candidates.cc)
  void refuse_one_record(const sql::SelectStatement& node, const Scope& scope);
  // Counts the ordinals of GROUP BY and DISTINCT ON behind what stands in front of the client's columns.
  void positions(sql::Exprs nodes, const sql::SelectStatement& node, Scope& scope);
  bool names_one_record(const sql::SelectStatement& node, const Entry& entry, const Scope& scope) const;
  bool narrows_by_key(const sql::SelectStatement& node, const Entry& entry, const Scope& scope) const;
  bool is_nameable(const Entry& entry) const;
  std::string record_key(const Entry& entry);
  void begin_watching(const sql::SelectStatement& node, const Scope& scope);
  void begin_rows(const Scope& scope);
  void note_reach(const Meaning& meaning);
  void note_common_table();
  void note_candidates(const sql::SelectStatement& node, std::size_t from);
  void end_watching(const sql::SelectStatement& node, std::size_t from);
  // Whether the select is the outermost query, or one of those that it unites.
  bool is_outermost(const sql::SelectStatement& node) const;
  bool can_carry_candidates() const;
  bool is_answer() const;
  bool is_distrusted() const;
  std::string candidates_of_level(const sql::SelectStatement& node, std::size_t number) const;
  std::string candidates_item() const;
  // Columns in front of the client's.
  std::size_t carried() const { return keys_.size() + (counts_candidates_ ? 1 : 0); }

  // ---- FROM (deparse_from.cc, wrap_relation.cc, star.cc)
  void declare(const sql::FromItem& item, Scope& scope, bool visible);
  void add_entry(Entry entry, Scope& scope);
  // Counts names of columns as they are gathered; false: refused, there are too many.
  bool have_seen(std::size_t names);
  void declare_relation(const sql::RangeVar& var, Scope& scope, bool visible);
  Columns columns_of(const sql::SelectStatement& node, const Scope* outer);
  Columns target_columns(const sql::SelectStatement& node, const Scope& scope);
  void declare_common_tables(const sql::WithClause* with, const Scope* outer);
  void declare_join(const sql::JoinItem& item, Scope& scope, bool visible);
  const CommonTableEntry* common_table(const sql::RangeVar& var) const;
  void from_list(const sql::SelectStatement& node, Scope& scope);
  void from_item(const sql::FromItem& item, Scope& scope);
  void from_relation(const sql::RangeVar& var, Scope& scope, const sql::SampleItem* sample);
  void from_function(const sql::FunctionItem& item, Scope& scope);
  void from_join(const sql::JoinItem& item, Scope& scope);
  void from_sample(const sql::SampleItem& item, Scope& scope);
  void sample_clause(const sql::SampleItem& sample, Scope& scope);
  void alias(const sql::Alias* alias);
  void column_definitions(sql::List<sql::ColumnDefinition> columns, Scope& scope);
  void wrap_relation(const Entry& entry, Scope& scope, const sql::SampleItem* sample);
  void order_by_open_columns(const RelationMask& mask, const Relation& relation, std::string_view inner);
  std::string inner_alias() const;
  const std::string& hidden_alias(const sql::RangeVar& var);
  // A column under that alias; `hashed`: without nulls (ColumnMask::cell_null).
  void hidden_column(std::string& out, const sql::RangeVar& var, std::int16_t attnum, bool hashed = false);
  void hidden_reference(std::string& out, const sql::RangeVar& var, std::int16_t attnum, bool hashed = false);
  // An unqualified `*` where hidden columns are in reach: the items that it stands for.
  std::optional<std::vector<std::string>> expand_star(const sql::FromItem& item, const Scope& scope);
  bool has_hidden(const Scope& scope) const;
  std::expected<std::string, Refusal> in_passes(std::function<void()> write);
  void gather_masked();
  void use_all(const Entry& entry);
  void use(const Entry& entry, std::size_t index);

  // ---- statements that change data (deparse_{modify,merge,returning}.cc, write_check.cc)
  // `masked_output`, of a WITH query: takes the names of what it returns masked.
  void change(const sql::Statement& statement, std::set<std::string>* masked_output);
  void insert(const sql::InsertStatement& node);
  void insert_columns(const sql::InsertStatement& node, const Written& written, Scope& scope);
  void on_conflict(const sql::InsertStatement& node, const Written& written, Scope& scope);
  void update(const sql::UpdateStatement& node);
  void remove(const sql::DeleteStatement& node);
  void merge(const sql::MergeStatement& node);
  void merge_when(const sql::MergeWhen& when, const Written& written, Scope& scope,
                  sql::List<const sql::FromItem*> source);
  void merge_insert(const sql::MergeWhen& when, const Written& written, Scope& scope,
                    sql::List<const sql::FromItem*> source);
  void declare_others(sql::List<const sql::FromItem*> items, Scope& scope);
  void write_others(std::string_view word, sql::List<const sql::FromItem*> items, Scope& scope);
  void refuse_equal_names(const Scope& scope);
  Written declare_target(const sql::RangeVar& var, Scope& scope);
  void write_target(const Written& written, const Scope& scope);
  void condition(std::string_view word, const sql::Expr* node, Scope& scope);
  void where(const sql::Expr* node, Scope& scope);
  void assignments(sql::List<sql::Target> items, const Written& written, Scope& scope,
                   sql::List<const sql::FromItem*> from);
  std::size_t shared_assignment(sql::List<sql::Target> items, std::size_t first, const Written& written,
                                Scope& scope, sql::List<const sql::FromItem*> from);
  void assigned_value(const sql::Expr* value, Scope& scope);
  void index_element(const sql::IndexElement& element, const Written& written, Scope& scope);
  void conflict_constraint(std::string_view name, const Written& written);
  void overriding(sql::Overriding word);
  static bool is_same_of_excluded(const sql::Target& item);
  Columns returning_columns(const sql::Statement& statement);

  void returning(sql::List<sql::Target> items, Scope& scope, sql::List<const sql::FromItem*> others,
                 const sql::Expr* where, bool others_first);
  void returned_star(Scope& scope, sql::List<const sql::FromItem*> others, bool others_first,
                     const std::function<void()>& separate);
  void note_masked(const sql::Target& item, const Scope& scope);
  void returned_columns(const Entry& target, const std::function<void()>& separate);
  // A reference to the real relation that is written: true when it has been dealt with.
  bool of_target(const sql::ColumnRef& ref, const Meaning& meaning, const Scope& scope);
  static void conjuncts(const sql::Expr* node, std::vector<const sql::Expr*>& out);
  bool is_one_row(const sql::Expr* where, const Scope& scope) const;
  void refuse_read(const Entry& entry, std::size_t index);

  // `event` is kTriggerInsert and so on.
  void check_event(const Written& written, std::int16_t event);
  // `values` are what may become the column's value; null: what it becomes has been looked at elsewhere.
  // `null_is_own`: a NULL replaces what is stored.
  void check_write(const Written& written, std::int16_t event, std::string_view column,
                   const std::vector<const sql::Expr*>* values, bool null_is_own);
  bool is_left_empty(const std::vector<const sql::Expr*>* values, const std::string& name,
                     const ColumnMask& mask);
  void refuse_part(const Written& written, std::string_view column);
  void check_value(const OwnOutput& own, const ColumnMask& mask, const std::string& name,
                   const sql::Expr* value, bool null_is_own);
  std::vector<const sql::Expr*> values_of(const sql::Expr* value, sql::List<const sql::FromItem*> from) const;

  // ---- expressions (deparse_expr.cc)
  void expr(const sql::Expr* node, Scope& scope);
  void exprs(sql::Exprs nodes, Scope& scope);
  void column(const sql::ColumnRef& ref, Scope& scope);
  void may_be_new(const Scope& innermost);
  const Type* known_type(const sql::Expr* node, const Scope& scope) const;
  void constant(const sql::Constant& node);
  void operation(const sql::OperatorExpr& node, Scope& scope);
  void call(const sql::FunctionCall& node, Scope& scope);
  void call_arguments(const sql::FunctionCall& node, Scope& scope);
  void sub_link(const sql::SubLink& node, Scope& scope);
  void indirection(sql::List<sql::Indirection> steps, Scope& scope);
  void xml(const sql::XmlExpr& node, Scope& scope);
  void sort_items(sql::List<sql::SortItem> items, Scope& scope);
  void sort_item(const sql::SortItem& item, Scope& scope);
  void type(const sql::TypeName& name);
  void operator_symbol(sql::Names name, const Type* left, const Type* right);
  void function_name(sql::Names name);
  std::optional<FunctionClass> function_class(sql::Names name) const;
  bool distance(const sql::Expr& node, Scope& scope);
  void write_distance(const Knn& knn, Scope& scope);

  // ---- the k-NN form (deparse_knn.cc)
  const sql::Window* rank_window(const sql::Expr& expr) const;
  // Writes `vector IS NOT NULL`, a part of WHERE that must hold, of the vector that is searched; false: it is
  // not that.
  bool has_vector(const sql::NullTest& node, const Scope& scope);
  std::optional<Knn> find_knn(const sql::SelectStatement& node, Scope& scope);
  // The name of the masked vector that an operand is, perhaps under casts; empty: it is none.
  std::string_view masked_vector(const sql::Expr* operand, const Scope& scope) const;

  // ---- the order of rows (deparse_order.cc)
  // What the level computes over its rows, besides plain expressions.
  struct Computes {
    bool aggregates = false;
    bool values = false;  // aggregates that keep values, window functions
    bool sets = false;    // functions that return rows
  };
  Computes computes(const sql::SelectStatement& node) const;
  bool computes_inexactly(const sql::SelectStatement& node, const Scope& scope) const;
  bool is_exact_number(const sql::Expr* node, const Scope& scope) const;
  static bool has_grouping_sets(const sql::SelectStatement& node);
  // Keys to sort by in the end, behind the statement's own.
  std::vector<std::string> order_keys(const sql::SelectStatement& node, Scope& scope, bool order_matters);
  std::optional<std::vector<std::string>> total_order(Scope& scope);
  // Whether the statement calls a function, anywhere, that tells in which order rows came to it.
  bool tells_order();
  // Whether it computes something that may fail for some rows only (row_errors.h).
  bool errs();
  void note_errors(const sql::SelectStatement& node, const Scope& scope);
  // Which of several rows an UPDATE takes, and in which order MERGE adds them.
  void order_others(const Scope& scope);
  void refuse_order_of_writes(const Scope& scope, const sql::Expr* where);
  // A condition by which rows that are written are found: no index whose order tells may serve it.
  void condition_of_writes(std::string_view word, const sql::Expr* node, Scope& scope);
  bool is_key_of_other(const sql::ColumnRef& ref, const sql::Expr* other, const Scope& scope) const;
  bool hides_from_indexes(const sql::ColumnRef& ref, const Scope& scope) const;
  bool orders_writes(const Entry& entry, std::size_t index) const;
  static std::string hidden_from_indexes(std::string_view column);
  void refuse_defaults_in_order(sql::List<sql::Target> assignments, const Scope& scope,
                                const sql::Expr* where);
  std::optional<std::vector<std::string>> group_keys(const sql::SelectStatement& node, Scope& scope);

  bool hides_order_ = false;  // of the rows that are written, in the condition that is being written
  std::set<const sql::ColumnRef*> keys_of_writes_;  // in it, and need not be hidden

  const Catalogue& catalogue_;
  SearchPath path_;
  const MaskPlan& plan_;
  bool fresh_;
  const sql::Expr* target_where_ = nullptr;  // of the UPDATE or DELETE that is written
  const std::size_t max_names_;
  std::string prefix_;
  std::string out_;
  std::optional<Refusal> refusal_;
  // In one FROM: each is compared with all the others. As many as `describe` understands.
  static constexpr std::size_t kMaxRelations = 1000;
  std::size_t names_seen_ = 0;
  std::vector<CommonTableEntry> common_tables_;
  std::unordered_map<const sql::SelectStatement*, Columns> columns_memo_;
  Usages usages_;
  std::unordered_map<const sql::RangeVar*, std::string> hidden_aliases_;  // with their quotes
  bool gathers_ = false;  // the first pass: what stands for a masked relation is not written yet
  std::optional<std::uint64_t> clamp_;
  const std::vector<CarriedKey>& keys_;
  const sql::SelectStatement* outermost_ = nullptr;
  const sql::SelectStatement* only_tested_ = nullptr;  // of the EXISTS that is being written
  const sql::SelectStatement* stored_ = nullptr;       // SELECT INTO, which is written as CREATE TABLE AS
  Place place_ = Place::elsewhere;
  int aggregate_depth_ = 0;
  int expr_depth_ = 0;
  bool in_condition_ = false;
  bool is_conjunct_ = false;         // what is written next is all of WHERE, or stands in it beside AND
  bool may_be_output_name_ = false;  // in ORDER BY and GROUP BY, where a bare name can mean an output column
  std::vector<MaskedUse> masked_;
  bool locks_rows_ = false;
  const sql::Statement& statement_;
  std::optional<bool> tells_order_;  // as asked
  std::optional<bool> errs_;  // by what the statement is, and by the levels that have been gone through
  bool shows_counts_ = false;
  bool tests_stored_values_ = false;

  // A level that searches, of the last pass.
  // What a level that searches chooses from, as the pass before has written it.
  struct Candidates {
    const Relation* relation = nullptr;
    std::string key;   // of a record, as a text of the level's columns; empty: none that can be told
    std::string rows;  // from FROM to WHERE; empty: a table as a whole, or it refers to what is outside of it
    std::string answer;  // the level with the key behind its columns; empty: it cannot stand elsewhere
    bool many = false;   // a table as a whole, of kMostCandidates rows or more
    bool joins = false;  // a record may stand there more than once
    // By the key of its relation, of which nothing else in FROM has records: RowDescription says which
    // columns.
    bool named_by_rows = false;
    std::optional<std::uint64_t> depth;  // how many records its answer has at most
    std::string depth_text;              // the same of a parameter
  };
  void note_depth(const sql::SelectStatement& node, Candidates& level);
  std::map<const sql::SelectStatement*, Candidates> candidates_;
  struct Watched {
    const Scope* scope = nullptr;
    bool outermost = false;
    std::size_t begin = 0;        // in the text: its SELECT
    std::size_t list = 0;         // the client's columns
    std::size_t where = 0;        // its WHERE, or what comes instead of it
    bool reaches_out = false;     // to what is outside of it
    bool rows_reach_out = false;  // in FROM and WHERE
  };
  std::vector<Watched> watched_;
  bool counts_candidates_ = false;
  std::map<const sql::Expr*, ValueTest> value_tests_;  // by the conditions that they replace

  Reply reply_ = Reply::other;
  bool shows_cells_ = false;  // the outermost query may hand on values whose cells the reply masks
  std::vector<MaskedOutput> outputs_;
  std::uint16_t output_count_ = 0;
  bool outputs_counted_ = false;  // all stars so far are of a known number of columns
  // What a sort by such an output sorts by: its masked value.
  struct ShownCell {
    std::uint16_t column;
    std::string name;
    const Entry* entry;
    std::size_t index;
  };
  std::vector<ShownCell> shown_;
  Reads reads_ = Reads::masked;
  bool changes_data_ = false;                            // some part of the statement does
  const sql::SelectStatement* insert_source_ = nullptr;  // whose VALUES may hold DEFAULT
  std::map<const sql::CommonTable*, std::set<std::string>> masked_output_;
  std::set<std::string>* returned_names_ = nullptr;  // of the WITH query that is being written
  bool saw_masked_ = false;  // what has just been written for RETURNING holds masked values
  std::vector<WrittenParameter> written_;
  std::unordered_map<const sql::RangeVar*, bool> writes_masked_;
};

}  // namespace sluice::postgres::rewrite
