#include "model/query_sketch.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace sluice {
namespace {

std::vector<float> random_vector(std::mt19937& random, std::size_t size) {
  std::normal_distribution<float> normal;
  std::vector<float> vector(size);
  for (float& component : vector) component = normal(random);
  return vector;
}

std::vector<float> plus(std::vector<float> vector, const std::vector<float>& other, float factor) {
  for (std::size_t i = 0; i < vector.size(); ++i) vector[i] += factor * other[i];
  return vector;
}

TEST(QuerySketch, EmbeddingsAreNotAxisLikeAndUnitVectorsAre) {
  std::mt19937 random(1);
  EXPECT_FALSE(sketch_of(random_vector(random, 1536)).axis_like);
  EXPECT_FALSE(sketch_of(random_vector(random, 64)).axis_like);
  EXPECT_FALSE(sketch_of(std::vector<float>{7, 0, 7, 1}).axis_like);
  std::vector<float> unit(1536);
  EXPECT_TRUE(sketch_of(unit).axis_like) << "zero";
  unit[700] = 3;
  EXPECT_TRUE(sketch_of(unit).axis_like);
  EXPECT_TRUE(sketch_of(plus(unit, random_vector(random, 1536), 0.01F)).axis_like) << "with noise on it";
  EXPECT_TRUE(sketch_of(std::vector<float>{0, 0, 1, 0}).axis_like);
}

TEST(QuerySketch, TellsApartNearAndSame) {
  std::mt19937 random(2);
  for (int i = 0; i < 50; ++i) {
    const auto query = random_vector(random, 768);
    const auto other = random_vector(random, 768);
    const auto sketch = sketch_of(query);
    EXPECT_EQ(nearness(sketch, sketch_of(other), true), Nearness::apart);
    EXPECT_EQ(nearness(sketch, sketch_of(plus(query, other, 0.3F)), true), Nearness::apart);
    EXPECT_EQ(nearness(sketch, sketch_of(plus(query, other, 0.01F)), true), Nearness::near);
    EXPECT_EQ(nearness(sketch, sketch_of(plus(query, other, 0.0001F)), true), Nearness::same);
    EXPECT_EQ(nearness(sketch, sketch, true), Nearness::same);
  }
}

TEST(QuerySketch, LengthsMatterWhereTheMetricSeesThem) {
  std::mt19937 random(3);
  const auto query = random_vector(random, 768);
  const auto longer = sketch_of(plus(query, query, 1));
  EXPECT_EQ(nearness(sketch_of(query), longer, true), Nearness::near);
  EXPECT_EQ(nearness(sketch_of(query), longer, false), Nearness::same);
}

TEST(QuerySketch, ReadsWhatClientsWrite) {
  ASSERT_TRUE(sketch_of_text("[1, 2.5,-3e-1]"));
  EXPECT_NEAR(sketch_of_text("[3,4]")->length, 5, 1e-6);
  EXPECT_NEAR(sketch_of_text(" {3,4} ")->length, 5, 1e-6);
  EXPECT_NEAR(sketch_of_text("{1:3,5:4}/9")->length, 5, 1e-6);
  for (const char* text :
       {"", "[]x", "1,2", "[1,x]", "[1,nan]", "{1:}/3", "{0:1}/3", "{1:1,2}/3", "[1,,2]"}) {
    EXPECT_FALSE(sketch_of_text(text)) << text;
  }
  std::string many = "[1";
  for (int i = 0; i < 16'000; ++i) many += ",1";
  EXPECT_FALSE(sketch_of_text(many + "]"));
}

}  // namespace
}  // namespace sluice
