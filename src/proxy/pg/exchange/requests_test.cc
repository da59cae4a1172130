#include "proxy/pg/exchange/requests.h"

#include <gtest/gtest.h>

namespace sluice::proxy::pg {
namespace {

using Kind = Request::Kind;

Run run_of(PlanKind kind) {
  auto plan = std::make_shared<Plan>();
  plan->kind = kind;
  Run run;
  run.plan = std::move(plan);
  return run;
}

Request& add_query(Requests& requests, std::initializer_list<PlanKind> statements) {
  auto& query = requests.add(Kind::query);
  for (const auto kind : statements) query.runs.push_back(run_of(kind));
  return query;
}

TEST(Requests, GoThroughTheStatementsOfAQuery) {
  Requests requests;
  EXPECT_EQ(requests.current_run(), nullptr);
  auto& query = add_query(requests, {PlanKind::statement, PlanKind::set});
  EXPECT_EQ(requests.current_run(), &query.runs[0]);
  requests.end_current_run();
  EXPECT_EQ(requests.current_run(), &query.runs[1]);
  requests.end_current_run();
  EXPECT_EQ(requests.current_run(), nullptr);
  EXPECT_FALSE(requests.empty()) << "its ReadyForQuery is still due";
}

TEST(Requests, EndAnExecuteWithItsStatement) {
  Requests requests;
  requests.add(Kind::execute).runs.push_back(run_of(PlanKind::statement));
  requests.add(Kind::sync);
  requests.end_current_run();
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(requests.front().kind, Kind::sync);
}

TEST(Requests, KnowWhatAnErrorSkips) {
  Requests requests;
  EXPECT_EQ(requests.before_sync(), 0u);
  requests.add(Kind::parse);
  requests.add(Kind::bind);
  EXPECT_EQ(requests.before_sync(), 2u);
  EXPECT_FALSE(requests.sync_ahead());
  requests.add(Kind::sync);
  requests.add(Kind::parse);
  EXPECT_EQ(requests.before_sync(), 2u) << "those behind a Sync are another pipeline";
  EXPECT_TRUE(requests.sync_ahead());
  requests.drop_first(requests.before_sync());
  EXPECT_EQ(requests.front().kind, Kind::sync);
}

TEST(Requests, KnowWhetherAReadyIsDue) {
  for (const auto kind : {Kind::query, Kind::fail_query, Kind::sync}) {
    Requests requests;
    requests.add(Kind::parse);
    requests.add(Kind::execute).runs.push_back(run_of(PlanKind::statement));
    EXPECT_FALSE(requests.ready_ahead());
    requests.add(kind);
    requests.add(Kind::bind);
    EXPECT_TRUE(requests.ready_ahead());
  }
}

TEST(Requests, AreHeldBackOnlyWithinAPipeline) {
  Requests requests;
  EXPECT_FALSE(requests.answers_held_back());
  requests.add(Kind::parse);
  EXPECT_TRUE(requests.answers_held_back());
  requests.add(Kind::sync);
  EXPECT_FALSE(requests.answers_held_back());
  requests.add(Kind::fail_pipeline);
  EXPECT_TRUE(requests.answers_held_back());
}

TEST(Requests, KnowOfASchemaChangeUntilItHasEnded) {
  Requests requests;
  add_query(requests, {PlanKind::statement});
  EXPECT_FALSE(requests.names_may_move(false));
  add_query(requests, {PlanKind::schema_change, PlanKind::statement});
  EXPECT_TRUE(requests.names_may_move(false));
  requests.pop_front();
  requests.end_current_run();
  EXPECT_FALSE(requests.names_may_move(false));
}

TEST(Requests, AwaitTheDataOfACopyThatRuns) {
  Requests requests;
  EXPECT_FALSE(requests.copy_in_ahead());
  add_query(requests, {PlanKind::copy_out});
  EXPECT_FALSE(requests.copy_in_ahead());
  auto& copy = add_query(requests, {PlanKind::statement, PlanKind::copy_in});
  EXPECT_TRUE(requests.copy_in_ahead());
  copy.runs[1].stopped = true;
  EXPECT_FALSE(requests.copy_in_ahead()) << "nobody will ask for it any more";
}

}  // namespace
}  // namespace sluice::proxy::pg
