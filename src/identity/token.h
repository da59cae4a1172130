// Token: the one credential that fits every client's password, api-key or bearer field.
//
//   slc_<id>_<secret><crc>      62 characters, ASCII, base64url alphabet only
//        8    43       6
//
// `id` is public (it names the token in lists, logs and the record), `secret` is 256 random bits, `crc` is
// the CRC-32 of all that stands before it: mistyped and truncated tokens are told apart without a look-up,
// and secret scanners recognise leaked ones. The whole text is stored as SHA-256 only; 256 random bits need
// no slow hash. `initialise_crypto()` (core/crypto.h) must have run. All functions are thread-safe.
#pragma once

#include <string_view>

#include "core/crypto.h"
#include "core/result.h"
#include "core/secret.h"
#include "model/ids.h"

namespace sluice::identity {

inline constexpr std::string_view kTokenPrefix = "slc_";
inline constexpr std::size_t kTokenIdLength = 8;       // characters of [a-z0-9]
inline constexpr std::size_t kTokenSecretLength = 43;  // base64url of 32 bytes
inline constexpr std::size_t kTokenCrcLength = 6;      // base64url of 4 bytes
inline constexpr std::size_t kTokenLength =
    kTokenPrefix.size() + kTokenIdLength + 1 + kTokenSecretLength + kTokenCrcLength;
static_assert(kTokenLength <= 80, "old poolers and service files cut longer passwords");

struct MintedToken {
  TokenId id;
  Secret text;  // shown once
  Digest hash;  // kept
};
MintedToken make_token();

// The id of a well-formed token: prefix, length, alphabet and CRC are right. Says nothing about whether it
// exists. Errc::malformed otherwise; the detail never repeats any of the text.
Result<TokenId> parse_token(std::string_view text);

// Whether a well-formed token stands anywhere in the text: then it must not be shown, logged or recorded.
bool holds_token(std::string_view text);

Digest hash_token(std::string_view text);

}  // namespace sluice::identity
