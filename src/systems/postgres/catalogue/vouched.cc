#include "systems/postgres/catalogue/vouched.h"

#include <algorithm>

namespace sluice::postgres {

std::optional<Vouch> parse_vouch(std::string_view text) {
  const auto sign = text.rfind('#');  // names may have one, hashes do not
  if (sign == std::string_view::npos || sign == 0 || text[sign - 1] != ')') return std::nullopt;
  return Vouch{std::string{text.substr(0, sign)}, std::string{text.substr(sign + 1)}};
}

bool vouches_for_definitions(std::span<const std::string> vouched) {
  return std::ranges::any_of(vouched, [](const std::string& text) { return parse_vouch(text).has_value(); });
}

std::shared_ptr<const Catalogue> with_vouches(const std::shared_ptr<const Catalogue>& as_read,
                                              std::span<const std::string> vouched) {
  std::vector<Vouch> vouches;
  for (const std::string& text : vouched) {
    if (auto vouch = parse_vouch(text)) vouches.push_back(*std::move(vouch));
  }
  return vouches.empty() ? as_read : Catalogue::with_vouches(*as_read, vouches);
}

}  // namespace sluice::postgres
