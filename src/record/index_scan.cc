#include "record/index_scan.h"

#include <algorithm>
#include <unordered_map>

namespace sluice::record {
namespace {

bool waits_for_review(Reason reason) {
  return reason == Reason::review_required || reason == Reason::review_rejected ||
         reason == Reason::review_expired;
}

// Reading begins where the first of the groups that are asked for does, with all that their operations name.
// What stands between, of other groups, may name what stands before that, and is passed over.
class Scan {
 public:
  Scan(const ScanPlace& place, const ScanConditions& conditions)
      : place_(place), conditions_(conditions), query_(conditions.query) {}

  Result<std::vector<Match>> run(const std::filesystem::path& folder) {
    TRY(cursor_, SegmentCursor::open(folder / shard_name(place_.shard) / segment_name(place_.segment)));
    for (const auto& reference : place_.references) CHECK_OK(read_reference(reference));
    cursor_->seek(place_.first_offset);
    for (auto seq = place_.first_seq; seq < place_.end_seq; ++seq) {
      TRY(const auto entry, next());
      if (entry.header.seq != seq || entry.header.shard != place_.shard) return changed();
      CHECK_OK(take(entry));
    }
    if (!conditions_.record_id.empty()) {
      std::erase_if(matches_, [&](const Match& match) { return !carries_record(match); });
    }
    return std::move(matches_);
  }

 private:
  struct Statement {
    Operation op;  // without its text
    std::shared_ptr<const std::string> text;
    std::optional<bool> fits;  // the conditions on statements, once asked
  };

  std::unexpected<Error> changed() const {
    return fail(Errc::malformed,
                "segment {} of shard {} is not what the index was made from: verify the record, then delete "
                "the index (record-index.db): it is made anew",
                place_.segment, place_.shard);
  }

  Result<Entry> next() {
    TRY(const auto frame, cursor_->next());
    if (frame.state != FrameState::entry) return changed();
    return parse_entry(frame.canonical);
  }

  // A statement (with its parts before it) or a ruling.
  Result<void> read_reference(const StretchReference& reference) {
    cursor_->seek(reference.offset);
    for (;;) {
      TRY(const auto entry, next());
      if (entry.header.seq > reference.seq) return changed();
      CHECK_OK(take_named(entry));
      if (entry.header.seq == reference.seq) return {};
    }
  }

  Result<void> take_named(const Entry& entry) {
    const auto seq = entry.header.seq;
    if (entry.header.kind == Kind::statement_part) {
      TRY(auto payload, decode(entry));
      parts_.emplace_back(std::get<StatementPart>(payload).text);
    } else if (entry.header.kind == Kind::statement) {
      TRY(auto payload, decode(entry));
      auto& statement = std::get<StatementEntry>(payload);
      const auto parts = std::exchange(parts_, {});
      if (statement.parts > parts.size()) return {};  // begins before the part that is read: nobody needs it
      std::string text;
      for (auto i = parts.size() - statement.parts; i < parts.size(); ++i) text += parts[i];
      text += statement.op.text;
      statement.op.text.clear();
      statements_[seq] = {std::move(statement.op), std::make_shared<const std::string>(std::move(text)), {}};
    } else if (entry.header.kind == Kind::ruling) {
      TRY(auto payload, decode(entry));
      const auto& rules = std::get<RulingEntry>(payload).ruling.rules;
      rules_[seq] = rules.empty() ? std::string{} : rules.front();
    }
    return {};
  }

  Result<void> take(const Entry& entry) {
    switch (entry.header.kind) {
      case Kind::statement_part:
      case Kind::statement:
      case Kind::ruling: return take_named(entry);
      case Kind::intent: return take_intent(entry);
      case Kind::denial: return take_denial(entry);
      case Kind::outcome:
      case Kind::unfinished: {
        auto* match = begun(entry.header);
        if (match == nullptr) return {};
        TRY(auto payload, decode(entry));
        const auto* outcome = std::get_if<OutcomeEntry>(&payload);
        take_outcome(match->found, outcome);
        if (outcome != nullptr) CHECK_OK(look_for_record(entry.header, outcome->ids));
        begun_.erase({entry.header.session.value, entry.header.operation.value});
        return {};
      }
      case Kind::record_ids: {
        if (begun(entry.header) == nullptr) return {};
        TRY(auto payload, decode(entry));
        return look_for_record(entry.header, std::get<RecordIdsEntry>(payload).section);
      }
      default: return {};
    }
  }

  Result<bool> fits_header(const Header& header, Decision decision) {
    if (query_.decision && *query_.decision != decision) return false;
    if (query_.session && *query_.session != header.session) return false;
    if (query_.from && header.time < *query_.from) return false;
    if (query_.to && header.time >= *query_.to) return false;
    if (conditions_.before && !(FoundKey{header.time, header.shard, header.seq} < *conditions_.before))
      return false;
    return conditions_.session(header.session);
  }

  bool is_relation(std::string_view name) const { return fold_case(name) == conditions_.relation; }

