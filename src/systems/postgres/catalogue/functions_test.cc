#include "systems/postgres/catalogue/functions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "systems/postgres/catalogue/builtin_tables.h"

namespace sluice::postgres {
namespace {

TEST(Functions, TablesAreSortedAndDisjoint) {
  std::set<std::string_view> seen;
  for (const auto& theme : builtin::kThemes) {
    EXPECT_TRUE(std::ranges::is_sorted(theme.names)) << theme.names.front();
    for (auto name : theme.names) EXPECT_TRUE(seen.insert(name).second) << name << " is in two tables";
  }
  EXPECT_GT(seen.size(), 700u);
  EXPECT_TRUE(std::ranges::is_sorted(builtin::kOperators));
}

TEST(Functions, WhatRunsTextIsDangerousWithItsReason) {
  struct Case {
    const char* name;
    Danger danger;
  };
  for (auto [name, danger] :
       {Case{"query_to_xml", Danger::runs_sql}, Case{"ts_stat", Danger::runs_sql},
        Case{"ts_rewrite", Danger::runs_sql}, Case{"cursor_to_xml", Danger::runs_sql},
        Case{"table_to_xml", Danger::reads_relation}, Case{"pg_read_file", Danger::reads_file},
        Case{"lo_get", Danger::large_object}, Case{"pg_sleep", Danger::sleeps},
        Case{"set_config", Danger::changes_session}, Case{"pg_stat_get_activity", Danger::reads_statistics},
        Case{"pg_terminate_backend", Danger::changes_server}}) {
    auto facts = builtin_function(name);
    ASSERT_TRUE(facts) << name;
    EXPECT_EQ(facts->cls, FunctionClass::dangerous) << name;
    EXPECT_EQ(facts->danger, danger) << name;
  }
}

TEST(Functions, UnknownNamesAreNotVouched) {
  for (auto name : {"int4pl", "pg_nextoid", "binary_upgrade_set_next_heap_relfilenode", "no_such_function",
                    "", "LOWER"}) {
    EXPECT_FALSE(builtin_function(name)) << name;
  }
}

TEST(Functions, AggregatesAreToldApartByWhatTheyKeep) {
  EXPECT_EQ(builtin_function("count")->cls, FunctionClass::aggregate);
  EXPECT_EQ(builtin_function("sum")->cls, FunctionClass::aggregate);
  EXPECT_EQ(builtin_function("json_agg")->cls, FunctionClass::value_aggregate);
  EXPECT_EQ(builtin_function("max")->cls, FunctionClass::value_aggregate);
  EXPECT_TRUE(keeps_one_value("max"));
  EXPECT_FALSE(keeps_one_value("array_agg"));
  EXPECT_EQ(builtin_function("lag")->cls, FunctionClass::value_window);
}

TEST(Functions, ExtensionsAreVouchedOneByOne) {
  EXPECT_EQ(extension_function("vector", "l2_distance").cls, FunctionClass::vector);
  EXPECT_EQ(extension_function("vector", "avg").cls, FunctionClass::aggregate);
  EXPECT_EQ(extension_function("pg_trgm", "similarity").cls, FunctionClass::extension);
  EXPECT_EQ(extension_function("tablefunc", "crosstab").danger, Danger::runs_sql);
  EXPECT_EQ(extension_function("tablefunc", "normal_rand").cls, FunctionClass::extension);
  EXPECT_EQ(extension_function("dblink", "anything").cls, FunctionClass::dangerous);
  EXPECT_EQ(extension_function("pgcrypto", "encrypt").cls, FunctionClass::extension);
  EXPECT_EQ(extension_function("home_made", "lower").cls, FunctionClass::unvouched);
}

TEST(Functions, DistancesKnowTheirMetric) {
  EXPECT_EQ(distance_operator("<=>")->metric, "cosine");
  EXPECT_FALSE(distance_operator("<#>")->negated);
  EXPECT_TRUE(distance_function("inner_product")->negated);
  EXPECT_FALSE(distance_operator("<"));
  EXPECT_TRUE(is_builtin_operator("||"));
  EXPECT_FALSE(is_builtin_operator("<=>"));
}

TEST(Functions, SystemRelationsAreHarmlessByNameOnly) {
  EXPECT_FALSE(dangerous_system_relation("pg_catalog", "pg_class"));
  EXPECT_FALSE(dangerous_system_relation("information_schema", "columns"));
  EXPECT_FALSE(dangerous_system_relation("public", "pg_stats"));
  for (auto name :
       {"pg_statistic", "pg_stats", "pg_stats_ext", "pg_statistic_ext_data", "pg_stat_activity",
        "pg_prepared_statements", "pg_cursors", "pg_authid", "pg_shadow", "pg_largeobject", "pg_new_in_19"}) {
    EXPECT_TRUE(dangerous_system_relation("pg_catalog", name)) << name;
  }
  EXPECT_TRUE(dangerous_system_relation("pg_toast", "pg_toast_16385"));
}

}  // namespace
}  // namespace sluice::postgres
