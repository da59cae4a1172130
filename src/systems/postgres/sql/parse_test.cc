#include "systems/postgres/sql/parse.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include <functional>
#include <thread>

namespace sluice::postgres::sql {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ParsedSql parsed(std::string_view text) {
  auto result = parse(text);
  if (!result) {
    ADD_FAILURE() << text << "\n" << result.error().message;
    return {};
  }
  return *std::move(result);
}

// The only statement of `sql`, understood in full, as a T.
template <class T>
const T& only(const ParsedSql& sql) {
  static const T kNothing{};
  EXPECT_EQ(sql.statements().size(), 1u) << sql.text();
  if (sql.statements().empty()) return kNothing;
  const auto& statement = sql.statements().front();
  EXPECT_TRUE(statement.unknowns.empty()) << sql.text() << ": " << statement.unknowns.front().what;
  const auto* body = as<T>(statement.body);
  EXPECT_NE(body, nullptr) << sql.text();
  return body == nullptr ? kNothing : *body;
}

const Expr* first_value(const ParsedSql& sql) {
  return only<SelectStatement>(sql).targets[0].value;
}

std::vector<std::string> strings(Names names) {
  return {names.begin(), names.end()};
}

TEST(Parse, KeepsTheTextAndEachStatementsPart) {
  auto sql = parsed("  SELECT 1 ; /* two */ SELECT $3;\n");
  ASSERT_EQ(sql.statements().size(), 2u);
  EXPECT_EQ(sql.statements()[0].text, "SELECT 1");
  EXPECT_EQ(sql.statements()[0].begin, 2);
  EXPECT_EQ(sql.statements()[1].text, "/* two */ SELECT $3");
  EXPECT_EQ(sql.statements()[1].highest_parameter, 3);
  EXPECT_EQ(sql.text().substr(static_cast<std::size_t>(sql.statements()[1].begin), 9), "/* two */");
}

TEST(Parse, AnEmptyTextHasNoStatement) {
  EXPECT_TRUE(parsed("").statements().empty());
  EXPECT_TRUE(parsed(" ;; -- nothing\n").statements().empty());
}

TEST(Parse, ReportsTheServersOwnErrorAndPosition) {
  auto result = parse("SELECT é FORM docs WHERE");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ParseErrorKind::syntax);
  EXPECT_THAT(result.error().message, HasSubstr("syntax error at or near \"docs\""));
  EXPECT_EQ(result.error().cursor, 15);  // characters, not bytes
}

TEST(Parse, MovingDoesNotMoveTheTree) {
  auto sql = parsed("SELECT a FROM t");
  const auto* body = sql.statements()[0].body;
  ParsedSql moved = std::move(sql);
  EXPECT_EQ(moved.statements()[0].body, body);
  EXPECT_EQ(moved.text(), "SELECT a FROM t");
}

TEST(Parse, ColumnReferences) {
  auto sql = parsed("SELECT a, t.b, s.t.c, *, t.*, s.t.* FROM s.t AS t");
  const auto& select = only<SelectStatement>(sql);
  std::vector<std::pair<std::vector<std::string>, bool>> got;
  for (const auto& target : select.targets) {
    const auto* column = as<ColumnRef>(target.value);
    ASSERT_NE(column, nullptr);
    got.emplace_back(strings(column->parts), column->star);
  }
  using P = std::pair<std::vector<std::string>, bool>;
  EXPECT_THAT(got, ElementsAre(P{{"a"}, false}, P{{"t", "b"}, false}, P{{"s", "t", "c"}, false}, P{{}, true},
                               P{{"t"}, true}, P{{"s", "t"}, true}));
  EXPECT_EQ(select.targets[1].value->location, 10);
  const auto* relation = as<RangeVar>(select.from[0]);
  ASSERT_NE(relation, nullptr);
  EXPECT_EQ(relation->schema, "s");
  EXPECT_EQ(relation->alias->name, "t");
}

TEST(Parse, Constants) {
  auto sql = parsed("SELECT 1, 1.5, 99999999999, 'it''s', E'a\\nb', true, NULL, B'01', X'1f', -3");
  const auto& targets = only<SelectStatement>(sql).targets;
  auto constant = [&](std::size_t i) -> const Constant& { return *as<Constant>(targets[i].value); };
  EXPECT_EQ(constant(0).integer, 1);
  EXPECT_EQ(constant(1).text, "1.5");
  EXPECT_EQ(constant(2).value_kind, ConstantKind::number);
  EXPECT_EQ(constant(3).text, "it's");
  EXPECT_EQ(constant(4).text, "a\nb");
  EXPECT_EQ(constant(5).value_kind, ConstantKind::boolean);
  EXPECT_EQ(constant(6).value_kind, ConstantKind::null);
  EXPECT_EQ(constant(7).text, "b01");
  EXPECT_EQ(constant(8).text, "x1f");
  EXPECT_EQ(constant(9).integer, -3);
}

