// Large statements in whole conversations: planned on another thread, here by the test itself, while the
// client's message waits.
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "proxy/pg/exchange/exchange.h"
#include "proxy/pg/exchange/testing.h"

namespace sluice::proxy::pg {
namespace {

using namespace testing;
using wire::pg::TransactionStatus;

constexpr std::size_t kMany = 2000;  // tokens and more

// A list of so many numbers.
std::string numbers(std::size_t n = kMany) {
  std::string list = "0";
  for (std::size_t i = 1; i < n; ++i) list += fmt::format(",{}", i);
  return list;
}
std::string large(std::string_view table = "docs") {
  return fmt::format("SELECT id FROM {} WHERE id IN ({})", table, numbers());
}

const std::string kMasked = kPolicy + R"(
  - {name: hide, match: {collection: public.docs}, mask: [{fields: [body], with: redact}]}
)";
const std::string kMaskedAndDenied = kMasked + R"(
  - {name: no, match: {collection: public.docs}, deny: "Not now."}
)";
const std::string kClamped = kPolicy + R"(
  - {name: few, match: {collection: public.docs}, limit: {max_records: 3, over: clamp}}
)";

class LargeStatementTest : public ::testing::Test {
 protected:
  // Runs what is under way, and all that comes after it; answers how many errands there were.
  int run_errands(Pause pause) {
    int n = 0;
    for (; pause == Pause::errand; ++n) {
      std::thread{[errand = rig.exchange().errand()] { errand->run(); }}.join();
      rig.exchange().errand_over();
      pause = rig.client("");
    }
    EXPECT_NE(pause, Pause::close);
    return n;
  }
  std::string shortened(const Transcript& lines) {
    std::string all;
    for (const auto& line : lines) all += line.substr(0, 24) + "\n";
    return all;
  }

  Rig rig{kPolicy};
};

TEST(LargeStatement, IsOneOfManyTokensOrBytes) {
  EXPECT_FALSE(is_large("SELECT 1"));
  EXPECT_FALSE(is_large("SELECT '" + std::string(kLoopBytes - 100, 'x') + "'")) << "a query vector";
  EXPECT_TRUE(is_large("SELECT '" + std::string(kLoopBytes, 'x') + "'"));
  EXPECT_FALSE(is_large(numbers(kLoopTokens / 2)));
  EXPECT_TRUE(is_large(numbers(kLoopTokens)));
  EXPECT_TRUE(is_large("SELECT 1 " + std::string(5000, '+') + " 1"));
}

TEST_F(LargeStatementTest, WaitsForItsPlanAndWhatFollowsWaitsToo) {
  const auto pause = rig.client(query(large()) + query("SELECT id FROM docs"));
  ASSERT_EQ(pause, Pause::errand);
  EXPECT_EQ(rig.sent(), Transcript{});
  EXPECT_EQ(rig.client(""), Pause::errand) << "not before it is over";
  EXPECT_EQ(run_errands(pause), 1);
  EXPECT_EQ(rig.sent(), Transcript({"Query " + large(), "Query SELECT id FROM docs"}));
  rig.server(fields({"id"}) + row({"7"}) + complete("SELECT 1") + ready());
  EXPECT_EQ(rig.told(), Transcript({"Fields id", "Row 7", "Complete SELECT 1", "Ready I"}));
}

TEST_F(LargeStatementTest, IsSentAsItCame) {
  std::string list = "1";
  while (list.size() < 4 * kLoopBytes) list += ",1";
  const auto text = "SELECT id FROM docs WHERE title = '[" + list + "]'";
  EXPECT_EQ(run_errands(rig.client(query(text))), 2) << "to be planned, and to be copied";
  EXPECT_EQ(rig.told(), Transcript{});
  EXPECT_TRUE(rig.sent_bytes() == query(text));
}

