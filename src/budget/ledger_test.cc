#include "budget/ledger.h"

#include <gtest/gtest.h>

#include <thread>

namespace sluice::budget {
namespace {

using namespace std::chrono_literals;

Budget quota(std::string rule, std::uint64_t records, std::chrono::seconds window, std::string who = "ana") {
  Budget budget{.key = rule + "\n" + who + "\ndocs", .rule = rule, .records = records, .window = window};
  budget.account = budget_account(budget.key);
  return budget;
}

std::optional<Exhausted> take(Ledger& ledger, const Budget& budget, std::uint64_t n, WallTime now) {
  const Budget* one = &budget;
  return ledger.take({&one, 1}, n, now);
}

std::uint64_t left(const Ledger& ledger, const Budget& budget, WallTime now) {
  const Budget* one = &budget;
  return ledger.remaining({&one, 1}, now).value();
}

class LedgerTest : public ::testing::Test {
 protected:
  WallTime now() const { return clock.now(); }
  ManualClock clock;
  Ledger ledger;
};

TEST_F(LedgerTest, GrantsUpToTheQuotaAndSaysWhenItFrees) {
  Budget hourly = quota("r", 100, 1h);
  EXPECT_FALSE(take(ledger, hourly, 60, now()));
  EXPECT_FALSE(take(ledger, hourly, 40, now()));
  auto refused = take(ledger, hourly, 1, now());
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->rule, "r");
  EXPECT_EQ(refused->remaining, 0u);
  ASSERT_TRUE(refused->frees_at);
  EXPECT_GT(*refused->frees_at, now() + 1h - 1s);
  EXPECT_LE(*refused->frees_at, now() + 1h + 2 * 113s);

  clock.advance(*refused->frees_at - now() - 1s);
  EXPECT_TRUE(take(ledger, hourly, 1, now()));
  clock.advance(1s);
  EXPECT_FALSE(take(ledger, hourly, 100, now()));
}

TEST_F(LedgerTest, NoWindowEverHoldsMoreThanTheQuota) {
  Budget minute = quota("r", 10, 60s);
  std::vector<std::pair<WallTime, std::uint64_t>> granted;
  for (int i = 0; i < 2000; ++i) {
    std::uint64_t n = static_cast<std::uint64_t>(i % 3 + 1);
    if (!take(ledger, minute, n, now())) granted.emplace_back(now(), n);
    clock.advance(std::chrono::milliseconds{317 + 13 * (i % 7)});
  }
  std::uint64_t most = 0;
  for (std::size_t i = 0; i < granted.size(); ++i) {
    std::uint64_t sum = 0;
    for (std::size_t j = i; j < granted.size() && granted[j].first < granted[i].first + 60s; ++j)
      sum += granted[j].second;
    most = std::max(most, sum);
  }
  EXPECT_LE(most, 10u);
  EXPECT_GE(most, 9u);  // and it is used
}

TEST_F(LedgerTest, DeniedTakeTakesNothingFromAnyQuota) {
  Budget wide = quota("wide", 100, 1h), narrow = quota("narrow", 10, 1h);
  std::array<const Budget*, 2> both = {&wide, &narrow};
  auto refused = ledger.take(both, 11, now());
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->rule, "narrow");
  EXPECT_EQ(refused->remaining, 10u);
  EXPECT_FALSE(refused->frees_at);  // more than the whole quota
  EXPECT_EQ(left(ledger, wide, now()), 100u);
  EXPECT_FALSE(ledger.take(both, 10, now()));
  EXPECT_EQ(left(ledger, wide, now()), 90u);
  EXPECT_EQ(ledger.remaining(both, now()), 0u);
}

TEST_F(LedgerTest, NoQuotasMeansGrantedAndUnknown) {
  EXPECT_FALSE(ledger.take({}, 5, now()));
  EXPECT_FALSE(ledger.remaining({}, now()));
}

TEST_F(LedgerTest, PrincipalsHaveAccountsOfTheirOwn) {
  Budget ana = quota("r", 10, 1h, "ana"), ben = quota("r", 10, 1h, "ben");
  EXPECT_FALSE(take(ledger, ana, 10, now()));
  EXPECT_FALSE(take(ledger, ben, 10, now()));
  EXPECT_TRUE(take(ledger, ana, 1, now()));
}

TEST_F(LedgerTest, HugeTakesDoNotWrap) {
  Budget b = quota("r", UINT64_MAX, 1h);
  EXPECT_FALSE(take(ledger, b, UINT64_MAX, now()));
  EXPECT_TRUE(take(ledger, b, UINT64_MAX, now()));
  EXPECT_TRUE(take(ledger, b, 1, now()));
}

TEST_F(LedgerTest, ClockThatGoesBackFreesNothing) {
  Budget b = quota("r", 10, 1h);
  EXPECT_FALSE(take(ledger, b, 10, now()));
  EXPECT_TRUE(take(ledger, b, 1, now() - 48h));
  EXPECT_EQ(left(ledger, b, now() - 48h), 0u);
}

