#include "app/commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "app/api_client.h"
#include "app/files.h"
#include "app/output.h"
#include "app/testing.h"

namespace sluice::app {
namespace {

using ::testing::HasSubstr;

TEST(CommandPage, TheCopyInTheRepositoryIsUpToDate) {
  std::ifstream in{std::string(SLUICE_SOURCE_DIR) + "/docs/cli.md"};
  std::ostringstream text;
  text << in.rdbuf();
  EXPECT_EQ(text.str(), command_page()) << "run: sluice docs > docs/cli.md";
}

TEST(Output, TablesLineUpAndCut) {
  const auto items = boost::json::parse(
      R"([{"name":"a","groups":["x","y"],"policy":{"rules":3},"text":"0123456789"},{"name":"long","groups":[],"text":null}])");
  EXPECT_EQ(render_table(items.as_array(), {"name", "groups", "policy.rules", "text:4"}),
            "NAME  GROUPS  POLICY RULES  TEXT\n"
            "a     x, y    3             0123…\n"
            "long          -             -\n");
}

TEST(Output, ObjectsAreALineForEachKey) {
  const auto object = boost::json::parse(
      R"({"name":"docs","none":[],"policy":{"rules":3,"digest":"d"},"tests":{"a":{"ok":true},"b":{"ok":false}},
          "roles":[{"alias":"r","groups":["x","y"]}]})");
  EXPECT_EQ(render_object(object),
            "name:   docs\n"
            "none:\n"
            "policy: rules=3 digest=d\n"
            "tests:\n"
            "  - a: ok=true\n"
            "  - b: ok=false\n"
            "roles:\n"
            "  - alias=r groups=x, y\n");
}

TEST(Output, EventsAreALineForEachFact) {
  const auto event = boost::json::parse(
      R"({"shard":1,"seq":5,"time":"T","kind":"intent","session":"s","operation":"s-1","facts":{"verb":"scroll","statement":"SELECT\n1"}})");
  EXPECT_EQ(render_event(event), "T  intent  s-1\n    verb: scroll\n    statement: SELECT\\n1\n");
  EXPECT_EQ(render_event(boost::json::parse(R"({"time":"T","kind":"closed"})")), "T  closed\n");
}

TEST(Output, NothingMovesTheTerminal) {
  EXPECT_EQ(render_cell(boost::json::value("\x1b[2J\n\t\x7f")), "\\x1b[2J\\n\\t\\x7f");
  EXPECT_EQ(render_cell(boost::json::value("\xc2\x9b"
                                           "31m caf\xc3\xa9")),
            "\\x9b31m café");
}

class ContextTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ::setenv("SLUICE_CONTEXT", (folder.path / "context.yaml").c_str(), 1);
    for (const char* name : {"SLUICE_ADDR", "SLUICE_TOKEN", "SLUICE_CA_FILE"}) ::unsetenv(name);
  }
  void TearDown() override { SetUp(); }
  testing::TemporaryFolder folder;
};

TEST_F(ContextTest, FlagsThenEnvironmentThenFile) {
  EXPECT_EQ(find_context({})->address, kDefaultAddress);
  ASSERT_TRUE(save_context({"https://saved.example", Secret{"slc_saved"}, "/ca.pem"}));
  auto saved = find_context({});
  ASSERT_TRUE(saved) << saved.error().message();
  EXPECT_EQ(saved->address, "https://saved.example");
  EXPECT_EQ(saved->token.reveal(), "slc_saved");
  EXPECT_EQ(saved->ca_file, "/ca.pem");
  ::setenv("SLUICE_ADDR", "https://env.example/", 1);
  ::setenv("SLUICE_TOKEN", "slc_env", 1);
  EXPECT_EQ(find_context({})->address, "https://env.example");
  EXPECT_EQ(find_context({})->token.reveal(), "slc_env");
  ASSERT_TRUE(create_file(folder.path / "token", "slc_file\n", 0600));
  auto flags = find_context({.address = "127.0.0.1:1", .token_file = (folder.path / "token").string()});
  EXPECT_EQ(flags->address, "http://127.0.0.1:1");
  EXPECT_EQ(flags->token.reveal(), "slc_file");
  EXPECT_EQ(find_context({.address = "db.example:8640"})->address, "https://db.example:8640");
}

TEST_F(ContextTest, ATokenThatOthersCanReadIsRefused) {
  ASSERT_TRUE(create_file(folder.path / "context.yaml", "token: slc_x\n", 0644));
  EXPECT_EQ(find_context({}).error().code, Errc::forbidden);
}

TEST_F(ContextTest, NoTokenTravelsInTheClear) {
  for (const char* address :
       {"http://db.example:8640", "http://127.0.0.1.evil.example", "http://user@evil.example"}) {
    auto client = ApiClient::connect({address, Secret{"slc_x"}, ""});
    ASSERT_FALSE(client) << address;
    EXPECT_EQ(client.error().code, Errc::forbidden);
  }
  for (const char* address :
       {"http://localhost:1", "http://[::1]:1", "http://127.0.0.1:1", "https://db.example"}) {
    EXPECT_TRUE(ApiClient::connect({address, Secret{"slc_x"}, ""})) << address;
  }
}

TEST_F(ContextTest, NoGatewayIsUnreachable) {
  auto client = ApiClient::connect({"http://127.0.0.1:1", Secret{}, ""});
  EXPECT_EQ(client->call("GET", "/healthz").error().code, Errc::unavailable);
}

int run_words(std::vector<std::string> words) {
  words.insert(words.begin(), "sluice");
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  return run(static_cast<int>(arguments.size()), arguments.data());
}

TEST_F(ContextTest, ExitCodes) {
  EXPECT_EQ(run_words({"version"}), 0);
  EXPECT_EQ(run_words({"no-such-command"}), 2);
  EXPECT_EQ(run_words({"principal", "create"}), 2);
  EXPECT_EQ(run_words({"config", "check", "/no/such/file"}), 5);
  EXPECT_EQ(run_words({"--addr", "http://127.0.0.1:1", "status"}), 7);
  EXPECT_EQ(run_words({"--addr", "http://db.example", "status"}), 4);
  EXPECT_EQ(run_words({"record", "verify", "--dir", folder.path.string()}), 2) << "without a key";
  ASSERT_TRUE(create_file(folder.path / "bad.yaml", "nonsense: 1\n", 0600));
  EXPECT_EQ(run_words({"config", "check", (folder.path / "bad.yaml").string()}), 1);
  ASSERT_TRUE(create_file(folder.path / "policy.yaml", "rules: 7\n", 0600));
  EXPECT_EQ(run_words({"policy", "check", folder.path.string()}), 1);
}

}  // namespace
}  // namespace sluice::app