TEST_F(LargeStatementTest, KeepsThePipelinesOrder) {
  const auto text = large();
  const auto pause = rig.client(parse("a", "SELECT id FROM docs") + parse("s", text) + bind("s") + execute() +
                                parse("z", "SELECT 1") + sync());
  EXPECT_EQ(shortened(rig.sent()), "Parse slc_s1:SELECT id F\n");
  ASSERT_EQ(pause, Pause::errand);
  EXPECT_EQ(run_errands(pause), 2) << "Parse and Bind";
  const auto sent = rig.sent();
  ASSERT_GE(sent.size(), 5u);
  EXPECT_TRUE(sent[0].ends_with(":" + text));
  EXPECT_TRUE(sent[1].starts_with("Bind "));
  EXPECT_EQ(sent.back(), "Sync");
}

TEST_F(LargeStatementTest, IsRefusedLikeAnyOther) {
  run_errands(rig.client(query(large("secrets"))));
  EXPECT_EQ(rig.told(), Transcript({"ERROR 42501", "Ready I"}));
  for (const auto& text : {large() + " FROM", "SELECT id FROM docs WHERE " + std::string(kMany, '(') + "1"}) {
    run_errands(rig.client(query(text)));
    const auto told = rig.told();
    ASSERT_EQ(told.size(), 2u);
    EXPECT_TRUE(told[0].starts_with("ERROR 42601 at ")) << told[0];
  }
  run_errands(rig.client(parse("", large("secrets")) + bind("") + execute() + sync()));
  EXPECT_EQ(rig.sent(), Transcript({kRefusedParse, "Sync"}));
}

// Few words whose names multiply.
TEST_F(LargeStatementTest, IsOneWithManyColumnsInReach) {
  rig.set_policy(kMasked);
  std::string sql = "WITH a0 AS (SELECT * FROM docs)";
  for (int i = 1; i < 10; ++i) sql += fmt::format(", a{0} AS (SELECT * FROM a{1} x, a{1} y)", i, i - 1);
  EXPECT_EQ(run_errands(rig.client(query(sql + " SELECT 1 FROM a9"))), 1);
  EXPECT_EQ(rig.sent().size(), 1u);
  rig.server(complete("SELECT 0") + ready());
  for (int i = 10; i < 60; ++i) sql += fmt::format(", a{0} AS (SELECT * FROM a{1} x, a{1} y)", i, i - 1);
  rig.told();
  EXPECT_EQ(run_errands(rig.client(query(sql + " SELECT 1 FROM a59"))), 1);
  EXPECT_EQ(rig.told(), Transcript({"ERROR 42501", "Ready I"}));
}

TEST_F(LargeStatementTest, IsDecidedByTheRulesOfTheEnd) {
  auto pause = rig.client(query("SELECT body FROM docs WHERE id IN (" + numbers() + ")"));
  ASSERT_EQ(pause, Pause::errand);
  rig.set_policy(kMasked);
  EXPECT_EQ(run_errands(pause), 2) << "planned without masks, and again with them";
  const auto sent = rig.sent();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_NE(sent[0].find("'***'"), std::string::npos);

  rig.server(complete("SELECT 0") + ready());
  pause = rig.client(query(large()));
  rig.set_policy(kPolicyWithoutDocs);
  run_errands(pause);
  EXPECT_EQ(rig.sent(), Transcript{});
}

TEST_F(LargeStatementTest, IsCancelledOnceItsPlanIsThere) {
  const auto pause = rig.client(query(large()));
  ASSERT_EQ(pause, Pause::errand);
  EXPECT_FALSE(rig.exchange().cancel()) << "the server runs nothing";
  run_errands(pause);
  EXPECT_EQ(rig.sent(), Transcript{});
  EXPECT_EQ(rig.told(), Transcript({"ERROR 57014", "Ready I"}));
  rig.client(query("SELECT id FROM docs"));
  EXPECT_EQ(rig.sent(), Transcript({"Query SELECT id FROM docs"}));
}

TEST_F(LargeStatementTest, MayBeTheSessionsLast) {
  ASSERT_EQ(rig.client(query(large())), Pause::errand);
  const auto errand = rig.exchange().errand();
  rig.exchange().terminate(record::SessionEndReason::revoked, "57P01", "access was revoked");
  errand->run();
  rig.exchange().errand_over();
  EXPECT_EQ(rig.client(""), Pause::close);
  EXPECT_EQ(rig.sent(), Transcript{});
  EXPECT_EQ(rig.told(), Transcript({"FATAL 57P01"}));
}

