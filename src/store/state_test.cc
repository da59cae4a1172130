#include "store/state.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "store/migrations.h"

namespace sluice::store {
namespace {

using namespace std::chrono_literals;
using identity::OpenSessions;

class StateTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("sluice-state-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
    reopen();
  }
  void TearDown() override {
    state_.reset();
    std::filesystem::remove_all(folder_);
  }
  void reopen() {
    state_.reset();
    auto opened = State::open(file(), Durable::process);
    ASSERT_TRUE(opened) << opened.error().message();
    state_ = std::move(*opened);
  }
  std::filesystem::path file() const { return folder_ / "state.db"; }

  std::filesystem::path folder_;
  std::unique_ptr<State> state_;
  ManualClock clock_;
};

TEST_F(StateTest, TheFileIsPrivate) {
  struct stat info{};
  ASSERT_EQ(::stat(file().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(StateTest, ASecondGatewayIsRefused) {
  auto second = State::open(file(), Durable::process);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::storage_failed);
  EXPECT_NE(second.error().detail.find("another process"), std::string::npos) << second.error().detail;
}

TEST_F(StateTest, ANewerDatabaseIsRefused) {
  state_.reset();
  {
    auto database = Database::open(file(), {});
    ASSERT_TRUE(database);
    ASSERT_TRUE((*database)->execute("PRAGMA user_version = 9999"));
  }
  auto opened = State::open(file(), Durable::process);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::unsupported);
}

TEST_F(StateTest, WhatIsNotADatabaseIsRefused) {
  state_.reset();
  std::ofstream(file(), std::ios::trunc) << std::string(8192, 'x');
  auto opened = State::open(file(), Durable::process);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::storage_failed);
}

TEST_F(StateTest, PrincipalsComeBackAsTheyWere) {
  Principal ana{.name = "ana",
                .kind = PrincipalKind::machine,
                .groups = {"rag", "support"},
                .roles = {"admin"},
                .claims = {{"team", "o'brien; DROP TABLE principals"}},
                .owner = "bob"};
  ASSERT_TRUE(state_->principals.add_principal(ana));
  EXPECT_EQ(state_->principals.add_principal(ana).error().code, Errc::conflict);
  reopen();
  auto all = state_->principals.principals();
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 1u);
  const auto& back = all->front();
  EXPECT_EQ(back.name, ana.name);
  EXPECT_EQ(back.kind, ana.kind);
  EXPECT_EQ(back.groups, ana.groups);
  EXPECT_EQ(back.roles, ana.roles);
  EXPECT_EQ(back.claims, ana.claims);
  EXPECT_EQ(back.owner, "bob");
  EXPECT_EQ(back.epoch, 1u);
}

TEST_F(StateTest, EachUpdateRaisesTheEpoch) {
  Principal ana{.name = "ana", .groups = {"rag"}};
  ASSERT_TRUE(state_->principals.add_principal(ana));
  ana.groups = {};
  ana.disabled = true;
  ASSERT_TRUE(state_->principals.update_principal(ana));
  auto back = state_->principals.principals()->front();
  EXPECT_TRUE(back.groups.empty());
  EXPECT_TRUE(back.disabled);
  EXPECT_EQ(back.epoch, 2u);
  EXPECT_EQ(state_->principals.update_principal({.name = "eve"}).error().code, Errc::not_found);
}

TEST_F(StateTest, TokensGoWithTheirPrincipal) {
  identity::TokenEntry token{
      .id = TokenId{"abcd1234"}, .principal = "ana", .label = "laptop", .created = clock_.now()};
  token.hash.fill(7);
  token.expires = clock_.now() + 1h;
  EXPECT_EQ(state_->tokens.add_token(token).error().code, Errc::not_found);
  ASSERT_TRUE(state_->principals.add_principal({.name = "ana"}));
  ASSERT_TRUE(state_->tokens.add_token(token));
  EXPECT_EQ(state_->tokens.add_token(token).error().code, Errc::conflict);
  auto back = state_->tokens.tokens()->front();
  EXPECT_EQ(back.hash, token.hash);
  EXPECT_EQ(back.expires, token.expires);
  EXPECT_FALSE(back.revoked);

  ASSERT_TRUE(state_->tokens.revoke_token(token.id, clock_.now()));
  ASSERT_TRUE(state_->tokens.revoke_token(token.id, clock_.now() + 1s));
  EXPECT_EQ(state_->tokens.tokens()->front().revoked, clock_.now()) << "the first revocation counts";
  EXPECT_EQ(state_->tokens.revoke_token(TokenId{"nothere0"}, clock_.now()).error().code, Errc::not_found);

  ASSERT_TRUE(state_->principals.remove_principal("ana"));
  EXPECT_TRUE(state_->tokens.tokens()->empty());
  EXPECT_EQ(state_->principals.remove_principal("ana").error().code, Errc::not_found);
}