TEST(Parse, OperatorsOfEveryForm) {
  struct Case {
    const char* expression;
    OperatorKind form;
    const char* symbol;
  };
  constexpr Case kCases[] = {
      {"a <-> b", OperatorKind::plain, "<->"},
      {"a OPERATOR(public.<=>) b", OperatorKind::plain, "<=>"},
      {"a = ANY (b)", OperatorKind::any, "="},
      {"a < ALL (b)", OperatorKind::all, "<"},
      {"a IS DISTINCT FROM b", OperatorKind::distinct, "="},
      {"a IS NOT DISTINCT FROM b", OperatorKind::not_distinct, "="},
      {"NULLIF(a, b)", OperatorKind::null_if, "="},
      {"a IN (1, 2)", OperatorKind::in, "="},
      {"a NOT IN (1, 2)", OperatorKind::in, "<>"},
      {"a LIKE b", OperatorKind::like, "~~"},
      {"a NOT ILIKE b", OperatorKind::ilike, "!~~*"},
      {"a SIMILAR TO b", OperatorKind::similar, "~"},
      {"a BETWEEN 1 AND 2", OperatorKind::between, "BETWEEN"},
      {"a NOT BETWEEN 1 AND 2", OperatorKind::not_between, "NOT BETWEEN"},
      {"a BETWEEN SYMMETRIC 1 AND 2", OperatorKind::between_symmetric, "BETWEEN SYMMETRIC"},
  };
  for (const auto& each : kCases) {
    auto sql = parsed(std::string("SELECT ") + each.expression);
    const auto* op = as<OperatorExpr>(first_value(sql));
    ASSERT_NE(op, nullptr) << each.expression;
    EXPECT_EQ(op->form, each.form) << each.expression;
    EXPECT_EQ(op->symbol(), each.symbol) << each.expression;
  }
}

TEST(Parse, InListIsAnExprList) {
  auto sql = parsed("SELECT a IN (1, 2, $1)");
  const auto* list = as<ExprList>(as<OperatorExpr>(first_value(sql))->right);
  ASSERT_NE(list, nullptr);
  EXPECT_EQ(list->items.size(), 3u);
}

TEST(Parse, FunctionCallInFull) {
  auto sql = parsed(
      "SELECT s.f(DISTINCT a ORDER BY b DESC NULLS LAST) FILTER (WHERE c) OVER (PARTITION BY d ORDER BY e "
      "ROWS BETWEEN 1 PRECEDING AND CURRENT ROW), percentile_disc(0.5) WITHIN GROUP (ORDER BY x), g(VARIADIC "
      "y), "
      "h(n => 1), count(*), extract(year FROM z)");
  const auto& targets = only<SelectStatement>(sql).targets;
  const auto& f = *as<FunctionCall>(targets[0].value);
  EXPECT_THAT(strings(f.name), ElementsAre("s", "f"));
  EXPECT_TRUE(f.distinct);
  ASSERT_EQ(f.order_by.size(), 1u);
  EXPECT_EQ(f.order_by[0].direction, SortDirection::descending);
  EXPECT_EQ(f.order_by[0].nulls, SortNulls::last);
  EXPECT_NE(f.filter, nullptr);
  ASSERT_NE(f.over, nullptr);
  EXPECT_EQ(f.over->partition_by.size(), 1u);
  EXPECT_NE(f.over->start_offset, nullptr);
  EXPECT_TRUE(as<FunctionCall>(targets[1].value)->within_group);
  EXPECT_TRUE(as<FunctionCall>(targets[2].value)->variadic);
  EXPECT_NE(as<NamedArgument>(as<FunctionCall>(targets[3].value)->args[0]), nullptr);
  EXPECT_TRUE(as<FunctionCall>(targets[4].value)->star);
  EXPECT_TRUE(as<FunctionCall>(targets[5].value)->sql_syntax);
}

