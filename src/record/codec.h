// The canonical binary form of entries: how the structs of record/entry.h become bytes and come back.
//
//   FixedWriter out{begin, end};             // into the segment itself; never grows, overflow is sticky
//   encode(out, header);  encode(out, payload);
//   TRY(auto entry, parse_entry(bytes));     // header and raw payload
//   TRY(auto payload, decode(entry));        // a std::variant over all payloads, strict
//
// Numbers are little-endian, texts and lists carry a 16-bit count, absent values a flag byte. Decoding
// accepts exactly what encoding produces: unknown numbers, flags other than 0 and 1, and bytes left over are
// Errc::malformed. Each kind's fields are listed once, in record/fields.h, for both directions. Decoded texts
// are views into the entry's bytes; what comes as a model type (Operation, Ruling, SessionFacts, MaskSet)
// owns its text.
#pragma once

#include <cstring>
#include <string>
#include <variant>

#include "core/result.h"
#include "record/entry.h"
#include "record/record_ids.h"
#include "record/reply_sample.h"

namespace sluice::record {

class FixedWriter {
 public:
  FixedWriter(std::uint8_t* begin, std::uint8_t* end) : begin_(begin), at_(begin), end_(end) {}

  void u8(std::uint8_t v) { number(v); }
  void u16(std::uint16_t v) { number(v); }
  void u32(std::uint32_t v) { number(v); }
  void u64(std::uint64_t v) { number(v); }
  void raw(const void* data, std::size_t n) {
    if (n > static_cast<std::size_t>(end_ - at_)) {
      overflow_ = true;
      end_ = at_;  // nothing shorter may follow what did not fit
      return;
    }
    if (n != 0) std::memcpy(at_, data, n);
    at_ += n;
  }

  std::size_t size() const { return static_cast<std::size_t>(at_ - begin_); }
  bool overflow() const { return overflow_; }
  void set_overflow() { overflow_ = true; }

 private:
  template <class T>
  void number(T v) {
    std::uint8_t bytes[sizeof(T)];
    for (std::size_t i = 0; i < sizeof(T); ++i) bytes[i] = static_cast<std::uint8_t>(v >> (8 * i));
    raw(bytes, sizeof(T));
  }

