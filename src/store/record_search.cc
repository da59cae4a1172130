// The asking side of the record's index.
#include <algorithm>
#include <charconv>
#include <map>
#include <unordered_set>

#include "core/byte_reader.h"
#include "core/case_fold.h"
#include "record/index_filter.h"
#include "record/index_scan.h"
#include "store/record_index.h"

namespace sluice::store {
namespace {

using namespace record;

constexpr std::int64_t kStretchesPerQuestion = 64;  // looked up at a time; each has up to 80 KB of filter

std::unexpected<Error> not_our_cursor() {
  return fail(Errc::invalid_argument, "the cursor is not one of this index");
}

// Numbers with dots between them: the next page is what comes after the last answer of this one.
template <class... Numbers>
Result<void> parse_cursor(std::string_view text, Numbers&... numbers) {
  const char* at = text.data();
  const char* const end = at + text.size();
  bool first = true;
  auto read = [&](auto& number) {
    if (!std::exchange(first, false) && (at == end || *at++ != '.')) return false;
    const auto [after, error] = std::from_chars(at, end, number);
    at = after;
    return error == std::errc{};
  };
  if (!(read(numbers) && ...) || at != end) return not_our_cursor();
  return {};
}

template <class... Texts>
Result<void> check_lengths(const Texts&... texts) {
  bool ok = ((!texts || texts->size() <= kMaxQueryText) && ...);
  if (!ok) return fail(Errc::too_large, "a condition of a search has at most {} bytes", kMaxQueryText);
  return {};
}

std::optional<std::string> without_case(const std::optional<std::string>& name) {
  return name ? std::optional{fold_case(*name)} : std::nullopt;
}

std::size_t page_size(std::size_t limit) {
  return std::clamp<std::size_t>(limit, 1, kMaxPage);
}

// One search, in one transaction: all of it sees the same index.
class Search {
 public:
  Search(const SearchQuery& query, const std::filesystem::path& record, Transaction& tx)
      : query_(query),
        record_(record),
        tx_(tx),
        text_(query.text.value_or("")),
        principal_(without_case(query.principal)),
        connection_(without_case(query.connection)),
        relation_(without_case(query.relation)) {}

  Result<OperationPage> run() {
    CHECK_OK(prepare());
    OperationPage page;
    const auto limit = page_size(query_.limit);
    for (;;) {
      TRY(auto match, next());
      if (!match) return page;
      if (page.operations.size() == limit) {
        const auto& last = page.operations.back();
        page.cursor = fmt::format("{}.{}.{}", last.time.time_since_epoch().count(), last.shard, last.seq);
        return page;
      }
      TRY(auto found, complete(std::move(*match)));
      page.operations.push_back(std::move(found));
    }
  }

 private:
  struct Place {
    std::int64_t row = 0;
    std::int64_t newest = 0;
    ScanPlace scan;
    std::string filter;
  };
  // A word of the text, and the kinds of statements that have it as no constant.
  struct Word {
    std::uint64_t hash = 0;
    std::unordered_set<std::int64_t> statements;
  };
  struct Names {
    std::string principal;
    std::string connection;
    bool known = false;
  };

  Result<void> prepare() {
    if (!query_.cursor.empty()) {
      std::int64_t time = 0;
      FoundKey before;
      CHECK_OK(parse_cursor(query_.cursor, time, before.shard, before.seq));
      before.time = WallTime{Nanoseconds{time}};
      before_ = before;
    }
    if (query_.record_id) record_id_ = id_search_form(*query_.record_id);
    if (!record_id_.empty()) {
      CHECK_OK(tx_.query(
          "SELECT l.shard, l.intent FROM late_record_ids l JOIN relations r ON r.id = l.relation WHERE "
          "l.record = ?1 AND (?2 IS NULL OR r.folded = ?2) ORDER BY l.shard, l.intent",
          [&](const Row& row) { late_[static_cast<std::uint16_t>(row.integer(0))].push_back(row.number(1)); },
          record_id_, relation_));
    }
    Result<void> done;
    text_.each([&](std::string_view word) {
      auto& added = words_.emplace_back();
      added.hash = filter_hash(FilterTag::constant, word);
      if (done) {
        done = tx_.query(
            "SELECT rowid FROM statement_words WHERE statement_words MATCH ?1",
            [&](const Row& row) { added.statements.insert(row.integer(0)); }, fmt::format("\"{}\"", word));
      }
    });
    return done;
  }

