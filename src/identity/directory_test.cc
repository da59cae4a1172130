#include "identity/directory.h"

#include <gtest/gtest.h>

#include <thread>

#include "identity/authenticator.h"
#include "identity/token.h"

namespace sluice::identity {
namespace {

using namespace std::chrono_literals;

class DirectoryTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { initialise_crypto(); }

  TokenEntry entry(std::string principal) const {
    return {.id = token_.id, .hash = token_.hash, .principal = std::move(principal), .created = clock_.now()};
  }
  DirectorySnapshot with(TokenEntry entry, Principal principal) const {
    return DirectorySnapshot{{std::move(principal)}, {std::move(entry)}};
  }
  AuthenticationCause cause(const DirectorySnapshot& directory, std::string_view text) const {
    auto result = directory.authenticate(text, clock_.now());
    EXPECT_FALSE(result);
    return result ? AuthenticationCause{} : result.error().cause;
  }

  ManualClock clock_;
  MintedToken token_ = make_token();
};

TEST_F(DirectoryTest, AcceptsAValidToken) {
  auto directory = with(entry("ana"), {.name = "ana", .groups = {"rag"}});
  auto who = directory.authenticate(token_.text.reveal(), clock_.now());
  ASSERT_TRUE(who);
  EXPECT_EQ(who->principal->name, "ana");
  EXPECT_EQ(who->token, token_.id);
  EXPECT_FALSE(who->expires);
}

TEST_F(DirectoryTest, NamesEachCauseAndTellsTheClientNothing) {
  auto good = with(entry("ana"), {.name = "ana"});
  auto other = make_token();
  std::vector<std::string> messages;
  auto check = [&](const DirectorySnapshot& directory, std::string_view text, AuthenticationCause expected) {
    EXPECT_EQ(cause(directory, text), expected) << to_string(expected);
    messages.push_back(directory.authenticate(text, clock_.now()).error().error().message());
  };
  check(good, "password", AuthenticationCause::malformed);
  check(good, other.text.reveal(), AuthenticationCause::unknown_token);

  auto guessed = entry("ana");
  guessed.hash = other.hash;
  check(with(guessed, {.name = "ana"}), token_.text.reveal(), AuthenticationCause::wrong_secret);

  auto revoked = entry("ana");
  revoked.revoked = clock_.now();
  check(with(revoked, {.name = "ana"}), token_.text.reveal(), AuthenticationCause::revoked_token);

  auto expired = entry("ana");
  expired.expires = clock_.now();
  check(with(expired, {.name = "ana"}), token_.text.reveal(), AuthenticationCause::expired_token);

  check(with(entry("bob"), {.name = "ana"}), token_.text.reveal(), AuthenticationCause::unknown_principal);
  check(with(entry("ana"), {.name = "ana", .disabled = true}), token_.text.reveal(),
        AuthenticationCause::disabled_principal);
  for (const auto& message : messages) EXPECT_EQ(message, messages.front());
}

TEST_F(DirectoryTest, AGuesserOfSecretsDoesNotLearnThePrincipal) {
  auto guessed = entry("ana");
  guessed.hash = make_token().hash;
  auto result = with(guessed, {.name = "ana"}).authenticate(token_.text.reveal(), clock_.now());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().principal, "");
  EXPECT_EQ(result.error().token, token_.id);
}

TEST_F(DirectoryTest, TokensExpireByTheClock) {
  auto limited = entry("ana");
  limited.expires = clock_.now() + 10s;
  auto directory = with(limited, {.name = "ana"});
  EXPECT_TRUE(directory.still_valid(token_.id, clock_.now()));
  clock_.advance(10s);
  EXPECT_FALSE(directory.still_valid(token_.id, clock_.now()));
}

TEST_F(DirectoryTest, ReadersSeeAReplacementAtOnce) {
  Directory directory{std::make_shared<DirectorySnapshot>(with(entry("ana"), {.name = "ana"}))};
  PublishedReader<DirectorySnapshot> reader{directory};
  EXPECT_TRUE(reader.current().still_valid(token_.id, clock_.now()));
  EXPECT_FALSE(reader.refresh());
  auto before = directory.version();
  directory.replace(
      std::make_shared<DirectorySnapshot>(with(entry("ana"), {.name = "ana", .disabled = true})));
  EXPECT_GT(directory.version(), before);
  EXPECT_FALSE(reader.current().still_valid(token_.id, clock_.now()));
  TokenAuthenticator authenticator{directory};
  EXPECT_FALSE(authenticator.authenticate({.token = token_.text.reveal()}, clock_.now()));
}

TEST_F(DirectoryTest, ManyThreadsReadWhileOneReplaces) {
  Directory directory{std::make_shared<DirectorySnapshot>(with(entry("ana"), {.name = "ana", .epoch = 0}))};
  constexpr std::uint64_t kReplacements = 2000;
  std::vector<std::thread> readers;
  std::atomic<bool> went_back{false};
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      PublishedReader<DirectorySnapshot> reader{directory};
      std::uint64_t last = 0;
      while (last < kReplacements) {
        auto epoch = reader.current().find("ana")->epoch;
        if (epoch < last) went_back = true;
        last = epoch;
      }
    });
  }
  for (std::uint64_t epoch = 1; epoch <= kReplacements; ++epoch) {
    directory.replace(
        std::make_shared<DirectorySnapshot>(with(entry("ana"), {.name = "ana", .epoch = epoch})));
  }
  for (auto& reader : readers) reader.join();
  EXPECT_FALSE(went_back);
}

TEST_F(DirectoryTest, RolesOfAConnectionGoByGroup) {
  Connection docs{.name = "docs",
                  .roles = {{.alias = "reader", .groups = {"rag", "ops"}, .upstream_user = "app_ro"},
                            {.alias = "nobody", .groups = {}, .upstream_user = "app_rw"}}};
  Principal ana{.name = "ana", .groups = {"rag"}};
  auto role = may_use_role(ana, docs, "reader");
  ASSERT_TRUE(role);
  EXPECT_EQ((*role)->upstream_user, "app_ro");
  EXPECT_FALSE(may_use_role(ana, docs, "nobody"));
  EXPECT_FALSE(may_use_role(ana, docs, "READER"));
  EXPECT_FALSE(may_use_role(Principal{.name = "bob"}, docs, "reader"));
  EXPECT_FALSE(may_use_role(Principal{.name = "ana", .groups = {"rag"}, .disabled = true}, docs, "reader"));
  // "No such role" and "not yours" read the same.
  EXPECT_EQ(may_use_role(ana, docs, "nobody").error().code, may_use_role(ana, docs, "absent").error().code);
}

TEST(RolesTest, DisabledPrincipalsHaveNone) {
  Principal ana{.name = "ana", .roles = {"admin"}};
  EXPECT_TRUE(has_role(ana, kRoleAdmin));
  EXPECT_TRUE(has_role(ana, kRoleMember));
  EXPECT_FALSE(has_role(ana, kRoleAuditor));
  ana.disabled = true;
  EXPECT_FALSE(has_role(ana, kRoleAdmin));
  EXPECT_FALSE(has_role(ana, kRoleMember));
  EXPECT_TRUE(is_known_role("approver"));
  EXPECT_FALSE(is_known_role("root"));
}

}  // namespace
}  // namespace sluice::identity
