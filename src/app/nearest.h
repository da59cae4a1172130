// "Did you mean": the candidate that a mistyped word is nearest to, or nothing when none is near.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace sluice::app {

std::optional<std::string_view> nearest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace sluice::app
