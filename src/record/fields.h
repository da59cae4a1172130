// The fields of every payload, in their order on disk, each listed once for both directions.
//
// `fields(io, value)` visits them. With a Writer `io` the value is const and bytes come out; with a Reader it
// is filled. The Writer has the Reader's names, so a field cannot be written in one way and read in another.
// Private to record/codec.cc. The order here is the file format (docs/record.md): append nothing and move
// nothing without a new kFormat.
#pragma once

#include <concepts>
#include <map>
#include <type_traits>

#include "core/byte_reader.h"
#include "record/codec.h"

namespace sluice::record {

// The last number of each closed list of the model; a larger one on disk is malformed.
inline constexpr Verb kLastVerb = Verb::session;
inline constexpr Reason kLastReason = Reason::protocol;
inline constexpr std::uint8_t kAllAccess = 7;  // read, write and define

class Writer {
 public:
  explicit Writer(FixedWriter& out) : out_(out) {}

  void u8(std::uint8_t v) { out_.u8(v); }
  void u16(std::uint16_t v) { out_.u16(v); }
  void u32(std::uint32_t v) { out_.u32(v); }
  void u64(std::uint64_t v) { out_.u64(v); }
  void flag(bool v) { out_.u8(v ? 1 : 0); }
  void text(std::string_view v) {
    if (v.size() > 0xFFFF) return out_.set_overflow();
    out_.u16(static_cast<std::uint16_t>(v.size()));
    out_.raw(v.data(), v.size());
  }
  // Two flags in one byte, the first in the lowest bit.
  void flags(bool first, bool second) {
    out_.u8(static_cast<std::uint8_t>((first ? 1 : 0) | (second ? 2 : 0)));
  }
  void require(bool /*holds*/) {}  // what is written is what holds
  void digest(const Digest& v) { out_.raw(v.data(), v.size()); }
  void fixed_bytes(Bytes v, std::size_t n) { v.size() == n ? out_.raw(v.data(), n) : out_.set_overflow(); }
  void seconds(std::chrono::seconds v) { out_.u64(static_cast<std::uint64_t>(v.count())); }
  void texts_by_name(const std::map<std::string, std::string>& values) {
    list(values, [&](const auto& v) {
      text(v.first);
      text(v.second);
    });
  }
  void time(WallTime v) { out_.u64(static_cast<std::uint64_t>(v.time_since_epoch().count())); }
  template <class E>
  void enumeration(E v, E /*first*/, E /*last*/) {
    out_.u8(static_cast<std::uint8_t>(v));
  }
  template <class T, class Each>
  void optional(const std::optional<T>& v, Each each) {
    flag(v.has_value());
    if (v) each(*v);
  }
  template <class List, class Each>
  void list(const List& values, Each each) {
    if (values.size() > 0xFFFF) return out_.set_overflow();
    out_.u16(static_cast<std::uint16_t>(values.size()));
    for (const auto& value : values) each(value);
  }
  void texts(const std::vector<std::string>& values) {
    list(values, [&](const std::string& v) { text(v); });
  }

 private:
  FixedWriter& out_;
};

class Reader {
 public:
  explicit Reader(Bytes bytes) : in_(bytes) {}

  void u8(std::uint8_t& v) { v = in_.u8(); }
  void u16(std::uint16_t& v) { v = in_.u16le(); }
  void u32(std::uint32_t& v) { v = in_.u32le(); }
  void u64(std::uint64_t& v) { v = in_.u64le(); }
  void flag(bool& v) {
    auto byte = in_.u8();
    if (byte > 1) in_.set_failed();
    v = byte == 1;
  }
  void flags(bool& first, bool& second) {
    auto byte = in_.u8();
    if (byte > 3) in_.set_failed();
    first = (byte & 1) != 0;
    second = (byte & 2) != 0;
  }
  void require(bool holds) {
    if (!holds) in_.set_failed();
  }
  void text(std::string_view& v) { v = in_.text(in_.u16le()); }
  void text(std::string& v) { v = in_.text(in_.u16le()); }
  void digest(Digest& v) {
    auto bytes = in_.bytes(v.size());
    if (in_.ok()) std::memcpy(v.data(), bytes.data(), v.size());
  }
  void fixed_bytes(Bytes& v, std::size_t n) { v = in_.bytes(n); }
  void seconds(std::chrono::seconds& v) { v = std::chrono::seconds{static_cast<std::int64_t>(in_.u64le())}; }
  void texts_by_name(std::map<std::string, std::string>& values) {
    std::size_t n = in_.u16le();
    values.clear();
    for (std::size_t i = 0; i < n && in_.ok(); ++i) {
      std::string name, value;
      text(name);
      text(value);
      // One form only: names in order, each once.
      if (!values.empty() && values.rbegin()->first >= name) in_.set_failed();
      values.emplace_hint(values.end(), std::move(name), std::move(value));
    }
  }
  void time(WallTime& v) { v = WallTime{Nanoseconds{static_cast<std::int64_t>(in_.u64le())}}; }
  template <class E>
  void enumeration(E& v, E first, E last) {
    auto byte = in_.u8();
    if (byte < static_cast<std::uint8_t>(first) || byte > static_cast<std::uint8_t>(last)) in_.set_failed();
    v = in_.ok() ? static_cast<E>(byte) : first;
  }
  template <class T, class Each>
  void optional(std::optional<T>& v, Each each) {
    bool present = false;
    flag(present);
    v.reset();
    if (present) each(v.emplace());
  }
  // Every element takes at least a byte, so a count beyond what is left ends the loop at once.
  template <class List, class Each>
  void list(List& values, Each each) {
    std::size_t n = in_.u16le();
    values.clear();
    for (std::size_t i = 0; i < n && in_.ok() && in_.remaining() > 0; ++i) each(values.emplace_back());
    if (values.size() != n) in_.set_failed();
  }
  void texts(std::vector<std::string>& values) {
    list(values, [&](std::string& v) { text(v); });
  }

