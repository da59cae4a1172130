#include "record/codec.h"

#include "core/byte_reader.h"
#include "record/fields.h"

namespace sluice::record {
namespace {

template <class T>
void write(FixedWriter& out, const T& value) {
  Writer io{out};
  fields(io, value);
}

// Reads a payload that is nothing but its fields.
template <class T>
bool read(Reader& io, T& value) {
  fields(io, value);
  return io.finished();
}

bool read(Reader& io, SessionStart& start) {
  auto principal = std::make_shared<Principal>();
  fields(io, start.facts);
  fields(io, *principal);
  start.facts.principal = std::move(principal);
  return io.finished();
}

bool read(Reader& io, StatementEntry& statement) {
  fields(io, statement.op);
  io.u16(statement.parts);
  io.u64(statement.text_bytes);
  io.digest(statement.text_digest);
  io.text(statement.op.text);
  return io.finished();
}

bool read(Reader& io, RulingEntry& entry) {
  fields(io, entry.ruling);
  io.digest(entry.policy_digest);
  io.optional(entry.mask_set, [&](auto& seq) { io.u64(seq); });
  return io.finished();
}

template <class T>
Result<Payload> payload_of(const Entry& entry) {
  Payload payload{std::in_place_type<T>};
  auto& value = std::get<T>(payload);
  Reader io{entry.payload};
  if (!read(io, value)) {
    return fail(Errc::malformed, "payload of {} entry {} does not follow its format",
                to_string(entry.header.kind), entry.header.seq);
  }
  if constexpr (requires {
                  value.session = entry.header.session;
                  value.operation = entry.header.operation;
                }) {
    value.session = entry.header.session;
    value.operation = entry.header.operation;
  }
  if constexpr (std::same_as<T, SessionStart>) value.facts.id = entry.header.session;
  if constexpr (std::same_as<T, TokenEvent>) value.revoked = entry.header.kind == Kind::token_revoked;
  return payload;
}

}  // namespace

Result<Entry> parse_entry(Bytes canonical) {
  ByteReader in{canonical};
  auto format = in.u8();
  auto kind = kind_from(in.u8());
  Entry entry;
  entry.header.shard = in.u16le();
  entry.header.seq = in.u64le();
  entry.header.time = WallTime{Nanoseconds{static_cast<std::int64_t>(in.u64le())}};
  entry.header.session = SessionId{in.u64le()};
  entry.header.operation = OperationId{in.u64le()};
  entry.payload = in.rest();
  entry.canonical = canonical;
  if (!in.ok())
    return fail(Errc::malformed, "an entry of {} bytes is shorter than its header", canonical.size());
  if (canonical.size() > kMaxEntryBytes)
    return fail(Errc::malformed, "an entry of {} bytes", canonical.size());
  if (format != kFormat)
    return fail(Errc::unsupported, "entry format {}, this version reads {}", format, kFormat);
  if (!kind) return fail(Errc::malformed, "entry {} is of an unknown kind", entry.header.seq);
  entry.header.kind = *kind;
  return entry;
}

Result<Payload> decode(const Entry& entry) {
  switch (entry.header.kind) {
    case Kind::opened: return payload_of<Opened>(entry);
    case Kind::closed: return payload_of<Closed>(entry);
    case Kind::carried: return payload_of<CarriedEntry>(entry);
    case Kind::clock_stepped: return payload_of<ClockStepped>(entry);
    case Kind::shard_added: return payload_of<ShardAdded>(entry);
    case Kind::session_start: return payload_of<SessionStart>(entry);
    case Kind::session_end: return payload_of<SessionEnd>(entry);
    case Kind::session_refused: return payload_of<SessionRefused>(entry);
    case Kind::statement_part: return payload_of<StatementPart>(entry);
    case Kind::statement: return payload_of<StatementEntry>(entry);
    case Kind::mask_set: return payload_of<MaskSetEntry>(entry);
    case Kind::ruling: return payload_of<RulingEntry>(entry);
    case Kind::intent: return payload_of<IntentEntry>(entry);
    case Kind::chunk: return payload_of<ChunkEntry>(entry);
    case Kind::rows: return payload_of<RowsEntry>(entry);
    case Kind::record_ids: return payload_of<RecordIdsEntry>(entry);
    case Kind::outcome: return payload_of<OutcomeEntry>(entry);
    case Kind::denial: return payload_of<DenialEntry>(entry);
    case Kind::unfinished: return payload_of<Unfinished>(entry);
    case Kind::review_requested: return payload_of<ReviewRequested>(entry);
    case Kind::review_decided: return payload_of<ReviewDecided>(entry);
    case Kind::review_used: return payload_of<ReviewUsed>(entry);
    case Kind::policy_loaded: return payload_of<PolicyLoaded>(entry);
    case Kind::policy_rejected: return payload_of<PolicyRejected>(entry);
    case Kind::admin_action: return payload_of<AdminAction>(entry);
    case Kind::token_issued:
    case Kind::token_revoked: return payload_of<TokenEvent>(entry);
    case Kind::incident: return payload_of<Incident>(entry);
  }
  return fail(Errc::malformed, "entry {} is of an unknown kind", entry.header.seq);
}

void encode(FixedWriter& out, const Header& header) {
  out.u8(kFormat);
  out.u8(static_cast<std::uint8_t>(header.kind));
  out.u16(header.shard);
  out.u64(header.seq);
  out.u64(static_cast<std::uint64_t>(header.time.time_since_epoch().count()));
  out.u64(header.session.value);
  out.u64(header.operation.value);
}

void encode(FixedWriter& out, const StatementSource& statement) {
  Writer io{out};
  fields(io, statement.op);
  io.u16(statement.parts);
  io.u64(statement.op.text.size());
  io.digest(statement.text_digest);
  io.text(statement.text);
}

void encode(FixedWriter& out, const RulingSource& source) {
  Writer io{out};
  fields(io, source.ruling);
  io.digest(source.policy_digest);
  io.optional(source.mask_set, [&](auto seq) { io.u64(seq); });
}

void encode(FixedWriter& out, const SessionFacts& facts) {
  Writer io{out};
  fields(io, facts);
  fields(io, *facts.principal);
}

void encode(FixedWriter& out, const MaskSetEntry& masks) {
  write(out, masks);
}
void encode(FixedWriter& out, const BasicIntentEntry<std::span<const Param>>& intent) {
  write(out, intent);
}
void encode(FixedWriter& out, const ChunkEntry& chunk) {
  write(out, chunk);
}
void encode(FixedWriter& out, const OutcomeEntry& outcome) {
  write(out, outcome);
}
void encode(FixedWriter& out, const DenialEntry& denial) {
  write(out, denial);
}
void encode(FixedWriter& out, const StatementPart& part) {
  write(out, part);
}
void encode(FixedWriter& out, const RowsEntry& rows) {
  write(out, rows);
}
void encode(FixedWriter& out, const RecordIdsEntry& ids) {
  write(out, ids);
}
void encode(FixedWriter& out, const Unfinished& unfinished) {
  write(out, unfinished);
}
void encode(FixedWriter& out, const Opened& opened) {
  write(out, opened);
}
void encode(FixedWriter& out, const Closed& closed) {
  write(out, closed);
}
void encode(FixedWriter& out, const CarriedEntry& carried) {
  write(out, carried);
}
void encode(FixedWriter& out, const ClockStepped& step) {
  write(out, step);
}
void encode(FixedWriter& out, const ShardAdded& shard) {
  write(out, shard);
}
void encode(FixedWriter& out, const SessionEnd& end) {
  write(out, end);
}
void encode(FixedWriter& out, const SessionRefused& refused) {
  write(out, refused);
}
void encode(FixedWriter& out, const ReviewRequested& review) {
  write(out, review);
}
void encode(FixedWriter& out, const ReviewDecided& review) {
  write(out, review);
}
void encode(FixedWriter& out, const ReviewUsed& review) {
  write(out, review);
}
void encode(FixedWriter& out, const PolicyLoaded& policy) {
  write(out, policy);
}
void encode(FixedWriter& out, const PolicyRejected& policy) {
  write(out, policy);
}
void encode(FixedWriter& out, const AdminAction& action) {
  write(out, action);
}
void encode(FixedWriter& out, const TokenEvent& token) {
  write(out, token);
}
void encode(FixedWriter& out, const Incident& incident) {
  write(out, incident);
}

}  // namespace sluice::record