  std::uint8_t* begin_;
  std::uint8_t* at_;
  std::uint8_t* end_;
  bool overflow_ = false;
};

// ---------------------------------------------------------------- payloads as they are on disk
// (those of entry.h that are not the same as what the caller gives)

struct StatementPart {
  std::string_view text;
};

struct StatementEntry {
  Operation op;             // `op.text`: what this entry holds of it, after the parts
  std::uint16_t parts = 0;  // number of `statement_part` entries directly before this one
  std::uint64_t text_bytes = 0;
  Digest text_digest{};  // of the whole text: the same statement has it in every segment and shard
};

struct MaskSetEntry {
  bool continues = false;  // adds to the `mask_set` entry before it: the set did not fit one entry
  MaskSet masks;
};

struct RulingEntry {
  Ruling ruling;  // without `denial`, which is in the `denial` entry; `obligations.masks` is null
  Digest policy_digest{};
  std::optional<std::uint64_t> mask_set;  // seq of the (last) `mask_set` entry; nullopt: no masks
};

template <class Params>
struct BasicIntentEntry {
  std::uint64_t statement = 0;  // seq
  std::uint64_t ruling = 0;     // seq
  std::optional<std::uint64_t> limit;
  std::optional<Digest> params_digest;
  std::uint32_t params_bound = 0;  // of which `params` are the first
  Params params;
  std::string_view review;
  std::string_view upstream_user;
};
using IntentEntry = BasicIntentEntry<std::vector<Param>>;

struct ChunkEntry {
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  Digest digest{};
};

struct RowsEntry {
  std::string_view section;
};
struct RecordIdsEntry {
  std::string_view section;
};

// On-disk values.
enum class RowsState : std::uint8_t { none = 0, complete = 1, partial = 2 };

struct OutcomeEntry {
  OutcomeStatus status = OutcomeStatus::ok;
  std::string_view error_class;
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  Digest reply_digest{};
  std::uint64_t duration_ns = 0;
  std::uint64_t masked = 0;
  IdsState ids_state = IdsState::none;
  std::uint64_t ids_seen = 0;
  std::uint64_t ids_kept = 0;
  std::uint16_t ids_entries = 0;  // number of `record_ids` entries of this operation before this one
  std::string_view ids;           // ids section, when it is short enough to be here
  RowsState rows_state = RowsState::none;
  std::uint64_t rows_seen = 0;
  std::uint64_t rows_kept = 0;
  std::uint16_t rows_entries = 0;
  std::string_view rows;
};

struct DenialEntry {
  std::optional<std::uint64_t> statement;  // seq
  std::optional<std::uint64_t> ruling;     // seq
  Reason reason = Reason::no_rule;
  std::string_view rule;
  std::string_view message;
  std::string_view hint;
  std::string_view text;
};

struct Unfinished {
  std::uint64_t intent = 0;  // seq
};

struct SessionStart {
  SessionFacts facts;
};

struct CarriedEntry {
  bool last = false;  // of this segment's `carried` entries
  Carried carried;
};

// ReviewRequested and the like carry session and operation in the header; they are filled in from there.
using Payload = std::variant<Opened, Closed, CarriedEntry, ClockStepped, ShardAdded, SessionStart, SessionEnd,
                             SessionRefused, StatementPart, StatementEntry, MaskSetEntry, RulingEntry,
                             IntentEntry, ChunkEntry, RowsEntry, RecordIdsEntry, OutcomeEntry, DenialEntry,
                             Unfinished, ReviewRequested, ReviewDecided, ReviewUsed, PolicyLoaded,
                             PolicyRejected, AdminAction, TokenEvent, Incident>;

// An entry as it lies in a segment: parsed header, payload still raw.
struct Entry {
  Header header;
  Bytes payload;
  Bytes canonical;  // header and payload: what is hashed
};

Result<Entry> parse_entry(Bytes canonical);
Result<Payload> decode(const Entry& entry);

// ---------------------------------------------------------------- writing

void encode(FixedWriter& out, const Header& header);

// What a `statement` is made from; `text` is the end of it, the beginning being in parts.
struct StatementSource {
  const Operation& op;
  std::string_view text;
  std::uint16_t parts;
  const Digest& text_digest;
};
void encode(FixedWriter& out, const StatementSource& statement);

struct RulingSource {
  const Ruling& ruling;
  const Digest& policy_digest;
  std::optional<std::uint64_t> mask_set;
};
void encode(FixedWriter& out, const RulingSource& ruling);
void encode(FixedWriter& out, const SessionFacts& facts);
void encode(FixedWriter& out, const MaskSetEntry& masks);
void encode(FixedWriter& out, const BasicIntentEntry<std::span<const Param>>& intent);
void encode(FixedWriter& out, const ChunkEntry& chunk);
void encode(FixedWriter& out, const OutcomeEntry& outcome);
void encode(FixedWriter& out, const DenialEntry& denial);
void encode(FixedWriter& out, const StatementPart& part);
void encode(FixedWriter& out, const RowsEntry& rows);
void encode(FixedWriter& out, const RecordIdsEntry& ids);
void encode(FixedWriter& out, const Unfinished& unfinished);
void encode(FixedWriter& out, const Opened& opened);
void encode(FixedWriter& out, const Closed& closed);
void encode(FixedWriter& out, const CarriedEntry& carried);
void encode(FixedWriter& out, const ClockStepped& step);
void encode(FixedWriter& out, const ShardAdded& shard);
void encode(FixedWriter& out, const SessionEnd& end);
void encode(FixedWriter& out, const SessionRefused& refused);
void encode(FixedWriter& out, const ReviewRequested& review);
void encode(FixedWriter& out, const ReviewDecided& review);
void encode(FixedWriter& out, const ReviewUsed& review);
void encode(FixedWriter& out, const PolicyLoaded& policy);
void encode(FixedWriter& out, const PolicyRejected& policy);
void encode(FixedWriter& out, const AdminAction& action);
void encode(FixedWriter& out, const TokenEvent& token);
void encode(FixedWriter& out, const Incident& incident);

}  // namespace sluice::record
