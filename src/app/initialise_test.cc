#include "app/initialise.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "app/files.h"
#include "app/keys.h"
#include "app/settings.h"
#include "app/testing.h"
#include "core/crypto.h"
#include "identity/directory.h"
#include "net/tls.h"
#include "policy/policy_set.h"
#include "record/note.h"
#include "store/state.h"

namespace sluice::app {
namespace {

mode_t mode_of(const std::filesystem::path& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 0777 : 0;
}

class InitialiseTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { initialise_crypto(); }
  testing::TemporaryFolder folder;
  std::filesystem::path data = folder.path / "data";
  SystemClock clock;
};

TEST_F(InitialiseTest, EverythingIsThereAndFits) {
  auto made =
      initialise({.data = data, .administrator = "ana", .names = {"db.example"}, .port = 7000}, clock);
  ASSERT_TRUE(made) << made.error().message();
  auto settings = load_settings(made->settings_file, {});
  ASSERT_TRUE(settings) << settings.error().message();
  EXPECT_EQ(settings->data(), data);
  EXPECT_EQ(settings->postgres.at(0).port, 7000);
  EXPECT_TRUE(policy::load_folder(settings->path(settings->policy_dir), 1).policy);
  auto tls = net::TlsServerContext::load(settings->path(settings->postgres[0].certificate).string(),
                                         settings->path(settings->postgres[0].key).string(), {"postgresql"});
  EXPECT_TRUE(tls) << tls.error().message();
  auto state = store::State::open(data / "state.db", store::Durable::process);
  ASSERT_TRUE(state);
  identity::DirectorySnapshot directory{*(*state)->principals.principals(), *(*state)->tokens.tokens()};
  auto who = directory.authenticate(made->token.reveal(), clock.now());
  ASSERT_TRUE(who);
  EXPECT_EQ(who->principal->name, "ana");
  EXPECT_TRUE(identity::has_role(*who->principal, identity::kRoleAdmin));
}

TEST_F(InitialiseTest, NothingIsOpenToOthers) {
  ASSERT_TRUE(initialise({.data = data}, clock));
  for (const char* name : {".", "keys", "tls", "policy", "credentials", "record"})
    EXPECT_EQ(mode_of(data / name), 0700u) << name;
  for (const char* name :
       {"sluice.yaml", "state.db", "keys/record.key", "tls/server.key", "policy/10-starter.yaml"}) {
    EXPECT_EQ(mode_of(data / name), 0600u) << name;
  }
}

TEST_F(InitialiseTest, ASecondTimeIsRefused) {
  ASSERT_TRUE(initialise({.data = data}, clock));
  auto again = initialise({.data = data}, clock);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Errc::conflict);
  EXPECT_FALSE(initialise({.data = folder.path / "other", .names = {"bad,DNS:evil"}}, clock));
}

TEST_F(InitialiseTest, KeysComeBack) {
  ASSERT_TRUE(initialise({.data = data}, clock));
  auto key = load_signing_key(data);
  ASSERT_TRUE(key) << key.error().message();
  auto text = read_file(data / kRecordPublicKeyFile, 4096);
  ASSERT_TRUE(text);
  auto verifier = record::parse_verifier_key(std::string_view(*text).substr(0, text->size() - 1));
  ASSERT_TRUE(verifier) << verifier.error().message();
  EXPECT_EQ(verifier->key, key->public_key);
  const auto signature = sign(*key, as_bytes("hello"));
  EXPECT_TRUE(verify_signature(verifier->key, as_bytes("hello"), signature));
  std::filesystem::permissions(data / kRecordKeyFile, std::filesystem::perms::group_read,
                               std::filesystem::perm_options::add);
  EXPECT_EQ(load_signing_key(data).error().code, Errc::forbidden);
}

TEST_F(InitialiseTest, FoldersThatOthersCanWriteAreNotTrusted) {
  using std::filesystem::perms;
  ASSERT_TRUE(initialise({.data = data}, clock));
  const auto add = [&](perms mode) {
    std::filesystem::permissions(data, mode, std::filesystem::perm_options::add);
  };
  EXPECT_TRUE(require_own_folder(data, false));
  add(perms::group_read | perms::others_read);
  EXPECT_TRUE(require_own_folder(data, false));
  add(perms::group_write);
  EXPECT_EQ(require_own_folder(data, false).error().code, Errc::forbidden);
  EXPECT_TRUE(require_own_folder(data, true));
  add(perms::others_write);
  EXPECT_EQ(require_own_folder(data, true).error().code, Errc::forbidden);
  EXPECT_EQ(require_own_folder(data / "not-there", true).error().code, Errc::not_found);
}

}  // namespace
}  // namespace sluice::app
