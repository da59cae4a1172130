#include "proxy/pg/planning/statement_settings.h"

#include <gtest/gtest.h>

#include "proxy/pg/planning/testing_plan.h"
#include "systems/postgres/catalogue/testing.h"

namespace sluice::proxy::pg {
namespace {

class StatementSettingsTest : public ::testing::Test {
 protected:
  std::shared_ptr<Plan> check(std::string_view sql, bool own_pg_settings = true) {
    auto plan = testing::described(sql, *catalogue);
    check_settings(*plan, {names, masks, vouched, "ana", "17"}, own_pg_settings);
    return plan;
  }
  // What is refused, in words; "" where nothing is.
  std::string refusal(std::string_view sql, bool own_pg_settings = true) {
    const auto plan = check(sql, own_pg_settings);
    if (!plan->denial) return "";
    EXPECT_EQ(plan->denial->reason, Reason::protocol) << sql;
    EXPECT_FALSE(plan->denial->hint.empty()) << sql;
    return plan->denial->message;
  }
  void mask_something() {
    auto set = std::make_shared<MaskSet>();
    set->fields.push_back({.collection = "public.docs", .field = "email", .rule = "hide"});
    masks = std::move(set);
  }

  std::shared_ptr<const postgres::Catalogue> catalogue = postgres::testing::sample_catalogue();
  Names names;
  std::shared_ptr<const MaskSet> masks = std::make_shared<MaskSet>();
  std::vector<std::string> vouched;
};

TEST_F(StatementSettingsTest, LetsASessionChangeItsOwn) {
  for (const char* sql :
       {"SET work_mem = '4MB'", "SET LOCAL statement_timeout TO 1000", "RESET work_mem",
        "SET DateStyle = ISO, MDY", "SET TIME ZONE 'UTC'", "SET hnsw.ef_search = 100",
        "SET search_path = a, b", "RESET ALL", "DISCARD ALL", "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "SELECT set_config('work_mem', '4MB', true)",
        "SELECT 1", "SHOW work_mem"}) {
    EXPECT_EQ(refusal(sql), "") << sql;
  }
}

TEST_F(StatementSettingsTest, RefusesTheServersAndTheGateways) {
  for (const char* name :
       {"role", "session_authorization", "log_statement", "allow_system_table_mods", "nobodys.own",
        "session_replication_role", "local_preload_libraries", "temp_tablespaces"}) {
    const auto expected = fmt::format("the setting \"{}\" may not be changed", name);
    EXPECT_EQ(refusal(fmt::format("SET {} = 'x'", name)), expected);
    EXPECT_EQ(refusal(fmt::format("RESET {}", name)), expected);
    EXPECT_EQ(refusal(fmt::format("SELECT set_config('{}', 'x', false)", name)), expected);
  }
  EXPECT_EQ(refusal("SET ROLE postgres"), "the setting \"role\" may not be changed");
  EXPECT_EQ(refusal("SET SESSION AUTHORIZATION postgres"),
            "the setting \"session_authorization\" may not be changed");
  EXPECT_EQ(refusal("SET LoG_STATEMENT = 'x'"), "the setting \"log_statement\" may not be changed");
}

// Wherever it stands, and whoever else is set beside it.
TEST_F(StatementSettingsTest, FindsEveryCallOfSetConfig) {
  for (const char* sql :
       {"SELECT set_config('work_mem', '4MB', false), set_config('role', 'postgres', false)",
        "SELECT id FROM docs WHERE set_config('role', 'postgres', false) = ''",
        "WITH x AS (SELECT set_config('role', 'postgres', false)) SELECT 1",
        "INSERT INTO sink(data) VALUES (set_config('role', 'postgres', false))",
        "PREPARE p AS SELECT set_config('role', 'postgres', false)",
        "COPY (SELECT pg_catalog.set_config('role', 'postgres', false)) TO STDOUT"}) {
    EXPECT_EQ(refusal(sql), "the setting \"role\" may not be changed") << sql;
  }
}

TEST_F(StatementSettingsTest, RefusesWhatNobodyCanTellBeforehand) {
  constexpr const char* kComputed = "the setting \"?\" is computed, so nobody can tell which one it is";
  for (const char* sql :
       {"SELECT set_config('ro' || 'le', 'postgres', false)", "SELECT set_config($1, 'x', false)",
        "SELECT set_config(title, 'x', false) FROM docs", "SELECT set_config('application_name', 'x', false)",
        "SELECT set_config('search_path', title, false) FROM docs",
        "SELECT set_config(name, 'x', false) FROM pg_settings WHERE name LIKE 'r%'"}) {
    EXPECT_EQ(refusal(sql), kComputed) << sql;
  }
  constexpr const char* kOfTheView =
      "SELECT set_config(name, '4MB', false) FROM pg_settings WHERE name = 'work_mem'";
  EXPECT_EQ(refusal(kOfTheView), "");
  EXPECT_EQ(refusal(kOfTheView, false), kComputed) << "somebody else's pg_settings has any rows";
}

TEST_F(StatementSettingsTest, HoldsPinnedSettings) {
  const std::pair<const char*, const char*> cases[] = {
      {"SET client_encoding = 'UTF8'", ""},
      {"SET NAMES 'utf-8'", ""},
      {"SET NAMES 'LATIN1'", "the setting \"client_encoding\" must be UTF8"},
      {"SET standard_conforming_strings = on", ""},
      {"SET standard_conforming_strings = off", "the setting \"standard_conforming_strings\" must be on"},
      {"SET standard_conforming_strings TO DEFAULT", ""},
      {"RESET client_encoding", ""},
      {"SET backslash_quote = on", "the setting \"backslash_quote\" must be safe_encoding"},
      {"SET row_security = off", "the setting \"row_security\" must be on"},
      {"SELECT set_config('row_security', 'on', false)", ""},
      {"SELECT set_config('row_security', 'off', false)", "the setting \"row_security\" must be on"},
      {"SELECT set_config('row_security', title, false) FROM docs",
       "the setting \"row_security\" must be on"},
  };
  for (const auto& [sql, why] : cases) EXPECT_EQ(refusal(sql), why) << sql;
  EXPECT_NE(check("SET row_security = off")->denial->hint.find("--enable-row-security"), std::string::npos);
}

TEST_F(StatementSettingsTest, LeavesThePlannerToTheClientWhereNothingIsMasked) {
  constexpr const char* kSteers[] = {"SET enable_seqscan = off", "SET LOCAL enable_bitmapscan TO off",
                                     "RESET enable_indexscan",
                                     "SELECT set_config('random_page_cost', '1', false)"};
  for (const char* sql : kSteers) {
    EXPECT_EQ(refusal(sql), "") << sql;
    EXPECT_FALSE(check(sql)->rewritten) << sql;
  }
}

TEST_F(StatementSettingsTest, WhereSomethingIsMaskedThePlannerKeepsItsSettingsAndSaysSo) {
  mask_something();
  const auto plan = check("SET LOCAL enable_bitmapscan TO off");
  EXPECT_FALSE(plan->denial);
  EXPECT_EQ(plan->text, "SET LOCAL \"enable_bitmapscan\" TO DEFAULT");
  EXPECT_TRUE(plan->rewritten);
  EXPECT_NE(plan->warning.find("enable_bitmapscan is not set"), std::string::npos);
  EXPECT_EQ(check("SET enable_seqscan = off")->text, "SET SESSION \"enable_seqscan\" TO DEFAULT");
  EXPECT_EQ(check("RESET enable_indexscan")->warning, "");
  EXPECT_NE(refusal("SELECT set_config('random_page_cost', '1', false)").find("steers the planner"),
            std::string::npos);
  EXPECT_EQ(check("SET jit = off")->text, "SET jit = off") << "that is no matter of order";
}

TEST_F(StatementSettingsTest, KeepsTheGatewaysAttributionInFront) {
  const std::pair<const char*, const char*> cases[] = {
      {"SET application_name = 'app'", "SET SESSION application_name TO 'sluice:ana:17 app'"},
      {"SET LOCAL application_name TO app", "SET LOCAL application_name TO 'sluice:ana:17 app'"},
      {"SET Application_Name = ''", "SET SESSION application_name TO 'sluice:ana:17'"},
      {"SET application_name = 'o''hara\\'", "SET SESSION application_name TO E'sluice:ana:17 o''hara\\\\'"},
  };
  for (const auto& [sql, text] : cases) {
    const auto plan = check(sql);
    EXPECT_EQ(plan->text, text) << sql;
    EXPECT_TRUE(plan->rewritten) << sql;
    EXPECT_FALSE(plan->denial) << sql;
  }
  EXPECT_EQ(check("RESET application_name")->text, "RESET application_name")
      << "back to what start-up gave it";
}

TEST_F(StatementSettingsTest, SaysWhatIsFollowed) {
  struct Case {
    const char* sql;
    PlanKind kind;
    const char* setting;
  };
  constexpr Case kCases[] = {
      {"SET search_path = a", PlanKind::set, "search_path"},
      {"SET \"Search_Path\" = a", PlanKind::set, "search_path"},
      {"RESET search_path", PlanKind::set, "search_path"},
      {"RESET ALL", PlanKind::set, ""},
      {"SET work_mem = '4MB'", PlanKind::set, "work_mem"},
      {"SET TRANSACTION READ ONLY, ISOLATION LEVEL SERIALIZABLE", PlanKind::set, ""},
      {"SELECT set_config('search_path', 'a', false)", PlanKind::set, "search_path"},
      {"SELECT set_config('work_mem', '4MB', false)", PlanKind::set, "work_mem"},
      {"SELECT 1, set_config('work_mem', '4MB', false)", PlanKind::statement, ""},
      {"DISCARD ALL", PlanKind::discard_all, ""},
  };
  for (const auto& one : kCases) {
    const auto plan = check(one.sql);
    EXPECT_EQ(plan->kind, one.kind) << one.sql;
    EXPECT_EQ(plan->setting, one.setting) << one.sql;
    EXPECT_EQ(may_be_path(plan->setting), one.setting != std::string_view{"work_mem"}) << one.sql;
  }
}

// A function runs among others, in whatever order the planner likes.
TEST_F(StatementSettingsTest, AFunctionMaySetWhatHasNoEffectOnTheStatement) {
  for (const char* name : {"work_mem", "WORK_MEM", "search_path", "timezone"})
    EXPECT_TRUE(may_set(name)) << name;
  for (const char* name : {"role", "client_encoding", "application_name", "enable_seqscan", "", "all"})
    EXPECT_FALSE(may_set(name)) << name;
}

}  // namespace
}  // namespace sluice::proxy::pg
