#include "record/replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "record/bundle.h"
#include "record/testing.h"

namespace sluice::record {
namespace {

using namespace testing;
using ::testing::HasSubstr;
using ::testing::Not;

// Two sessions side by side, one with everything in it.
class Replay : public ::testing::Test {
 protected:
  Replay() : scribe(folder.path()) {
    scribe.start_session(7);
    scribe.start_session(8);
    scribe.run(8, 1, 20);
    rows.set_columns(std::vector<std::string_view>{"id", "title", "raw"});
    std::uint8_t raw[] = {0, 255};
    rows.add_row(std::vector{Cell::text("4711"), Cell::text("Reset \x1b[31m\"it\""), Cell::bytes(raw)});
    rows.add_row(std::vector{Cell::text("4712"), Cell::null(), Cell::null()});
    ids.add("public.docs", "4711");
    ids.add("public.docs", "4712");
    std::vector<Param> params{{.form = ParamForm::vector, .dimension = 384, .digest = digest_of("v")},
                              {.form = ParamForm::text, .value = "open"},
                              {.form = ParamForm::hidden, .digest = digest_of("secret")}};
    EXPECT_TRUE(scribe.log->intent({.session = SessionId{7},
                                    .operation = OperationId{1},
                                    .op = scribe.op,
                                    .ruling = &scribe.ruling,
                                    .policy_digest = digest_of("policy"),
                                    .limit = 10,
                                    .params_digest = digest_of("params"),
                                    .params = params,
                                    .review = "rv_0123456789"}));
    EXPECT_TRUE(scribe.log->chunk(
        {.session = SessionId{7}, .operation = OperationId{1}, .records = 1, .bytes = 100}));
    EXPECT_TRUE(scribe.log->outcome({.session = SessionId{7},
                                     .operation = OperationId{1},
                                     .records = 2,
                                     .bytes = 240,
                                     .reply_digest = digest_of("reply"),
                                     .duration = std::chrono::milliseconds{3},
                                     .masked = 2,
                                     .ids = &ids,
                                     .rows = &rows}));
    EXPECT_TRUE(
        scribe.log->denial({.session = SessionId{7},
                            .operation = OperationId{2},
                            .op = scribe.op,
                            .ruling = &scribe.ruling,
                            .denial = {Reason::over_limit, "top-k", "at most 100", "lower the limit"}}));
    EXPECT_TRUE(scribe.log->denial({.session = SessionId{7},
                                    .operation = OperationId{3},
                                    .denial = {Reason::not_understood, "", "no such statement", ""},
                                    .text = "SELEKT 1"}));
    EXPECT_TRUE(scribe.log->session_end(SessionId{7}, {.operations = 3}));
  }

  std::vector<Event> events(SessionId id) {
    std::vector<Event> out;
    auto place = find_session(folder.path(), id);
    EXPECT_TRUE(place) << place.error().message();
    auto done = replay_session(folder.path(), *place, id, [&](const Event& event) {
      out.push_back(event);
      return true;
    });
    EXPECT_TRUE(done) << done.error().message();
    return out;
  }

