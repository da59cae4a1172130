#include "record/codec.h"

#include <gtest/gtest.h>

#include <set>

#include "core/encoding.h"
#include "record/testing.h"

namespace sluice::record {
namespace {

using namespace testing;

template <class T>
ByteVector encoded(Kind kind, const T& payload, std::uint64_t session = 0, std::uint64_t operation = 0) {
  ByteVector bytes(kMaxEntryBytes);
  FixedWriter out{bytes.data(), bytes.data() + bytes.size()};
  encode(out, Header{kind, 3, 0x0102030405060708, WallTime{std::chrono::seconds{1767225600}},
                     SessionId{session}, OperationId{operation}});
  encode(out, payload);
  EXPECT_FALSE(out.overflow());
  bytes.resize(out.size());
  return bytes;
}

struct Example {
  Kind kind;
  ByteVector bytes;
};

// One of every kind, with every field set to something.
std::vector<Example> examples() {
  std::vector<Example> out;
  auto add = [&](Kind kind, const auto& payload) { out.push_back({kind, encoded(kind, payload, 7, 2)}); };
  add(Kind::opened, Opened{.epoch = 2,
                           .after_crash = true,
                           .torn_bytes = 3,
                           .lost_entries = 4,
                           .unfinished = 5,
                           .open_sessions = 6,
                           .software = "sluice 0.1.0"});
  add(Kind::closed, Closed{.epoch = 2});
  add(Kind::carried, CarriedEntry{.last = true,
                                  .carried = {.sessions = {{SessionId{7}, 11}},
                                              .operations = {{SessionId{7}, OperationId{2}, 9}}}});
  add(Kind::clock_stepped, ClockStepped{.from = WallTime{Nanoseconds{100}}, .to = WallTime{Nanoseconds{-5}}});
  static constexpr std::uint8_t kLogId[16] = {1, 2, 3};
  add(Kind::shard_added, ShardAdded{.shard = 4, .log_id = kLogId});
  add(Kind::session_start, example_session(7));
  add(Kind::session_end,
      SessionEnd{.reason = SessionEndReason::revoked, .operations = 3, .entries = 8, .detail = "by ana"});
  add(Kind::session_refused, SessionRefused{"docs", "ana", "127.0.0.1", "psql", "token expired"});
  add(Kind::statement_part, StatementPart{"SELECT "});
  auto op = example_operation();
  op->searches[0].dimension = 384;
  op->searches[0].query_digest = digest_of("query");
  op->functions = {"public.f"};
  op->unknown_reason = "why";
  auto text_digest = digest_of(op->text);
  add(Kind::statement, StatementSource{.op = *op, .text = op->text, .parts = 0, .text_digest = text_digest});
  op->also = {Verb::write, Verb::search};
  op->records_per_row = 2;
  op->rows_hold_many = true;
  add(Kind::statement, StatementSource{.op = *op, .text = op->text, .parts = 0, .text_digest = text_digest});
  auto ruling = example_ruling();
  add(Kind::mask_set, MaskSetEntry{.continues = true, .masks = *ruling.obligations.masks});
  auto policy = digest_of("policy");
  add(Kind::ruling, RulingSource{.ruling = ruling, .policy_digest = policy, .mask_set = 5});
  ruling.effect = Ruling::Effect::review;
  ruling.review = {.rule = "bulk", .by = {"group:data-security"}, .approvals = 2, .uses = 3};
  add(Kind::ruling, RulingSource{.ruling = ruling, .policy_digest = policy, .mask_set = std::nullopt});
  std::vector<Param> params{{.form = ParamForm::null},
                            {.form = ParamForm::text, .value = "open"},
                            {.form = ParamForm::bytes, .value = "\x01"},
                            {.form = ParamForm::vector, .dimension = 384, .digest = digest_of("v")},
                            {.form = ParamForm::hidden, .digest = digest_of("h")}};
  add(Kind::intent, BasicIntentEntry<std::span<const Param>>{.statement = 3,
                                                             .ruling = 5,
                                                             .limit = 10,
                                                             .params_digest = digest_of("params"),
                                                             .params_bound = 5,
                                                             .params = params,
                                                             .review = "rv_0123456789",
                                                             .upstream_user = "reader"});
  add(Kind::chunk, ChunkEntry{.records = 100, .bytes = 65536, .digest = digest_of("chunk")});
  ReplySample rows;
  rows.set_columns(std::vector<std::string_view>{"id"});
  rows.add_row(std::vector{Cell::text("4711")});
  RecordIds ids;
  ids.add("public.docs", "4711");
  add(Kind::rows, RowsEntry{rows.encoded()});
  add(Kind::record_ids, RecordIdsEntry{ids.encoded()});
  add(Kind::outcome, OutcomeEntry{.status = OutcomeStatus::stopped,
                                  .error_class = "57014",
                                  .records = 1,
                                  .bytes = 2,
                                  .reply_digest = digest_of("reply"),
                                  .duration_ns = 3,
                                  .masked = 4,
                                  .ids_state = IdsState::partial,
                                  .ids_seen = 5,
                                  .ids_kept = 1,
                                  .ids_entries = 2,
                                  .ids = ids.encoded(),
                                  .rows_state = RowsState::partial,
                                  .rows_seen = 7,
                                  .rows_kept = 1,
                                  .rows_entries = 1,
                                  .rows = rows.encoded()});
  add(Kind::denial, DenialEntry{.statement = 3,
                                .ruling = 5,
                                .reason = Reason::over_limit,
                                .rule = "top-k",
                                .message = "at most 100",
                                .hint = "lower the limit",
                                .text = "SELEKT"});
  add(Kind::unfinished, Unfinished{.intent = 9});
  add(Kind::review_requested, ReviewRequested{.review = "rv_1",
                                              .rule = "bulk",
                                              .requester = "ana",
                                              .summary = "SELECT",
                                              .binding = policy,
                                              .approvals = 1,
                                              .uses = 1,
                                              .expires = WallTime{std::chrono::seconds{1767225600}}});
  add(Kind::review_decided, ReviewDecided{"rv_1", "bo", ReviewVerdict::approved, "fine", true});
  add(Kind::review_used, ReviewUsed{.review = "rv_1", .uses_left = 0});
  add(Kind::policy_loaded, PolicyLoaded{.version = 4, .digest = policy, .rules = 12, .source = "policy"});
  add(Kind::policy_rejected, PolicyRejected{"a.yaml", 3, 7, "no such key", 4});
  add(Kind::admin_action, AdminAction{"ana", "connection.edit", "docs", "{}", "127.0.0.1", false});
  add(Kind::token_issued, TokenEvent{.token_id = "tok12345",
                                     .principal = "ana",
                                     .actor = "root",
                                     .reason = "new",
                                     .expires = WallTime{std::chrono::seconds{1767225600}}});
  add(Kind::token_revoked, TokenEvent{.revoked = true, .token_id = "tok12345"});
  add(Kind::incident, Incident{.code = "pin_drift", .detail = "client_encoding"});
  return out;
}

Result<Payload> decoded(const ByteVector& bytes) {
  TRY(auto entry, parse_entry(bytes));
  return decode(entry);
}

TEST(Codec, EveryKindReadsBack) {
  std::set<Kind> seen;
  for (const auto& example : examples()) {
    auto payload = decoded(example.bytes);
    EXPECT_TRUE(payload) << to_string(example.kind) << ": " << payload.error().message();
    seen.insert(example.kind);
  }
  for (int value = 0; value < 256; ++value) {
    auto kind = kind_from(static_cast<std::uint8_t>(value));
    if (!kind) continue;
    EXPECT_TRUE(seen.contains(*kind)) << to_string(*kind) << " has no example";
    EXPECT_EQ(kind_from_name(to_string(*kind)), kind);
  }
}

TEST(Codec, FieldsComeBackAsTheyWere) {
  auto all = examples();
  auto of = [&](Kind kind) {
    auto it = std::ranges::find(all, kind, &Example::kind);
    return std::move(*decoded(it->bytes));
  };
  auto start = of(Kind::session_start);
  const auto& facts = std::get<SessionStart>(start).facts;
  EXPECT_EQ(facts.id, SessionId{7});
  EXPECT_EQ(facts.principal->groups, (std::vector<std::string>{"rag", "support"}));
  EXPECT_EQ(facts.principal->claims.at("department"), "support");
  EXPECT_EQ(facts.client_port, 50123);
  auto statement = of(Kind::statement);
  const auto& op = std::get<StatementEntry>(statement).op;
  EXPECT_EQ(op.collections.at(0).output_fields, (std::vector<std::string>{"id", "title"}));
  EXPECT_EQ(op.searches.at(0).query_digest, digest_of("query"));
  EXPECT_EQ(op.records.max, 10u);
  EXPECT_TRUE(op.also.empty());
  EXPECT_EQ(op.records_per_row, 1u) << "as entries from before the field say nothing of it";
  const auto second = std::ranges::find(std::next(std::ranges::find(all, Kind::statement, &Example::kind)),
                                        all.end(), Kind::statement, &Example::kind);
  auto later_payload = std::move(*decoded(second->bytes));
  const auto& later = std::get<StatementEntry>(later_payload).op;
  EXPECT_EQ(later.also, (std::vector{Verb::write, Verb::search}));
  EXPECT_EQ(later.records_per_row, 2u);
  EXPECT_TRUE(later.rows_hold_many);
  auto intent_payload = of(Kind::intent);
  const auto& intent = std::get<IntentEntry>(intent_payload);
  EXPECT_EQ(intent.limit, 10u);
  EXPECT_EQ(intent.params.at(3).dimension, 384u);
  EXPECT_EQ(intent.params.at(1).value, "open");
  auto outcome_payload = of(Kind::outcome);
  const auto& outcome = std::get<OutcomeEntry>(outcome_payload);
  EXPECT_EQ(outcome.status, OutcomeStatus::stopped);
  EXPECT_EQ(outcome.ids_state, IdsState::partial);
  EXPECT_EQ(outcome.rows_kept, 1u);
  auto review = of(Kind::review_requested);
  EXPECT_EQ(std::get<ReviewRequested>(review).session, SessionId{7});
  auto revoked = of(Kind::token_revoked);
  EXPECT_TRUE(std::get<TokenEvent>(revoked).revoked);
}

TEST(Codec, NothingShorterOrLongerReads) {
  for (const auto& example : examples()) {
    for (std::size_t n = 0; n < example.bytes.size(); ++n) {
      ByteVector cut(example.bytes.begin(), example.bytes.begin() + static_cast<std::ptrdiff_t>(n));
      EXPECT_FALSE(decoded(cut)) << to_string(example.kind) << " cut at " << n;
    }
    auto longer = example.bytes;
    longer.push_back(0);
    EXPECT_FALSE(decoded(longer)) << to_string(example.kind);
  }
}

// One Operation has one form: later fields that say nothing are not there.
TEST(Codec, LaterFieldsThatSayNothingAreRefused) {
  auto op = example_operation();
  op->also = {Verb::write};
  const auto said =
      encoded(Kind::statement,
              StatementSource{.op = *op, .text = op->text, .parts = 0, .text_digest = digest_of(op->text)});
  ASSERT_TRUE(decoded(said));
  // u16 count 1, verb, u64 records_per_row 1, flag: the same with a count of 0 and no verb.
  const ByteVector later{1, 0, static_cast<std::uint8_t>(Verb::write), 1, 0, 0, 0, 0, 0, 0, 0, 0};
  auto at = std::ranges::search(said, later).begin();
  ASSERT_NE(at, said.end());
  ByteVector silent(said.begin(), at);
  silent.insert(silent.end(), {0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0});
  silent.insert(silent.end(), at + static_cast<std::ptrdiff_t>(later.size()), said.end());
  EXPECT_EQ(decoded(silent).error().code, Errc::malformed);
}

TEST(Codec, UnknownFormatsAndKindsAreRefused) {
  auto bytes = encoded(Kind::closed, Closed{.epoch = 1});
  auto newer = bytes;
  newer[0] = 2;
  EXPECT_EQ(decoded(newer).error().code, Errc::unsupported);
  auto unknown = bytes;
  unknown[1] = 99;
  EXPECT_EQ(decoded(unknown).error().code, Errc::malformed);
}

TEST(Codec, OverflowIsStickyAndWritesNothingBeyond) {
  ByteVector bytes(16, 0xEE);
  FixedWriter out{bytes.data(), bytes.data() + 8};
  out.u32(1);
  out.raw("too long", 8);
  out.u8(1);
  EXPECT_TRUE(out.overflow());
  EXPECT_EQ(out.size(), 4u);
  EXPECT_EQ(bytes[4], 0xEE);
}

// The form is frozen: these digests are over all examples of a kind. A change here is a change of the format,
// and needs a new kFormat and a reader for the old one.
TEST(Codec, CanonicalFormIsFrozen) {
  auto closed = encoded(Kind::closed, Closed{.epoch = 2}, 7, 2);
  EXPECT_EQ(to_hex(closed),
            "01"                // format
            "02"                // kind
            "0300"              // shard
            "0807060504030201"  // seq
            "0000faed51728618"  // time
            "0700000000000000"  // session
            "0200000000000000"  // operation
            "0200000000000000"  // payload: the epoch
  );
  std::string all;
  for (const auto& example : examples()) {
    auto digest = digest_of(as_text(example.bytes));
    all += fmt::format("{} {}\n", to_string(example.kind), to_hex(Bytes{digest}.first(8)));
  }
  EXPECT_EQ(all, R"(opened e4ed2be18c87a9dc
closed cf9ac399a247acea
carried bd51ce52125ebe4a
clock_stepped 4969547b494fb9bb
shard_added 2ccd6d138e0c54bf
session_start 3d35f48e3bbd6838
session_end 9e9c8fab8985c9ca
session_refused cf8642ee9007b4df
statement_part fa34df6d2730c2a3
statement f543400df685ee0a
statement 878af8fa373dae19
mask_set a0957337cf70343b
ruling f70e6c1efa8c1435
ruling affdbe98996e7e10
intent 650723bd4f7c6fe8
chunk 302b0dd09517cb48
rows 7dd33b431d82c152
record_ids 8b0d85fb2c9d6742
outcome 5649298b0ed89f92
denial 37e7ae2625241814
unfinished 051f9a9266081a78
review_requested 3ecff5a7e5fb9c69
review_decided 8e067a781ba6a94c
review_used bdd0aa9de8f4825a
policy_loaded e462b00728f20e33
policy_rejected cc0ad1eb253889b1
admin_action a8abf1113c5baee4
token_issued b5898c33470f708a
token_revoked 1d76396538886d97
incident 8d7d4f830373e5d1
)");
}

}  // namespace
}  // namespace sluice::record