  // The next answer, newest first: what has been read of one stretch goes out as long as no later stretch can
  // hold anything newer.
  Result<std::optional<Match>> next() {
    for (;;) {
      while (places_.empty() && !all_places_) CHECK_OK(find_places());
      const bool certain =
          places_.empty() ||
          (!ready_.empty() && ready_.back().found.time.time_since_epoch().count() > places_.back().newest);
      if (certain) {
        if (ready_.empty()) return std::optional<Match>{};
        std::optional<Match> match{std::move(ready_.back())};
        ready_.pop_back();
        return match;
      }
      const auto place = std::move(places_.back());
      places_.pop_back();
      CHECK_OK(read(place));
    }
  }

  // The next stretches, by their newest operation; places_ has the newest last.
  Result<void> find_places() {
    std::string sql =
        "SELECT t.id, t.newest, t.shard, t.segment, t.first_seq, t.end_seq, t.named, t.filter "
        "FROM stretches t WHERE 1";
    if (query_.from) sql += " AND t.newest >= ?1";
    if (query_.to) sql += " AND t.oldest < ?2";
    if (before_) sql += " AND t.oldest <= ?3";
    if (last_place_) sql += " AND (t.newest, t.id) < (?4, ?5)";
    sql += " ORDER BY t.newest DESC, t.id DESC LIMIT ?6";
    std::int64_t n = 0;
    CHECK_OK(tx_.query(
        sql,
        [&](const Row& row) {
          ++n;
          Place place{.row = row.integer(0), .newest = row.integer(1)};
          last_place_ = {place.newest, place.row};
          place.scan.shard = static_cast<std::uint16_t>(row.integer(2));
          place.scan.segment = row.number(3);
          place.scan.first_seq = row.number(4);
          place.scan.end_seq = row.number(5);
          ByteReader named{row.blob(6)};
          while (named.remaining() > 0) {
            const auto seq = named.u64le();
            place.scan.references.push_back({seq, named.u64le()});
          }
          if (!words_.empty() || !record_id_.empty()) place.filter = as_text(row.blob(7));
          if (may_have_record(place)) places_.push_back(std::move(place));
        },
        query_.from, query_.to, before_ ? std::optional{before_->time} : std::nullopt,
        last_place_ ? std::optional{last_place_->first} : std::nullopt,
        last_place_ ? std::optional{last_place_->second} : std::nullopt, kStretchesPerQuestion));
    all_places_ = n < kStretchesPerQuestion;
    std::ranges::reverse(places_);
    return {};
  }

  bool may_have_record(const Place& place) const {
    if (record_id_.empty()) return true;
    if (IndexFilter::may_hold(place.filter, filter_hash(FilterTag::record_id, record_id_))) return true;
    const auto late = late_.find(place.scan.shard);
    if (late == late_.end()) return false;
    const auto first = std::ranges::lower_bound(late->second, place.scan.first_seq);
    return first != late->second.end() && *first < place.scan.end_seq;
  }

  bool may_have_text(const Place& place, std::int64_t statement) const {
    return std::ranges::all_of(words_, [&](const Word& word) {
      return word.statements.contains(statement) || IndexFilter::may_hold(place.filter, word.hash);
    });
  }

