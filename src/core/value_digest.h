// value_digest: SHA-256 of a value that a request carries, such as a query vector of some kilobytes.
//
// One request has several uses for the digest of the same bytes: what it searches for, what the record keeps
// in place of the value, what an approval is bound to. So the last long value of each thread is remembered,
// and comparing bytes takes a twentieth of the time of hashing them again.
//
// The same answer as sha256() always; thread-safe. A thread keeps a copy of its last long value
// (kMaxRemembered).
#pragma once

#include "core/crypto.h"

namespace sluice {

inline constexpr std::size_t kMinRemembered = 512;  // bytes; what is shorter is hashed as fast as compared
inline constexpr std::size_t kMaxRemembered =
    64 * 1024;  // bytes; a vector of 16,000 dimensions, pgvector's most

Digest value_digest(Bytes value);

}  // namespace sluice
