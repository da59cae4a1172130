#include "systems/postgres/rewrite/checks/vouch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "systems/postgres/rewrite/testing.h"
#include "systems/postgres/sql/parse.h"

namespace sluice::postgres::rewrite {
namespace {

using ::testing::HasSubstr;

class Vouch : public ::testing::Test {
 protected:
  std::shared_ptr<const Catalogue> catalogue_ = postgres::testing::catalogue(R"(
    public.sink(id int4, data text)
    domain public.dd text check
    domain public.fine text
    public.marked(id int4, d public.dd)
    function public.f_email
    function public.leak row
    function evil.lower
    operator evil.=
    operator public.===
    function public.similarity extension pg_trgm
    function public.dblink extension dblink
  )");
  std::vector<std::string> path_{"public"};
  VouchOptions options_;

  std::string why(std::string_view sql) {
    auto parsed = sql::parse(sql);
    if (!parsed) return parsed.error().message;
    auto denial = check_functions(*parsed->statements()[0].body, *catalogue_, path_, options_);
    return denial ? denial->message : "";
  }
};

TEST_F(Vouch, PassesWhatIsKnown) {
  for (auto sql :
       {"SELECT lower(data), count(*), now() FROM sink WHERE id IN (1, 2) AND data LIKE 'x%'",
        "SELECT data::varchar(3), 'x'::fine FROM sink", "SELECT similarity(data, 'x') FROM sink",
        "SELECT '[1]'::vector <-> '[2]'", "SELECT d FROM marked", "SELECT nextval('s'), pg_advisory_lock(1)",
        "SELECT pg_get_userbyid(1), format_type(23, -1), pg_table_is_visible(1)",
        "SELECT sink.data FROM sink", "CREATE TABLE t(id bigserial, x serial)",
        "CREATE TABLE t PARTITION OF sink FOR VALUES FROM (MINVALUE) TO (10)",
        "CREATE TABLE t(i int) PARTITION BY RANGE (lower(i))", "INSERT INTO sink SELECT 1, upper('x')"}) {
    EXPECT_EQ(why(sql), "") << sql;
  }
}

TEST_F(Vouch, RefusesFunctionsWhereverTheyStand) {
  for (auto sql : {"SELECT f_email(1)",
                   "SELECT 1 FROM f_email(1)",
                   "SELECT 1 ORDER BY f_email(1)",
                   "SELECT 1 LIMIT f_email(1)",
                   "SELECT count(*) FILTER (WHERE f_email(1) = '') FROM sink",
                   "SELECT sum(1) OVER (ORDER BY f_email(1))",
                   "INSERT INTO sink VALUES (1, f_email(1))",
                   "UPDATE sink SET data = f_email(1)",
                   "DELETE FROM sink WHERE data = f_email(1)",
                   "DELETE FROM sink RETURNING f_email(1)",
                   "INSERT INTO sink VALUES (1) ON CONFLICT (id) DO UPDATE SET data = f_email(1)",
                   "SELECT 1 FROM sink JOIN sink t ON f_email(1) = ''",
                   "SELECT (SELECT f_email(1))",
                   "WITH x AS (SELECT f_email(1)) SELECT 1",
                   "VALUES (f_email(1))",
                   "CREATE TABLE t(x text DEFAULT f_email(1))",
                   "CREATE INDEX ON sink (f_email(id))",
                   "CREATE TABLE t PARTITION OF sink FOR VALUES IN (f_email(1))",
                   "CREATE TABLE t PARTITION OF sink FOR VALUES FROM (MINVALUE) TO (f_email(1))",
                   "CREATE TABLE t(i int) PARTITION BY RANGE (f_email(i))",
                   "ALTER TABLE sink ATTACH PARTITION t FOR VALUES IN (f_email(1))",
                   "EXECUTE p(f_email(1))",
                   "CALL f_email(1)",
                   "SELECT CASE WHEN true THEN f_email(1) END",
                   "SELECT ARRAY[f_email(1)]",
                   "SELECT ROW(f_email(1))",
                   "SELECT coalesce(f_email(1), '')",
                   "SELECT x FROM ROWS FROM (f_email(1)) AS t(x)",
                   "SELECT array_agg(1 ORDER BY f_email(1))",
                   "COPY (SELECT f_email(1)) TO STDOUT",
                   "DECLARE c CURSOR FOR SELECT f_email(1)",
                   "EXPLAIN SELECT f_email(1)",
                   "PREPARE p AS SELECT f_email(1)",
                   "MERGE INTO sink s USING sink t ON true WHEN MATCHED THEN UPDATE SET data = f_email(1)",
                   "CREATE TABLE t AS SELECT f_email(1)",
                   "SELECT no_such_function(1)",
                   "SELECT xmlelement(name a, f_email(1))"}) {
    EXPECT_THAT(why(sql), HasSubstr("is not vouched for")) << sql;
  }
}

TEST_F(Vouch, SaysWhyAFunctionIsDangerous) {
  EXPECT_THAT(why("SELECT query_to_xml('SELECT 1', true, true, '')"), HasSubstr("runs SQL"));
  EXPECT_THAT(why("SELECT pg_read_file('x')"), HasSubstr("files of the server"));
  EXPECT_THAT(why("SELECT * FROM dblink('x', 'y') AS t(a int)"), HasSubstr("reaches other servers"));
  EXPECT_THAT(why("SELECT pg_sleep(1)"), HasSubstr("time becomes an answer"));
  EXPECT_THAT(why("SELECT pg_catalog.set_config('a', 'b', false)"), HasSubstr("behind the gateway's back"));
}

TEST_F(Vouch, RowsCallFunctionsThroughTheirDots) {
  EXPECT_THAT(why("SELECT sink.leak FROM sink"), HasSubstr("leak"));
  EXPECT_THAT(why("SELECT (sink).leak FROM sink"), HasSubstr("leak"));
  EXPECT_THAT(why("SELECT (ROW(1)).leak"), HasSubstr("leak"));
}

TEST_F(Vouch, OperatorsAndWhatImpliesThem) {
  EXPECT_THAT(why("SELECT 1 === 2"), HasSubstr("operator ==="));
  EXPECT_THAT(why("SELECT 1 ORDER BY 1 USING ==="), HasSubstr("operator ==="));
  path_ = {"evil", "public"};
  for (auto sql : {"SELECT 1 = 2", "SELECT 1 IN (2)", "SELECT 1 IN (SELECT 2)", "SELECT 1 IS DISTINCT FROM 2",
                   "SELECT nullif(1, 2)", "SELECT CASE 1 WHEN 2 THEN 3 END", "SELECT 1 = ANY (ARRAY[2])",
                   "SELECT 1 FROM sink JOIN sink t USING (id)", "SELECT 1 FROM sink NATURAL JOIN sink t"}) {
    EXPECT_THAT(why(sql), HasSubstr("operator =")) << sql;
  }
  EXPECT_EQ(why("SELECT 1 OPERATOR(pg_catalog.=) 2"), "");
  EXPECT_EQ(why("SELECT 1 < 2"), "");
  EXPECT_THAT(why("SELECT lower('X')"), HasSubstr("function evil.lower() is not vouched for"));
  EXPECT_EQ(why("SELECT pg_catalog.lower('X')"), "");
}

TEST_F(Vouch, Types) {
  EXPECT_THAT(why("SELECT 'x'::dd"), HasSubstr("type dd"));
  EXPECT_THAT(why("SELECT '{x}'::dd[]"), HasSubstr("type dd"));
  EXPECT_THAT(why("SELECT 'x'::marked"), HasSubstr("type marked"));
  EXPECT_THAT(why("SELECT * FROM json_to_record('{}') AS t(x dd)"), HasSubstr("type dd"));
  EXPECT_THAT(why("SELECT 'x'::no_such_type"), HasSubstr("no_such_type"));
}

TEST_F(Vouch, NothingBecomesADomainThatChecks) {
  for (auto sql :
       {"SELECT d, lower(d) FROM marked WHERE d = 'x' OR d IN ('x', 'y')",
        "SELECT coalesce(d, 'x') FROM marked UNION SELECT 'y'", "DELETE FROM sink WHERE data = 'x'"}) {
    EXPECT_EQ(why(sql), "") << sql;
  }
  for (auto sql :
       {"INSERT INTO marked VALUES (1, 'x')", "UPDATE marked SET d = 'x'", "COPY marked FROM STDIN",
        "SELECT array_append(ARRAY[d], 'x') FROM marked", "SELECT array_agg(d) = '{x}' FROM marked",
        "SELECT ARRAY(SELECT d FROM marked) || 'x'", "SELECT lag(d, 1, 'x') OVER () FROM marked",
        "SELECT jsonb_populate_record(m, '{}') FROM marked m", "SELECT coalesce(m, '(1,x)') FROM marked m",
        "SELECT coalesce(marked, '(1,x)') FROM marked",
        "SELECT coalesce(public.marked, '(1,x)') FROM public.marked"}) {
    EXPECT_THAT(why(sql), HasSubstr("column public.marked.d is of type public.dd")) << sql;
  }
}

TEST_F(Vouch, SystemRelationsThatHoldValues) {
  EXPECT_THAT(why("SELECT most_common_vals FROM pg_stats"), HasSubstr("pg_stats"));
  EXPECT_THAT(why("SELECT * FROM pg_catalog.pg_statistic"), HasSubstr("pg_statistic"));
  EXPECT_THAT(why("SELECT query FROM pg_stat_activity"), HasSubstr("pg_stat_activity"));
  EXPECT_THAT(why("SELECT * FROM pg_toast.pg_toast_16385"), HasSubstr("pg_toast_16385"));
  EXPECT_EQ(why("SELECT * FROM pg_class"), "");
  EXPECT_EQ(why("WITH pg_stats AS (SELECT 1) SELECT * FROM pg_stats"), "");
}

TEST_F(Vouch, SetConfigOnlyForSettingsThatMayBeSet) {
  options_.may_set = [](std::string_view name) { return name == "jit"; };
  EXPECT_EQ(why("SELECT set_config('jit', 'off', false)"), "");
  EXPECT_NE(why("SELECT set_config('search_path', 'evil', false)"), "");
  EXPECT_NE(why("SELECT set_config($1, 'evil', false)"), "");
  EXPECT_NE(why("SELECT public.set_config('jit', 'off', false)"), "");
}

}  // namespace
}  // namespace sluice::postgres::rewrite
