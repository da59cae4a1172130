// The text of a statement as the record keeps it: bounded, query vectors as dimension and digest, passwords
// gone.
//
// Where a statement deals with masked fields, its literals go too: what a masked field is compared with is as
// telling as the field.
//
// Works on tokens: every string literal that looks like a vector ('[0.1,0.2,…]'), every array of numbers that
// is cast to a vector, every literal that follows the word PASSWORD or holds "password=" is replaced,
// wherever it stands. What only looks like one loses nothing but its readability.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/crypto.h"

namespace sluice::postgres {

inline constexpr std::size_t kMaxRecordedText = 64 * 1024;  // bytes kept of one statement
inline constexpr std::uint32_t kMinVectorDimension = 3;     // shorter lists in brackets may be anything

enum class Literals : std::uint8_t {
  shown,
  hidden,  // strings and numbers as digests: '[literal 1a2b…]'; the numbers of LIMIT, OFFSET and FETCH stay
};

std::string recorded_text(std::string_view statement, Literals literals = Literals::shown);

// The text that a review is bound to where another query vector makes it no other request: the whole
// statement as it is, with each vector as its dimension. Not for reading, and not of bounded length.
std::string text_without_vectors(std::string_view statement);

// The dimension of a vector in pgvector's text form ("[1,2,3]", "{1:0.5}/3"); nullopt: it is none.
std::optional<std::uint32_t> vector_text_dimension(std::string_view text);

}  // namespace sluice::postgres
