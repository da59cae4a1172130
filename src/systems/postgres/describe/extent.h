// How much a query can answer with: counts that may be unknown, and the arithmetic of bounds.
//
// A Count is exact enough to be an upper bound: a number, `pending` (a parameter decides, which is not bound
// yet), or `unlimited`. Of two reasons not to know, unlimited is the stronger.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>

namespace sluice::postgres::reading {

class Count {
 public:
  constexpr Count() = default;
  constexpr Count(std::uint64_t n) : n_(n) {}
  static constexpr Count pending() { return Count(Kind::pending); }
  static constexpr Count unlimited() { return Count(Kind::unlimited); }

  constexpr bool is_known() const { return kind_ == Kind::known; }
  constexpr bool is_pending() const { return kind_ == Kind::pending; }
  constexpr bool is_unlimited() const { return kind_ == Kind::unlimited; }
  constexpr bool is_zero() const { return is_known() && n_ == 0; }
  constexpr std::optional<std::uint64_t> value() const {
    return is_known() ? std::optional(n_) : std::nullopt;
  }

  friend constexpr Count operator+(Count a, Count b) {
    if (!a.is_known() || !b.is_known()) return Count(std::max(a.kind_, b.kind_));
    std::uint64_t sum = 0;
    return __builtin_add_overflow(a.n_, b.n_, &sum) ? unlimited() : Count(sum);
  }
  friend constexpr Count operator*(Count a, Count b) {
    if (a.is_zero() || b.is_zero()) return Count(0);
    if (!a.is_known() || !b.is_known()) return Count(std::max(a.kind_, b.kind_));
    std::uint64_t product = 0;
    return __builtin_mul_overflow(a.n_, b.n_, &product) ? unlimited() : Count(product);
  }
  // The lesser of two bounds that both hold. A parameter may turn out to be any number, or none.
  friend constexpr Count lesser(Count a, Count b) {
    if (a.kind_ != b.kind_) return a.kind_ < b.kind_ ? a : b;
    return a.n_ <= b.n_ ? a : b;
  }
  friend constexpr Count greater(Count a, Count b) {
    if (a.kind_ != b.kind_) return a.kind_ > b.kind_ ? a : b;
    return a.n_ >= b.n_ ? a : b;
  }

 private:
  enum class Kind : std::uint8_t { known, pending, unlimited };
  constexpr explicit Count(Kind kind) : kind_(kind) {}
  Kind kind_ = Kind::known;
  std::uint64_t n_ = 0;
};

// What a query is as a read, weakest first.
enum class ReadClass : std::uint8_t { none, metadata, count, aggregate, fetch, search, scroll };

// Upper bounds of a query, or of one item of FROM.
struct Extent {
  Count rows = Count::unlimited();
  Count per_row = 0;  // distinct records whose values one row can carry
  Count total = 0;    // distinct records whose values all rows together can carry
  ReadClass cls = ReadClass::none;
};

}  // namespace sluice::postgres::reading
