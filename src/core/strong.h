// Strong<T, Tag>: a number or string with a meaning of its own, so that a session id cannot be passed for an
// operation id. Compares and hashes like T; `value` is the way in and out.
#pragma once

#include <compare>
#include <functional>
#include <utility>

namespace sluice {

template <class T, class Tag>
struct Strong {
  T value{};

  Strong() = default;
  constexpr explicit Strong(T v) : value(std::move(v)) {}
  auto operator<=>(const Strong&) const = default;
};

}  // namespace sluice

template <class T, class Tag>
struct std::hash<sluice::Strong<T, Tag>> {
  std::size_t operator()(const sluice::Strong<T, Tag>& v) const { return std::hash<T>{}(v.value); }
};
