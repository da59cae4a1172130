// The keys of a data folder. `keys/record.key` signs the record's checkpoints (base64url of libsodium's
// 64-byte form, one line, readable by the owner only); `keys/record.pub` is what verifies them, in the form
// of record/note.h, free to give away. `keys/hash.key` is the secret of `hash` masks (32 bytes in the same
// form); with another one, values that were equal before look different.
#pragma once

#include <filesystem>
#include <string>

#include "core/crypto.h"
#include "core/result.h"

namespace sluice::app {

inline constexpr const char* kRecordKeyFile = "keys/record.key";
inline constexpr const char* kRecordPublicKeyFile = "keys/record.pub";
inline constexpr const char* kHashKeyFile = "keys/hash.key";
inline constexpr const char* kRecordKeyName = "sluice";  // in signed notes

// Refuses a file that others can read.
Result<SigningKey> load_signing_key(const std::filesystem::path& data);
// Makes both files; Errc::conflict when there is one already: a lost key cannot be made again.
Result<void> create_signing_key(const std::filesystem::path& data);

// Makes the file where it is missing: installations of before hash masks have none.
Result<Digest> load_hash_key(const std::filesystem::path& data);

}  // namespace sluice::app