  bool fits_statement(Statement& statement) {
    if (!statement.fits) {
      const auto& op = statement.op;
      // With a record, the relation is the record's.
      const bool relation =
          !query_.relation || !conditions_.record_id.empty() ||
          std::ranges::any_of(op.collections, [&](const auto& use) { return is_relation(use.name); });
      const bool verb = !query_.verb || *query_.verb == op.verb ||
                        std::ranges::find(op.also, *query_.verb) != op.also.end();
      statement.fits = relation && verb && conditions_.text.are_in(*statement.text);
    }
    return *statement.fits;
  }

  Match& add(const Header& header, const Statement& statement, Decision decision) {
    auto& match = matches_.emplace_back();
    auto& found = match.found;
    found.shard = header.shard;
    found.seq = header.seq;
    found.time = header.time;
    found.session = header.session;
    found.operation = header.operation;
    found.system = statement.op.system;
    found.verb = statement.op.verb;
    found.also = statement.op.also;
    found.statement_class = statement.op.statement_class;
    for (const auto& use : statement.op.collections) {
      if (std::ranges::find(found.relations, use.name) == found.relations.end())
        found.relations.push_back(use.name);
    }
    found.decision = decision;
    match.text = statement.text;
    return match;
  }

  Result<void> take_intent(const Entry& entry) {
    TRY(const bool fits, fits_header(entry.header, Decision::permit));
    if (!fits) return {};
    TRY(auto payload, decode(entry));
    const auto& intent = std::get<IntentEntry>(payload);
    const auto statement = statements_.find(intent.statement);
    if (statement == statements_.end()) return {};  // not of a group that is asked for
    if (!fits_statement(statement->second)) return {};
    const auto ruling = rules_.find(intent.ruling);
    if (ruling == rules_.end()) return {};  // not of a group that is asked for
    auto& match = add(entry.header, statement->second, Decision::permit);
    match.found.rule = ruling->second;
    match.found.review = intent.review;
    begun_[{entry.header.session.value, entry.header.operation.value}] = matches_.size() - 1;
    return {};
  }

  Result<void> take_denial(const Entry& entry) {
    if (!conditions_.record_id.empty()) return {};  // nobody was sent anything
    TRY(auto payload, decode(entry));
    const auto& denial = std::get<DenialEntry>(payload);
    const auto decision = waits_for_review(denial.reason) ? Decision::review : Decision::deny;
    TRY(const bool fits, fits_header(entry.header, decision));
    if (!fits) return {};
    Statement unread{{}, nullptr, {}};
    auto* statement = &unread;
    if (denial.statement) {
      const auto named = statements_.find(*denial.statement);
      if (named == statements_.end()) return {};  // not of a group that is asked for
      statement = &named->second;
    } else {
      unread.text = std::make_shared<const std::string>(denial.text);
    }
    if (!fits_statement(*statement)) return {};
    auto& match = add(entry.header, *statement, decision);
    match.found.rule = denial.rule;
    match.found.reason = to_string(denial.reason);
    return {};
  }

  Match* begun(const Header& header) {
    const auto at = begun_.find({header.session.value, header.operation.value});
    return at == begun_.end() ? nullptr : &matches_[at->second];
  }

  Result<void> look_for_record(const Header& header, std::string_view section) {
    if (conditions_.record_id.empty()) return {};
    const auto seq = begun(header)->found.seq;
    bool carries = false;
    CHECK_OK(read_ids(section, [&](std::string_view collection, std::string_view id) {
      carries |= id == conditions_.record_id && (!query_.relation || is_relation(collection));
    }));
    if (carries) carrying_.push_back(seq);
    return {};
  }

  bool carries_record(const Match& match) const {
    return std::ranges::find(carrying_, match.found.seq) != carrying_.end() ||
           std::ranges::binary_search(conditions_.late, match.found.seq);
  }

  struct HashOperation {
    std::size_t operator()(const OpenWork::OperationKey& key) const {
      return mix(key.session * 31 + key.operation);
    }
  };

  const ScanPlace& place_;
  const ScanConditions& conditions_;
  const SearchQuery& query_;
  std::optional<SegmentCursor> cursor_;
  std::vector<std::string> parts_;
  std::unordered_map<std::uint64_t, Statement> statements_;
  std::unordered_map<std::uint64_t, std::string> rules_;
  std::unordered_map<OpenWork::OperationKey, std::size_t, HashOperation> begun_;  // to the place in matches_
  std::vector<Match> matches_;
  std::vector<std::uint64_t> carrying_;
};

}  // namespace

Result<std::vector<Match>> scan(const std::filesystem::path& folder, const ScanPlace& place,
                                const ScanConditions& conditions) {
  return Scan{place, conditions}.run(folder);
}

void take_outcome(FoundOperation& found, const OutcomeEntry* outcome) {
  if (outcome == nullptr) {
    found.status = "unfinished";
    found.ids = to_string(IdsState::unknown);
    return;
  }
  found.status = to_string(outcome->status);
  found.error_class = outcome->error_class;
  found.records = outcome->records;
  found.bytes = outcome->bytes;
  found.masked = outcome->masked;
  found.duration = Nanoseconds{static_cast<std::int64_t>(outcome->duration_ns)};
  found.ids = to_string(outcome->ids_state);
}

}  // namespace sluice::record
