#include "app/settings_reload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/settings_text.h"

namespace sluice::app {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

Settings parse(std::string_view yaml) {
  auto settings = parse_settings(yaml, "/etc/sluice/sluice.yaml", {});
  EXPECT_TRUE(settings) << settings.error().message();
  return *settings;
}

TEST(SettingsReload, LiveOnesTakeEffectTheOthersAreNamed) {
  const auto now = parse("workers: 2\npostgres: [{port: 6432}]\nlog: {level: info}\n");
  const auto fresh = parse(
      "workers: 4\ndrain_timeout: 1m\npostgres: [{port: 7000}]\nlog: {level: debug}\n"
      "limits: {sessions: 7, idle_in_transaction_timeout: 5s}\n");
  const auto change = merge_live(now, fresh);
  EXPECT_THAT(change.applied, ElementsAre("drain_timeout", "limits.sessions",
                                          "limits.idle_in_transaction_timeout", "log.level"));
  EXPECT_THAT(change.at_restart, ElementsAre("workers", "postgres.0.port"));
  EXPECT_EQ(change.in_force.drain_timeout, 1min);
  EXPECT_EQ(change.in_force.limits.sessions, 7u);
  EXPECT_EQ(change.in_force.limits.idle_in_transaction_timeout, 5s);
  EXPECT_EQ(change.in_force.log.level, LogLevel::debug);
  EXPECT_EQ(change.in_force.workers, 2u);
  EXPECT_EQ(change.in_force.postgres[0].port, 6432);
}

TEST(SettingsReload, NothingChangedIsNothingSaid) {
  const auto now = parse("postgres: [{port: 6432}, {port: 6433}]\n");
  const auto change = merge_live(now, now);
  EXPECT_THAT(change.applied, IsEmpty());
  EXPECT_THAT(change.at_restart, IsEmpty());
  EXPECT_EQ(effective_yaml(change.in_force), effective_yaml(now));
}

TEST(SettingsReload, ListenersThatCameOrWentWaitForARestart) {
  const auto one = parse("postgres: [{port: 6432}]\n");
  const auto two = parse("postgres: [{port: 6432}, {port: 6433}]\n");
  EXPECT_THAT(merge_live(one, two).at_restart, ::testing::Contains("postgres.1.port"));
  EXPECT_EQ(merge_live(one, two).in_force.postgres.size(), 1u);
  EXPECT_THAT(merge_live(two, one).at_restart, ::testing::Contains("postgres.1.port"));
}

}  // namespace
}  // namespace sluice::app
