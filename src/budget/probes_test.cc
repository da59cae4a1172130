#include "budget/probes.h"

#include <gtest/gtest.h>

#include <random>

namespace sluice::budget {
namespace {

class ProbesTest : public ::testing::Test {
 protected:
  std::vector<float> some_vector() {
    std::normal_distribution<float> normal;
    std::vector<float> vector(256);
    for (float& component : vector) component = normal(random_);
    return vector;
  }
  SearchKind search(const std::vector<float>& vector, std::string_view who = "ana") {
    const auto sketch = sketch_of(vector);
    return probes_.look_at({who, "docs", "public.docs.embedding", true}, &sketch);
  }
  bool refuses(std::uint64_t units, std::string_view id = "7", std::string_view who = "ana") {
    return probes_.take({who, "docs", "public.docs", id}, units, now_).has_value();
  }

  std::mt19937 random_{7};
  Probes probes_;
  WallTime now_{std::chrono::seconds{1'700'000'000}};
};

TEST_F(ProbesTest, UnitsByCandidates) {
  EXPECT_EQ(units_of(SearchKind::ordinary, 1'000'000), 0U);
  EXPECT_EQ(units_of(SearchKind::ordinary, 1'000), 0U);
  EXPECT_EQ(units_of(SearchKind::ordinary, 500), 40U);
  EXPECT_EQ(units_of(SearchKind::ordinary, 40), 500U);
  EXPECT_EQ(units_of(SearchKind::ordinary, 1'000'000, kDeepAnswer), 0U);
  EXPECT_EQ(units_of(SearchKind::ordinary, 1'000'000, kDeepAnswer + 1), 10 * kUnitsPerProbe);
  EXPECT_EQ(units_of(SearchKind::ordinary, 40, 2'000), 500U) << "a tenant's forty, all of them";
  EXPECT_EQ(units_of(SearchKind::ordinary, 600, 2'000), 10 * kUnitsPerProbe);
  EXPECT_EQ(units_of(SearchKind::ordinary, 2), kUnitsPerProbe);
  EXPECT_EQ(units_of(SearchKind::ordinary, 0), kUnitsPerProbe);
  EXPECT_EQ(units_of(SearchKind::ordinary, std::nullopt), kUnitsPerProbe);
  EXPECT_EQ(units_of(SearchKind::near_another, 1'000'000), kUnitsPerProbe);
}

TEST_F(ProbesTest, OrdinarySearchesAreOrdinary) {
  for (int i = 0; i < 3'000; ++i) EXPECT_EQ(search(some_vector()), SearchKind::ordinary) << i;
}

TEST_F(ProbesTest, TheSameQuestionAgainIsOrdinary) {
  const auto question = some_vector();
  for (int i = 0; i < 100; ++i) {
    auto embedded = question;
    for (float& component : embedded) component += 1e-5F * static_cast<float>(i % 3);
    EXPECT_EQ(search(embedded), SearchKind::ordinary);
  }
}

TEST_F(ProbesTest, ASearchByHalvesIsSeen) {
  auto low = some_vector();
  auto high = some_vector();
  int seen = 0;
  for (int step = 0; step < 22; ++step) {
    auto middle = low;
    for (std::size_t i = 0; i < middle.size(); ++i) middle[i] = (low[i] + high[i]) / 2;
    seen += search(middle) == SearchKind::near_another ? 1 : 0;
    (step % 2 == 0 ? low : high) = middle;
  }
  EXPECT_GE(seen, 8);  // from where the steps are small to where they are too small to tell anything
}

TEST_F(ProbesTest, AxesAndWhatCannotBeReadAreProbes) {
  std::vector<float> axis(256);
  axis[3] = 1;
  EXPECT_EQ(search(axis), SearchKind::along_axis);
  EXPECT_EQ(search(axis), SearchKind::along_axis);
  EXPECT_EQ(probes_.look_at({"ana", "docs", "f", true}, nullptr), SearchKind::not_understood);
}

TEST_F(ProbesTest, PrincipalsAreApart) {
  const auto one = some_vector();
  auto near = one;
  near[0] += 0.3F;
  EXPECT_EQ(search(one, "ana"), SearchKind::ordinary);
  EXPECT_EQ(search(near, "bea"), SearchKind::ordinary);
  EXPECT_EQ(search(near, "ana"), SearchKind::near_another);
}

TEST_F(ProbesTest, FiftyADayOnARecord) {
  for (int i = 0; i < 50; ++i) EXPECT_FALSE(refuses(kUnitsPerProbe));
  EXPECT_TRUE(refuses(kUnitsPerProbe));
  EXPECT_TRUE(refuses(1));
  EXPECT_FALSE(refuses(kUnitsPerProbe, "8"));
  EXPECT_FALSE(refuses(kUnitsPerProbe, "7", "bea"));
  now_ += std::chrono::hours{26};
  EXPECT_FALSE(refuses(kUnitsPerProbe));
}

TEST_F(ProbesTest, WhatIsNotKnownCountsOnTheCollection) {
  for (std::uint64_t i = 0; i < 50 * kCollectionFactor; ++i) EXPECT_FALSE(refuses(kUnitsPerProbe, ""));
  EXPECT_TRUE(refuses(kUnitsPerProbe, ""));
}

TEST_F(ProbesTest, MemoryIsBounded) {
  for (std::size_t i = 0; i < kMaxMemories + 100; ++i) search(some_vector(), "p" + std::to_string(i));
  EXPECT_EQ(search(some_vector(), "p0"), SearchKind::ordinary);
}

TEST_F(ProbesTest, CountsSurviveARestart) {
  for (int i = 0; i < 50; ++i) EXPECT_FALSE(refuses(kUnitsPerProbe));
  const auto states = probes_.snapshot(now_);
  ASSERT_EQ(states.size(), 1U);
  EXPECT_TRUE(Probes::owns(states[0].key));
  Probes again;
  EXPECT_EQ(again.restore(states, now_), 0U);
  EXPECT_TRUE(again.take({"ana", "docs", "public.docs", "7"}, kUnitsPerProbe, now_));
}

}  // namespace
}  // namespace sluice::budget