TEST_F(LedgerTest, ChangedLimitHoldsAtOnceAndChangedWindowKeepsWhatWasTaken) {
  Budget hourly = quota("r", 100, 1h);
  EXPECT_FALSE(take(ledger, hourly, 80, now()));
  EXPECT_EQ(left(ledger, quota("r", 50, 1h), now()), 0u);
  EXPECT_EQ(left(ledger, quota("r", 200, 1h), now()), 120u);

  Budget daily = quota("r", 100, 24h);
  EXPECT_EQ(left(ledger, daily, now()), 20u);
  clock.advance(2h);
  EXPECT_EQ(left(ledger, daily, now()), 20u);

  Budget minute = quota("r", 100, 60s);
  EXPECT_LE(left(ledger, minute, now()), 100u);
  clock.advance(2h);
  EXPECT_EQ(left(ledger, minute, now()), 100u);
}

TEST_F(LedgerTest, NarrowerWindowCountsWhatIsInside) {
  Budget daily = quota("r", 100, 24h);
  EXPECT_FALSE(take(ledger, daily, 30, now()));
  Budget minute = quota("r", 100, 60s);
  EXPECT_EQ(left(ledger, minute, now()), 70u);
}

TEST_F(LedgerTest, SnapshotAndRestoreCarryTheCountOver) {
  Budget hourly = quota("r", 100, 1h), short_one = quota("s", 5, 10s, "ben");
  EXPECT_FALSE(take(ledger, hourly, 30, now()));
  clock.advance(10min);
  EXPECT_FALSE(take(ledger, hourly, 20, now()));
  EXPECT_FALSE(take(ledger, short_one, 5, now()));
  auto states = ledger.snapshot(now());
  ASSERT_EQ(states.size(), 2u);
  EXPECT_EQ(states[0].key, "r\nana\ndocs");
  EXPECT_EQ(states[0].steps.size(), 2u);

  Ledger after;
  EXPECT_EQ(after.restore(states, now()), 0u);
  EXPECT_EQ(left(after, hourly, now()), 50u);
  EXPECT_EQ(left(after, short_one, now()), 0u);
  clock.advance(55min);  // the first 30 are out of the window, the 20 are not
  EXPECT_EQ(left(after, hourly, now()), 80u);
  EXPECT_EQ(left(after, short_one, now()), 5u);
  clock.advance(20min);
  EXPECT_TRUE(after.snapshot(now()).empty());
}

TEST_F(LedgerTest, RestoreReadsNonsenseAsCountingLonger) {
  std::vector<AccountState> states = {
      {.key = "r\nana\ndocs", .step = 0s, .steps = {{1, 7}}},
      {.key = "f\nana\ndocs", .step = 113s, .steps = {{INT64_MAX, 7}, {-5, 1}, {3, 100}}},
  };
  EXPECT_EQ(ledger.restore(states, now()), 0u);
  EXPECT_EQ(left(ledger, quota("r", 10, 1h), now()), 3u);
  EXPECT_EQ(left(ledger, quota("f", 10, 1h), now()), 2u);
}

TEST_F(LedgerTest, FullLedgerRefusesNewAccountsUntilOldOnesAreIdle) {
  Ledger small{64};  // one account per shard
  std::vector<Budget> budgets;
  std::size_t refused = 0;
  for (int i = 0; i < 1000; ++i) {
    budgets.push_back(quota("r", 10, 60s, "p" + std::to_string(i)));
    if (auto no = take(small, budgets.back(), 1, now())) {
      EXPECT_TRUE(no->ledger_full);
      ++refused;
    }
  }
  EXPECT_LE(small.accounts(), 64u);
  EXPECT_GE(refused, 1000u - 64u);
  clock.advance(2min);
  for (const Budget& budget : budgets) (void)take(small, budget, 1, now());
  EXPECT_LE(small.accounts(), 64u);
  EXPECT_GT(small.accounts(), 32u);
}

TEST_F(LedgerTest, TooManyQuotasAreRefused) {
  std::vector<Budget> budgets;
  for (int i = 0; i < 17; ++i) budgets.push_back(quota("r" + std::to_string(i), 10, 60s));
  std::vector<const Budget*> all;
  for (const Budget& b : budgets) all.push_back(&b);
  EXPECT_TRUE(ledger.take(all, 1, now()));
  all.pop_back();
  EXPECT_FALSE(ledger.take(all, 1, now()));
}

TEST_F(LedgerTest, ThreadsNeverGetMoreThanTheQuota) {
  Budget shared = quota("shared", 1000, 1h);
  std::atomic<std::uint64_t> granted{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      Budget own = quota("own", 400, 1h, "t" + std::to_string(t));
      std::array<const Budget*, 2> both = {t % 2 ? &own : &shared, t % 2 ? &shared : &own};
      for (int i = 0; i < 500; ++i) {
        if (!ledger.take(both, 1, now())) ++granted;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(granted.load(), 1000u);
  EXPECT_EQ(left(ledger, shared, now()), 0u);
}

}  // namespace
}  // namespace sluice::budget