TEST_F(StateTest, ConnectionsKeepRolesInOrderAndCountVersions) {
  Connection docs{
      .name = "docs",
      .system = "postgres",
      .host = "db.example",
      .port = 5433,
      .database = "app",
      .tls = UpstreamTls::require,
      .tls_ca_file = "/etc/ca.pem",
      .roles = {{"writer", {"ops"}, "app_rw", {CredentialSource::Kind::file, "/run/secrets/rw"}},
                {"reader", {"rag", "ops"}, "app_ro", {CredentialSource::Kind::environment, "RO"}}}};
  ASSERT_TRUE(state_->connections.add_connection(docs));
  EXPECT_EQ(state_->connections.add_connection(docs).error().code, Errc::conflict);
  auto back = state_->connections.connections()->front();
  ASSERT_EQ(back.roles.size(), 2u);
  EXPECT_EQ(back.roles[0].alias, "writer");
  EXPECT_EQ(back.roles[1].groups, (std::vector<std::string>{"ops", "rag"}));
  EXPECT_EQ(back.roles[1].credential.reference, "RO");
  EXPECT_EQ(back.port, 5433);
  EXPECT_EQ(back.tls, UpstreamTls::require);
  EXPECT_EQ(back.version, 1u);

  docs.roles.pop_back();
  docs.disabled = true;
  ASSERT_TRUE(state_->connections.update_connection(docs, 1, OpenSessions::end));
  EXPECT_EQ(state_->connections.update_connection(docs, 1, OpenSessions::end).error().code, Errc::conflict);
  ASSERT_TRUE(state_->connections.update_connection(docs, std::nullopt, OpenSessions::end));
  back = state_->connections.connections()->front();
  EXPECT_EQ(back.version, 3u);
  EXPECT_EQ(back.sessions_from, 3u);
  EXPECT_TRUE(back.disabled);
  EXPECT_EQ(back.roles.size(), 1u);

  ASSERT_TRUE(state_->connections.update_connection(docs, 3, OpenSessions::go_on));
  back = state_->connections.connections()->front();
  EXPECT_EQ(back.version, 4u);
  EXPECT_EQ(back.sessions_from, 3u) << "sessions of version 3 go on";

  docs.roles.push_back(docs.roles.front());  // the same alias twice
  EXPECT_EQ(state_->connections.update_connection(docs, std::nullopt, OpenSessions::end).error().code,
            Errc::conflict);
  EXPECT_EQ(state_->connections.connections()->front().version, 4u) << "a failed change changes nothing";
  ASSERT_TRUE(state_->connections.remove_connection("docs"));
  EXPECT_TRUE(state_->connections.connections()->empty());
}

review::Review sample(const std::string& id, WallTime now) {
  review::Review out;
  out.id = ReviewId{id};
  out.request.digest.fill(3);
  out.request.principal = "eve";
  out.request.connection = "docs";
  out.request.verb = Verb::scroll;
  out.request.statement = "SELECT * FROM docs";
  out.request.collections = {"public.docs", "public.people"};
  out.request.masks = {"email: redact"};
  out.request.estimated_records = 5000;
  out.request.terms = {.rule = "bulk",
                       .by = {"group:a", "user:b"},
                       .approvals = 2,
                       .uses = 3,
                       .hold = 60s,
                       .bind_vectors = true};
  out.opened = now;
  out.expires = now + 24h;
  return out;
}

TEST_F(StateTest, ReviewsComeBackAsTheyWere) {
  auto review = sample("rv_1", clock_.now());
  ASSERT_TRUE(state_->reviews.save(review));
  review.votes.push_back({"ana", true, "fine", clock_.now()});
  review.state = review::ReviewState::approved;
  review.uses_left = 3;
  ASSERT_TRUE(state_->reviews.save(review));
  reopen();
  auto back = state_->reviews.review(review.id);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->state, review::ReviewState::approved);
  EXPECT_EQ(back->uses_left, 3u);
  EXPECT_EQ(back->request.digest, review.request.digest);
  EXPECT_EQ(back->request.collections, review.request.collections);
  EXPECT_EQ(back->request.masks, review.request.masks);
  EXPECT_EQ(back->request.terms.by, review.request.terms.by);
  EXPECT_EQ(back->request.terms.valid_for, review.request.terms.valid_for);
  EXPECT_EQ(back->request.terms.hold, 60s);
  EXPECT_TRUE(back->request.terms.bind_vectors);
  EXPECT_EQ(back->request.estimated_records, 5000u);
  EXPECT_FALSE(back->request.max_records);
  ASSERT_EQ(back->votes.size(), 1u);
  EXPECT_EQ(back->votes[0].comment, "fine");
  EXPECT_EQ(back->expires, review.expires);
  EXPECT_EQ(state_->reviews.review(ReviewId{"rv_none"}).error().code, Errc::not_found);
}

