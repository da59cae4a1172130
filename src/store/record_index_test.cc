#include "store/record_index.h"

#include <gtest/gtest.h>

#include <random>

#include "record/index_words.h"
#include "record/replay.h"
#include "record/testing.h"

namespace sluice::store {
namespace {

using namespace record;
using namespace record::testing;

class RecordIndexTest : public ::testing::Test {
 protected:
  RecordIndexTest() : scribe(folder.path()) {
    auto opened = RecordIndex::open({}, folder.path());
    EXPECT_TRUE(opened) << opened.error().message();
    index = std::move(*opened);
  }

  void write_example() {
    scribe.start_session(7);
    auto other = example_session(8);
    auto bot = std::make_shared<sluice::Principal>(*other.principal);
    bot->name = "svc-rag";
    bot->kind = PrincipalKind::machine;
    other.principal = bot;
    other.connection = "kb";
    ASSERT_TRUE(scribe.log->session_start(other));
    started = scribe.clock.now();
    RecordIds ids;
    ids.add("public.docs", "4711");
    ids.add("public.docs", "4712");
    ASSERT_TRUE(scribe.intent(7, 1));
    scribe.clock.advance(std::chrono::milliseconds{5});
    ASSERT_TRUE(scribe.log->outcome({.session = SessionId{7},
                                     .operation = OperationId{1},
                                     .records = 2,
                                     .bytes = 300,
                                     .duration = std::chrono::milliseconds{5},
                                     .masked = 3,
                                     .ids = &ids}));
    auto write = std::make_shared<Operation>();
    write->system = "postgres";
    write->verb = Verb::write;
    write->statement_class = "INSERT";
    write->collections = {{.name = "public.orders", .access = sluice::Access::write}};
    write->text = "INSERT INTO orders (customer_id, note) VALUES ($1, '\"quoted\" AND near(x) *')";
    ASSERT_TRUE(scribe.log->intent(
        {.session = SessionId{8}, .operation = OperationId{1}, .op = write, .ruling = &scribe.ruling}));
    ASSERT_TRUE(scribe.log->outcome({.session = SessionId{8},
                                     .operation = OperationId{1},
                                     .status = OutcomeStatus::upstream_error,
                                     .error_class = "23505"}));
    scribe.clock.advance(std::chrono::seconds{1});
    ASSERT_TRUE(scribe.log->denial({.session = SessionId{8},
                                    .operation = OperationId{2},
                                    .op = scribe.op,
                                    .ruling = &scribe.ruling,
                                    .denial = {Reason::review_required, "bulk", "wait", ""}}));
    ASSERT_TRUE(scribe.log->denial({.session = SessionId{8},
                                    .operation = OperationId{3},
                                    .denial = {Reason::not_understood, "", "what", ""},
                                    .text = "SELEKT everything"}));
    ASSERT_TRUE(scribe.log->session_end(SessionId{8}, {.reason = SessionEndReason::idle}));
  }

  void catch_up() {
    Indexer indexer{folder.path(), *index};
    auto more = indexer.run(std::chrono::seconds{10}, scribe.clock);
    ASSERT_TRUE(more) << more.error().message();
    ASSERT_FALSE(*more);
  }
  std::vector<std::string> found(const SearchQuery& query) {
    auto page = index->search(query);
    EXPECT_TRUE(page) << page.error().message();
    std::vector<std::string> out;
    if (!page) return out;
    for (const auto& o : page->operations)
      out.push_back(fmt::format("{}-{}", o.session.value, o.operation.value));
    return out;
  }
  using Names = std::vector<std::string>;

