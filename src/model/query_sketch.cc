#include "model/query_sketch.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <vector>

#include "core/random.h"

namespace sluice {
namespace {

constexpr std::size_t kMaxComponents = 16'000;  // the most that pgvector's types have

// Of the energy, in the two largest components. Embeddings spread theirs over hundreds; below eight
// components a vector has few ways to spread.
constexpr double kAxisEnergy = 0.9;
constexpr double kAxisEnergyOfFew = 0.99;
constexpr std::size_t kFew = 8;

// Distances between directions. Two phrasings of one question are apart by 0.1 and more; a search by halves
// comes below 0.045 (a cosine of 0.999) within five steps.
constexpr double kNear = 0.045;
constexpr double kSame = 0.001;

std::uint64_t mixed(std::uint64_t value) {  // splitmix64
  value += 0x9E37'79B9'7F4A'7C15;
  value = (value ^ (value >> 30)) * 0xBF58'476D'1CE4'E5B9;
  value = (value ^ (value >> 27)) * 0x94D0'49BB'1331'11EB;
  return value ^ (value >> 31);
}

std::optional<float> number(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  float value = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || at != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<std::vector<float>> dense(std::string_view inside) {
  std::vector<float> vector;
  while (!inside.empty()) {
    const auto comma = std::min(inside.find(','), inside.size());
    const auto value = number(inside.substr(0, comma));
    if (!value || vector.size() == kMaxComponents) return std::nullopt;
    vector.push_back(*value);
    inside.remove_prefix(std::min(comma + 1, inside.size()));
  }
  return vector;
}

std::optional<std::vector<float>> sparse(std::string_view inside, std::string_view components) {
  const auto count = number(components);
  if (!count || *count < 1) return std::nullopt;
  // Only what is there matters: the components between are nothing.
  std::vector<float> vector;
  while (!inside.empty()) {
    const auto comma = std::min(inside.find(','), inside.size());
    const auto item = inside.substr(0, comma);
    const auto colon = item.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto index = number(item.substr(0, colon));
    const auto value = number(item.substr(colon + 1));
    if (!index || !value || *index < 1 || *index > static_cast<float>(kMaxComponents)) return std::nullopt;
    const auto at = static_cast<std::size_t>(*index) - 1;
    if (vector.size() <= at) vector.resize(at + 1);
    vector[at] = *value;
    inside.remove_prefix(std::min(comma + 1, inside.size()));
  }
  return vector;
}

}  // namespace

QuerySketch sketch_of(std::span<const float> vector) {
  static const std::uint64_t seed = random_u64();
  QuerySketch made;
  double energy = 0;
  double largest = 0;
  double second = 0;
  for (float component : vector) {
    const double square = static_cast<double>(component) * component;
    energy += square;
    if (square > largest) {
      second = largest;
      largest = square;
    } else if (square > second) {
      second = square;
    }
  }
  made.length = std::sqrt(energy);
  if (energy == 0) {
    made.axis_like = true;
    return made;
  }
  made.axis_like =
      vector.size() < kFew ? largest > kAxisEnergyOfFew * energy : largest + second > kAxisEnergy * energy;
  for (std::size_t i = 0; i < vector.size(); ++i) {
    const std::uint64_t choice = mixed(seed + i);
    const auto value = static_cast<float>(vector[i] / made.length);
    made.direction[choice % QuerySketch::kSums] += (choice >> 63) != 0 ? value : -value;
  }
  return made;
}

Nearness nearness(const QuerySketch& a, const QuerySketch& b, bool by_length) {
  double square = 0;
  // Most are apart, and that shows in the first few sums.
  for (std::size_t i = 0; i < QuerySketch::kSums; ++i) {
    const double difference = static_cast<double>(a.direction[i]) - b.direction[i];
    square += difference * difference;
    if (square > kNear * kNear) return Nearness::apart;
  }
  const double longer = std::max(a.length, b.length);
  const bool same_length = !by_length || longer == 0 || std::abs(a.length - b.length) <= kSame * longer;
  return square <= kSame * kSame && same_length ? Nearness::same : Nearness::near;
}

std::optional<QuerySketch> sketch_of_text(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  if (text.size() < 3) return std::nullopt;
  std::optional<std::vector<float>> vector;
  if (text.front() == '[' && text.back() == ']') {
    vector = dense(text.substr(1, text.size() - 2));
  } else if (text.front() == '{' && text.back() == '}') {
    vector = dense(text.substr(1, text.size() - 2));
  } else if (const auto slash = text.rfind("}/"); text.front() == '{' && slash != std::string_view::npos) {
    vector = sparse(text.substr(1, slash - 1), text.substr(slash + 2));
  }
  if (!vector) return std::nullopt;
  return sketch_of(*vector);
}

}  // namespace sluice
