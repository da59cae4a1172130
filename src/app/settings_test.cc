#include "app/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "app/nearest.h"
#include "app/settings_text.h"

namespace sluice::app {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

Result<Settings> parse(std::string_view yaml, const Environment& environment = {}) {
  return parse_settings(yaml, "/etc/sluice/sluice.yaml", environment);
}
std::string problem(std::string_view yaml, const Environment& environment = {}) {
  auto settings = parse(yaml, environment);
  EXPECT_FALSE(settings) << yaml;
  return settings ? "" : settings.error().detail;
}

TEST(Settings, AnEmptyFileIsAllDefaults) {
  auto settings = parse("");
  ASSERT_TRUE(settings) << settings.error().message();
  EXPECT_EQ(settings->admin.port, 8640);
  EXPECT_EQ(settings->record.durability, Durability::process);
  EXPECT_EQ(settings->record.segment_size, 64_MiB);
  EXPECT_TRUE(settings->postgres.empty());
  EXPECT_EQ(settings->data(), "/etc/sluice");
}

TEST(Settings, ReadsEveryKindOfValue) {
  auto settings = parse(R"(
data_dir: ../../var/lib/sluice
workers: 4
drain_timeout: 2m
postgres:
  - {port: 6432, connection: docs, tls: allowed_on_loopback}
  - address: "::1"
    port: 6433
record:
  durability: host
  segment_size: 16MiB
limits:
admin: {metrics_without_token: false}
log: {level: debug, form: json}
)");
  ASSERT_TRUE(settings) << settings.error().message();
  EXPECT_EQ(settings->data(), "/var/lib/sluice");
  EXPECT_EQ(settings->path("tls/server.crt"), "/var/lib/sluice/tls/server.crt");
  EXPECT_EQ(settings->path("/abs"), "/abs");
  EXPECT_EQ(settings->workers, 4u);
  EXPECT_EQ(settings->drain_timeout, 2min);
  ASSERT_EQ(settings->postgres.size(), 2u);
  EXPECT_EQ(settings->postgres[0].tls, ClientTls::allowed_on_loopback);
  EXPECT_EQ(settings->postgres[1].address, "::1");
  EXPECT_EQ(settings->postgres[1].tls, ClientTls::required);
  EXPECT_EQ(settings->record.durability, Durability::host);
  EXPECT_EQ(settings->record.segment_size, 16_MiB);
  EXPECT_FALSE(settings->admin.metrics_without_token);
  EXPECT_EQ(settings->log.form, LogForm::json);
}

TEST(Settings, UnknownKeysNameThePlaceAndTheNearestKey) {
  EXPECT_THAT(
      problem("record:\n  durabillity: host\n"),
      HasSubstr(
          "/etc/sluice/sluice.yaml:2:16: there is no setting \"durabillity\"; did you mean \"durability\"?"));
  EXPECT_THAT(problem("recrd: {}\n"), HasSubstr("did you mean \"record\"?"));
  EXPECT_THAT(problem("postgres:\n  - prt: 1\n"), HasSubstr("did you mean \"port\"?"));
  EXPECT_EQ(problem("zzzzzzzzzzzz: 1\n").find("did you mean"), std::string::npos);
}

TEST(Settings, ReportsAllProblemsAtOnce) {
  const auto text = problem("workers: many\nrecord: {durability: maybe, segment_size: 1}\nlog: [1]\n");
  EXPECT_THAT(text, HasSubstr(":1:10: workers: expected a whole number"));
  EXPECT_THAT(text, HasSubstr("durability: must be one of process, host"));
  EXPECT_THAT(text, HasSubstr("segment_size: expected a number and a unit"));
  EXPECT_THAT(text, HasSubstr("log needs a mapping, this is a list"));
}

TEST(Settings, BoundsAreChecked) {
  EXPECT_THAT(problem("workers: 257"), HasSubstr("must be between 0 and 256"));
  EXPECT_THAT(problem("workers: -1"), HasSubstr("whole number"));
  EXPECT_THAT(problem("admin: {port: 65536}"), HasSubstr("must be between 0 and 65535"));
  EXPECT_THAT(problem("record: {segment_size: 1KiB}"), HasSubstr("must be between 1MiB and 4GiB"));
  EXPECT_THAT(problem("limits: {login_timeout: 1ms}"), HasSubstr("must be between 100ms and 10m"));
  EXPECT_THAT(problem("limits: {login_timeout: 99999999999999999d}"), HasSubstr("number and a unit"));
}

TEST(Settings, StrictYaml) {
  EXPECT_THAT(problem("a: &x 1\nb: *x\n"), HasSubstr("anchors"));
  EXPECT_THAT(problem("workers: !!int 1\n"), HasSubstr("tags"));
  EXPECT_THAT(problem("workers: 1\nworkers: 2\n"), HasSubstr("appears twice"));
  EXPECT_THAT(problem("workers: 1\n---\nworkers: 2\n"), HasSubstr("one document"));
  EXPECT_THAT(problem("- 1\n"), HasSubstr("settings are a mapping"));
  EXPECT_THAT(problem("workers: [\n"), HasSubstr("/etc/sluice/sluice.yaml:"));
  EXPECT_THAT(problem("workers:\n"), HasSubstr("needs a value"));
  EXPECT_THAT(problem("? [a]\n: 1\n"), HasSubstr("a key must be text"));
  EXPECT_THAT(problem(std::string(40, '[') + std::string(40, ']')), HasSubstr("nested too deeply"));
  EXPECT_THAT(problem(std::string(2 << 20, '#')), HasSubstr("longer than"));
}

TEST(Settings, TheEnvironmentOverrides) {
  auto settings = parse("record: {dir: a}\npostgres: [{port: 1}]\n", {{"SLUICE__RECORD__DIR", "/srv/record"},
                                                                      {"SLUICE__POSTGRES__0__PORT", "7000"},
                                                                      {"SLUICE__POSTGRES__1__PORT", "7001"},
                                                                      {"SLUICE__LOG__LEVEL", "warn"},
                                                                      {"PATH", "/bin"}});
  ASSERT_TRUE(settings) << settings.error().message();
  EXPECT_EQ(settings->record.dir, "/srv/record");
  ASSERT_EQ(settings->postgres.size(), 2u);
  EXPECT_EQ(settings->postgres[0].port, 7000);
  EXPECT_EQ(settings->postgres[1].port, 7001);
  EXPECT_EQ(settings->log.level, LogLevel::warn);
  EXPECT_THAT(problem("", {{"SLUICE__RECORD__DRI", "x"}}), HasSubstr("environment SLUICE__RECORD__DRI"));
  EXPECT_THAT(problem("", {{"SLUICE__POSTGRES__5__PORT", "1"}}), HasSubstr("not an index"));
  EXPECT_THAT(problem("workers: 1", {{"SLUICE__WORKERS__A", "1"}}), HasSubstr("has no parts"));
  EXPECT_THAT(problem("", {{"SLUICE__", "1"}}), HasSubstr("empty key"));
}

TEST(Settings, WhatDoesNotGoTogether) {
  EXPECT_THAT(problem("admin: {address: 0.0.0.0}"), HasSubstr("not loopback"));
  EXPECT_THAT(problem("admin: {certificate: a}"), HasSubstr("go together"));
  EXPECT_THAT(problem("admin: {address: localhost}"), HasSubstr("not an IP address"));
  EXPECT_THAT(problem("postgres: [{port: 1}, {port: 1}]"), HasSubstr("the same address and port"));
  EXPECT_THAT(problem("postgres: [{certificate: \"\"}]"), HasSubstr("certificate and key are needed"));
  EXPECT_THAT(problem("webhook: {url: \"http://example.com\", secret: \"env:X\"}"), HasSubstr("https://"));
  EXPECT_THAT(problem("webhook: {url: \"https://example.com\"}"), HasSubstr("webhook.secret is needed"));
  EXPECT_THAT(problem("webhook: {url: \"https://example.com\", secret: hunter2}"),
              HasSubstr("file:PATH or env:NAME"));
}

TEST(SettingsText, WhatIsPrintedIsReadBack) {
  auto settings = *parse(R"(
postgres: [{port: 6432, connection: "a \"b\" \\ c"}, {port: 6433, tls: allowed_on_loopback}]
record: {durability: host}
)");
  auto again = parse(effective_yaml(settings));
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(effective_yaml(*again), effective_yaml(settings));
  auto commented = parse(commented_yaml(settings));
  ASSERT_TRUE(commented) << commented.error().message() << commented_yaml(settings);
  EXPECT_EQ(effective_yaml(*commented), effective_yaml(settings));
  EXPECT_THAT(effective_json(settings), HasSubstr(R"("connection":"a \"b\" \\ c")"));
}

TEST(SettingsText, ThePageInTheRepositoryIsUpToDate) {
  std::ifstream in{std::string(SLUICE_SOURCE_DIR) + "/docs/configuration.md"};
  std::ostringstream text;
  text << in.rdbuf();
  EXPECT_EQ(text.str(), configuration_page()) << "run: sluice config docs > docs/configuration.md";
}

TEST(Units, RoundTrip) {
  for (const char* text : {"0", "1ms", "1500ms", "2s", "90s", "2m", "36h", "2d"}) {
    auto duration = parse_duration(text);
    ASSERT_TRUE(duration) << text;
    EXPECT_EQ(*parse_duration(to_text(*duration)), *duration);
  }
  EXPECT_EQ(to_text(*parse_duration("120s")), "2m");
  EXPECT_EQ(to_text(*parse_size("2048KiB")), "2MiB");
  for (const char* text : {"", "s", "1", "1x", "-1s", "1.5s", "1 s", "1S", "1kib", "99999999999999999999s"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
    EXPECT_FALSE(parse_size(text)) << text;
  }
}

TEST(Nearest, FindsNearAndIgnoresFar) {
  const std::array<std::string_view, 3> words{"durability", "dir", "segment_size"};
  EXPECT_EQ(nearest("durablity", words), "durability");
  EXPECT_EQ(nearest("dri", words), "dir");
  EXPECT_EQ(nearest("completely_else", words), std::nullopt);
  EXPECT_EQ(nearest(std::string(10'000, 'x'), words), std::nullopt);
}

}  // namespace
}  // namespace sluice::app
