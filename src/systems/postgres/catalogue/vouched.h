// Vouches as a policy writes them down, "public.slugify(text)#<SHA-256 in hex>", and a catalogue with them.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "systems/postgres/catalogue/view.h"

namespace sluice::postgres {

// nullopt: it is the name of a function, of whatever definition.
std::optional<Vouch> parse_vouch(std::string_view text);

bool vouches_for_definitions(std::span<const std::string> vouched);

// The same catalogue when nothing of it vouches for a definition.
std::shared_ptr<const Catalogue> with_vouches(const std::shared_ptr<const Catalogue>& as_read,
                                              std::span<const std::string> vouched);

}  // namespace sluice::postgres