TEST(Parse, EveryOtherExpression) {
  struct Case {
    const char* expression;
    ExprKind kind;
  };
  constexpr Case kCases[] = {
      {"$1", ExprKind::parameter},
      {"a AND b", ExprKind::boolean},
      {"a::vector(3)", ExprKind::cast},
      {"CASE a WHEN 1 THEN 2 ELSE 3 END", ExprKind::case_},
      {"EXISTS (SELECT 1)", ExprKind::sub_link},
      {"coalesce(a, b)", ExprKind::coalesce},
      {"greatest(a, b)", ExprKind::min_max},
      {"ARRAY[1, 2]", ExprKind::array},
      {"ROW(1, 2)", ExprKind::row},
      {"a IS NOT NULL", ExprKind::null_test},
      {"a IS NOT UNKNOWN", ExprKind::boolean_test},
      {"a COLLATE \"C\"", ExprKind::collate},
      {"current_user", ExprKind::sql_value},
      {"(a).b[1:2]", ExprKind::indirection},
      {"GROUPING(a)", ExprKind::grouping_func},
      {"xmlforest(a AS b)", ExprKind::xml},
      {"xmlserialize(content a AS text)", ExprKind::xml_serialize},
  };
  for (const auto& each : kCases) {
    auto sql = parsed(std::string("SELECT ") + each.expression);
    EXPECT_EQ(first_value(sql)->kind, each.kind) << each.expression;
  }
}

TEST(Parse, SubLinkKinds) {
  auto kind = [](const char* expression) {
    auto sql = parsed(std::string("SELECT ") + expression);
    const auto* link = as<SubLink>(first_value(sql));
    EXPECT_NE(link, nullptr) << expression;
    EXPECT_NE(link->query, nullptr);
    return link->form;
  };
  EXPECT_EQ(kind("(SELECT 1)"), SubLinkKind::scalar);
  EXPECT_EQ(kind("a IN (SELECT 1)"), SubLinkKind::any);
  EXPECT_EQ(kind("a > ALL (SELECT 1)"), SubLinkKind::all);
  EXPECT_EQ(kind("ARRAY(SELECT 1)"), SubLinkKind::array);
  EXPECT_EQ(kind("EXISTS (SELECT 1)"), SubLinkKind::exists);
}

TEST(Parse, FromItemsOfEveryKind) {
  auto sql = parsed(
      "SELECT 1 FROM ONLY a, (b NATURAL LEFT JOIN c) AS j(x, y), LATERAL (SELECT 1) AS s, "
      "ROWS FROM (f(1) AS (n int), g()) WITH ORDINALITY AS r, d TABLESAMPLE bernoulli (10) REPEATABLE (1), "
      "xmltable('/r' PASSING e COLUMNS v text PATH 'v', o FOR ORDINALITY) AS x, k JOIN l USING (id) AS u");
  const auto& from = only<SelectStatement>(sql).from;
  ASSERT_EQ(from.size(), 7u);
  EXPECT_FALSE(as<RangeVar>(from[0])->inherit);
  const auto* join = as<JoinItem>(from[1]);
  ASSERT_NE(join, nullptr);
  EXPECT_TRUE(join->natural);
  EXPECT_EQ(join->join, JoinKind::left);
  EXPECT_THAT(strings(join->alias->columns), ElementsAre("x", "y"));
  EXPECT_TRUE(as<SubSelectItem>(from[2])->lateral);
  const auto* function = as<FunctionItem>(from[3]);
  ASSERT_NE(function, nullptr);
  EXPECT_TRUE(function->ordinality);
  ASSERT_EQ(function->functions.size(), 2u);
  EXPECT_EQ(function->functions[0].columns[0].name, "n");
  EXPECT_NE(as<SampleItem>(from[4])->repeatable, nullptr);
  EXPECT_TRUE(as<TableFuncItem>(from[5])->columns[1].for_ordinality);
  EXPECT_EQ(as<JoinItem>(from[6])->using_alias->name, "u");
}

