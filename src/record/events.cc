#include "record/events.h"

#include <algorithm>
#include <deque>
#include <ranges>

#include "record/reader.h"

namespace sluice::record {
namespace {

// The last `most` entries of one segment that the query asks for, oldest first.
Result<std::deque<Event>> last_of(const std::filesystem::path& shard_folder, std::uint64_t segment,
                                  const EventQuery& query, std::size_t most) {
  std::deque<Event> found;
  TRY(auto reader, ShardReader::open_at(shard_folder, segment));
  SegmentContext context;
  for (;;) {
    TRY(auto entry, reader.next());
    if (!entry || reader.segment() != segment) return found;
    if (query.before && entry->header.seq >= *query.before) return found;
    TRY(auto payload, context.take(*entry, segment));
    if (query.kind && entry->header.kind != *query.kind) continue;
    TRY(auto event, describe(*entry, payload, context));
    found.push_back(std::move(event));
    if (found.size() > most) found.pop_front();
  }
}

}  // namespace

Result<EventPage> read_events(const std::filesystem::path& folder, std::uint16_t shard,
                              const EventQuery& query, std::size_t limit) {
  const auto shard_folder = folder / shard_name(shard);
  TRY(const auto segments, list_segments(shard_folder));
  EventPage page;
  for (const auto segment : segments | std::views::reverse) {
    // One more than is wanted tells whether there are more.
    TRY(auto found, last_of(shard_folder, segment, query, limit + 1 - page.events.size()));
    std::ranges::move(found | std::views::reverse, std::back_inserter(page.events));
    if (page.events.size() > limit) {
      page.events.pop_back();
      page.next = page.events.back().header.seq;
      break;
    }
  }
  return page;
}

}  // namespace sluice::record
