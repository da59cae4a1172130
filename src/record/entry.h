// Entries of the record: what is written about each thing that happened, and its one canonical binary form.
//
// An entry is a header (kind, shard, sequence number, wall time, session, operation) and a payload that
// depends on the kind. `encode` (record/codec.h) turns a struct of this file into canonical bytes, `decode`
// turns them back and accepts nothing that `encode` would not have written, so that one entry has exactly one
// form and one hash. The form is specified in docs/record.md and frozen by golden tests: a field is never
// moved, and a number never reused.
//
// The structs hold views. For writing they point into whatever the caller has; for reading they point into
// the entry's bytes and live as long as those. Nothing here owns text, except what comes from the model.
//
// What may be in an entry: masked values only, no credential, no vector, no literal of a masked field (those
// as digest and dimension). Whoever fills a struct is responsible for that.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "core/clock.h"
#include "core/crypto.h"
#include "model/decision.h"
#include "model/ids.h"
#include "model/operation.h"
#include "model/session.h"

namespace sluice::record {

inline constexpr std::uint8_t kFormat = 1;       // of the canonical form
inline constexpr std::size_t kHeaderBytes = 36;  // format, kind, shard, seq, time, session, operation
inline constexpr std::size_t kMaxEntryBytes =
    65'535;  // canonical bytes: fits the C2SP tlog-tiles entry bundle

// On-disk values: never renumber.
enum class Kind : std::uint8_t {
  opened = 1,         // a writer took the shard; always the first entry of a run
  closed = 2,         // that writer let go of it in good order
  carried = 3,        // at the start of a segment: what is still open from the segments before
  clock_stepped = 4,  // the wall clock went back
  shard_added = 5,    // in shard 0: another shard belongs to this record

  session_start = 10,
  session_end = 11,
  session_refused = 12,  // a client that never got a session

  statement_part = 20,  // a piece of a long statement's text, before its `statement`
  statement = 21,       // an Operation, once per segment; later entries name it by its seq
  mask_set = 22,        // a MaskSet, once per segment
  ruling = 23,          // a Ruling, once per segment
  intent = 24,
  chunk = 25,
  rows = 26,        // a sample of the masked reply too large for its outcome
  record_ids = 27,  // ids of the records returned, too many for the outcome
  outcome = 28,
  denial = 29,
  unfinished = 30,  // written at recovery: an intent whose outcome nobody knows

  review_requested = 40,
  review_decided = 41,
  review_used = 42,

  policy_loaded = 50,
  policy_rejected = 51,

  admin_action = 60,
  token_issued = 61,
  token_revoked = 62,

