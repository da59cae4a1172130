// The commented policy that `sluice init` writes: members search, fetch, count and scroll up to a sane bound,
// drivers start up, everything else is denied with a message. A test loads it and asks it questions.
#pragma once

#include <string_view>

namespace sluice::policy {

std::string_view starter_policy();

}  // namespace sluice::policy