  Result<void> read(Place place) {
    std::string sql =
        "SELECT g.statement, g.first_offset, g.first_seq, g.last_seq FROM stretch_groups g "
        "JOIN statements k ON k.id = g.statement LEFT JOIN sessions s ON s.id = g.session "
        "WHERE g.stretch = ?7";
    if (query_.session) sql += " AND g.session = ?1";
    if (query_.decision) sql += " AND g.decision = ?2";
    if (query_.verb) sql += " AND k.verbs & ?3";
    if (query_.principal) sql += " AND s.principal_folded = ?4";
    if (query_.connection) sql += " AND s.connection_folded = ?5";
    if (query_.relation && record_id_.empty()) {
      sql +=
          " AND EXISTS (SELECT 1 FROM statement_relations u JOIN relations r ON r.id = u.relation "
          "WHERE u.statement = k.id AND r.folded = ?6)";
    }
    bool any = false;
    std::uint64_t first = 0;
    std::uint64_t end = 0;
    std::optional<std::uint64_t> session;
    if (query_.session) session = query_.session->value;
    CHECK_OK(tx_.query(
        sql,
        [&](const Row& row) {
          if (!may_have_text(place, row.integer(0))) return;
          if (!any || row.number(2) < first) {
            first = row.number(2);
            place.scan.first_offset = row.number(1);
          }
          end = std::max(end, row.number(3) + 1);
          any = true;
        },
        session, query_.decision, query_.verb ? std::optional{verb_bit(*query_.verb)} : std::nullopt,
        principal_, connection_, relation_, place.row));
    if (!any) return {};
    place.scan.first_seq = first;
    place.scan.end_seq = end;

    static const std::vector<std::uint64_t> kNone;
    const auto late = late_.find(place.scan.shard);
    const ScanConditions conditions{.query = query_,
                                    .text = text_,
                                    .relation = relation_.value_or(""),
                                    .record_id = record_id_,
                                    .session = [this](SessionId id) { return fits_session(id); },
                                    .late = late == late_.end() ? kNone : late->second,
                                    .before = before_};
    TRY(auto matches, scan(record_, place.scan, conditions));
    ready_.insert(ready_.end(), std::make_move_iterator(matches.begin()),
                  std::make_move_iterator(matches.end()));
    std::ranges::sort(ready_, {}, &Match::key);
    return {};
  }

  Result<bool> fits_session(SessionId id) {
    if (!query_.principal && !query_.connection) return true;
    TRY(const auto* names, names_of(id));
    return names->known && (!principal_ || *principal_ == fold_case(names->principal)) &&
           (!connection_ || *connection_ == fold_case(names->connection));
  }

  Result<const Names*> names_of(SessionId id) {
    const auto [at, is_new] = names_.try_emplace(id.value);
    if (is_new) {
      CHECK_OK(tx_.query(
          "SELECT principal, connection FROM sessions WHERE id = ?1",
          [&](const Row& row) { at->second = {row.text(0), row.text(1), true}; }, id.value));
    }
    return &at->second;
  }

  Result<FoundOperation> complete(Match match) {
    auto found = std::move(match.found);
    if (match.text) found.text = *match.text;
    TRY(const auto* names, names_of(found.session));
    found.principal = names->principal;
    found.connection = names->connection;
    if (found.decision == Decision::permit && found.status.empty()) {
      CHECK_OK(tx_.query(
          "SELECT status, error_class, records, bytes, masked, duration, ids FROM late_outcomes "
          "WHERE shard = ?1 AND intent = ?2",
          [&](const Row& row) {
            found.status = row.text(0);
            found.error_class = row.text(1);
            found.records = row.number(2);
            found.bytes = row.number(3);
            found.masked = row.number(4);
            found.duration = Nanoseconds{row.integer(5)};
            found.ids = row.text(6);
          },
          found.shard, found.seq));
    }
    return found;
  }