TEST_F(StateTest, ReviewsAreListedNewestFirstInPages) {
  for (int i = 0; i < 5; ++i) {
    auto review = sample("rv_" + std::to_string(i), clock_.now());
    if (i % 2 == 1) review.state = review::ReviewState::rejected;
    ASSERT_TRUE(state_->reviews.save(review));
  }
  auto first = state_->reviews.reviews({.limit = 2});
  ASSERT_EQ(first->size(), 2u);
  EXPECT_EQ(first->front().id.value, "rv_4");
  auto rest = state_->reviews.reviews({.after = first->back().id.value, .limit = 10});
  ASSERT_EQ(rest->size(), 3u);
  EXPECT_EQ(rest->front().id.value, "rv_2");
  EXPECT_EQ(state_->reviews.reviews({.state = review::ReviewState::rejected})->size(), 2u);
  EXPECT_EQ(state_->reviews.reviews({.principal = "ana"})->size(), 0u);
  EXPECT_EQ(state_->reviews.unfinished(clock_.now() + 48h)->size(), 3u);
  EXPECT_EQ(state_->reviews.unfinished(clock_.now())->size(), 5u);
}

TEST_F(StateTest, BudgetsAndFacts) {
  std::vector<BudgetStep> steps{{"bulk/eve/docs", 112s, 5, 100}, {"bulk/eve/docs", 112s, 6, 1}};
  ASSERT_TRUE(state_->budgets.replace({{"old", 1s, 1, 1}}));
  ASSERT_TRUE(state_->budgets.replace(steps));
  EXPECT_EQ(*state_->budgets.load(), steps);
  EXPECT_FALSE(state_->facts.read("instance")->has_value());
  ASSERT_TRUE(state_->facts.write("instance", "a"));
  ASSERT_TRUE(state_->facts.write("instance", "b"));
  EXPECT_EQ(state_->facts.read("instance")->value(), "b");
}

TEST_F(StateTest, NamesKeepTheirOrder) {
  const NameRow id{"docs", "app", 16400, 1, "id"};
  const NameRow email{"docs", "app", 16400, 2, "email"};
  const NameRow contact{"docs", "app", 16400, 2, "contact"};
  ASSERT_TRUE(state_->names.change({}, {id, email}));
  ASSERT_TRUE(state_->names.change({id}, {contact, email}));
  EXPECT_EQ(*state_->names.load(), (std::vector<NameRow>{email, contact}));
}

TEST(Sqlite, AnUncommittedTransactionLeavesNothing) {
  auto database = std::move(*Database::open({}, {}));
  ASSERT_TRUE(database->execute("CREATE TABLE t(x INTEGER CHECK (x > 0))"));
  {
    auto tx = database->begin(Access::write);
    ASSERT_TRUE(tx);
    ASSERT_TRUE(tx->run("INSERT INTO t VALUES (?1)", std::int64_t{1}));
  }
  auto tx = database->begin(Access::write);
  int count = -1;
  ASSERT_TRUE(
      tx->query("SELECT count(*) FROM t", [&](const Row& row) { count = static_cast<int>(row.integer(0)); }));
  EXPECT_EQ(count, 0);
  EXPECT_EQ(tx->run("INSERT INTO t VALUES (?1)", std::int64_t{-1}).error().code, Errc::conflict);
  EXPECT_FALSE(tx->run("INSERT INTO nowhere VALUES (1)"));
  EXPECT_FALSE(tx->run("SELECT ?1", 1u, 2u)) << "more arguments than places";
  ASSERT_TRUE(tx->run("INSERT INTO t VALUES (?1)", std::int64_t{2}));
  ASSERT_TRUE(tx->commit());
  EXPECT_FALSE(tx->run("INSERT INTO t VALUES (?1)", std::int64_t{3})) << "the transaction is over";
}

}  // namespace
}  // namespace sluice::store
