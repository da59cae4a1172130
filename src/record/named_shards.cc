#include "record/named_shards.h"

#include <algorithm>
#include <map>
#include <ranges>

#include "core/encoding.h"
#include "record/reader.h"

namespace sluice::record {
namespace {

namespace fs = std::filesystem;

using Names = std::map<std::uint16_t, LogId>;

std::unexpected<Error> incomplete(const fs::path& folder, std::string_view what) {
  return fail(Errc::malformed,
              "{} in {}: run `sluice record verify`, keep the folder, and give the gateway another one", what,
              folder.native());
}

Result<Names> names_in(const fs::path& control, std::uint64_t segment) {
  TRY(auto reader, ShardReader::open_at(control, segment));
  Names names;
  for (;;) {
    TRY(const auto entry, reader.next());
    if (!entry || reader.segment() != segment) return names;
    if (entry->header.kind != Kind::shard_added) continue;
    TRY(const auto payload, decode(*entry));
    const auto& added = std::get<ShardAdded>(payload);
    std::ranges::copy(added.log_id, names[added.shard].begin());
  }
}

}  // namespace

Result<void> require_control_shard(const fs::path& folder) {
  const auto shards = list_shards(folder);
  if (!shards && shards.error().code == Errc::not_found) return {};
  if (!shards) return std::unexpected(shards.error());
  if (shards->empty() || shards->front() == 0) return {};
  return incomplete(folder, "shard 0, the control plane's, is missing");
}

Result<void> require_named_shards(const fs::path& folder) {
  const auto control = folder / shard_name(0);
  TRY(const auto segments, list_segments(control));
  for (const auto segment : segments | std::views::reverse) {
    TRY(const auto names, names_in(control, segment));
    for (const auto& [shard, log_id] : names) {
      const auto first = SegmentCursor::open(folder / shard_name(shard) / segment_name(1));
      if (!first && first.error().code != Errc::not_found) return std::unexpected(first.error());
      if (first && first->header().log_id == log_id) continue;
      return incomplete(folder, fmt::format("shard {} (log {}) is {}", shard, to_hex(log_id),
                                            first ? "another log" : "missing"));
    }
    if (!names.empty()) break;  // the last start has named them all
  }
  return {};
}

}  // namespace sluice::record
