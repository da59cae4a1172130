#include "review/reviews.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "review/testing.h"

namespace sluice::review {
namespace {

using namespace std::chrono_literals;
using testing::MemoryRepository;

struct CountingNotifier final : Notifier {
  void review_changed(const Review& review) override { states.push_back(review.state); }
  std::vector<ReviewState> states;
};

class ReviewsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { initialise_crypto(); }
  void SetUp() override {
    add({.name = "eve"});
    add({.name = "ana", .groups = {"data-security"}});
    add({.name = "bob", .roles = {"approver"}});
    add({.name = "cid"});
  }

  void add(Principal principal) {
    auto name = principal.name;
    people_[name] = std::make_shared<const Principal>(std::move(principal));
  }
  const Principal& person(const std::string& name) { return *people_.at(name); }
  PrincipalLookup lookup() {
    return [this](std::string_view name) -> std::shared_ptr<const Principal> {
      auto at = people_.find(std::string(name));
      return at == people_.end() ? nullptr : at->second;
    };
  }
  ReviewRequest request(std::uint8_t seed = 1) {
    ReviewRequest request;
    request.digest.fill(seed);
    request.principal = "eve";
    request.connection = "docs";
    request.terms = {.rule = "bulk",
                     .by = {"group:data-security", "role:approver"},
                     .approvals = 1,
                     .uses = 1,
                     .valid_for = 30min};
    return request;
  }
  Outcome consume(const ReviewRequest& request) {
    auto consumed = reviews_.consume(request.digest, request.principal);
    EXPECT_TRUE(consumed);
    return consumed->outcome;
  }