// The session is gone, the thread is not: all that it uses is its own.
TEST(LargeStatement, OutlivesItsSession) {
  std::shared_ptr<Errand> errand;
  {
    Rig rig{kMasked};
    rig.client(query("PREPARE p AS SELECT body FROM docs"));
    rig.server(complete("PREPARE") + ready());
    ASSERT_EQ(rig.client(query("EXECUTE p; SELECT body FROM docs WHERE id IN (" + numbers() + ")")),
              Pause::errand);
    errand = rig.exchange().errand();
  }
  errand->run();
}

TEST_F(LargeStatementTest, HearsThatThereIsNoRoom) {
  ASSERT_EQ(rig.client(query(large()) + query("SELECT id FROM docs")), Pause::errand);
  EXPECT_TRUE(rig.exchange().may_refuse_errand());
  rig.exchange().refuse_errand();
  EXPECT_EQ(rig.client(""), Pause::none);
  EXPECT_EQ(rig.told(), Transcript({"ERROR 53400", "Ready I"}));
  EXPECT_EQ(rig.sent(), Transcript({"Query SELECT id FROM docs"}));
  rig.server(complete("SELECT 0") + ready());
  EXPECT_EQ(run_errands(rig.client(query(large()))), 1) << "the next one may have more luck";
}

TEST_F(LargeStatementTest, IsClampedAside) {
  rig.set_policy(kClamped);
  EXPECT_EQ(run_errands(rig.client(query(large()))), 2);
  const auto sent = rig.sent();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_TRUE(sent[0].ends_with("LIMIT 3")) << sent[0].substr(sent[0].size() - 40);
  rig.server(complete("SELECT 0") + ready());
  EXPECT_EQ(run_errands(rig.client(parse("", large()) + bind("") + execute() + sync())), 3);
}

// A name is short, whatever it stands for.
TEST_F(LargeStatementTest, IsLargeByItsNameToo) {
  EXPECT_EQ(run_errands(rig.client(query("PREPARE p AS " + large()))), 1);
  auto sent = rig.sent();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_TRUE(sent[0].starts_with("Query PREPARE \"slc_s1\" AS SELECT")) << sent[0].substr(0, 40);
  rig.server(complete("PREPARE") + ready());
  EXPECT_EQ(run_errands(rig.client(query("EXECUTE p"))), 1);
  EXPECT_EQ(rig.sent(), Transcript({"Query EXECUTE \"slc_s1\""}));
  rig.server(complete("SELECT 0") + ready());
  rig.client(query("PREPARE q AS SELECT 1"));
  EXPECT_EQ(rig.sent(), Transcript({"Query PREPARE \"slc_s2\" AS SELECT 1"})) << "a name that was not used";
}

// The string goes statement by statement; the large one of them is planned when its turn comes.
TEST_F(LargeStatementTest, MayBePartOfAQueryStringWhoseNamesMove) {
  auto pause = rig.client(query("SET search_path = public; " + large()));
  ASSERT_EQ(pause, Pause::errand);
  EXPECT_EQ(run_errands(pause), 1) << "the whole of it";
  std::string seen;
  int errands = 0;
  for (int i = 0; i < 20 && seen.find("id IN (0,1,2") == std::string::npos; ++i) {
    const auto bytes = rig.sent_bytes();
    seen += bytes;
    std::string answer;
    std::string_view rest = bytes;
    while (!rest.empty()) {
      const auto frame = wire::pg::frame_frontend(as_bytes(rest));
      ASSERT_TRUE(frame && frame->complete());
      rest.remove_prefix(static_cast<std::size_t>(frame->size));
      switch (frame->type) {
        case wire::pg::FrontendType::parse: answer += parse_complete(); break;
        case wire::pg::FrontendType::bind: answer += bind_complete(); break;
        case wire::pg::FrontendType::describe: answer += no_data(); break;
        case wire::pg::FrontendType::execute: answer += complete("SET"); break;
        case wire::pg::FrontendType::close: answer += close_complete(); break;
        default: break;
      }
    }
    rig.server(answer);
    errands += run_errands(rig.client(""));
  }
  EXPECT_NE(seen.find("id IN (0,1,2"), std::string::npos) << seen;
  EXPECT_GE(errands, 1);
}