  TemporaryFolder folder;
  Scribe scribe;
  WallTime started;
  std::unique_ptr<RecordIndex> index;
};

TEST_F(RecordIndexTest, FindsByEveryCondition) {
  write_example();
  catch_up();
  EXPECT_EQ(found({}), (Names{"8-3", "8-2", "8-1", "7-1"}));
  EXPECT_EQ(found({.principal = "ana"}), (Names{"7-1"}));
  EXPECT_EQ(found({.connection = "kb"}), (Names{"8-3", "8-2", "8-1"}));
  EXPECT_EQ(found({.relation = "public.docs"}), (Names{"8-2", "7-1"}));
  EXPECT_EQ(found({.relation = "public.nothing"}), Names{});
  EXPECT_EQ(found({.verb = Verb::write}), (Names{"8-1"}));
  EXPECT_EQ(found({.decision = Decision::deny}), (Names{"8-3"}));
  EXPECT_EQ(found({.decision = Decision::review}), (Names{"8-2"}));
  EXPECT_EQ(found({.text = "orders customer_id"}), (Names{"8-1"}));
  EXPECT_EQ(found({.text = "embedding"}), (Names{"8-2", "7-1"}));
  EXPECT_EQ(found({.text = "selekt"}), (Names{"8-3"}));
  EXPECT_EQ(found({.record_id = "4711"}), (Names{"7-1"}));
  EXPECT_EQ(found({.relation = "public.docs", .record_id = "4712"}), (Names{"7-1"}));
  EXPECT_EQ(found({.relation = "public.orders", .record_id = "4711"}), Names{});
  EXPECT_EQ(found({.session = SessionId{7}}), (Names{"7-1"}));
  EXPECT_EQ(found({.from = started + std::chrono::milliseconds{500}}), (Names{"8-3", "8-2"}));
  EXPECT_EQ(found({.to = started + std::chrono::milliseconds{500}}), (Names{"8-1", "7-1"}));
  EXPECT_EQ(found({.principal = "svc-rag", .verb = Verb::search, .text = "LIMIT"}), (Names{"8-2"}));
}

TEST_F(RecordIndexTest, NamesAndWordsCountWithoutTheirCaseInEveryScript) {
  auto facts = example_session(9);
  auto person = std::make_shared<sluice::Principal>(*facts.principal);
  person->name = "Ärztin";
  facts.principal = person;
  facts.connection = "Müller";
  ASSERT_TRUE(scribe.log->session_start(facts));
  auto read = std::make_shared<Operation>();
  read->system = "postgres";
  read->verb = Verb::scroll;
  read->statement_class = "SELECT";
  read->collections = {{.name = "public.Straßen", .access = sluice::Access::read}};
  read->text = "SELECT größe FROM \"Straßen\" WHERE ort = 'ŁÓDŹ' AND οδός = 'ΟΔΟΣ'";
  ASSERT_TRUE(scribe.log->intent(
      {.session = SessionId{9}, .operation = OperationId{1}, .op = read, .ruling = &scribe.ruling}));
  RecordIds ids;
  ids.add("public.Straßen", "Ä1");
  ASSERT_TRUE(
      scribe.log->outcome({.session = SessionId{9}, .operation = OperationId{1}, .records = 1, .ids = &ids}));
  catch_up();
  const Names all{"9-1"};
  for (const auto* word : {"größe", "GRÖßE", "łódź", "ŁÓDŹ", "Łódź", "οδος", "ΟΔΌΣ", "straßen select"}) {
    EXPECT_EQ(found({.text = word}), all) << word;
  }
  EXPECT_EQ(found({.text = "grosse"}), Names{}) << "accents are part of the letter";
  for (const auto* name : {"Ärztin", "ärztin", "ÄRZTIN"}) EXPECT_EQ(found({.principal = name}), all) << name;
  EXPECT_EQ(found({.principal = "Arztin"}), Names{});
  EXPECT_EQ(found({.connection = "MÜLLER"}), all);
  for (const auto* name : {"public.Straßen", "PUBLIC.STRAßEN"}) {
    EXPECT_EQ(found({.relation = name}), all) << name;
    EXPECT_EQ(found({.relation = name, .record_id = "Ä1"}), all) << name;
  }
  EXPECT_EQ(found({.record_id = "ä1"}), Names{}) << "ids are found exactly";
  auto sessions = index->sessions({.principal = "ÄRZTIN", .connection = "müller"});
  ASSERT_TRUE(sessions);
  ASSERT_EQ(sessions->sessions.size(), 1u);
  EXPECT_EQ(sessions->sessions[0].principal, "Ärztin") << "names are shown as they are";
}

TEST_F(RecordIndexTest, FindsByWhatAnOperationDoesBeside) {
  auto both = std::make_shared<Operation>(*scribe.op);
  both->verb = Verb::export_;
  both->also = {Verb::write, Verb::search};
  scribe.start_session(7);
  ASSERT_TRUE(scribe.log->intent(
      {.session = SessionId{7}, .operation = OperationId{1}, .op = both, .ruling = &scribe.ruling}));
  ASSERT_TRUE(scribe.intent(7, 2));
  catch_up();
  EXPECT_EQ(found({.verb = Verb::export_}), (Names{"7-1"}));
  EXPECT_EQ(found({.verb = Verb::write}), (Names{"7-1"}));
  EXPECT_EQ(found({.verb = Verb::search}), (Names{"7-2", "7-1"}));
  EXPECT_EQ(found({.verb = Verb::scroll}), Names{});
  auto page = index->search({.verb = Verb::write});
  ASSERT_TRUE(page);
  EXPECT_EQ(page->operations.at(0).also, (std::vector{Verb::write, Verb::search}));
  EXPECT_NE(to_json(page->operations[0]).find(R"("also":["write","search"])"), std::string::npos);
}

TEST_F(RecordIndexTest, AnswersWithWhatHappened) {
  write_example();
  catch_up();
  auto page = index->search({.record_id = "4711"});
  ASSERT_TRUE(page);
  const auto& o = page->operations.at(0);
  EXPECT_EQ(o.principal, "ana");
  EXPECT_EQ(o.relations, Names{"public.docs"});
  EXPECT_EQ(o.rule, "rag-may-search");
  EXPECT_EQ(o.status, "ok");
  EXPECT_EQ(o.records, 2u);
  EXPECT_EQ(o.masked, 3u);
  EXPECT_EQ(o.ids, "complete");
  EXPECT_EQ(o.duration, std::chrono::milliseconds{5});
  EXPECT_EQ(index->search({.verb = Verb::write})->operations.at(0).error_class, "23505");
  EXPECT_NE(to_json(o).find(R"("decision":"permit")"), std::string::npos);
}

TEST_F(RecordIndexTest, TextOfUsersIsNeverSyntax) {
  write_example();
  catch_up();
  EXPECT_EQ(found({.text = "\"quoted\""}), (Names{"8-1"}));
  EXPECT_EQ(found({.text = "near(x)"}), (Names{"8-1"}));
  for (const char* text : {"\"", "\"\"", "AND", "OR", "NOT orders", "orders OR embedding", "NEAR(orders)",
                           "text:orders", "orders*", "^orders", "(", "{", "-orders",
                           "'; DROP TABLE operations; --", "\\", "+ +", "orders AND", "a\"b\"c"}) {
    EXPECT_TRUE(index->search({.text = text})) << text;
  }
  EXPECT_EQ(found({.text = "orders OR embedding"}), Names{}) << "three words, of which one is OR";
  EXPECT_EQ(found({.text = "   "}), (Names{"8-3", "8-2", "8-1", "7-1"}));
  EXPECT_EQ(index->search({.text = std::string(5000, 'x')}).error().code, Errc::too_large);
}

TEST_F(RecordIndexTest, GoesOnWhereItStoodAndAcrossSegments) {
  write_example();
  catch_up();
  scribe.run(7, 2, 700);
  ASSERT_GT(scribe.log->status().segment, 2u);
  catch_up();
  scribe.run(7, 702, 3);
  catch_up();
  catch_up();
  auto session = index->session(SessionId{7});
  ASSERT_TRUE(session);
  EXPECT_EQ(session->operations, 704u);
  EXPECT_FALSE(session->ended);
}

TEST_F(RecordIndexTest, AKilledIndexerLosesAndDoublesNothing) {
  auto path = folder.path() / "index.db";
  write_example();
  scribe.run(7, 2, 50);
  {
    auto opened = RecordIndex::open(path, folder.path());
    ASSERT_TRUE(opened);
    Indexer indexer{folder.path(), **opened};
    ASSERT_TRUE(indexer.run(std::chrono::seconds{10}, scribe.clock));
  }
  scribe.run(7, 52, 50);
  {
    auto opened = RecordIndex::open(path, folder.path());
    ASSERT_TRUE(opened);
    // Reads everything and is gone before it commits.
    class Dying final : public IndexSink {
     public:
      explicit Dying(RecordIndex& i) : i_(i) {}
      Result<std::vector<IndexedPosition>> positions() override { return i_.positions(); }
      Result<void> clear() override { return i_.clear(); }
      Result<void> begin() override { return i_.begin(); }
      Result<void> session_started(const Header& h, const SessionFacts& f, const Position& p) override {
        return i_.session_started(h, f, p);
      }
      Result<void> session_ended(const Header& h, const SessionEnd& e) override {
        return i_.session_ended(h, e);
      }
      Result<std::int64_t> statement(const StatementKind& k) override { return i_.statement(k); }
      Result<void> stretch(const Stretch& s) override { return i_.stretch(s); }
      Result<void> late_outcome(const Header& h, std::uint64_t intent, const OutcomeEntry* o) override {
        return i_.late_outcome(h, intent, o);
      }
      Result<void> late_record_id(const Header& h, std::uint64_t intent, std::string_view c,
                                  std::string_view id) override {
        return i_.late_record_id(h, intent, c, id);
      }
      Result<void> set_position(const IndexedPosition& p) override { return i_.set_position(p); }
      Result<void> commit() override { return fail(Errc::cancelled, "killed"); }
      void roll_back() override { i_.roll_back(); }

     private:
      RecordIndex& i_;
    } dying{**opened};
    Indexer indexer{folder.path(), dying};
    ASSERT_FALSE(indexer.run(std::chrono::seconds{10}, scribe.clock));
  }
  auto opened = RecordIndex::open(path, folder.path());
  ASSERT_TRUE(opened);
  index = std::move(*opened);
  catch_up();
  EXPECT_EQ(index->session(SessionId{7})->operations, 101u);
}

TEST_F(RecordIndexTest, RebuildsFromTheSegments) {
  write_example();
  catch_up();
  auto before = found({});
  Indexer indexer{folder.path(), *index};
  ASSERT_TRUE(indexer.rebuild());
  EXPECT_EQ(found({}), Names{});
  ASSERT_TRUE(indexer.run(std::chrono::seconds{10}, scribe.clock));
  EXPECT_EQ(found({}), before);
}

TEST_F(RecordIndexTest, NoticesAnotherRecord) {
  write_example();
  catch_up();
  TemporaryFolder other;
  Scribe stranger{other.path()};
  Indexer indexer{other.path(), *index};
  EXPECT_EQ(indexer.run(std::chrono::seconds{1}, scribe.clock).error().code, Errc::conflict);
}

TEST_F(RecordIndexTest, PagesWithoutGapOrDouble) {
  write_example();
  scribe.run(7, 2, 25);
  catch_up();
  Names all;
  SearchQuery query{.limit = 7};
  for (int pages = 0; pages < 10; ++pages) {
    auto page = index->search(query);
    ASSERT_TRUE(page);
    for (const auto& o : page->operations)
      all.push_back(fmt::format("{}-{}", o.session.value, o.operation.value));
    if (page->cursor.empty()) break;
    query.cursor = page->cursor;
  }
  EXPECT_EQ(all, found({.limit = 1000}));
  EXPECT_EQ(all.size(), 29u);
  EXPECT_EQ(index->search({.cursor = "1; DROP"}).error().code, Errc::invalid_argument);
}

// An outcome may come long after its intent: in a later stretch, in a later segment, after a new start.
TEST_F(RecordIndexTest, FindsWhatEndedLater) {
  scribe.start_session(7);
  ASSERT_TRUE(scribe.intent(7, 1));
  catch_up();
  EXPECT_EQ(index->search({})->operations.at(0).status, "");
  scribe.run(7, 2, 700);
  ASSERT_GT(scribe.log->status().segment, 2u);
  catch_up();
  RecordIds ids;
  ids.add("public.docs", "late");
  ASSERT_TRUE(scribe.log->outcome({.session = SessionId{7},
                                   .operation = OperationId{1},
                                   .records = 1,
                                   .duration = std::chrono::seconds{3},
                                   .ids = &ids}));
  catch_up();
  const auto page = index->search({.record_id = "late"});
  ASSERT_TRUE(page) << page.error().message();
  ASSERT_EQ(page->operations.size(), 1u);
  EXPECT_EQ(page->operations[0].operation, OperationId{1});
  EXPECT_EQ(page->operations[0].status, "ok");
  EXPECT_EQ(page->operations[0].ids, "complete");
  EXPECT_EQ(page->operations[0].duration, std::chrono::seconds{3});
  EXPECT_EQ(found({.relation = "public.docs", .record_id = "late"}), (Names{"7-1"}));
  EXPECT_EQ(found({.relation = "public.other", .record_id = "late"}), Names{});
  Indexer indexer{folder.path(), *index};
  ASSERT_TRUE(indexer.rebuild());
  ASSERT_TRUE(indexer.run(std::chrono::seconds{10}, scribe.clock));
  EXPECT_EQ(found({.record_id = "late"}), (Names{"7-1"}));
}

TEST_F(RecordIndexTest, WhatHasNoOutcomeIsUnfinished) {
  scribe.start_session(7);
  ASSERT_TRUE(scribe.intent(7, 1));
  catch_up();
  scribe.log.reset();  // gives the shard up with an operation open
  auto reopened = Log::open(small_log(folder.path()), scribe.clock);
  ASSERT_TRUE(reopened) << reopened.error().message();
  catch_up();
  const auto page = index->search({});
  ASSERT_EQ(page->operations.size(), 1u);
  EXPECT_EQ(page->operations[0].status, "unfinished");
  EXPECT_EQ(page->operations[0].ids, "unknown");
}

// The index is filled a little at a time while operations go on; what it says is the same as when it is made
// at once.
TEST_F(RecordIndexTest, GrowsWithTheRecord) {
  auto path = folder.path() / "index.db";
  auto opened = RecordIndex::open(path, folder.path());
  ASSERT_TRUE(opened);
  index = std::move(*opened);
  scribe.start_session(7);
  Indexer indexer{folder.path(), *index};
  for (std::uint64_t n = 1; n <= 60; ++n) {
    ASSERT_TRUE(scribe.intent(7, n));
    if (n % 3 == 0) ASSERT_TRUE(indexer.run(std::chrono::seconds{10}, scribe.clock));
    ASSERT_TRUE(scribe.outcome(7, n));
    if (n % 7 == 0) ASSERT_TRUE(indexer.run(std::chrono::seconds{10}, scribe.clock));
  }
  ASSERT_TRUE(indexer.run(std::chrono::seconds{10}, scribe.clock));
  const auto page = index->search({.limit = 1000});
  ASSERT_TRUE(page) << page.error().message();
  ASSERT_EQ(page->operations.size(), 60u);
  for (const auto& o : page->operations) EXPECT_EQ(o.status, "ok") << o.operation.value;
  EXPECT_EQ(index->session(SessionId{7})->operations, 60u);
}

TEST_F(RecordIndexTest, ConstantsAreFoundToo) {
  scribe.start_session(7);
  std::uint64_t n = 0;
  auto run = [&](std::string text) {
    scribe.op = example_operation(std::move(text));
    scribe.run(7, ++n, 1);
  };
  run("SELECT abalance FROM pgbench_accounts WHERE aid = 471100");
  run("SELECT abalance FROM pgbench_accounts WHERE aid = 471101");
  run("SELECT abalance FROM pgbench_accounts WHERE aid = 471102 AND filler = 'Grüße aus Wien'");
  run("SELECT 'it''s' || E'\\'', note FROM docs WHERE d = '0123abcdef'");
  catch_up();
  EXPECT_EQ(found({.text = "471100"}), (Names{"7-1"}));
  EXPECT_EQ(found({.text = "aid=471101"}), (Names{"7-2"}));
  EXPECT_EQ(found({.text = "Grüße"}), (Names{"7-3"}));
  EXPECT_EQ(found({.text = "wien FILLER"}), (Names{"7-3"}));
  EXPECT_EQ(found({.text = "0123ABCDEF"}), (Names{"7-4"}));
  EXPECT_EQ(found({.text = "note"}), (Names{"7-4"}));
  EXPECT_EQ(found({.text = "aid"}), (Names{"7-3", "7-2", "7-1"}));
  EXPECT_EQ(found({.text = "471100 471101"}), Names{});
  EXPECT_EQ(found({.text = "4711"}), Names{});
}

TEST_F(RecordIndexTest, LongStatementsAreFoundByTheirEnd) {
  scribe.start_session(7);
  std::string text = "SELECT id FROM docs WHERE note IN (";
  while (text.size() < 40'000) text += fmt::format("'n{}', ", text.size());
  scribe.op = example_operation(text + "'the_end')");
  auto options = small_log(folder.path(), 3);
  options.segment_bytes = 1 << 20;
  Scribe other{options};
  other.op = scribe.op;
  other.start_session(9);
  other.run(9, 1, 2);
  catch_up();
  other.run(9, 3, 2);
  catch_up();
  EXPECT_EQ(found({.text = "the_end"}), (Names{"9-4", "9-3", "9-2", "9-1"}));
  EXPECT_EQ(index->search({.text = "the_end", .limit = 1})->operations.at(0).text, scribe.op->text);
}

TEST_F(RecordIndexTest, SaysWhenTheRecordIsNotWhatWasIndexed) {
  write_example();
  catch_up();
  const auto segment = folder.path() / shard_name(0) / segment_name(1);
  const auto bytes = std::filesystem::file_size(segment);
  scribe.log.reset();
  std::filesystem::resize_file(segment, kSegmentHeaderBytes);
  std::filesystem::resize_file(segment, bytes);
  EXPECT_EQ(index->search({}).error().code, Errc::malformed);
}

// Against every operation of the record, one by one.
TEST_F(RecordIndexTest, AnswersAreExact) {
  std::minstd_rand random{7};
  auto below = [&](std::uint32_t n) {
    return std::uniform_int_distribution<std::uint32_t>{0, n - 1}(random);
  };
  const std::array<std::string, 3> relations = {"public.docs", "public.orders", "public.notes"};
  const std::array<std::string, 3> people = {"ana", "ben", "svc-rag"};
  auto second = Log::open(small_log(folder.path(), 1), scribe.clock);
  ASSERT_TRUE(second);

  struct Known {
    FoundOperation op;
    std::vector<std::pair<std::string, std::string>> ids;
  };
  std::vector<Known> all;
  struct Running {
    Log* log;
    std::size_t at;
  };
  std::vector<Running> running;
  auto finish = [&](std::size_t i) {
    auto& known = all[running[i].at];
    RecordIds ids;
    for (std::uint32_t n = below(3); n > 0; --n) {
      known.ids.emplace_back(relations[below(3)], std::to_string(below(40)));
      ids.add(known.ids.back().first, known.ids.back().second);
    }
    known.op.status = "ok";
    ASSERT_TRUE(
        running[i].log->outcome({.session = known.op.session, .operation = known.op.operation, .ids = &ids}));
    running.erase(running.begin() + static_cast<std::ptrdiff_t>(i));
  };
  for (std::uint64_t s = 1; s <= 6; ++s) {
    Log& log = s % 2 == 0 ? **second : *scribe.log;
    auto facts = example_session(s);
    auto who = std::make_shared<Principal>(*facts.principal);
    who->name = people[s % 3];
    facts.principal = who;
    facts.connection = s < 4 ? "docs" : "kb";
    ASSERT_TRUE(log.session_start(facts));
  }
  std::map<std::uint64_t, std::uint64_t> numbers;
  Indexer indexer{folder.path(), *index};
  for (int round = 0; round < 500; ++round) {
    scribe.clock.advance(std::chrono::milliseconds{below(3)});
    const std::uint64_t s = 1 + below(6);
    Log& log = s % 2 == 0 ? **second : *scribe.log;
    auto op = example_operation(fmt::format("SELECT w{} FROM x WHERE id = {}", below(5), below(50)));
    op->verb = below(2) == 0 ? Verb::search : Verb::fetch;
    op->collections[0].name = relations[below(3)];
    Known known;
    known.op.session = SessionId{s};
    known.op.operation = OperationId{++numbers[s]};
    known.op.time = scribe.clock.now();
    known.op.principal = people[s % 3];
    known.op.connection = s < 4 ? "docs" : "kb";
    known.op.verb = op->verb;
    known.op.relations = {op->collections[0].name};
    known.op.text = op->text;
    known.op.shard = s % 2 == 0 ? 1 : 0;
    if (below(10) == 0) {
      const auto receipt = log.denial({.session = known.op.session,
                                       .operation = known.op.operation,
                                       .op = op,
                                       .ruling = &scribe.ruling,
                                       .denial = {Reason::denied_by_rule, "no", "no", ""}});
      ASSERT_TRUE(receipt);
      known.op.seq = receipt->seq;
      known.op.decision = Decision::deny;
    } else {
      const auto receipt = log.intent(
          {.session = known.op.session, .operation = known.op.operation, .op = op, .ruling = &scribe.ruling});
      ASSERT_TRUE(receipt);
      known.op.seq = receipt->seq;
      running.push_back({&log, all.size()});
    }
    all.push_back(std::move(known));
    while (running.size() > 8) finish(below(static_cast<std::uint32_t>(running.size())));
    if (below(20) == 0) ASSERT_TRUE(indexer.run(std::chrono::seconds{10}, scribe.clock));
  }
  ASSERT_TRUE(indexer.run(std::chrono::seconds{10}, scribe.clock));

  std::ranges::sort(all, std::greater{},
                    [](const Known& k) { return std::tuple(k.op.time, k.op.shard, k.op.seq); });
  for (int round = 0; round < 60; ++round) {
    SearchQuery query{.limit = 10 + below(60)};
    if (below(3) == 0) query.principal = people[below(3)];
    if (below(4) == 0) query.connection = below(2) == 0 ? "docs" : "kb";
    if (below(3) == 0) query.relation = relations[below(3)];
    if (below(4) == 0) query.verb = below(2) == 0 ? Verb::search : Verb::fetch;
    if (below(5) == 0) query.decision = below(4) == 0 ? Decision::deny : Decision::permit;
    if (below(4) == 0)
      query.text = below(2) == 0 ? fmt::format("w{}", below(5)) : fmt::format("id={}", below(50));
    if (below(4) == 0) query.record_id = std::to_string(below(40));
    if (below(5) == 0) query.session = SessionId{1 + below(6)};
    if (below(4) == 0) query.from = all[below(500)].op.time;
    if (below(4) == 0) query.to = all[below(500)].op.time;
    Names expected;
    for (const auto& known : all) {
      const auto& o = known.op;
      const auto carries = std::ranges::any_of(known.ids, [&](const auto& id) {
        return query.record_id && id.second == *query.record_id &&
               (!query.relation || id.first == *query.relation);
      });
      const bool fits =
          (!query.principal || o.principal == *query.principal) &&
          (!query.connection || o.connection == *query.connection) &&
          (!query.verb || o.verb == *query.verb) && (!query.decision || o.decision == *query.decision) &&
          (!query.session || o.session == *query.session) && (!query.from || o.time >= *query.from) &&
          (!query.to || o.time < *query.to) && (!query.text || Phrases{*query.text}.are_in(o.text)) &&
          (query.record_id ? carries : !query.relation || o.relations.front() == *query.relation);
      if (fits) expected.push_back(fmt::format("{}-{}", o.session.value, o.operation.value));
    }
    Names got;
    for (;;) {
      const auto page = index->search(query);
      ASSERT_TRUE(page) << page.error().message();
      for (const auto& o : page->operations) {
        got.push_back(fmt::format("{}-{}", o.session.value, o.operation.value));
      }
      if (page->cursor.empty()) break;
      ASSERT_EQ(page->operations.size(), query.limit);
      query.cursor = page->cursor;
    }
    ASSERT_EQ(got, expected) << "round " << round;
  }
}

TEST_F(RecordIndexTest, ListsSessions) {
  write_example();
  catch_up();
  auto page = index->sessions({});
  ASSERT_TRUE(page);
  ASSERT_EQ(page->sessions.size(), 2u);
  auto bot = index->sessions({.principal = "svc-rag"})->sessions.at(0);
  EXPECT_EQ(bot.kind, "machine");
  EXPECT_EQ(bot.operations, 3u);
  EXPECT_EQ(bot.denials, 2u);
  EXPECT_EQ(bot.end_reason, "idle");
  EXPECT_TRUE(bot.ended);
  EXPECT_EQ(index->session(SessionId{99}).error().code, Errc::not_found);
  auto one = index->sessions({.limit = 1});
  EXPECT_EQ(index->sessions({.limit = 1, .cursor = one->cursor})->sessions.at(0).id, page->sessions.at(1).id);
}

}  // namespace
}  // namespace sluice::store