  const SearchQuery& query_;
  const std::filesystem::path& record_;
  Transaction& tx_;
  Phrases text_;
  std::optional<std::string> principal_;  // of the query, without their case
  std::optional<std::string> connection_;
  std::optional<std::string> relation_;
  std::string record_id_;
  std::map<std::uint16_t, std::vector<std::uint64_t>> late_;  // seqs of intents, sorted, by shard
  std::vector<Word> words_;
  std::optional<FoundKey> before_;
  std::vector<Place> places_;
  std::optional<std::pair<std::int64_t, std::int64_t>> last_place_;
  bool all_places_ = false;
  std::vector<Match> ready_;  // newest last
  std::map<std::uint64_t, Names> names_;
};

}  // namespace

Result<OperationPage> RecordIndex::search(const SearchQuery& query) {
  CHECK_OK(check_lengths(query.principal, query.connection, query.relation, query.text, query.record_id));
  TRY(auto tx, reader().begin(Access::read));
  return Search{query, record_, tx}.run();
}

// ---------------------------------------------------------------- sessions

namespace {

constexpr std::string_view kSessionColumns =
    "SELECT id, shard, seq, segment, segment_seq, principal, kind, connection, system, role, upstream_user, "
    "client_address, client_name, token_id, started, ended, end_reason, "
    "(SELECT coalesce(sum(operations), 0) FROM stretch_groups WHERE session = sessions.id), "
    "(SELECT coalesce(sum(operations), 0) FROM stretch_groups WHERE session = sessions.id AND decision <> 1) "
    "FROM sessions";

FoundSession session_of(const Row& row) {
  return {.shard = static_cast<std::uint16_t>(row.integer(1)),
          .seq = row.number(2),
          .position = {.segment = row.number(3), .offset = kSegmentHeaderBytes, .seq = row.number(4)},
          .id = SessionId{row.number(0)},
          .principal = row.text(5),
          .kind = row.integer(6) == static_cast<std::int64_t>(PrincipalKind::machine) ? "machine" : "human",
          .connection = row.text(7),
          .system = row.text(8),
          .role = row.text(9),
          .upstream_user = row.text(10),
          .client_address = row.text(11),
          .client_name = row.text(12),
          .token_id = row.text(13),
          .started = row.time(14),
          .ended = row.optional_time(15),
          .end_reason = row.text(16),
          .operations = row.number(17),
          .denials = row.number(18)};
}

}  // namespace

Result<SessionPage> RecordIndex::sessions(const SessionQuery& q) {
  CHECK_OK(check_lengths(q.principal, q.connection));
  std::optional<std::pair<std::int64_t, std::int64_t>> cursor;  // start and id of the last one
  if (!q.cursor.empty()) {
    cursor.emplace();
    CHECK_OK(parse_cursor(q.cursor, cursor->first, cursor->second));
  }
  std::string sql{kSessionColumns};
  sql += " WHERE 1";
  if (q.principal) sql += " AND principal_folded = ?1";
  if (q.connection) sql += " AND connection_folded = ?2";
  if (q.from) sql += " AND started >= ?3";
  if (q.to) sql += " AND started < ?4";
  if (cursor) sql += " AND (started, id) < (?5, ?6)";
  sql += " ORDER BY started DESC, id DESC LIMIT ?7";
  SessionPage page;
  auto limit = page_size(q.limit);
  TRY(auto tx, reader().begin(Access::read));
  CHECK_OK(tx.query(
      sql, [&](const Row& row) { page.sessions.push_back(session_of(row)); }, without_case(q.principal),
      without_case(q.connection), q.from, q.to, cursor ? std::optional{cursor->first} : std::nullopt,
      cursor ? std::optional{cursor->second} : std::nullopt, std::uint64_t{limit + 1}));
  if (page.sessions.size() > limit) {
    page.sessions.pop_back();
    const auto& last = page.sessions.back();
    page.cursor = fmt::format("{}.{}", last.started.time_since_epoch().count(),
                              static_cast<std::int64_t>(last.id.value));
  }
  return page;
}

Result<FoundSession> RecordIndex::session(SessionId id) {
  std::optional<FoundSession> found;
  std::string sql{kSessionColumns};
  sql += " WHERE id = ?1";
  TRY(auto tx, reader().begin(Access::read));
  CHECK_OK(tx.query(sql, [&](const Row& row) { found = session_of(row); }, id.value));
  if (!found) return fail(Errc::not_found, "there is no session {} in the record", to_string(id));
  return std::move(*found);
}

}  // namespace sluice::store