TEST(Parse, SelectInFull) {
  auto sql = parsed(
      "WITH RECURSIVE q(n) AS MATERIALIZED (SELECT 1 UNION ALL SELECT n + 1 FROM q) SEARCH DEPTH FIRST BY n "
      "SET o "
      "CYCLE n SET c USING p SELECT DISTINCT ON (a) a, count(*) AS n FROM t WHERE b GROUP BY DISTINCT ROLLUP "
      "(a), b "
      "HAVING count(*) > 1 WINDOW w AS (PARTITION BY a) ORDER BY a USING >, 2 NULLS FIRST OFFSET 2 "
      "FETCH FIRST 3 ROWS WITH TIES FOR NO KEY UPDATE OF t NOWAIT");
  const auto& select = only<SelectStatement>(sql);
  ASSERT_NE(select.with, nullptr);
  EXPECT_TRUE(select.with->recursive);
  const auto& table = select.with->tables[0];
  EXPECT_EQ(table.materialized, Materialized::always);
  EXPECT_EQ(table.search->sequence_column, "o");
  EXPECT_EQ(table.cycle->path_column, "p");
  EXPECT_EQ(as<SelectStatement>(table.query)->set_operation, SetOperation::union_);
  EXPECT_TRUE(as<SelectStatement>(table.query)->set_all);
  EXPECT_TRUE(select.distinct);
  EXPECT_EQ(select.distinct_on.size(), 1u);
  EXPECT_EQ(select.group_by.size(), 2u);
  EXPECT_TRUE(select.group_distinct);
  EXPECT_EQ(select.windows.size(), 1u);
  EXPECT_EQ(select.order_by[0].direction, SortDirection::using_operator);
  EXPECT_EQ(select.order_by[1].nulls, SortNulls::first);
  EXPECT_NE(select.offset, nullptr);
  EXPECT_TRUE(select.with_ties);
  EXPECT_EQ(select.locking[0].strength, LockStrength::no_key_update);
  EXPECT_EQ(select.locking[0].wait, LockWait::error);
}

// libpg_query numbers LimitOption differently from the server's header; a plain LIMIT must not look like WITH
// TIES.
TEST(Parse, OnlyWithTiesIsWithTies) {
  auto plain = parsed("SELECT 1 LIMIT 1");
  auto none = parsed("SELECT 1");
  auto ties = parsed("SELECT 1 ORDER BY 1 FETCH FIRST 1 ROW WITH TIES");
  EXPECT_FALSE(only<SelectStatement>(plain).with_ties);
  EXPECT_FALSE(only<SelectStatement>(none).with_ties);
  EXPECT_TRUE(only<SelectStatement>(ties).with_ties);
}

TEST(Parse, DistinctWithoutOn) {
  auto sql = parsed("SELECT DISTINCT a FROM t");
  EXPECT_TRUE(only<SelectStatement>(sql).distinct);
  EXPECT_TRUE(only<SelectStatement>(sql).distinct_on.empty());
}

TEST(Parse, ValuesAndSetOperations) {
  auto values = parsed("VALUES (1, 'a'), (2, DEFAULT)");
  EXPECT_TRUE(only<SelectStatement>(values).is_values);
  EXPECT_EQ(only<SelectStatement>(values).values[1][1]->kind, ExprKind::default_);
  auto set = parsed("SELECT 1 INTERSECT SELECT 2 EXCEPT ALL SELECT 3");
  EXPECT_EQ(only<SelectStatement>(set).set_operation, SetOperation::except);
  EXPECT_EQ(only<SelectStatement>(set).left->set_operation, SetOperation::intersect);
}

TEST(Parse, DataModification) {
  auto insert = parsed(
      "INSERT INTO t AS x (a, b[1]) OVERRIDING SYSTEM VALUE SELECT 1, 2 ON CONFLICT (a) WHERE a > 0 "
      "DO UPDATE SET b = excluded.b WHERE x.a > 1 RETURNING *");
  const auto& in = only<InsertStatement>(insert);
  EXPECT_EQ(in.overriding, Overriding::system_value);
  EXPECT_EQ(in.columns[1].indirection[0].kind, Indirection::Kind::subscript);
  ASSERT_NE(in.on_conflict, nullptr);
  EXPECT_TRUE(in.on_conflict->update);
  EXPECT_EQ(in.on_conflict->target[0].name, "a");
  EXPECT_EQ(in.returning.size(), 1u);

  auto update = parsed("UPDATE t SET (a, b) = (SELECT 1, 2), c = DEFAULT FROM u WHERE CURRENT OF cur");
  const auto& up = only<UpdateStatement>(update);
  ASSERT_EQ(up.assignments.size(), 3u);
  const auto* first = as<MultiAssign>(up.assignments[0].value);
  const auto* second = as<MultiAssign>(up.assignments[1].value);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first->source, second->source);
  EXPECT_EQ(second->column, 2);
  EXPECT_EQ(as<CurrentOf>(up.where)->cursor, "cur");

  auto remove = parsed("DELETE FROM t USING u WHERE t.a = u.a RETURNING t.a");
  EXPECT_EQ(only<DeleteStatement>(remove).using_items.size(), 1u);

  auto merge = parsed(
      "MERGE INTO t USING u ON t.a = u.a WHEN MATCHED AND u.b THEN DELETE WHEN MATCHED THEN UPDATE SET b = 1 "
      "WHEN NOT MATCHED THEN INSERT (a) VALUES (1) WHEN NOT MATCHED THEN DO NOTHING");
  const auto& whens = only<MergeStatement>(merge).whens;
  ASSERT_EQ(whens.size(), 4u);
  EXPECT_EQ(whens[0].action, MergeAction::delete_);
  EXPECT_EQ(whens[1].match, MergeWhen::Match::matched);
  EXPECT_EQ(whens[2].values.size(), 1u);
  EXPECT_EQ(whens[3].action, MergeAction::nothing);
}