  bool finished() const { return in_.finished(); }
  void set_failed() { in_.set_failed(); }

 private:
  ByteReader in_;
};

// `V` is the payload type, const for writing.
template <class T, class V>
concept Is = std::same_as<std::remove_const_t<V>, T>;

template <class Io, class V>
  requires Is<Opened, V>
void fields(Io& io, V& v) {
  io.u64(v.epoch);
  io.flag(v.after_crash);
  io.u64(v.torn_bytes);
  io.u64(v.lost_entries);
  io.u64(v.unfinished);
  io.u64(v.open_sessions);
  io.text(v.software);
}

template <class Io, class V>
  requires Is<Closed, V>
void fields(Io& io, V& v) {
  io.u64(v.epoch);
}

template <class Io, class V>
  requires Is<CarriedEntry, V>
void fields(Io& io, V& v) {
  io.flag(v.last);
  io.list(v.carried.sessions, [&](auto& s) {
    io.u64(s.session.value);
    io.u64(s.entries);
  });
  io.list(v.carried.operations, [&](auto& o) {
    io.u64(o.session.value);
    io.u64(o.operation.value);
    io.u64(o.intent);
  });
}

template <class Io, class V>
  requires Is<ClockStepped, V>
void fields(Io& io, V& v) {
  io.time(v.from);
  io.time(v.to);
}

template <class Io, class V>
  requires Is<ShardAdded, V>
void fields(Io& io, V& v) {
  io.u16(v.shard);
  io.fixed_bytes(v.log_id, 16);
}

template <class Io, class V>
  requires Is<Principal, V>
void fields(Io& io, V& v) {
  io.text(v.name);
  io.enumeration(v.kind, PrincipalKind::human, PrincipalKind::machine);
  io.texts(v.groups);
  io.texts(v.roles);
  io.texts_by_name(v.claims);
  io.text(v.owner);
  io.u64(v.epoch);
}

template <class Io, class V>
  requires Is<SessionFacts, V>
void fields(Io& io, V& v) {
  io.text(v.connection);
  io.text(v.system);
  io.text(v.role);
  io.text(v.upstream_user);
  io.text(v.database);
  io.text(v.client_address);
  io.u16(v.client_port);
  io.text(v.client_name);
  io.text(v.token_id);
  io.flag(v.tls);
  io.time(v.started);
}

template <class Io, class V>
  requires Is<SessionEnd, V>
void fields(Io& io, V& v) {
  io.enumeration(v.reason, SessionEndReason::client_closed, SessionEndReason::failed);
  io.u64(v.operations);
  io.u64(v.entries);
  io.text(v.detail);
}

template <class Io, class V>
  requires Is<SessionRefused, V>
void fields(Io& io, V& v) {
  io.text(v.connection);
  io.text(v.principal);
  io.text(v.client_address);
  io.text(v.client_name);
  io.text(v.reason);
}

template <class Io, class V>
  requires Is<StatementPart, V>
void fields(Io& io, V& v) {
  io.text(v.text);
}

template <class Io, class V>
  requires Is<CollectionUse, V>
void fields(Io& io, V& v) {
  io.text(v.name);
  io.enumeration(v.access, Access::none, Access(kAllAccess));
  io.texts(v.output_fields);
  io.texts(v.tested_fields);
  io.flag(v.all_fields);
}

template <class Io, class V>
  requires Is<VectorSearch, V>
void fields(Io& io, V& v) {
  io.text(v.collection);
  io.text(v.field);
  io.text(v.metric);
  io.optional(v.dimension, [&](auto& d) { io.u32(d); });
  io.optional(v.query_digest, [&](auto& d) { io.digest(d); });
  io.flag(v.returns_score);
}

// Whether an Operation says anything in the fields that came after the first version of the format.
inline bool has_later_fields(const Operation& op) {
  return !op.also.empty() || op.records_per_row != 1 || op.rows_hold_many;
}

// All of an Operation but its text. The second bit beside `returns_scores` says that the later fields follow;
// where they say nothing they are left out, so that an Operation has one form and an older one reads as it
// was written.
template <class Io, class V>
  requires Is<Operation, V>
void fields(Io& io, V& v) {
  io.text(v.system);
  io.enumeration(v.verb, Verb::unknown, kLastVerb);
  io.text(v.statement_class);
  io.list(v.collections, [&](auto& c) { fields(io, c); });
  io.list(v.searches, [&](auto& s) { fields(io, s); });
  io.optional(v.records.max, [&](auto& n) { io.u64(n); });
  io.flag(v.records.from_parameter);
  io.flag(v.returns_vectors);
  bool later = has_later_fields(v);
  io.flags(v.returns_scores, later);
  io.texts(v.functions);
  io.u64(v.fingerprint);
  io.text(v.unknown_reason);
  if (!later) return;
  io.list(v.also, [&](auto& verb) { io.enumeration(verb, Verb::unknown, kLastVerb); });
  io.u64(v.records_per_row);
  io.flag(v.rows_hold_many);
  io.require(has_later_fields(v));
}

template <class Io, class V>
  requires Is<FieldMask, V>
void fields(Io& io, V& v) {
  io.text(v.collection);
  io.text(v.field);
  io.enumeration(v.mask, Mask::partial, Mask::remove);
  io.text(v.constant);
  io.flag(v.write_allowed);
  io.flag(v.keep_order);
  io.enumeration(v.filters, Filters::none, Filters::equality);
  io.text(v.rule);
}

template <class Io, class V>
  requires Is<VectorMask, V>
void fields(Io& io, V& v) {
  io.text(v.collection);
  io.enumeration(v.mask, Mask::partial, Mask::remove);
  io.enumeration(v.scores, Scores::keep, Scores::remove);
  io.text(v.rule);
}

template <class Io, class V>
  requires Is<DetectMask, V>
void fields(Io& io, V& v) {
  io.text(v.collection);
  io.texts(v.detectors);
  io.enumeration(v.mask, Mask::partial, Mask::remove);
  io.text(v.rule);
}

template <class Io, class V>
  requires Is<MaskSet, V>
void fields(Io& io, V& v) {
  io.u64(v.id);
  io.list(v.fields, [&](auto& m) { fields(io, m); });
  io.list(v.vectors, [&](auto& m) { fields(io, m); });
  io.list(v.detects, [&](auto& m) { fields(io, m); });
}

template <class Io, class V>
  requires Is<MaskSetEntry, V>
void fields(Io& io, V& v) {
  io.flag(v.continues);
  fields(io, v.masks);
}

template <class Io, class V>
  requires Is<ReviewTerms, V>
void fields(Io& io, V& v) {
  io.text(v.rule);
  io.texts(v.by);
  io.u32(v.approvals);
  io.u32(v.uses);
  io.seconds(v.valid_for);
  io.seconds(v.hold);
  io.flag(v.bind_vectors);
}

template <class Io, class V>
  requires Is<Ruling, V>
void fields(Io& io, V& v) {
  io.enumeration(v.effect, Ruling::Effect::permit, Ruling::Effect::review);
  io.texts(v.rules);
  io.texts(v.shadow);
  io.texts(v.budgets);
  io.u64(v.policy_version);
  io.optional(v.obligations.max_records, [&](auto& n) { io.u64(n); });
  io.enumeration(v.obligations.over, Over::deny, Over::review);
  io.flag(v.obligations.clamp);
  io.text(v.obligations.bound_rule);
  if (v.effect == Ruling::Effect::review || v.obligations.over == Over::review) fields(io, v.review);
}

template <class Io, class V>
  requires Is<Param, V>
void fields(Io& io, V& v) {
  io.enumeration(v.form, ParamForm::null, ParamForm::hidden);
  if (v.form == ParamForm::text || v.form == ParamForm::bytes) io.text(v.value);
  if (v.form == ParamForm::vector) io.u32(v.dimension);
  if (v.form == ParamForm::vector || v.form == ParamForm::hidden) io.digest(v.digest);
}

template <class Io, class V>
  requires(Is<IntentEntry, V> || Is<BasicIntentEntry<std::span<const Param>>, V>)
void fields(Io& io, V& v) {
  io.u64(v.statement);
  io.u64(v.ruling);
  io.optional(v.limit, [&](auto& n) { io.u64(n); });
  io.optional(v.params_digest, [&](auto& d) { io.digest(d); });
  io.u32(v.params_bound);
  io.list(v.params, [&](auto& p) { fields(io, p); });
  io.text(v.review);
  io.text(v.upstream_user);
}

template <class Io, class V>
  requires Is<ChunkEntry, V>
void fields(Io& io, V& v) {
  io.u64(v.records);
  io.u64(v.bytes);
  io.digest(v.digest);
}

template <class Io, class V>
  requires(Is<RowsEntry, V> || Is<RecordIdsEntry, V>)
void fields(Io& io, V& v) {
  io.text(v.section);
}

template <class Io, class V>
  requires Is<OutcomeEntry, V>
void fields(Io& io, V& v) {
  io.enumeration(v.status, OutcomeStatus::ok, OutcomeStatus::failed);
  io.text(v.error_class);
  io.u64(v.records);
  io.u64(v.bytes);
  io.digest(v.reply_digest);
  io.u64(v.duration_ns);
  io.u64(v.masked);
  io.enumeration(v.ids_state, IdsState::none, IdsState::unknown);
  if (v.ids_state != IdsState::none) {
    io.u64(v.ids_seen);
    io.u64(v.ids_kept);
    io.u16(v.ids_entries);
    io.text(v.ids);
  }
  io.enumeration(v.rows_state, RowsState::none, RowsState::partial);
  if (v.rows_state != RowsState::none) {
    io.u64(v.rows_seen);
    io.u64(v.rows_kept);
    io.u16(v.rows_entries);
    io.text(v.rows);
  }
}

template <class Io, class V>
  requires Is<DenialEntry, V>
void fields(Io& io, V& v) {
  io.optional(v.statement, [&](auto& s) { io.u64(s); });
  io.optional(v.ruling, [&](auto& r) { io.u64(r); });
  io.enumeration(v.reason, Reason::no_rule, kLastReason);
  io.text(v.rule);
  io.text(v.message);
  io.text(v.hint);
  io.text(v.text);
}

template <class Io, class V>
  requires Is<Unfinished, V>
void fields(Io& io, V& v) {
  io.u64(v.intent);
}

template <class Io, class V>
  requires Is<ReviewRequested, V>
void fields(Io& io, V& v) {
  io.text(v.review);
  io.text(v.rule);
  io.text(v.requester);
  io.text(v.summary);
  io.digest(v.binding);
  io.u32(v.approvals);
  io.u32(v.uses);
  io.time(v.expires);
}

template <class Io, class V>
  requires Is<ReviewDecided, V>
void fields(Io& io, V& v) {
  io.text(v.review);
  io.text(v.approver);
  io.enumeration(v.verdict, ReviewVerdict::approved, ReviewVerdict::withdrawn);
  io.text(v.comment);
  io.flag(v.final);
}

template <class Io, class V>
  requires Is<ReviewUsed, V>
void fields(Io& io, V& v) {
  io.text(v.review);
  io.u32(v.uses_left);
}

template <class Io, class V>
  requires Is<PolicyLoaded, V>
void fields(Io& io, V& v) {
  io.u64(v.version);
  io.digest(v.digest);
  io.u32(v.rules);
  io.text(v.source);
}

template <class Io, class V>
  requires Is<PolicyRejected, V>
void fields(Io& io, V& v) {
  io.text(v.file);
  io.u32(v.line);
  io.u32(v.column);
  io.text(v.message);
  io.u64(v.kept_version);
}

template <class Io, class V>
  requires Is<AdminAction, V>
void fields(Io& io, V& v) {
  io.text(v.actor);
  io.text(v.action);
  io.text(v.subject);
  io.text(v.detail);
  io.text(v.client_address);
  io.flag(v.succeeded);
}

// Whether it was issued or revoked is the entry's kind.
template <class Io, class V>
  requires Is<TokenEvent, V>
void fields(Io& io, V& v) {
  io.text(v.token_id);
  io.text(v.principal);
  io.text(v.actor);
  io.text(v.reason);
  io.optional(v.expires, [&](auto& t) { io.time(t); });
}

template <class Io, class V>
  requires Is<Incident, V>
void fields(Io& io, V& v) {
  io.text(v.code);
  io.text(v.detail);
}

}  // namespace sluice::record
