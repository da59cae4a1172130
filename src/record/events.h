// The entries of one shard, newest first: for the control plane's own, which are nobody's session (policies
// loaded, tokens issued and revoked, reviews decided, what administrators changed).
//
//   TRY(auto page, read_events(folder, 0, {.kind = Kind::token_revoked}, 50));
//   TRY(auto next, read_events(folder, 0, {.before = page.next}, 50));      // page.next 0: that was all
//
// Read from the segments, newest segment first; a page costs at most the segments that it spans. Also while
// the record is being written.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "record/replay.h"

namespace sluice::record {

struct EventQuery {
  std::optional<Kind> kind;
  std::optional<std::uint64_t> before;  // seq; nullopt: from the newest on
};

struct EventPage {
  std::vector<Event> events;
  std::uint64_t next = 0;  // `before` of the next page; 0: there are no older ones
};

Result<EventPage> read_events(const std::filesystem::path& folder, std::uint16_t shard,
                              const EventQuery& query, std::size_t limit);

}  // namespace sluice::record
