// What statements do to the session, in whole conversations: SQL-level PREPARE, EXECUTE, DEALLOCATE, DECLARE,
// FETCH and CLOSE, and the wire's names, which are the same.
#include "proxy/pg/exchange/effects.h"

#include <gtest/gtest.h>

#include "proxy/pg/exchange/testing.h"

namespace sluice::proxy::pg {
namespace {

using namespace testing;
using wire::pg::TransactionStatus;

class NamesTest : public ::testing::Test {
 protected:
  // The server is content with `sql`; what was sent for it.
  Transcript run(std::string_view sql, std::string_view tag,
                 TransactionStatus status = TransactionStatus::idle) {
    rig.client(query(sql));
    auto sent = rig.sent();
    rig.server(complete(tag) + ready(status));
    (void)rig.told();
    return sent;
  }
  void expect_refused(std::string_view sql, const char* sqlstate) {
    rig.client(query(sql));
    EXPECT_EQ(rig.sent(), Transcript{}) << sql;
    EXPECT_EQ(rig.told(), Transcript({fmt::format("ERROR {}", sqlstate), "Ready I"})) << sql;
  }

  Rig rig{kPolicy};
};

// --- prepared statements ---

TEST_F(NamesTest, PrepareGetsANameOfTheGateways) {
  EXPECT_EQ(run("PREPARE q AS SELECT id FROM docs", "PREPARE"),
            Transcript({R"(Query PREPARE "slc_s1" AS SELECT id FROM docs)"}));
  rig.client(query("EXECUTE q"));
  EXPECT_EQ(rig.sent(), Transcript({R"(Query EXECUTE "slc_s1")"}));
  rig.server(fields({"id"}) + row({"7"}) + complete("SELECT 1") + ready());
  EXPECT_EQ(rig.told(), Transcript({"Fields id", "Row 7", "Complete SELECT 1", "Ready I"}));
  EXPECT_EQ(run("DEALLOCATE q", "DEALLOCATE"), Transcript({R"(Query DEALLOCATE "slc_s1")"}));
  expect_refused("EXECUTE q", "26000");
  expect_refused("DEALLOCATE q", "26000");
}

TEST_F(NamesTest, ExecuteIsDecidedLikeItsStatement) {
  EXPECT_EQ(run("PREPARE q AS SELECT id, note FROM notes", "PREPARE").size(), 1u);
  rig.client(query("EXECUTE q"));
  (void)rig.sent();
  rig.server(fields({"id", "note"}) + row({"1", "a"}) + row({"2", "b"}) + row({"3", "c"}));
  EXPECT_EQ(rig.told(), Transcript({"Fields id|note", "Row 1|a", "Row 2|b", "ERROR 42501"}));
  Rig other{kPolicy};
  other.client(query("PREPARE q AS SELECT id FROM secrets"));
  EXPECT_EQ(other.sent(), Transcript{});
  EXPECT_EQ(other.told(), Transcript({"ERROR 42501", "Ready I"}));
}

TEST_F(NamesTest, ANameIsTakenOnce) {
  (void)run("PREPARE q AS SELECT id FROM docs", "PREPARE");
  expect_refused("PREPARE q AS SELECT title FROM docs", "42P05");
  expect_refused("PREPARE r AS SELECT 1; PREPARE r AS SELECT 2", "42P05");
}

TEST_F(NamesTest, ANameThatTheServerDidNotMakeIsFree) {
  rig.client(query("PREPARE q AS SELECT id FROM docs"));
  rig.server(error("42601") + ready());
  (void)rig.sent();
  (void)rig.told();
  expect_refused("EXECUTE q", "26000");
  EXPECT_EQ(run("PREPARE q AS SELECT id FROM docs", "PREPARE"),
            Transcript({R"(Query PREPARE "slc_s2" AS SELECT id FROM docs)"}))
      << "a name of the gateway's is never used twice";
}

TEST_F(NamesTest, TheWiresAndSqlsAreTheSame) {
  rig.client(parse("q", "SELECT id FROM docs") + sync());
  rig.server(parse_complete() + ready());
  (void)rig.sent();
  (void)rig.told();
  rig.client(query("EXECUTE q"));
  EXPECT_EQ(rig.sent(), Transcript({R"(Query EXECUTE "slc_s1")"}));
  rig.server(fields({"id"}) + complete("SELECT 0") + ready());
  (void)run("PREPARE p AS SELECT id FROM docs", "PREPARE");
  rig.client(bind("p") + sync());
  EXPECT_EQ(rig.sent(), Transcript({"Bind slc_s2 []", "Sync"}));
}

TEST_F(NamesTest, OfOneQueryStringFollowEachOther) {
  rig.client(query("PREPARE q AS SELECT id FROM docs; EXECUTE q; DEALLOCATE q"));
  EXPECT_EQ(rig.sent(),
            Transcript(
                {R"(Query PREPARE "slc_s1" AS SELECT id FROM docs; EXECUTE "slc_s1"; DEALLOCATE "slc_s1")"}));
  rig.server(complete("PREPARE") + fields({"id"}) + complete("SELECT 0") + complete("DEALLOCATE") + ready());
  EXPECT_EQ(rig.told().size(), 5u);
  expect_refused("EXECUTE q", "26000");
}

// A statement and a cursor may have the same name.
TEST_F(NamesTest, StatementsAndCursorsAreTwoNamespaces) {
  rig.client(
      query("BEGIN; PREPARE x AS SELECT id FROM docs; DECLARE x CURSOR FOR SELECT title FROM docs; "
            "EXECUTE x; CLOSE x; DEALLOCATE x; COMMIT"));
  const auto sent = rig.sent();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_NE(sent[0].find(R"(EXECUTE "slc_s1")"), std::string::npos) << sent[0];
  EXPECT_NE(sent[0].find(R"(CLOSE "slc_p)"), std::string::npos) << sent[0];
  EXPECT_NE(sent[0].find(R"(DEALLOCATE "slc_s1")"), std::string::npos) << sent[0];
}

TEST_F(NamesTest, DeallocateAllLeavesNone) {
  (void)run("PREPARE q AS SELECT id FROM docs", "PREPARE");
  EXPECT_EQ(run("DEALLOCATE ALL", "DEALLOCATE ALL"), Transcript({"Query DEALLOCATE ALL"}));
  expect_refused("EXECUTE q", "26000");
}

TEST_F(NamesTest, DeallocateAllThatFailsLeavesAll) {
  (void)run("PREPARE q AS SELECT id FROM docs", "PREPARE");
  rig.client(query("DEALLOCATE ALL"));
  rig.server(error("57014") + ready());
  (void)rig.sent();
  rig.client(query("EXECUTE q"));
  EXPECT_EQ(rig.sent(), Transcript({R"(Query EXECUTE "slc_s1")"}));
}

// psycopg sends both in one pipeline.
TEST_F(NamesTest, DeallocateAllDoesNotTakeWhatComesAfterIt) {
  (void)run("PREPARE q AS SELECT id FROM docs", "PREPARE");
  rig.client(parse("", "DEALLOCATE ALL") + bind("") + execute() + parse("q", "SELECT title, id FROM docs") +
             sync());
  (void)rig.sent();
  rig.server(parse_complete() + bind_complete() + complete("DEALLOCATE ALL") + parse_complete() + ready());
  (void)rig.told();
  rig.client(bind("q") + sync());
  EXPECT_EQ(rig.sent(), Transcript({"Bind slc_s2 []", "Sync"}));

  rig.server(bind_complete() + ready());
  EXPECT_EQ(run("DEALLOCATE ALL; PREPARE q AS SELECT id FROM docs", "DEALLOCATE ALL"),
            Transcript({R"(Query DEALLOCATE ALL; PREPARE "slc_s3" AS SELECT id FROM docs)"}));
}

TEST_F(NamesTest, DiscardAllLeavesNone) {
  (void)run("PREPARE q AS SELECT id FROM docs", "PREPARE");
  (void)run("DISCARD ALL", "DISCARD ALL");
  expect_refused("EXECUTE q", "26000");
}

// --- cursors ---

class CursorTest : public NamesTest {
 protected:
  CursorTest() { rig.in_transaction(); }
  Transcript run_in_transaction(std::string_view sql, std::string_view tag) {
    return run(sql, tag, TransactionStatus::in_transaction);
  }
  void expect_failed(std::string_view sql, const char* sqlstate) {
    rig.client(query(sql));
    EXPECT_EQ(rig.sent(), Transcript({kRefused})) << sql;
    rig.server(error("42601") + ready(TransactionStatus::failed));
    EXPECT_EQ(rig.told(), Transcript({fmt::format("ERROR {}", sqlstate), "Ready E"})) << sql;
  }
};

TEST_F(CursorTest, GetANameOfTheGateways) {
  EXPECT_EQ(run_in_transaction("DECLARE c CURSOR FOR SELECT id FROM docs", "DECLARE CURSOR"),
            Transcript({R"(Query DECLARE "slc_p1" CURSOR FOR SELECT id FROM docs)"}));
  rig.client(query("FETCH 2 FROM c"));
  EXPECT_EQ(rig.sent(), Transcript({R"(Query FETCH 2 FROM "slc_p1")"}));
  rig.server(fields({"id"}) + row({"1"}) + row({"2"}) + complete("FETCH 2") +
             ready(TransactionStatus::in_transaction));
  EXPECT_EQ(rig.told(), Transcript({"Fields id", "Row 1", "Row 2", "Complete FETCH 2", "Ready T"}));
  EXPECT_EQ(run_in_transaction("CLOSE c", "CLOSE CURSOR"), Transcript({R"(Query CLOSE "slc_p1")"}));
  expect_failed("FETCH 1 FROM c", "34000");
}

// Little by little is as much as all at once.
TEST_F(CursorTest, AddUpToOneBound) {
  (void)run_in_transaction("DECLARE c CURSOR FOR SELECT id, note FROM notes", "DECLARE CURSOR");
  for (const char* id : {"1", "2"}) {
    rig.client(query("FETCH 1 FROM c"));
    rig.server(fields({"id", "note"}) + row({id, "x"}) + complete("FETCH 1") +
               ready(TransactionStatus::in_transaction));
    EXPECT_EQ(rig.told().size(), 4u);
  }
  (void)rig.sent();
  rig.client(query("FETCH 1 FROM c"));
  rig.server(fields({"id", "note"}) + row({"3", "x"}) + complete("FETCH 1") +
             ready(TransactionStatus::in_transaction));
  EXPECT_EQ(rig.told(), Transcript({"Fields id|note", "ERROR 42501"}));
  EXPECT_EQ(rig.exchange().records_sent(), 2u);
}

TEST_F(CursorTest, EndWithTheirTransaction) {
  (void)run_in_transaction("DECLARE c CURSOR FOR SELECT id FROM docs", "DECLARE CURSOR");
  (void)run_in_transaction("DECLARE h CURSOR WITH HOLD FOR SELECT id FROM docs", "DECLARE CURSOR");
  (void)run("COMMIT", "COMMIT");
  expect_refused("FETCH 1 FROM c", "34000");
  rig.client(query("FETCH 1 FROM h"));
  EXPECT_EQ(rig.sent(), Transcript({R"(Query FETCH 1 FROM "slc_p2")"}));
}

TEST_F(CursorTest, CloseAllLeavesNone) {
  (void)run_in_transaction("DECLARE c CURSOR FOR SELECT id FROM docs", "DECLARE CURSOR");
  EXPECT_EQ(run_in_transaction("CLOSE ALL", "CLOSE CURSOR ALL"), Transcript({"Query CLOSE ALL"}));
  expect_failed("FETCH 1 FROM c", "34000");
}

TEST_F(CursorTest, EndWithThePolicyThatTheyWereMadeUnder) {
  (void)run_in_transaction("DECLARE c CURSOR FOR SELECT id, note FROM notes", "DECLARE CURSOR");
  rig.set_policy(kPolicy + R"(
  - {name: hide, match: {collection: public.notes}, mask: [{fields: [note], with: redact}]}
)");
  expect_failed("FETCH 1 FROM c", "42501");
}

}  // namespace
}  // namespace sluice::proxy::pg
