// QuerySketch: what is remembered of a query vector to tell whether somebody feels for the vectors of single
// records: its outline in 64 numbers, its length, and whether it points along an axis. The vector itself is
// not kept.
//
// The outline is a count sketch (Charikar, Chen, Farach-Colton 2002): each component is added, with a sign,
// to one of 64 sums; which and with which sign is random per process, so nobody can aim for vectors that look
// alike. It is linear, so the distance of two outlines estimates that of the vectors (within a quarter,
// mostly).
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>

namespace sluice {

struct QuerySketch {
  static constexpr std::size_t kSums = 64;
  std::array<float, kSums> direction{};  // of the vector divided by its length
  double length = 0;                     // Euclidean; 0: nothing has a direction
  bool axis_like = false;                // nearly all of it lies in one or two components, or it is zero
};

QuerySketch sketch_of(std::span<const float> vector);

// How two searches' vectors relate.
enum class Nearness : unsigned char {
  apart,
  near,  // they point the same way, and are not the same: the answers tell where a record lies between them
  same,  // as far as embedding the same text twice makes a difference: the second answer tells nothing new
};
// `by_length`: the metric sees lengths (all but cosine).
Nearness nearness(const QuerySketch& a, const QuerySketch& b, bool by_length);

// A vector as clients write it: "[1,2,3]", "{1,2,3}" (an array), "{1:0.5,3:2}/5" (sparse, from 1). nullopt:
// none of these, or more than 16,000 components.
std::optional<QuerySketch> sketch_of_text(std::string_view text);

}  // namespace sluice
