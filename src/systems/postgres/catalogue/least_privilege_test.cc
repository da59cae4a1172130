#include "systems/postgres/catalogue/least_privilege.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace sluice::postgres {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::optional<PrivilegeAdvice> advice(const std::vector<std::optional<std::string>>& row,
                                      bool masks_hold = true) {
  std::vector<PrivilegeAdvice> all;
  add_least_privilege(all, row, masks_hold);
  return all.empty() ? std::nullopt : std::optional{all.front()};
}

struct Case {
  std::vector<std::optional<std::string>> row;
  std::string statement;
  std::string reason;  // a part of it
};

class LeastPrivilege : public ::testing::TestWithParam<Case> {};

TEST_P(LeastPrivilege, TakesAwayWhatNoClientNeeds) {
  const auto made = advice(GetParam().row);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->statement, GetParam().statement);
  EXPECT_THAT(made->reason, HasSubstr(GetParam().reason));
  EXPECT_THAT(made->reason, Not(HasSubstr("\n")));
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, LeastPrivilege,
    ::testing::Values(
        Case{{"attribute", "SUPERUSER", "", "app"}, "ALTER ROLE app NOSUPERUSER;", "every check"},
        Case{{"attribute", "BYPASSRLS", "", "\"App\""}, "ALTER ROLE \"App\" NOBYPASSRLS;", "row security"},
        Case{{"member", "pg_monitor", "pg_monitor", "app"}, "REVOKE pg_monitor FROM app;", "statements"},
        Case{{"member", "pg_read_all_data", "readers", "app"},
             "REVOKE readers FROM app;",
             "by way of pg_read_all_data: it reads every table"},
        Case{{"member", "boss", "boss", "app"}, "REVOKE boss FROM app;", "every check"},
        Case{{"first", "", "", "postgres"},
             "CREATE ROLE gateway LOGIN;",
             "postgres is the server's first superuser"},
        Case{{"owner", "SCHEMA", "s", "app"},
             "ALTER SCHEMA s OWNER TO CURRENT_USER; GRANT USAGE ON SCHEMA s TO app;",
             "grants itself"},
        Case{{"owner", "DATABASE", "db", "app"}, "ALTER DATABASE db OWNER TO CURRENT_USER;", "drop it"},
        Case{{"schema", "CREATE", "public", "PUBLIC"},
             "REVOKE CREATE ON SCHEMA public FROM PUBLIC;",
             "grant it again"},
        Case{{"schema", "CREATE", "s", "app"}, "REVOKE CREATE ON SCHEMA s FROM app;", "planted"},
        Case{{"database", "CREATE", "db", "app"}, "REVOKE CREATE ON DATABASE db FROM app;", "schemas"},
        Case{{"database", "TEMPORARY", "db", "PUBLIC"},
             "REVOKE TEMPORARY ON DATABASE db FROM PUBLIC;",
             "while masks are in force"},
        Case{{"function", "dblink", "public.dblink(text), public.dblink_exec(text)", "PUBLIC"},
             "REVOKE EXECUTE ON FUNCTION public.dblink(text), public.dblink_exec(text) FROM PUBLIC;",
             "pass no gateway"},
        Case{{"catalogue", "INSERT, UPDATE", "pg_catalog.pg_proc", "app"},
             "REVOKE INSERT, UPDATE ON TABLE pg_catalog.pg_proc FROM app;",
             "what names, types and functions mean"}));

TEST(LeastPrivileges, TemporaryTablesMatterUnderMasksOnly) {
  EXPECT_FALSE(advice({"database", "TEMPORARY", "db", "PUBLIC"}, false));
  EXPECT_TRUE(advice({"database", "CREATE", "db", "app"}, false));
}

TEST(LeastPrivileges, AStatementIsGivenOnceWithAllItsReasons) {
  using Row = std::vector<std::optional<std::string>>;
  std::vector<PrivilegeAdvice> all;
  for (const auto& row :
       {Row{"member", "pg_monitor", "ops", "app"}, Row{"member", "pg_read_all_stats", "ops", "app"},
        Row{"member", "pg_signal_backend", "ops", "app"}}) {
    add_least_privilege(all, row, true);
  }
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].statement, "REVOKE ops FROM app;");
  EXPECT_THAT(all[0].reason, HasSubstr("by way of pg_monitor"));
  EXPECT_THAT(all[0].reason, HasSubstr("; by way of pg_signal_backend"));
}

TEST(LeastPrivileges, WhatIsNotUnderstoodIsNoAdvice) {
  EXPECT_FALSE(advice({"wish", "SUPERUSER", "", "app"}));
  EXPECT_FALSE(advice({"attribute", "LOGIN", "", "app"}));
  EXPECT_FALSE(advice({"function", "other", "f()", "app"}));
  EXPECT_FALSE(advice({"attribute", "SUPERUSER", "", std::nullopt}));
  EXPECT_FALSE(advice({"attribute", "SUPERUSER"}));
}

}  // namespace
}  // namespace sluice::postgres
