// Searching the record: "who has ever been sent record X?", "what did this principal do on Tuesday?".
//
// An Index answers queries; it is made from the segments (record/indexer.h). The SQLite one is
// store/record_index.h.
//
//   TRY(auto page, index.search({.record_id = "4711", .limit = 50}));
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "model/ids.h"
#include "model/operation.h"
#include "record/reader.h"

namespace sluice::record {

inline constexpr std::size_t kDefaultPage = 100;
inline constexpr std::size_t kMaxPage = 1000;       // answers per page
inline constexpr std::size_t kMaxQueryText = 1024;  // bytes of one condition

// How an operation was decided, as people ask for it.
enum class Decision : std::uint8_t {  // values in the index
  permit = 1,
  deny = 2,
  review = 3,  // refused until somebody approves
};
std::string_view to_string(Decision decision);
std::optional<Decision> decision_from(std::string_view name);

// All conditions hold together; an absent one holds always. Names and words count without their case
// (core/case_fold.h).
struct SearchQuery {
  std::optional<std::string> principal;
  std::optional<std::string> connection;
  std::optional<std::string> relation;  // the collection's whole name: "public.docs"
  std::optional<Verb> verb;             // what it does, first of all or beside that
  std::optional<Decision> decision;
  std::optional<std::string> text;       // words of the statement's text, all of them (record/index_words.h)
  std::optional<std::string> record_id;  // of a record in the reply, exactly
  std::optional<SessionId> session;
  std::optional<WallTime> from;  // this moment included
  std::optional<WallTime> to;    // this moment not
  std::size_t limit = kDefaultPage;
  std::string cursor;  // from the page before; opaque
};

// Verbs as a set, for the index.
constexpr std::uint32_t verb_bit(Verb verb) {
  return std::uint32_t{1} << static_cast<unsigned>(verb);
}

struct FoundOperation {
  std::uint16_t shard = 0;
  std::uint64_t seq = 0;  // of its intent or denial
  WallTime time;
  SessionId session;
  OperationId operation;
  std::string principal;
  std::string connection;
  std::string system;
  Verb verb = Verb::unknown;
  std::vector<Verb> also;
  std::string statement_class;
  std::vector<std::string> relations;  // as the statement names them, each once
  std::string text;
  Decision decision = Decision::permit;
  std::string rule;    // the first that took part, or the one that refused
  std::string reason;  // of a refusal
  std::string review;  // id of the approval that was used
  // From the outcome; status is empty while there is none, "unfinished" when there will be none.
  std::string status;
  std::string error_class;
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  std::uint64_t masked = 0;
  Nanoseconds duration{};
  std::string ids;  // "complete", "partial", "unknown", "none"
};

struct OperationPage {
  std::vector<FoundOperation> operations;  // newest first
  std::string cursor;                      // empty: that was all
};

struct SessionQuery {
  std::optional<std::string> principal;
  std::optional<std::string> connection;
  std::optional<WallTime> from;  // of the session's start
  std::optional<WallTime> to;
  std::size_t limit = kDefaultPage;
  std::string cursor;
};

struct FoundSession {
  std::uint16_t shard = 0;
  std::uint64_t seq = 0;  // of its start
  Position position;      // a place at or before it, at the start of a segment
  SessionId id;
  std::string principal;
  std::string kind;  // "human" or "machine"
  std::string connection;
  std::string system;
  std::string role;
  std::string upstream_user;
  std::string client_address;
  std::string client_name;
  std::string token_id;
  WallTime started;
  std::optional<WallTime> ended;
  std::string end_reason;
  std::uint64_t operations = 0;
  std::uint64_t denials = 0;
};

struct SessionPage {
  std::vector<FoundSession> sessions;  // newest first
  std::string cursor;
};

// The asking side. Thread-safe.
class Index {
 public:
  virtual ~Index() = default;
  virtual Result<OperationPage> search(const SearchQuery& query) = 0;
  virtual Result<SessionPage> sessions(const SessionQuery& query) = 0;
  virtual Result<FoundSession> session(SessionId id) = 0;  // Errc::not_found
};

}  // namespace sluice::record
