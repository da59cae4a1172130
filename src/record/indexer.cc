#include "record/indexer.h"

#include <algorithm>

#include "core/byte_reader.h"
#include "core/byte_writer.h"
#include "record/index_filter.h"
#include "record/index_words.h"

namespace sluice::record {
namespace {

bool waits_for_review(Reason reason) {
  return reason == Reason::review_required || reason == Reason::review_rejected ||
         reason == Reason::review_expired;
}

// Statement and ruling of an intent: its first two fields (record/fields.h), without taking the rest apart.
struct IntentNames {
  std::uint64_t statement = 0;
  std::uint64_t ruling = 0;
};
Result<IntentNames> intent_names(const Entry& entry) {
  ByteReader in{entry.payload};
  const IntentNames names{in.u64le(), in.u64le()};
  if (!in.ok()) return fail(Errc::malformed, "intent {} is too short", entry.header.seq);
  return names;
}

}  // namespace

// One shard: where its reader stands, what the present segment has said, and the stretch in the making.
struct Indexer::Shard {
  std::uint16_t number = 0;
  std::optional<ShardReader> reader;
  std::uint64_t done = 0;  // seq of the next entry to index; those before it are read for the context only

  Result<void> take(const Entry& entry, IndexSink& sink);
  Result<void> flush(IndexSink& sink);

 private:
  static constexpr std::uint64_t kNowhere = ~0ULL;

  // A statement or ruling of this segment.
  struct Known {
    std::uint64_t offset = 0;     // of its first entry
    std::uint64_t first_seq = 0;  // of that
    std::int64_t kind = 0;        // of a statement
    std::vector<std::uint64_t> constants;
    std::uint64_t used_in = kNowhere;  // the stretch (by its first seq) that has been told of it
  };
  struct GroupKey {
    std::uint64_t session = 0;
    std::int64_t statement = 0;
    Decision decision = Decision::permit;
    bool operator==(const GroupKey&) const = default;
  };
  struct HashGroup {
    std::uint64_t operator()(const GroupKey& k) const {
      return mix(k.session * 31 + static_cast<std::uint64_t>(k.statement) * 4 +
                 static_cast<std::uint64_t>(k.decision));
    }
  };
  struct HashOperation {
    std::uint64_t operator()(const OpenWork::OperationKey& k) const {
      return mix(k.session * 31 + k.operation);
    }
  };

  Result<void> index(const Entry& entry, IndexSink& sink);
  Result<void> add_statement(const Entry& entry, IndexSink& sink);
  Result<void> add_intent(const Entry& entry);
  Result<void> add_denial(const Entry& entry, IndexSink& sink);
  Result<void> add_outcome(const Entry& entry, IndexSink& sink);
  Result<void> add_record_ids(const Header& header, std::string_view section, IndexSink& sink);
  Result<std::int64_t> kind_of(const Operation& op, std::string_view text, IndexSink& sink,
                               std::vector<std::uint64_t>& constants);
  Result<Known*> use(std::uint64_t seq);
  std::uint32_t add_operation(const Header& header, std::int64_t kind, Decision decision,
                              std::uint64_t first_offset, std::uint64_t first_seq);
  Result<void> close_stretch(IndexSink& sink);
  bool is_full() const {
    return stretch_.end_seq - stretch_.first_seq >= kStretchEntries || marks_.size() >= kStretchMarks;
  }

  // Of the present segment.
  std::uint64_t segment_ = 0;
  std::uint64_t offset_ = 0;  // of the entry at hand
  OpenWork open_;
  std::unordered_map<std::uint64_t, Known> known_;
  std::string parts_;  // of the statement to come
  std::uint64_t parts_offset_ = kNowhere;
  std::uint64_t parts_seq_ = 0;
  std::string key_;
  std::string shape_;