TEST(Parse, CopyForms) {
  auto to = parsed("COPY t (a, b) TO STDOUT (FORMAT csv, HEADER)");
  EXPECT_FALSE(only<CopyStatement>(to).from);
  EXPECT_TRUE(only<CopyStatement>(to).file.empty());
  EXPECT_EQ(only<CopyStatement>(to).options[0].text, "csv");
  auto query = parsed("COPY (SELECT 1) TO PROGRAM 'cat'");
  EXPECT_TRUE(only<CopyStatement>(query).program);
  EXPECT_NE(as<SelectStatement>(only<CopyStatement>(query).query), nullptr);
  auto from = parsed("COPY t FROM STDIN WHERE a > 1");
  EXPECT_TRUE(only<CopyStatement>(from).from);
}

TEST(Parse, CursorsAndPreparedStatements) {
  auto prepare = parsed("PREPARE p (int, public.vector(3)[]) AS SELECT $1");
  const auto& types = only<PrepareStatement>(prepare).types;
  ASSERT_EQ(types.size(), 2u);
  EXPECT_THAT(strings(types[1]->names), ElementsAre("public", "vector"));
  EXPECT_EQ(types[1]->array_bounds.size(), 1u);
  EXPECT_EQ(only<ExecuteStatement>(parsed("EXECUTE p(1, 'a')")).kind, StatementKind::execute);
  EXPECT_TRUE(only<DeallocateStatement>(parsed("DEALLOCATE ALL")).all);
  auto declare = parsed("DECLARE c BINARY NO SCROLL CURSOR WITH HOLD FOR SELECT 1");
  EXPECT_TRUE(only<DeclareCursorStatement>(declare).hold);
  EXPECT_TRUE(only<DeclareCursorStatement>(declare).binary);
  EXPECT_FALSE(only<DeclareCursorStatement>(declare).scroll);
  auto fetch = parsed("FETCH BACKWARD 7 FROM c");
  EXPECT_EQ(only<FetchStatement>(fetch).direction, FetchDirection::backward);
  EXPECT_EQ(only<FetchStatement>(fetch).count, 7);
  auto all = parsed("MOVE ALL IN c");
  EXPECT_TRUE(only<FetchStatement>(all).all);
  EXPECT_TRUE(only<FetchStatement>(all).move);
  EXPECT_TRUE(only<ClosePortalStatement>(parsed("CLOSE ALL")).all);
}

TEST(Parse, ExplainAnalyzeInAllSpellings) {
  auto analyze = [](const char* text) {
    auto sql = parsed(text);
    return only<ExplainStatement>(sql).analyze;
  };
  EXPECT_FALSE(analyze("EXPLAIN SELECT 1"));
  EXPECT_TRUE(analyze("EXPLAIN ANALYZE SELECT 1"));
  EXPECT_TRUE(analyze("EXPLAIN (ANALYZE) SELECT 1"));
  EXPECT_TRUE(analyze("EXPLAIN (ANALYZE 1, VERBOSE) SELECT 1"));
  EXPECT_TRUE(analyze("EXPLAIN (ANALYZE 'yes') SELECT 1"));
  EXPECT_FALSE(analyze("EXPLAIN (ANALYZE off) SELECT 1"));
  EXPECT_FALSE(analyze("EXPLAIN (ANALYZE false) SELECT 1"));
  EXPECT_FALSE(analyze("EXPLAIN (ANALYZE 0) SELECT 1"));
}