  TemporaryFolder folder;
  RecordIds ids;
  ReplySample rows;
  Scribe scribe;
};

TEST_F(Replay, ShowsOneSessionWithAllThatIsKnown) {
  auto all = events(SessionId{7});
  std::vector<Kind> kinds;
  for (const auto& event : all) kinds.push_back(event.header.kind);
  EXPECT_EQ(kinds, (std::vector{Kind::session_start, Kind::intent, Kind::chunk, Kind::outcome, Kind::denial,
                                Kind::denial, Kind::session_end}));
  EXPECT_THAT(to_json(all[0]), HasSubstr(R"("principal":"ana")"));
  auto intent = to_json(all[1]);
  EXPECT_THAT(intent, HasSubstr(R"("operation":"0000000000000007-1")"));
  EXPECT_THAT(intent, HasSubstr("ORDER BY embedding <-> $1"));
  EXPECT_THAT(intent, HasSubstr(R"("rules":["rag-may-search","top-k","hide-identity-fields"])"));
  EXPECT_THAT(
      intent,
      HasSubstr(R"({"collection":"*","field":"email","mask":"redact","rule":"hide-identity-fields"})"));
  EXPECT_THAT(intent, HasSubstr(R"("params":[{"vector":384,)"));
  EXPECT_THAT(intent, HasSubstr(R"("open",{"hidden":true,)"));
  auto outcome = to_json(all[3]);
  EXPECT_THAT(
      outcome,
      HasSubstr(
          R"("columns":["id","title","raw"],"rows":[["4711","Reset \u001b[31m\"it\"",{"bytes":"AP8=","size":2}],["4712",null,null]])"));
  EXPECT_THAT(outcome, HasSubstr(R"("record_ids":[{"collection":"public.docs","id":"4711"},)"));
  EXPECT_THAT(to_json(all[4]), HasSubstr(R"("reason":"over_limit")"));
  EXPECT_THAT(to_json(all[5]), HasSubstr(R"("request":"SELEKT 1")"));
}

TEST_F(Replay, ShowsWhatAnOperationDoesBesideAndHowManyRecordsARowCarries) {
  auto op = std::make_shared<Operation>(*scribe.op);
  op->also = {Verb::write, Verb::aggregate};
  op->records_per_row = 2;
  op->rows_hold_many = true;
  scribe.start_session(9);
  EXPECT_TRUE(scribe.log->intent(
      {.session = SessionId{9}, .operation = OperationId{1}, .op = op, .ruling = &scribe.ruling}));
  EXPECT_TRUE(scribe.log->outcome({.session = SessionId{9}, .operation = OperationId{1}, .records = 2}));
  EXPECT_TRUE(scribe.log->session_end(SessionId{9}, {}));
  const auto all = events(SessionId{9});
  ASSERT_EQ(all.size(), 4u);
  EXPECT_THAT(to_json(all[1]), HasSubstr(R"("verb":"search","also":["write","aggregate"])"));
  EXPECT_THAT(to_json(all[1]), HasSubstr(R"("records_per_row":2,"rows_hold_many":true)"));
  EXPECT_THAT(to_text(all[1]), HasSubstr("also=write, aggregate"));
  EXPECT_THAT(to_json(events(SessionId{7})[1]), Not(HasSubstr("records_per_row"))) << "one, as mostly";
}

TEST_F(Replay, TextHoldsNoControlCharacters) {
  for (const auto& event : events(SessionId{7})) {
    auto text = to_text(event);
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
    EXPECT_EQ(text.back(), '\n');
  }
}

TEST_F(Replay, UnknownSession) {
  auto place = find_session(folder.path(), SessionId{99});
  ASSERT_FALSE(place);
  EXPECT_EQ(place.error().code, Errc::not_found);
}

TEST_F(Replay, BundleProvesASession) {
  auto place = find_session(folder.path(), SessionId{7});
  EXPECT_EQ(export_session(folder.path(), *place, SessionId{7}, test_verifier_key()).error().code,
            Errc::unavailable)
      << "not signed yet";
  scribe.checkpoint();
  scribe.run(8, 21, 900);  // the log goes on, over several segments
  scribe.checkpoint();
  auto text = export_session(folder.path(), *place, SessionId{7}, test_verifier_key());
  ASSERT_TRUE(text) << text.error().message();
  auto report = verify_bundle(*text, test_verifier_key());
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_TRUE(report->complete);
  EXPECT_EQ(report->session, SessionId{7});
  EXPECT_EQ(report->entries, 7u);
  auto replayed = events(SessionId{7});
  ASSERT_EQ(report->events.size(), replayed.size());
  for (std::size_t i = 0; i < replayed.size(); ++i)
    EXPECT_EQ(to_json(report->events[i]), to_json(replayed[i]));
}

TEST_F(Replay, BundleOfASessionInALaterSegment) {
  scribe.run(8, 21, 900);
  scribe.start_session(9);
  scribe.op = example_operation(std::string(31'000, 'y') + " two parts");
  scribe.run(9, 2, 300);
  scribe.checkpoint();
  auto place = find_session(folder.path(), SessionId{9});
  ASSERT_TRUE(place);
  EXPECT_GT(place->segment, 1u);
  auto text = export_session(folder.path(), *place, SessionId{9}, test_verifier_key());
  ASSERT_TRUE(text) << text.error().message();
  auto report = verify_bundle(*text, test_verifier_key());
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_FALSE(report->complete) << "it is not over";
}

TEST_F(Replay, BundleThatWasChangedIsRefused) {
  scribe.checkpoint();
  auto place = find_session(folder.path(), SessionId{7});
  auto text = *export_session(folder.path(), *place, SessionId{7}, test_verifier_key());
  auto other = verifier_key("sluice", make_signing_key().public_key);
  EXPECT_EQ(verify_bundle(text, other).error().code, Errc::forbidden);
  // Any character of any entry, path or checkpoint.
  for (std::size_t at = text.find("\"checkpoint\""); at < text.size(); at += 37) {
    auto changed = text;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    auto report = verify_bundle(changed, test_verifier_key());
    EXPECT_FALSE(report) << at;
  }
  // An entry left out: what is there is true, and it is not all.
  auto last = text.rfind(",\n{\"seq\":");
  auto before_last = text.rfind(",\n{\"seq\":", last - 1);
  auto shorter = text;
  shorter.erase(before_last, last - before_last);
  auto report = verify_bundle(shorter, test_verifier_key());
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_FALSE(report->complete);
}

}  // namespace
}  // namespace sluice::record