TEST_F(LargeStatementTest, IsPreparedAgainUnderNewMasks) {
  run_errands(rig.client(parse("s", "SELECT body FROM docs WHERE id IN (" + numbers() + ")") + sync()));
  rig.server(parse_complete() + ready());
  (void)rig.sent();
  rig.set_policy(kMasked);
  EXPECT_EQ(run_errands(rig.client(bind("s") + execute() + sync())), 2) << "the plan, and the binding";
  const auto sent = rig.sent();
  ASSERT_GE(sent.size(), 3u);
  EXPECT_TRUE(sent[0].starts_with("Close "));
  EXPECT_NE(sent[1].find("'***'"), std::string::npos);
  EXPECT_TRUE(sent[2].starts_with("Bind "));
}

// What the server has must be what was decided, also when a refusal came between.
TEST(PreparedStatement, IsPreparedAgainAfterARefusalUnderTheNewMasks) {
  Rig rig{kPolicy};
  rig.client(parse("s", "SELECT body FROM docs") + sync());
  rig.server(parse_complete() + ready());
  rig.set_policy(kMaskedAndDenied);
  rig.client(bind("s") + sync());
  rig.server(error("42601") + ready());
  (void)rig.sent();
  (void)rig.told();
  rig.set_policy(kMasked);
  rig.client(bind("s") + execute() + sync());
  const auto sent = rig.sent();
  ASSERT_GE(sent.size(), 3u);
  EXPECT_TRUE(sent[1].starts_with("Parse ")) << sent[1];
  EXPECT_NE(sent[1].find("'***'"), std::string::npos) << sent[1];
  EXPECT_TRUE(sent[2].starts_with("Bind ")) << sent[2];
}

TEST(PlanningPool, TakesSoManyAndNoMore) {
  auto pool = std::make_shared<PlanningPool>();
  std::promise<void> go;
  std::vector<std::future<void>> done;
  auto gate = go.get_future().share();
  const auto job = [&] {
    auto finished = std::make_shared<std::promise<void>>();
    done.push_back(finished->get_future());
    return PlanningPool::Job{[gate, finished] {
      gate.wait();
      finished->set_value();
    }};
  };
  // Those that run do not wait; so many do.
  std::size_t taken = 0;
  for (std::size_t i = 0; i < PlanningPool::kThreads + PlanningPool::kMostWaiting; ++i) {
    auto one = job();
    while (!pool->plan(one)) std::this_thread::yield();  // until the threads have taken theirs
    ++taken;
  }
  EXPECT_EQ(taken, PlanningPool::kThreads + PlanningPool::kMostWaiting);
  auto one_more = job();
  done.pop_back();
  EXPECT_FALSE(pool->plan(one_more));
  EXPECT_TRUE(one_more != nullptr) << "left to who wanted it";
  go.set_value();
  for (auto& each : done) each.wait();
}

TEST(PlanningPool, FreesWhatIsLetGoOnItsThreads) {
  std::promise<std::thread::id> freed_on;
  struct Object {
    std::promise<std::thread::id>* on;
    ~Object() { on->set_value(std::this_thread::get_id()); }
  };
  auto pool = std::make_shared<PlanningPool>();
  auto held = PlanningPool::held(pool, std::shared_ptr<const Object>{new Object{&freed_on}});
  EXPECT_EQ(held->on, &freed_on);
  held.reset();
  EXPECT_NE(freed_on.get_future().get(), std::this_thread::get_id());

  std::promise<std::thread::id> freed_late;
  auto late = PlanningPool::held(pool, std::shared_ptr<const Object>{new Object{&freed_late}});
  pool.reset();
  late.reset();
  EXPECT_EQ(freed_late.get_future().get(), std::this_thread::get_id()) << "the pool is gone";
}

}  // namespace
}  // namespace sluice::proxy::pg
