#include "proxy/pg/catalogue/catalogue_reader.h"

#include <gtest/gtest.h>

#include "proxy/pg/exchange/refusal.h"
#include "proxy/pg/exchange/testing_messages.h"
#include "systems/postgres/catalogue/testing.h"
#include "wire/pg/sqlstate.h"

namespace sluice::proxy::pg {
namespace {

using namespace testing;
using wire::pg::TransactionStatus;
using Answer = CatalogueReader::Answer;

// A session whose connection's catalogue another session has read.
class CatalogueReaderTest : public ::testing::Test {
 protected:
  CatalogueReaderTest() { store.publish(postgres::testing::catalogue("public.docs(id int4 pk)")); }

  // The messages of one answer; what came of the last.
  Result<Answer> answer(std::string_view bytes) {
    Result<Answer> last = Answer::goes_on;
    while (!bytes.empty()) {
      const auto frame = wire::pg::frame_backend(as_bytes(bytes));
      EXPECT_TRUE(frame && frame->complete());
      last = reader.on_message(*frame, state);
      bytes.remove_prefix(static_cast<std::size_t>(frame->size));
      if (!last) break;
    }
    return last;
  }
  std::string path_answer() const {
    return parse_complete() + bind_complete() + row({"public"}) + complete("SELECT 1") + close_complete() +
           close_complete() + (state.in_pipeline ? "" : ready(state.transaction));
  }
  void read_all() {
    ASSERT_TRUE(reader.begin(state));
    const auto last = answer(path_answer());
    ASSERT_TRUE(last);
    ASSERT_EQ(*last, Answer::reading_over);
    ASSERT_FALSE(reader.reading());
  }

  Planner planner;
  CatalogueStore store;
  UpstreamWriter out;
  GatewayTraffic gateway{out};
  ProtocolState state;
  CatalogueReader reader{planner, store, gateway};
};

TEST_F(CatalogueReaderTest, AsksForThePathAndTakesTheRestFromTheStore) {
  EXPECT_TRUE(reader.is_needed("SELECT 1", state));
  read_all();
  EXPECT_FALSE(reader.is_needed("SELECT 1", state));
  EXPECT_EQ(planner.search_path(), std::vector<std::string>{"public"});
  EXPECT_EQ(planner.catalogue(), store.current());
  EXPECT_FALSE(reader.begin(state)) << "nothing to read";
}

TEST_F(CatalogueReaderTest, AsksAgainWhereThePathMayHaveChanged) {
  read_all();
  reader.path_changed();
  EXPECT_TRUE(reader.is_needed("SELECT 1", state));
  read_all();
  EXPECT_FALSE(reader.is_needed("SELECT 1", state));
  reader.end_transaction();
  EXPECT_TRUE(reader.is_needed("SELECT 1", state)) << "it may have been rolled back";
}

TEST_F(CatalogueReaderTest, AsksWhetherAnythingHasChangedWhenItIsDue) {
  read_all();
  store.tick();
  EXPECT_TRUE(reader.is_needed("SELECT 1", state));
  ASSERT_TRUE(reader.begin(state));
  EXPECT_FALSE(store.poll_due()) << "one session asks for all";
  const auto after_path = answer(path_answer());
  ASSERT_TRUE(after_path);
  EXPECT_EQ(*after_path, Answer::asked_on);
  const auto last = answer(parse_complete() + bind_complete() + row({store.current()->fingerprint()}) +
                           complete("SELECT 1") + close_complete() + close_complete() + ready());
  ASSERT_TRUE(last);
  EXPECT_EQ(*last, Answer::reading_over);
}

// The transaction's isolation must be set before its first query, also before ours.
TEST_F(CatalogueReaderTest, DoesNotComeBeforeASetOfATransaction) {
  read_all();
  store.tick();
  state.transaction = TransactionStatus::in_transaction;
  EXPECT_FALSE(reader.is_needed("SET TRANSACTION READ ONLY", state));
  EXPECT_TRUE(reader.is_needed("SELECT 1", state));
  state.transaction = TransactionStatus::idle;
  EXPECT_TRUE(reader.is_needed("SET TRANSACTION READ ONLY", state));
}

TEST_F(CatalogueReaderTest, CannotReadInAFailedTransaction) {
  read_all();
  reader.schema_changed();
  state.transaction = TransactionStatus::failed;
  EXPECT_FALSE(reader.is_needed("ROLLBACK", state));
}

TEST_F(CatalogueReaderTest, LooksOnceMoreForANameThatNobodyKnows) {
  read_all();
  const auto error = undefined_table("new");
  EXPECT_TRUE(reader.wants_another_look(error, state));
  EXPECT_TRUE(reader.has_looked_again());
  EXPECT_TRUE(reader.is_needed("SELECT 1", state));
  EXPECT_FALSE(reader.wants_another_look(error, state)) << "it does not exist";
  EXPECT_FALSE(reader.has_looked_again()) << "of the next statement it is asked again";
  EXPECT_FALSE(reader.wants_another_look(render_error(wire::pg::sqlstate::kSyntaxError, "no"), state));
}

// Without a Sync, which would end the client's implicit transaction.
TEST_F(CatalogueReaderTest, EndsWithTheSecondCloseWithinAPipeline) {
  state.in_pipeline = true;
  ASSERT_TRUE(reader.begin(state));
  const auto sent = transcript_of<wire::pg::frame_frontend>(out.pending());
  EXPECT_EQ(sent.back(), "Flush");
  const auto last = answer(path_answer());
  ASSERT_TRUE(last);
  EXPECT_EQ(*last, Answer::reading_over);
}

TEST_F(CatalogueReaderTest, FailsWhereTheServerDoes) {
  ASSERT_TRUE(reader.begin(state));
  const auto failed = answer(error("42501") + ready());
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Errc::unavailable);
  EXPECT_TRUE(store.is_stale());
}

TEST_F(CatalogueReaderTest, TakesNothingThatDoesNotFit) {
  ASSERT_TRUE(reader.begin(state));
  const auto failed = answer(copy_in_response());
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Errc::malformed);
}

}  // namespace
}  // namespace sluice::proxy::pg
