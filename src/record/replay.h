// Replay: a recorded session as a line of events, with everything that the record knows about each, for the
// CLI, the API and the UI. Nothing is run again.
//
//   TRY(auto place, find_session(folder, id));   // or of the index: {found.shard, found.position.segment}
//   CHECK_OK(replay_session(folder, place, id, [&](const Event& event) {
//     print(to_text(event));
//     return true;
//   }));
//
// An intent carries its statement, facts, ruling and masks in full. Texts come from clients and databases:
// `to_json` escapes them, `to_text` also makes control characters visible, so that a terminal can show them.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "record/context.h"
#include "record/search.h"

namespace sluice::record {

// One fact of an event: a name, and the value as JSON and as plain text.
struct Fact {
  std::string name;
  std::string json;
  std::string text;
};

struct Event {
  Header header;
  std::vector<Fact> facts;
};

std::string to_json(const Event& event);  // one object
std::string to_text(
    const Event& event);  // one line, and an indented one for each long fact; ends with a line feed
std::string to_json(const FoundOperation& operation);
std::string to_json(const FoundSession& session);

// Any entry as an event. `context` must have seen the entries before it in its segment.
Result<Event> describe(const Entry& entry, const Payload& payload, const SegmentContext& context);

struct SessionPlace {
  std::uint16_t shard = 0;
  std::uint64_t segment = 0;  // in which the session starts, or an earlier one
};
// Reads the record until it finds the session's start. Errc::not_found.
Result<SessionPlace> find_session(const std::filesystem::path& folder, SessionId session);

// Calls `each` for the session's events in order, until it answers false or the session ends.
Result<void> replay_session(const std::filesystem::path& folder, SessionPlace place, SessionId session,
                            const std::function<bool(const Event&)>& each);

}  // namespace sluice::record