  // The stretch in the making.
  bool making_ = false;
  bool changed_ = false;  // since it was last given to the sink
  Stretch stretch_;
  std::vector<std::uint64_t> marks_;
  FlatTable<GroupKey, std::uint32_t, HashGroup> groups_;  // to the place in stretch_.groups
  FlatTable<OpenWork::OperationKey, std::uint32_t, HashOperation> running_;  // begun in it, to their group
};

Result<void> Indexer::Shard::take(const Entry& entry, IndexSink& sink) {
  const auto& header = entry.header;
  if (reader->segment() != segment_) {
    CHECK_OK(close_stretch(sink));
    segment_ = reader->segment();
    known_.clear();
    parts_.clear();
    parts_offset_ = kNowhere;
  }
  offset_ = reader->position().offset - frame_bytes(entry.canonical.size());
  switch (header.kind) {
    case Kind::carried: {
      TRY(auto payload, decode(entry));
      open_.apply(std::get<CarriedEntry>(payload).carried);
      break;
    }
    case Kind::statement_part: {
      TRY(auto payload, decode(entry));
      if (parts_offset_ == kNowhere) {
        parts_offset_ = offset_;
        parts_seq_ = header.seq;
      }
      parts_ += std::get<StatementPart>(payload).text;
      break;
    }
    case Kind::statement: CHECK_OK(add_statement(entry, sink)); break;
    case Kind::ruling: known_[header.seq] = {.offset = offset_, .first_seq = header.seq}; break;
    default: break;
  }
  if (header.seq >= done) CHECK_OK(index(entry, sink));
  open_.apply(header);
  return {};
}

Result<void> Indexer::Shard::index(const Entry& entry, IndexSink& sink) {
  const auto& header = entry.header;
  if (making_ && is_full()) CHECK_OK(close_stretch(sink));
  if (!making_) {
    making_ = true;
    stretch_ = {.shard = number, .segment = segment_, .first_seq = header.seq};
  }
  stretch_.end_seq = header.seq + 1;
  switch (header.kind) {
    case Kind::intent: return add_intent(entry);
    case Kind::denial: return add_denial(entry, sink);
    case Kind::outcome:
    case Kind::unfinished: return add_outcome(entry, sink);
    case Kind::record_ids: {
      TRY(auto payload, decode(entry));
      return add_record_ids(header, std::get<RecordIdsEntry>(payload).section, sink);
    }
    case Kind::session_start: {
      TRY(auto payload, decode(entry));
      const auto& at = reader->header();
      return sink.session_started(
          header, std::get<SessionStart>(payload).facts,
          {.segment = at.number, .offset = kSegmentHeaderBytes, .seq = at.first_seq()});
    }
    case Kind::session_end: {
      TRY(auto payload, decode(entry));
      return sink.session_ended(header, std::get<SessionEnd>(payload));
    }
    default: return {};
  }
}

Result<void> Indexer::Shard::add_statement(const Entry& entry, IndexSink& sink) {
  TRY(auto payload, decode(entry));
  const auto& statement = std::get<StatementEntry>(payload);
  const bool parted = parts_offset_ != kNowhere;
  Known known{.offset = parted ? parts_offset_ : offset_,
              .first_seq = parted ? parts_seq_ : entry.header.seq};
  parts_ += statement.op.text;
  TRY(known.kind, kind_of(statement.op, parts_, sink, known.constants));
  parts_.clear();
  parts_offset_ = kNowhere;
  known_[entry.header.seq] = std::move(known);
  return {};
}

Result<std::int64_t> Indexer::Shard::kind_of(const Operation& op, std::string_view text, IndexSink& sink,
                                             std::vector<std::uint64_t>& constants) {
  shape_.clear();
  append_shape(shape_, text, [&](std::string_view word) {
    constants.push_back(filter_hash(FilterTag::constant, fold_case(word)));
  });
  auto verbs = verb_bit(op.verb);
  for (const auto verb : op.also) verbs |= verb_bit(verb);
  key_.clear();
  ByteWriter{key_}.u32(verbs);
  key_.append(op.system).push_back('\0');
  key_.append(op.statement_class).push_back('\0');
  for (const auto& use : op.collections) key_.append(use.name).push_back('\0');
  key_.append(1, '\0').append(shape_);
  return sink.statement({.system = op.system,
                         .verbs = verbs,
                         .statement_class = op.statement_class,
                         .collections = &op.collections,
                         .shape = shape_,
                         .key = key_});
}

// What an operation names, with the stretch told of it.
Result<Indexer::Shard::Known*> Indexer::Shard::use(std::uint64_t seq) {
  const auto found = known_.find(seq);
  if (found == known_.end()) return fail(Errc::malformed, "there is no entry {} to refer to", seq);
  auto& known = found->second;
  if (known.used_in != stretch_.first_seq) {
    known.used_in = stretch_.first_seq;
    marks_.insert(marks_.end(), known.constants.begin(), known.constants.end());
    if (known.first_seq < stretch_.first_seq) stretch_.references.push_back({seq, known.offset});
  }
  return &known;
}

Result<void> Indexer::Shard::add_intent(const Entry& entry) {
  TRY(const auto names, intent_names(entry));
  TRY(const auto* statement, use(names.statement));
  TRY(const auto* ruling, use(names.ruling));
  auto offset = offset_;
  auto seq = entry.header.seq;
  for (const auto* named : {statement, ruling}) {
    if (named->first_seq >= stretch_.first_seq && named->first_seq < seq) {
      offset = named->offset;
      seq = named->first_seq;
    }
  }
  const auto group = add_operation(entry.header, statement->kind, Decision::permit, offset, seq);
  running_[{entry.header.session.value, entry.header.operation.value}] = group;
  return {};
}

Result<void> Indexer::Shard::add_denial(const Entry& entry, IndexSink& sink) {
  TRY(auto payload, decode(entry));
  const auto& denial = std::get<DenialEntry>(payload);
  const auto decision = waits_for_review(denial.reason) ? Decision::review : Decision::deny;
  auto offset = offset_;
  auto seq = entry.header.seq;
  std::int64_t kind = 0;
  if (denial.statement) {
    TRY(const auto* statement, use(*denial.statement));
    kind = statement->kind;
    if (statement->first_seq >= stretch_.first_seq) {
      offset = statement->offset;
      seq = statement->first_seq;
    }
  } else {
    static const Operation kNotUnderstood;
    TRY(kind, kind_of(kNotUnderstood, denial.text, sink, marks_));
  }
  (void)add_operation(entry.header, kind, decision, offset, seq);
  return {};
}

// Returns its group's place. `first_*`: where reading has to begin to see it with all that it names.
std::uint32_t Indexer::Shard::add_operation(const Header& header, std::int64_t kind, Decision decision,
                                            std::uint64_t first_offset, std::uint64_t first_seq) {
  if (stretch_.groups.empty()) stretch_.oldest = stretch_.newest = header.time;
  stretch_.oldest = std::min(stretch_.oldest, header.time);
  stretch_.newest = std::max(stretch_.newest, header.time);
  const GroupKey key{header.session.value, kind, decision};
  const auto* known = groups_.find(key);
  const auto place = known != nullptr ? *known : static_cast<std::uint32_t>(stretch_.groups.size());
  if (known == nullptr) {
    groups_[key] = place;
    stretch_.groups.push_back({.session = header.session,
                               .statement = kind,
                               .decision = decision,
                               .first_offset = first_offset,
                               .first_seq = first_seq});
  }
  auto& group = stretch_.groups[place];
  ++group.operations;
  group.last_seq = header.seq;
  if (first_seq < group.first_seq) {
    group.first_offset = first_offset;
    group.first_seq = first_seq;
  }
  changed_ = true;
  return place;
}

Result<void> Indexer::Shard::add_outcome(const Entry& entry, IndexSink& sink) {
  const auto& header = entry.header;
  TRY(auto payload, decode(entry));
  const auto* outcome = std::get_if<OutcomeEntry>(&payload);
  if (outcome != nullptr && !outcome->ids.empty()) CHECK_OK(add_record_ids(header, outcome->ids, sink));
  const OpenWork::OperationKey key{header.session.value, header.operation.value};
  if (const auto* group = running_.find(key)) {
    stretch_.groups[*group].last_seq = header.seq;
    running_.erase(key);
    changed_ = true;
    return {};
  }
  const auto intent = open_.intent_of(header.session, header.operation);
  return intent ? sink.late_outcome(header, *intent, outcome) : Result<void>{};
}

Result<void> Indexer::Shard::add_record_ids(const Header& header, std::string_view section, IndexSink& sink) {
  Result<void> kept;
  if (const auto* group = running_.find({header.session.value, header.operation.value})) {
    stretch_.groups[*group].last_seq = header.seq;
    changed_ = true;
    CHECK_OK(read_ids(section, [&](std::string_view, std::string_view id) {
      marks_.push_back(filter_hash(FilterTag::record_id, id));
    }));
  } else if (const auto intent = open_.intent_of(header.session, header.operation)) {
    CHECK_OK(read_ids(section, [&](std::string_view collection, std::string_view id) {
      if (kept) kept = sink.late_record_id(header, *intent, collection, id);
    }));
  }
  return kept;
}

// Gives the sink what there is of the stretch. A small one is gone on with.
Result<void> Indexer::Shard::flush(IndexSink& sink) {
  if (!making_) return {};
  if (changed_) {
    stretch_.filter = IndexFilter::build(marks_);
    CHECK_OK(sink.stretch(stretch_));
    changed_ = false;
  }
  return stretch_.end_seq - stretch_.first_seq < kGrowingEntries && !is_full() ? Result<void>{}
                                                                               : close_stretch(sink);
}

Result<void> Indexer::Shard::close_stretch(IndexSink& sink) {
  if (!making_) return {};
  if (changed_) {
    stretch_.filter = IndexFilter::build(marks_);
    CHECK_OK(sink.stretch(stretch_));
    changed_ = false;
  }
  making_ = false;
  marks_.clear();
  groups_.clear();
  running_.clear();
  return {};
}

// ---------------------------------------------------------------- all shards

Indexer::Indexer(std::filesystem::path folder, IndexSink& sink) : folder_(std::move(folder)), sink_(sink) {}
Indexer::~Indexer() = default;

Result<void> Indexer::rebuild() {
  shards_.clear();
  positions_.reset();
  return sink_.clear();
}

// Takes up shards that have appeared, where the index stands.
Result<void> Indexer::find_shards() {
  if (!positions_) {
    TRY(positions_, sink_.positions());
  }
  TRY(auto numbers, list_shards(folder_));
  for (auto number : numbers) {
    if (std::ranges::any_of(shards_, [&](const auto& s) { return s->number == number; })) continue;
    Result<ShardReader> reader = ShardReader::open(folder_ / shard_name(number));
    if (!reader && reader.error().code == Errc::not_found) continue;
    if (!reader) return std::unexpected(std::move(reader).error());
    auto shard = std::make_unique<Shard>();
    shard->number = number;
    auto known = std::ranges::find(*positions_, number, &IndexedPosition::shard);
    if (known != positions_->end()) {
      if (known->log_id != reader->header().log_id) {
        return fail(Errc::conflict,
                    "the index is of another record: delete it (record-index.db), and it is made anew");
      }
      // From the start of that segment, because its entries refer to earlier ones of it.
      TRY(reader, ShardReader::open_at(folder_ / shard_name(number), known->position.segment));
      shard->done = known->position.seq;
    }
    shard->reader = std::move(*reader);
    shards_.push_back(std::move(shard));
  }
  return {};
}

Result<bool> Indexer::run(std::chrono::milliseconds budget, const Clock& clock) {
  auto end = clock.steady() + budget;
  CHECK_OK(find_shards());
  std::optional<Error> first_failure;
  bool more = true;
  while (more) {
    more = false;
    for (auto shard = shards_.begin(); shard != shards_.end();) {
      auto behind = advance(**shard);
      if (behind) {
        more = more || *behind;
        ++shard;
        continue;
      }
      // What was read of it and not committed is read again next time, from where the index says that it
      // stands.
      sink_.roll_back();
      if (!first_failure) first_failure = behind.error();
      shard = shards_.erase(shard);
      positions_.reset();
    }
    if (more && clock.steady() >= end) break;
  }
  if (first_failure) return std::unexpected(std::move(*first_failure));
  return more;
}

// Indexes some entries in one step; true: there may be more.
Result<bool> Indexer::advance(Shard& shard) {
  TRY(auto entry, shard.reader->next());
  if (!entry) return false;
  CHECK_OK(sink_.begin());
  std::size_t n = 0;
  while (entry) {
    CHECK_OK(shard.take(*entry, sink_));
    if (++n == kStretchEntries) break;
    TRY(entry, shard.reader->next());
  }
  CHECK_OK(shard.flush(sink_));
  auto position = shard.reader->position();
  if (position.seq > shard.done) {
    shard.done = position.seq;
    CHECK_OK(sink_.set_position(
        {.shard = shard.number, .log_id = shard.reader->header().log_id, .position = position}));
  }
  CHECK_OK(sink_.commit());
  return n == kStretchEntries;
}

}  // namespace sluice::record
