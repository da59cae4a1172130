// Small files of an installation: keys, secrets, settings. Sizes are bounded, nothing is overwritten by
// accident, and a secret that others can read is refused rather than used.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

#include "core/result.h"
#include "core/secret.h"

namespace sluice::app {

// A regular file of at most `max_bytes`.
Result<std::string> read_file(const std::filesystem::path& path, std::size_t max_bytes);
// The same for a secret: owned by this user or root, and no permissions for group or others. One newline at
// the end is cut off; an empty secret is an error.
Result<Secret> read_private_file(const std::filesystem::path& path, std::size_t max_bytes);
// Creates it with exactly this mode, and syncs it; Errc::conflict when it exists.
Result<void> create_file(const std::filesystem::path& path, std::string_view content, mode_t mode);
// Errc::forbidden when another user could change what is in this folder: it is neither this user's nor
// root's, or others may write it. The group may (people who share the policy), unless `group_may_write` is
// false.
Result<void> require_own_folder(const std::filesystem::path& path, bool group_may_write);
// Makes the folder and those above it; its own mode becomes 0700.
Result<void> create_private_folder(const std::filesystem::path& path);

}  // namespace sluice::app
