// Randomness from the operating system (libsodium's generator): keys, tokens, cancel keys, hidden SQL
// aliases. Thread-safe. `initialise_crypto()` in core/crypto.h must have run.
#pragma once

#include "core/bytes.h"

namespace sluice {

void fill_random(MutableBytes out);

// `n` characters of [a-z0-9], usable inside an SQL identifier.
std::string random_identifier(std::size_t n);

std::uint64_t random_u64();

}  // namespace sluice