TEST(Parse, SessionStatements) {
  auto set = parsed("SET LOCAL search_path TO a, \"B\"");
  EXPECT_EQ(only<VariableSetStatement>(set).name, "search_path");
  EXPECT_TRUE(only<VariableSetStatement>(set).local);
  EXPECT_EQ(as<Constant>(only<VariableSetStatement>(set).args[1])->text, "B");
  auto isolation = parsed("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY");
  EXPECT_EQ(only<VariableSetStatement>(isolation).action, SetKind::multi);
  EXPECT_EQ(only<VariableSetStatement>(isolation).options.size(), 2u);
  EXPECT_EQ(only<VariableSetStatement>(parsed("RESET ALL")).action, SetKind::reset_all);
  EXPECT_EQ(only<VariableSetStatement>(parsed("SET a.b TO DEFAULT")).action, SetKind::to_default);
  auto begin = parsed("BEGIN ISOLATION LEVEL REPEATABLE READ");
  EXPECT_EQ(only<TransactionStatement>(begin).options[0].text, "repeatable read");
  EXPECT_EQ(only<TransactionStatement>(parsed("ROLLBACK TO s")).name, "s");
  EXPECT_TRUE(only<TransactionStatement>(parsed("COMMIT AND CHAIN")).chain);
  EXPECT_EQ(only<DiscardStatement>(parsed("DISCARD TEMP")).target, DiscardTarget::temp);
  EXPECT_EQ(only<VariableShowStatement>(parsed("SHOW ALL")).name, "all");
  EXPECT_TRUE(only<UnlistenStatement>(parsed("UNLISTEN *")).all);
  EXPECT_EQ(only<NotifyStatement>(parsed("NOTIFY a, 'b'")).payload, "b");
  EXPECT_EQ(only<LockStatement>(parsed("LOCK TABLE a, b IN SHARE MODE NOWAIT")).relations.size(), 2u);
}

TEST(Parse, SchemaStatements) {
  auto create = parsed(
      "CREATE TABLE IF NOT EXISTS s.t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v vector(3) "
      "DEFAULT f(), "
      "g text GENERATED ALWAYS AS (lower(h)) STORED, r int REFERENCES other, CHECK (id > 0), LIKE u "
      "INCLUDING ALL) "
      "INHERITS (p)");
  const auto& table = only<CreateTableStatement>(create);
  EXPECT_TRUE(table.if_not_exists);
  ASSERT_EQ(table.columns.size(), 4u);
  EXPECT_TRUE(table.columns[0].identity && table.columns[0].primary_key);
  EXPECT_NE(table.columns[1].default_value, nullptr);
  EXPECT_TRUE(table.columns[2].generated);
  EXPECT_EQ(table.columns[3].references->name, "other");
  EXPECT_EQ(table.checks.size(), 1u);
  EXPECT_EQ(table.likes.size(), 1u);
  EXPECT_EQ(table.inherits.size(), 1u);

  auto index =
      parsed("CREATE UNIQUE INDEX CONCURRENTLY i ON t USING hnsw (v vector_l2_ops, lower(a)) WHERE b");
  EXPECT_EQ(only<CreateIndexStatement>(index).access_method, "hnsw");
  EXPECT_THAT(strings(only<CreateIndexStatement>(index).elements[0].operator_class),
              ElementsAre("vector_l2_ops"));

  auto alter = parsed(
      "ALTER TABLE t ADD COLUMN c int DEFAULT g(), ENABLE ROW LEVEL SECURITY, ALTER d SET DEFAULT h()");
  const auto& commands = only<AlterTableStatement>(alter).commands;
  EXPECT_EQ(commands[0].column->name, "c");
  EXPECT_EQ(commands[1].name, "ENABLE ROW LEVEL SECURITY");
  EXPECT_EQ(commands[2].expressions.size(), 1u);

  auto drop = parsed("DROP TABLE IF EXISTS a, s.b CASCADE");
  EXPECT_EQ(only<DropStatement>(drop).objects.size(), 2u);
  EXPECT_THAT(strings(only<DropStatement>(drop).objects[1]), ElementsAre("s", "b"));
  auto extension = parsed("CREATE EXTENSION IF NOT EXISTS vector");
  EXPECT_EQ(only<CreateExtensionStatement>(extension).name, "vector");
  auto rename = parsed("ALTER TABLE t RENAME COLUMN a TO b");
  EXPECT_EQ(only<RenameStatement>(rename).old_name, "a");
  auto grant = parsed("GRANT SELECT, UPDATE ON t TO r");
  EXPECT_THAT(strings(only<GrantStatement>(grant).privileges), ElementsAre("select", "update"));
  auto role = parsed("REVOKE a FROM b");
  EXPECT_FALSE(only<GrantRoleStatement>(role).grant);
  auto function = parsed("CREATE FUNCTION s.f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'");
  EXPECT_TRUE(only<CreateFunctionStatement>(function).security_definer);
  EXPECT_EQ(only<CreateFunctionStatement>(function).language, "sql");
  auto block = parsed("DO LANGUAGE plpgsql $$ BEGIN END $$");
  EXPECT_EQ(only<DoStatement>(block).language, "plpgsql");
  EXPECT_EQ(only<CallStatement>(parsed("CALL p(1)")).call->args.size(), 1u);
  EXPECT_EQ(only<VacuumStatement>(parsed("VACUUM FULL a, b")).targets.size(), 2u);
  EXPECT_FALSE(only<VacuumStatement>(parsed("ANALYZE")).vacuum);
  EXPECT_TRUE(
      only<CreateTableAsStatement>(parsed("CREATE MATERIALIZED VIEW m AS SELECT 1")).materialized_view);
  EXPECT_TRUE(only<ViewStatement>(parsed("CREATE OR REPLACE VIEW v AS SELECT 1")).replace);
  EXPECT_TRUE(only<RefreshViewStatement>(parsed("REFRESH MATERIALIZED VIEW CONCURRENTLY m")).concurrently);
  EXPECT_EQ(only<CreateSchemaStatement>(parsed("CREATE SCHEMA s CREATE TABLE t (a int)")).elements.size(),
            1u);
  EXPECT_EQ(only<TruncateStatement>(parsed("TRUNCATE a, b RESTART IDENTITY CASCADE")).relations.size(), 2u);
  EXPECT_EQ(only<CheckpointStatement>(parsed("CHECKPOINT")).kind, StatementKind::checkpoint);
}

