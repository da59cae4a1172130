#include "app/credential.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

#include "app/files.h"
#include "app/testing.h"

namespace sluice::app {
namespace {

using ::testing::HasSubstr;
using Kind = CredentialSource::Kind;

class CredentialTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(create_private_folder(folder.path / "credentials"));
    ASSERT_TRUE(create_private_folder(folder.path / "keys"));
  }
  void write(const std::string& name, std::string_view text, mode_t mode = 0600) {
    ASSERT_TRUE(create_file(folder.path / name, text, mode));
  }
  Result<Secret> resolve(Kind kind, const std::string& reference) {
    return resolve_credential({kind, reference}, rules);
  }
  Errc refused(Kind kind, const std::string& reference) {
    auto secret = resolve(kind, reference);
    EXPECT_FALSE(secret) << reference;
    return secret ? Errc::internal : secret.error().code;
  }

  testing::TemporaryFolder folder;
  CredentialRules rules{folder.path, true, std::chrono::milliseconds{5000}};
};

TEST_F(CredentialTest, Files) {
  write("credentials/app", "hunter2\n");
  EXPECT_EQ(resolve(Kind::file, "app")->reveal(), "hunter2");
  EXPECT_EQ(resolve(Kind::file, (folder.path / "credentials/app").string())->reveal(), "hunter2");
  EXPECT_EQ(refused(Kind::file, "missing"), Errc::not_found);
  write("credentials/open", "x", 0644);
  EXPECT_EQ(refused(Kind::file, "open"), Errc::forbidden);
  write("credentials/empty", "\n");
  EXPECT_EQ(refused(Kind::file, "empty"), Errc::malformed);
  write("credentials/long", std::string(kMaxCredentialBytes + 1, 'x'));
  EXPECT_EQ(refused(Kind::file, "long"), Errc::too_large);
  EXPECT_EQ(refused(Kind::file, "/dev/zero"), Errc::unavailable);
}

TEST_F(CredentialTest, TheGatewaysOwnFilesAreNotCredentials) {
  write("keys/record.key", "signing key");
  EXPECT_EQ(refused(Kind::file, "../keys/record.key"), Errc::forbidden);
  EXPECT_EQ(refused(Kind::file, (folder.path / "keys/record.key").string()), Errc::forbidden);
  std::filesystem::create_symlink(folder.path / "keys/record.key", folder.path / "credentials/link");
  EXPECT_EQ(refused(Kind::file, "link"), Errc::forbidden);
}

TEST_F(CredentialTest, Variables) {
  ::setenv("SLUICE_TEST_CREDENTIAL", "hunter2", 1);
  EXPECT_EQ(resolve(Kind::environment, "SLUICE_TEST_CREDENTIAL")->reveal(), "hunter2");
  ::unsetenv("SLUICE_TEST_CREDENTIAL");
  EXPECT_EQ(refused(Kind::environment, "SLUICE_TEST_CREDENTIAL"), Errc::not_found);
  EXPECT_TRUE(resolve(Kind::none, "")->empty());
}

TEST_F(CredentialTest, Commands) {
  EXPECT_EQ(resolve(Kind::command, "echo hunter2")->reveal(), "hunter2");
  EXPECT_EQ(resolve(Kind::command, "echo $HOME;id")->reveal(), "$HOME;id") << "there is no shell";
  EXPECT_EQ(refused(Kind::command, "false"), Errc::unavailable);
  EXPECT_EQ(refused(Kind::command, "true"), Errc::unavailable) << "nothing written";
  EXPECT_EQ(refused(Kind::command, "/no/such/program"), Errc::unavailable);
  EXPECT_EQ(refused(Kind::command, "yes"), Errc::too_large);
  EXPECT_EQ(refused(Kind::command, " "), Errc::invalid_argument);
  rules.timeout = std::chrono::milliseconds{100};
  EXPECT_EQ(refused(Kind::command, "sleep 60"), Errc::timed_out);
  rules.commands = false;
  EXPECT_EQ(refused(Kind::command, "echo hunter2"), Errc::forbidden);
}

TEST_F(CredentialTest, ErrorsDoNotTellTheSecret) {
  write("script", "#!/bin/sh\necho hunter2\nexit 3\n", 0700);
  auto secret = resolve(Kind::command, (folder.path / "script").string());
  ASSERT_FALSE(secret);
  EXPECT_THAT(secret.error().detail, HasSubstr("status 3"));
  EXPECT_EQ(secret.error().detail.find("hunter2"), std::string::npos);
}

}  // namespace
}  // namespace sluice::app