  incident = 70,
};
std::string_view to_string(Kind kind);
std::optional<Kind> kind_from(std::uint8_t value);
std::optional<Kind> kind_from_name(std::string_view name);

struct Header {
  Kind kind = Kind::incident;
  std::uint16_t shard = 0;
  std::uint64_t seq =
      0;  // counts up by one within the shard, from 0; the leaf's index in the shard's Merkle tree
  WallTime time;
  SessionId session;      // 0: none
  OperationId operation;  // 0: none
  bool operator==(const Header&) const = default;
};

// Where an entry ended up. Proof that it is in the log; `Log::is_durable` says whether it survives what it
// must.
struct Receipt {
  std::uint64_t seq = 0;
};

// ---------------------------------------------------------------- the log itself

struct Opened {
  std::uint64_t epoch = 0;       // counts the writers of this shard; fences an older one
  bool after_crash = false;      // the writer before this one did not close
  std::uint64_t torn_bytes = 0;  // of a half-written entry, cut away
  std::uint64_t lost_entries =
      0;  // known to have been committed and gone: the host crashed, or the tail was cut
  std::uint64_t unfinished = 0;  // operations without outcome, closed by `unfinished` entries after this one
  std::uint64_t open_sessions = 0;  // sessions without end, closed after this one
  std::string_view software;        // "sluice 0.1.0"
};

struct Closed {
  std::uint64_t epoch = 0;
};

struct CarriedSession {
  SessionId session;
  std::uint64_t entries = 0;  // of this session so far
};
struct CarriedOperation {
  SessionId session;
  OperationId operation;
  std::uint64_t intent = 0;  // seq
};
struct Carried {
  std::vector<CarriedSession> sessions;
  std::vector<CarriedOperation> operations;
};

struct ClockStepped {
  WallTime from;
  WallTime to;
};

struct ShardAdded {
  std::uint16_t shard = 0;
  Bytes log_id;  // 16 bytes, random, chosen when the shard was made
};

// ---------------------------------------------------------------- sessions

// On-disk values.
enum class SessionEndReason : std::uint8_t {
  client_closed = 1,
  upstream_closed = 2,
  revoked = 3,
  idle = 4,
  expired = 5,
  protocol_violation = 6,
  record_failed = 7,  // what happened could not be written, so the session was cut
  shutdown = 8,
  gateway_lost = 9,  // written at recovery
  failed = 10,       // anything else; the detail says what
};
std::string_view to_string(SessionEndReason reason);

struct SessionEnd {
  SessionEndReason reason = SessionEndReason::client_closed;
  std::uint64_t operations = 0;  // intents and denials of the session
  std::uint64_t entries = 0;     // of this session in the log, this one included (set by the log): an export
                                 // with fewer is not whole
  std::string_view detail;
};

struct SessionRefused {
  std::string_view connection;
  std::string_view principal;  // as claimed; empty when nobody was claimed
  std::string_view client_address;
  std::string_view client_name;
  std::string_view reason;  // "unauthenticated: token expired"
};

// ---------------------------------------------------------------- operations

// A bound parameter as it may be kept.
// On-disk values.
enum class ParamForm : std::uint8_t {
  null = 0,
  text = 1,
  bytes = 2,
  vector = 3,  // digest and dimension only
  hidden = 4,  // literal of a masked field: digest only
};
struct Param {
  ParamForm form = ParamForm::null;
  std::string_view value;       // text and bytes; cut at kMaxParamBytes
  std::uint32_t dimension = 0;  // vector
  Digest digest{};              // vector and hidden
};
inline constexpr std::size_t kMaxParamBytes =
    1024;                                      // kept of one parameter; the intent's digest covers it whole
inline constexpr std::size_t kMaxParams = 64;  // kept of one operation
inline constexpr std::size_t kMaxParamsBytes = 16'384;  // kept of one operation, together

// Written before the first byte goes upstream.
struct Intent {
  SessionId session;
  OperationId operation;
  std::shared_ptr<const Operation> op;  // recorded once per segment as `statement`; the log may keep it alive
  const Ruling* ruling = nullptr;       // recorded once per segment as `ruling`
  Digest policy_digest{};               // of the policy files that decided
  std::optional<std::uint64_t> limit;   // the effective number of records; nullopt: unbounded
  Digest params_digest{};               // over all bound parameters; zero: none were bound
  std::span<const Param> params;
  std::string_view review;         // id of the approval that it used; empty: none
  std::string_view upstream_user;  // only when other than the session's
};

// Written before each part of a reply is sent. A reply that is sent in one piece needs none: its outcome says
// it all.
struct Chunk {
  SessionId session;
  OperationId operation;
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  Digest digest{};  // of the bytes sent to the client
};

// On-disk values.
enum class OutcomeStatus : std::uint8_t {
  ok = 1,
  upstream_error = 2,  // the database answered with an error
  stopped = 3,         // cut at its bound, or by a policy that changed
  cancelled = 4,       // by the client or by an administrator
  upstream_lost = 5,
  client_lost = 6,  // the client went away before the end
  suspended = 7,    // a portal with rows left; a later intent goes on with it
  failed = 8,       // Sluice could not handle the reply
};
std::string_view to_string(OutcomeStatus status);

class RecordIds;    // record/record_ids.h
class ReplySample;  // record/reply_sample.h

// Written before the end of the reply is sent.
struct Outcome {
  SessionId session;
  OperationId operation;
  OutcomeStatus status = OutcomeStatus::ok;
  std::string_view error_class;       // SQLSTATE, HTTP or gRPC status; empty when ok
  std::uint64_t records = 0;          // sent to the client, or affected by a write
  std::uint64_t bytes = 0;            // of reply sent to the client
  Digest reply_digest{};              // over all reply bytes sent to the client
  Nanoseconds duration{};             // from the intent to here
  std::uint64_t masked = 0;           // values that were masked on the way
  const RecordIds* ids = nullptr;     // nullptr: no records could be in the reply
  const ReplySample* rows = nullptr;  // nullptr: rows are not recorded
};

struct DeniedOperation {
  SessionId session;
  OperationId operation;
  std::shared_ptr<const Operation> op;  // nullptr: refused before it was understood
  const Ruling* ruling = nullptr;       // nullptr: refused before policy was asked
  Digest policy_digest{};
  Denial denial;
  std::string_view text;  // what was refused, where there is no Operation; bounded by the caller's own limit
};

// ---------------------------------------------------------------- around them

struct ReviewRequested {
  SessionId session;
  OperationId operation;
  std::string_view review;
  std::string_view rule;
  std::string_view requester;
  std::string_view summary;  // what the approver sees, one line
  Digest binding{};          // what the approval is bound to
  std::uint32_t approvals = 1;
  std::uint32_t uses = 1;
  WallTime expires;
};

// On-disk values.
enum class ReviewVerdict : std::uint8_t { approved = 1, rejected = 2, expired = 3, withdrawn = 4 };
std::string_view to_string(ReviewVerdict verdict);

struct ReviewDecided {
  std::string_view review;
  std::string_view approver;
  ReviewVerdict verdict = ReviewVerdict::rejected;
  std::string_view comment;
  bool final = false;  // false: more approvals are needed
};

struct ReviewUsed {
  SessionId session;
  OperationId operation;
  std::string_view review;
  std::uint32_t uses_left = 0;
};

struct PolicyLoaded {
  std::uint64_t version = 0;
  Digest digest{};
  std::uint32_t rules = 0;
  std::string_view source;  // the folder
};

struct PolicyRejected {
  std::string_view file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::string_view message;
  std::uint64_t kept_version = 0;
};

struct AdminAction {
  std::string_view actor;
  std::string_view action;   // "connection.edit"
  std::string_view subject;  // "docs"
  std::string_view detail;
  std::string_view client_address;
  bool succeeded = true;
};

struct TokenEvent {
  bool revoked = false;  // false: issued
  std::string_view token_id;
  std::string_view principal;
  std::string_view actor;
  std::string_view reason;
  std::optional<WallTime> expires;
};

struct Incident {
  SessionId session;      // 0: not of one session
  OperationId operation;  // 0: not of one operation
  std::string_view code;  // "pin_drift", "mask_violation", closed lists live where they arise
  std::string_view detail;
};

}  // namespace sluice::record