TEST(Parse, OtherStatementsCarryTheirTag) {
  auto tag = [](const char* text) {
    auto sql = parsed(text);
    return std::string(only<OtherStatement>(sql).tag);
  };
  EXPECT_EQ(tag("ALTER SYSTEM SET a = 1"), "AlterSystemStmt");
  EXPECT_EQ(tag("CREATE ROLE r PASSWORD 'x'"), "CreateRoleStmt");
  EXPECT_EQ(tag("SET CONSTRAINTS ALL DEFERRED"), "ConstraintsSetStmt");
  EXPECT_EQ(tag("LOAD 'x'"), "LoadStmt");
  EXPECT_EQ(tag("CREATE TRIGGER t BEFORE INSERT ON a EXECUTE FUNCTION f()"), "CreateTrigStmt");
}

TEST(Parse, RefusesBytesThatAreNotText) {
  using namespace std::string_view_literals;
  for (auto bad : {"SELECT '\0'"sv, "SELECT '\xff'"sv, "SELECT '\xc0\x80'"sv, "SELECT '\xed\xa0\x80'"sv}) {
    auto result = parse(bad);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ParseErrorKind::bad_text);
  }
}

TEST(Parse, LimitsAreEnforcedAndNamed) {
  auto error = [](std::string_view text, ParseLimits limits) {
    auto result = parse(text, limits);
    EXPECT_FALSE(result) << text;
    return result ? ParseError{} : result.error();
  };
  EXPECT_THAT(error("SELECT 1", {.text_bytes = 7}).message, HasSubstr("8 bytes"));
  EXPECT_EQ(error("SELECT 1; SELECT 2", {.statements = 1}).kind, ParseErrorKind::too_large);
  EXPECT_THAT(error("SELECT 1, 2, 3", {.nodes = 3}).message, HasSubstr("more than 3 parts"));
  EXPECT_EQ(error("SELECT ((((1)+1)+1)+1)", {.depth = 4}).kind, ParseErrorKind::too_deep);
  std::string many = "SELECT 1";
  for (int i = 0; i < 40'000; ++i) many += ",1";
  EXPECT_THAT(error(many, {.tokens = 1000}).message, HasSubstr("1000 tokens"));
}

// Runs `body` on a thread with a small stack, as a session of a busy gateway might have.
void on_small_stack(std::function<void()> body) {
  constexpr std::size_t kStack = 256 * 1024;
  pthread_attr_t attributes;
  ASSERT_EQ(pthread_attr_init(&attributes), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, kStack), 0);
  pthread_t thread;
  auto run = [](void* arg) -> void* {
    (*static_cast<std::function<void()>*>(arg))();
    return nullptr;
  };
  ASSERT_EQ(pthread_create(&thread, &attributes, run, &body), 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

std::string repeat(std::string_view piece, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += piece;
  return out;
}

std::vector<std::string> nested(int levels) {
  return {
      "SELECT 1" + repeat("+1", levels),
      "SELECT a" + repeat(" <-> a", levels),
      "SELECT 1" + repeat("::int", levels),
      "SELECT " + repeat("(", levels) + "1" + repeat(")", levels),
      "SELECT " + repeat("NOT ", levels) + "true",
      "SELECT " + repeat("- ", levels) + "a",
      "SELECT " + repeat("f(", levels) + "1" + repeat(")", levels),
      "SELECT 1" + repeat(" UNION ALL SELECT 1", levels),
      repeat("(", levels) + "SELECT 1" + repeat(")", levels),
      "SELECT " + repeat("(SELECT ", levels) + "1" + repeat(")", levels),
      "SELECT * FROM " + repeat("(SELECT * FROM ", levels) + "t" + repeat(") x", levels),
      "SELECT * FROM t" + repeat(" CROSS JOIN t", levels),
      "SELECT a" + repeat(" COLLATE \"C\"", levels),
      "SELECT (a)" + repeat("[1]", levels),
      "SELECT " + repeat("CASE WHEN true THEN ", levels) + "1" + repeat(" END", levels),
      repeat("WITH x AS (", levels) + "SELECT 1" + repeat(") SELECT 1", levels),
      repeat("EXPLAIN ", levels) + "SELECT 1",
      "SELECT 1 WHERE a" + repeat(" AND a", levels),
      "SELECT ARRAY" + repeat("[", levels) + "1" + repeat("]", levels),
      "SELECT 1 GROUP BY " + repeat("GROUPING SETS (", levels) + "a" + repeat(")", levels),
  };
}

TEST(Parse, DeepNestingIsAnErrorAndNeverOverflowsASmallStack) {
  on_small_stack([] {
    for (const auto& text : nested(100'000)) {
      auto result = parse(text);
      if (!result) {
        EXPECT_NE(result.error().message, "") << text.substr(0, 40);
        EXPECT_NE(result.error().kind, ParseErrorKind::bad_text);
      } else {
        // AND chains are flat, and parentheses around a SELECT leave no trace.
        EXPECT_LT(result->statements()[0].nodes, 400'000u) << text.substr(0, 40);
      }
    }
  });
}

TEST(Parse, NestingUpToTheLimitFitsASmallStack) {
  on_small_stack([] {
    for (const auto& text : nested(120)) {
      auto result = parse(text);
      EXPECT_TRUE(result || result.error().kind != ParseErrorKind::too_deep) << text.substr(0, 60);
    }
    for (int levels : {240, 480}) {
      for (const auto& text : nested(levels)) static_cast<void>(parse(text).has_value());
    }
  });
}

TEST(Parse, WideStatementsArePossible) {
  std::string list = "SELECT * FROM t WHERE id IN (0";
  for (int i = 1; i < 100'000; ++i) list += ",1";
  auto sql = parsed(list + ")");
  EXPECT_GT(sql.statements()[0].nodes, 100'000u);
}

TEST(Parse, ThreadsDoNotDisturbEachOther) {
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < 500; ++i) {
        auto good = parse("SELECT a" + std::to_string(t) + " FROM t WHERE b = $1 ORDER BY c LIMIT 10");
        ASSERT_TRUE(good);
        EXPECT_FALSE(parse("SELECT FROM WHERE " + std::to_string(t)));
      }
    });
  }
}

// As many as the server takes, and not one more: what is done with each grows with the others.
TEST(Parse, ListsAreAsLongAsTheServerTakesThem) {
  const ParseLimits limits;
  const auto list = [](std::size_t n) {
    std::string out = "1";
    for (std::size_t i = 1; i < n; ++i) out += ",1";
    return out;
  };
  const auto with = [](std::size_t n) {
    std::string out = "WITH a AS (SELECT 1)";
    for (std::size_t i = 1; i < n; ++i) out += fmt::format(", a{} AS (SELECT 1)", i);
    return out + " SELECT 1";
  };
  for (const char* form : {"SELECT {}", "SELECT 1 FROM t ORDER BY {}", "SELECT 1 FROM t GROUP BY {}",
                           "DELETE FROM t RETURNING {}"}) {
    EXPECT_TRUE(parse(fmt::format(fmt::runtime(form), list(limits.list_items)))) << form;
    const auto more = parse(fmt::format(fmt::runtime(form), list(limits.list_items + 1)));
    ASSERT_FALSE(more) << form;
    EXPECT_EQ(more.error().kind, ParseErrorKind::too_large);
    EXPECT_NE(more.error().message.find("1665"), std::string::npos) << more.error().message;
  }
  EXPECT_TRUE(parse(with(limits.common_tables)));
  const auto more = parse(with(limits.common_tables + 1));
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().kind, ParseErrorKind::too_large);
  EXPECT_TRUE(parse("SELECT * FROM t WHERE id IN (" + list(5000) + ")")) << "no list of columns";
}

}  // namespace
}  // namespace sluice::postgres::sql