  ManualClock clock_;
  MemoryRepository repository_;
  CountingNotifier notifier_;
  std::map<std::string, std::shared_ptr<const Principal>> people_;
  Reviews reviews_{clock_,
                   repository_,
                   lookup(),
                   &notifier_,
                   {.pending_for = 24h, .pending_per_principal = 3, .live = 100}};
};

TEST_F(ReviewsTest, ApprovedOncePassesOnce) {
  auto wish = request();
  EXPECT_EQ(consume(wish), Outcome::none);
  auto ticket = reviews_.open_or_find(wish);
  ASSERT_TRUE(ticket);
  EXPECT_TRUE(ticket->opened);
  EXPECT_EQ(reviews_.open_or_find(wish)->id, ticket->id);
  EXPECT_FALSE(reviews_.open_or_find(wish)->opened);
  EXPECT_EQ(consume(wish), Outcome::not_yet);
  ASSERT_TRUE(reviews_.decide(ticket->id, person("ana"), true, "looks fine"));
  auto used = reviews_.consume(wish.digest, "eve");
  ASSERT_TRUE(used);
  EXPECT_EQ(used->outcome, Outcome::used);
  EXPECT_EQ(used->decided_by, "ana");
  EXPECT_EQ(consume(wish), Outcome::none);
  EXPECT_EQ(repository_.kept[ticket->id.value].state, ReviewState::used);
  EXPECT_NE(reviews_.open_or_find(wish)->id, ticket->id);
}

TEST_F(ReviewsTest, NobodyDecidesTheirOwnAndOnlyTheNamedOnesDecide) {
  add({.name = "eve", .groups = {"data-security"}, .roles = {"approver", "admin"}});
  auto ticket = *reviews_.open_or_find(request());
  EXPECT_EQ(reviews_.decide(ticket.id, person("eve"), true, "").error().code, Errc::forbidden);
  EXPECT_EQ(reviews_.decide(ticket.id, person("cid"), true, "").error().code, Errc::forbidden);
  EXPECT_EQ(reviews_.decide(ticket.id, person("eve"), false, "").error().code, Errc::forbidden);
  EXPECT_TRUE(reviews_.decide(ticket.id, person("bob"), true, ""));
}

TEST_F(ReviewsTest, QuorumNeedsDifferentPeople) {
  auto wish = request();
  wish.terms.approvals = 2;
  auto ticket = *reviews_.open_or_find(wish);
  EXPECT_EQ(reviews_.decide(ticket.id, person("ana"), true, "")->state, ReviewState::pending);
  EXPECT_EQ(reviews_.decide(ticket.id, person("ana"), true, "").error().code, Errc::conflict);
  EXPECT_EQ(consume(wish), Outcome::not_yet);
  EXPECT_EQ(reviews_.decide(ticket.id, person("bob"), true, "")->state, ReviewState::approved);
  EXPECT_EQ(consume(wish), Outcome::used);
}

TEST_F(ReviewsTest, AnApproverMayThinkAgainBeforeTheQuorum) {
  auto wish = request();
  wish.terms.approvals = 2;
  auto ticket = *reviews_.open_or_find(wish);
  ASSERT_TRUE(reviews_.decide(ticket.id, person("ana"), true, ""));
  EXPECT_EQ(reviews_.decide(ticket.id, person("ana"), false, "no: too much")->state, ReviewState::rejected);
  auto consumed = reviews_.consume(wish.digest, "eve");
  EXPECT_EQ(consumed->outcome, Outcome::rejected);
  EXPECT_EQ(consumed->decided_by, "ana");
  EXPECT_EQ(consumed->comment, "no: too much");
}

TEST_F(ReviewsTest, ARejectionStandsAsLongAsAnApprovalWould) {
  auto wish = request();
  auto ticket = *reviews_.open_or_find(wish);
  ASSERT_TRUE(reviews_.decide(ticket.id, person("ana"), false, "no"));
  EXPECT_EQ(reviews_.open_or_find(wish)->state, ReviewState::rejected);
  EXPECT_EQ(reviews_.decide(ticket.id, person("bob"), true, "").error().code, Errc::conflict);
  clock_.advance(30min);
  EXPECT_EQ(consume(wish), Outcome::none);
  EXPECT_EQ(reviews_.open_or_find(wish)->state, ReviewState::pending);
}

TEST_F(ReviewsTest, UsesAndTimeRunOut) {
  auto wish = request();
  wish.terms.uses = 2;
  auto ticket = *reviews_.open_or_find(wish);
  ASSERT_TRUE(reviews_.decide(ticket.id, person("ana"), true, ""));
  EXPECT_EQ(consume(wish), Outcome::used);
  EXPECT_EQ(repository_.kept[ticket.id.value].uses_left, 1u);
  clock_.advance(30min);
  EXPECT_EQ(consume(wish), Outcome::expired);
  EXPECT_EQ(consume(wish), Outcome::none);
}

// A held client wakes up at the approval and uses it at once: whoever listens still hears it in order.
TEST_F(ReviewsTest, NewsAreToldInTheOrderInWhichTheyHappened) {
  auto wish = request();
  wish.terms.uses = 1;
  auto ticket = *reviews_.open_or_find(wish);
  ASSERT_TRUE(reviews_.subscribe(ticket.id, [&](const Change& change) {
    if (change.state == ReviewState::approved) EXPECT_EQ(consume(wish), Outcome::used);
  }));
  ASSERT_TRUE(reviews_.decide(ticket.id, person("ana"), true, ""));
  EXPECT_EQ(notifier_.states, (std::vector{ReviewState::pending, ReviewState::approved, ReviewState::used}));
}

TEST_F(ReviewsTest, SaysHowManyUsesAreLeft) {
  auto wish = request();
  wish.terms.uses = 3;
  auto ticket = *reviews_.open_or_find(wish);
  ASSERT_TRUE(reviews_.decide(ticket.id, person("ana"), true, ""));
  for (const std::uint32_t left : {2u, 1u, 0u}) {
    const auto spent = reviews_.consume(wish.digest, wish.principal);
    ASSERT_TRUE(spent);
    EXPECT_EQ(spent->outcome, Outcome::used);
    EXPECT_EQ(spent->uses_left, left);
  }
}

TEST_F(ReviewsTest, UndecidedOnesExpire) {
  auto ticket = *reviews_.open_or_find(request());
  clock_.advance(24h);
  EXPECT_EQ(reviews_.decide(ticket.id, person("ana"), true, "").error().code, Errc::conflict);
  reviews_.sweep();
  EXPECT_EQ(repository_.kept[ticket.id.value].state, ReviewState::expired);
  EXPECT_EQ(reviews_.show(ticket.id)->state, ReviewState::expired);
  EXPECT_TRUE(reviews_.live().empty());
}

// A machine acts for who answers for it: its vote is no second person's.
TEST_F(ReviewsTest, AMachineIsNoSecondPerson) {
  const auto machine = [this](const std::string& name, const std::string& owner) {
    add({.name = name, .kind = PrincipalKind::machine, .groups = {"data-security"}, .owner = owner});
  };
  machine("eves-bot", "eve");
  machine("its-tool", "eves-bot");
  machine("anas-bot", "ana");
  machine("round", "about");
  machine("about", "round");
  auto wish = request();
  wish.terms.approvals = 2;
  auto ticket = *reviews_.open_or_find(wish);
  for (const auto* own : {"eves-bot", "its-tool", "round"}) {
    EXPECT_EQ(reviews_.decide(ticket.id, person(own), true, "").error().code, Errc::forbidden) << own;
  }
  ASSERT_TRUE(reviews_.decide(ticket.id, person("anas-bot"), true, ""));
  EXPECT_EQ(reviews_.decide(ticket.id, person("ana"), true, "").error().code, Errc::conflict);
  ASSERT_TRUE(reviews_.decide(ticket.id, person("bob"), true, ""));
  machine("anas-bot", "bob");  // since then
  EXPECT_EQ(consume(wish), Outcome::expired);

  auto of_machine = request(2);
  of_machine.principal = "anas-bot";
  machine("anas-bot", "ana");
  auto asked = *reviews_.open_or_find(of_machine);
  EXPECT_EQ(reviews_.decide(asked.id, person("ana"), true, "").error().code, Errc::forbidden);
  EXPECT_TRUE(reviews_.decide(asked.id, person("bob"), true, ""));
}

TEST_F(ReviewsTest, RequesterIsCheckedAgainAtUse) {
  auto wish = request();
  auto ticket = *reviews_.open_or_find(wish);
  ASSERT_TRUE(reviews_.decide(ticket.id, person("ana"), true, ""));
  add({.name = "eve", .disabled = true});
  EXPECT_EQ(consume(wish), Outcome::not_yet);
  const auto again = reviews_.open_or_find(wish);
  ASSERT_FALSE(again) << "not told that it is approved, and sent round in circles";
  EXPECT_EQ(again.error().code, Errc::forbidden);
  add({.name = "eve"});
  EXPECT_EQ(consume(wish), Outcome::used);
}

// An approver who was disabled, or has left the group: the approval is over, and somebody else can be asked.
TEST_F(ReviewsTest, ApprovalsThatNoLongerStandAreOver) {
  for (const auto& after :
       {Principal{.name = "ana", .groups = {"data-security"}, .disabled = true}, Principal{.name = "ana"}}) {
    add({.name = "ana", .groups = {"data-security"}});
    auto wish = request();
    auto ticket = *reviews_.open_or_find(wish);
    ASSERT_TRUE(ticket.opened);
    ASSERT_TRUE(reviews_.decide(ticket.id, person("ana"), true, ""));
    add(after);
    EXPECT_EQ(consume(wish), Outcome::expired);
    EXPECT_EQ(repository_.kept[ticket.id.value].state, ReviewState::expired);
    auto again = *reviews_.open_or_find(wish);
    EXPECT_TRUE(again.opened);
    EXPECT_NE(again.id.value, ticket.id.value);
    add({.name = "ana", .groups = {"data-security"}});
    EXPECT_EQ(consume(wish), Outcome::not_yet) << "the old approval is gone for good";
    ASSERT_TRUE(reviews_.decide(again.id, person("ana"), true, ""));
    EXPECT_EQ(consume(wish), Outcome::used);
  }
}

TEST_F(ReviewsTest, NothingPassesThatCannotBeSaved) {
  auto wish = request();
  auto ticket = *reviews_.open_or_find(wish);
  repository_.failing = true;
  EXPECT_FALSE(reviews_.open_or_find(request(2)));
  EXPECT_FALSE(reviews_.decide(ticket.id, person("ana"), true, ""));
  repository_.failing = false;
  ASSERT_TRUE(reviews_.decide(ticket.id, person("ana"), true, ""));
  repository_.failing = true;
  EXPECT_FALSE(reviews_.consume(wish.digest, "eve"));
  repository_.failing = false;
  EXPECT_EQ(consume(wish), Outcome::used);
}

TEST_F(ReviewsTest, SurvivesARestart) {
  auto wish = request();
  auto ticket = *reviews_.open_or_find(wish);
  ASSERT_TRUE(reviews_.decide(ticket.id, person("ana"), true, ""));
  auto refused = request(2);
  auto second = *reviews_.open_or_find(refused);
  ASSERT_TRUE(reviews_.decide(second.id, person("ana"), false, "no"));

  Reviews after{clock_, repository_, lookup(), nullptr};
  ASSERT_TRUE(after.restore());
  EXPECT_EQ(after.consume(refused.digest, "eve")->outcome, Outcome::rejected);
  EXPECT_EQ(after.consume(wish.digest, "eve")->outcome, Outcome::used);

  Reviews later{clock_, repository_, lookup(), nullptr};
  ASSERT_TRUE(later.restore());
  EXPECT_EQ(later.consume(wish.digest, "eve")->outcome, Outcome::none) << "a spent use came back";
}

TEST_F(ReviewsTest, HeldClientsHearOfIt) {
  auto wish = request();
  auto ticket = *reviews_.open_or_find(wish);
  std::vector<Change> heard;
  auto subscribed = reviews_.subscribe(ticket.id, [&](const Change& change) { heard.push_back(change); });
  ASSERT_TRUE(subscribed);
  EXPECT_EQ(subscribed->state, ReviewState::pending);
  ASSERT_TRUE(reviews_.decide(ticket.id, person("ana"), true, "fine"));
  ASSERT_EQ(heard.size(), 1u);
  EXPECT_EQ(heard[0].state, ReviewState::approved);
  EXPECT_EQ(heard[0].by, "ana");
  EXPECT_EQ(heard[0].comment, "fine");
  EXPECT_EQ(reviews_.subscribe(ticket.id, [](const Change&) {})->state, ReviewState::approved);
  reviews_.unsubscribe(subscribed->subscription);
  EXPECT_EQ(consume(wish), Outcome::used);
  EXPECT_EQ(heard.size(), 1u);
  EXPECT_FALSE(reviews_.subscribe(ticket.id, [](const Change&) {}));
  EXPECT_EQ(notifier_.states, (std::vector{ReviewState::pending, ReviewState::approved, ReviewState::used}));
}

TEST_F(ReviewsTest, ALoopingClientIsStopped) {
  for (std::uint8_t i = 1; i <= 3; ++i) ASSERT_TRUE(reviews_.open_or_find(request(i)));
  auto fourth = reviews_.open_or_find(request(4));
  ASSERT_FALSE(fourth);
  EXPECT_EQ(fourth.error().code, Errc::too_large);
  EXPECT_TRUE(reviews_.open_or_find(request(3)));
  auto other = request(4);
  other.principal = "cid";
  EXPECT_TRUE(reviews_.open_or_find(other));
}

TEST_F(ReviewsTest, TheSameDigestOfAnotherPrincipalIsAnotherReview) {
  auto wish = request();
  auto ticket = *reviews_.open_or_find(wish);
  ASSERT_TRUE(reviews_.decide(ticket.id, person("ana"), true, ""));
  EXPECT_EQ(reviews_.consume(wish.digest, "cid")->outcome, Outcome::none);
}

TEST_F(ReviewsTest, OneUseIsSpentOnceByManyThreads) {
  auto wish = request();
  wish.terms.uses = 5;
  auto ticket = *reviews_.open_or_find(wish);
  ASSERT_TRUE(reviews_.decide(ticket.id, person("ana"), true, ""));
  std::atomic<int> used{0};
  std::vector<std::thread> workers;
  for (int i = 0; i < 4; ++i) {
    workers.emplace_back([&] {
      for (int n = 0; n < 50; ++n) {
        auto consumed = reviews_.consume(wish.digest, "eve");
        if (consumed && consumed->outcome == Outcome::used) ++used;
      }
    });
  }
  for (auto& worker : workers) worker.join();
  EXPECT_EQ(used, 5);
}

TEST(MatchesAny, KnowsThreeKindsAndNothingElse) {
  Principal ana{.name = "ana", .groups = {"g"}, .roles = {"r"}};
  EXPECT_TRUE(matches_any(ana, {"user:ana"}));
  EXPECT_TRUE(matches_any(ana, {"x", "group:g"}));
  EXPECT_TRUE(matches_any(ana, {"role:r"}));
  for (const char* by : {"ana", "group:r", "role:g", "user:", "group:", "any:ana", ":", ""}) {
    EXPECT_FALSE(matches_any(ana, {by})) << by;
  }
  EXPECT_FALSE(matches_any(ana, {}));
  ana.disabled = true;
  EXPECT_FALSE(matches_any(ana, {"user:ana"}));
}

}  // namespace
}  // namespace sluice::review
