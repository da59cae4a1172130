// The shards of a record as the control plane's shard names them. Each start of the gateway names them again,
// so a shard whose files were taken away is missed before a new and empty one takes its place.
//
//   CHECK_OK(require_control_shard(folder));     // before shard 0 is opened
//   CHECK_OK(require_named_shards(folder));      // after that (it is then recovered), before the others are
//
// Errc::malformed: something is missing; the folder is left as it is, for `sluice record verify` to look at.
#pragma once

#include <filesystem>

#include "core/result.h"

namespace sluice::record {

// A folder with shards has shard 0; one without any will be a new record.
Result<void> require_control_shard(const std::filesystem::path& folder);

// Those that were named last are there, and are the logs that were named.
Result<void> require_named_shards(const std::filesystem::path& folder);

}  // namespace sluice::record
