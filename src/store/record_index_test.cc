#include "store/record_index.h"

#include <gtest/gtest.h>

#include "record/replay.h"
#include "record/testing.h"

namespace sluice::store {
namespace {

using namespace record;
using namespace record::testing;

class RecordIndexTest : public ::testing::Test {
 protected:
  RecordIndexTest() : scribe(folder.path()) {
    auto opened = RecordIndex::open({});
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
    auto opened = RecordIndex::open(path);
    ASSERT_TRUE(opened);
    Indexer indexer{folder.path(), **opened};
    ASSERT_TRUE(indexer.run(std::chrono::seconds{10}, scribe.clock));
  }
  scribe.run(7, 52, 50);
  {
    auto opened = RecordIndex::open(path);
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
      Result<void> operation(const IndexedOperation& o) override { return i_.operation(o); }
      Result<void> outcome(const Header& h, const OutcomeEntry& o) override { return i_.outcome(h, o); }
      Result<void> unfinished(const Header& h) override { return i_.unfinished(h); }
      Result<void> record_id(const Header& h, std::string_view c, std::string_view id) override {
        return i_.record_id(h, c, id);
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
  auto opened = RecordIndex::open(path);
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
