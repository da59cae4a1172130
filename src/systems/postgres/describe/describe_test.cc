// What the cases of testdata/describe cannot say: the text that is recorded, limits, and how descriptions of
// one statement relate. cases_test.cc has the statements themselves.
#include "systems/postgres/describe/describe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "systems/postgres/catalogue/testing.h"
#include "systems/postgres/describe/reading.h"
#include "systems/postgres/describe/recorded_text.h"
#include "systems/postgres/describe/statement_verbs.h"

namespace sluice::postgres {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

Operation described(std::string_view sql) {
  static const auto catalogue = testing::sample_catalogue();
  static const std::vector<std::string> path{"public"};
  const auto parsed = sql::parse(sql);
  if (!parsed) {
    ADD_FAILURE() << parsed.error().message;
    return {};
  }
  return describe(parsed->statements().front(), {.catalogue = *catalogue, .search_path = path});
}

// --- what every description has

TEST(Describe, SaysSystemClassTextAndFingerprint) {
  const auto operation = described("SELECT id FROM docs WHERE id = 5");
  EXPECT_EQ(operation.system, "postgres");
  EXPECT_EQ(operation.statement_class, "SELECT");
  EXPECT_EQ(operation.text, "SELECT id FROM docs WHERE id = 5");
  EXPECT_NE(operation.fingerprint, 0U);
  EXPECT_EQ(operation.fingerprint, described("select id from docs where id = 6").fingerprint);
  EXPECT_NE(operation.fingerprint, described("SELECT id FROM docs WHERE tenant = '5'").fingerprint);
}

TEST(Describe, NamesTheClassOfStatementsWithoutStructure) {
  EXPECT_EQ(described("ALTER SYSTEM SET work_mem = '1MB'").statement_class, "ALTER SYSTEM");
  EXPECT_EQ(
      described("CREATE TRIGGER t BEFORE INSERT ON docs FOR EACH ROW EXECUTE FUNCTION f()").statement_class,
      "CREATE TRIGGER");
}

TEST(Describe, WhatTheParserDoesNotUnderstandIsUnknownWithItsName) {
  const auto parsed = sql::parse("SELECT 1");
  ASSERT_TRUE(parsed);
  auto statement = parsed->statements().front();
  const sql::Unknown unknown[] = {{"JsonTable", 7}};
  statement.unknowns = unknown;
  const auto catalogue = testing::sample_catalogue();
  const auto operation = describe(statement, {.catalogue = *catalogue, .search_path = {}});
  EXPECT_EQ(operation.verb, Verb::unknown);
  EXPECT_EQ(operation.unknown_reason, "JsonTable is not understood");
}

// It is the session's own, whatever comes first on the path and whoever else has that name.
TEST(Describe, ATemporaryTableIsInASchemaOfItsOwn) {
  for (std::string_view sql :
       {"CREATE TEMP TABLE docs (id int)", "CREATE TEMPORARY TABLE docs AS SELECT 1 AS id",
        "SELECT 1 AS id INTO TEMP docs", "CREATE TEMP VIEW docs AS SELECT 1 AS id"}) {
    const auto operation = described(sql);
    ASSERT_EQ(operation.collections.size(), 1u) << sql;
    EXPECT_EQ(operation.collections[0].name, "pg_temp.docs") << sql;
    EXPECT_EQ(operation.collections[0].access, Access::define) << sql;
  }
}

TEST(Describe, WithoutNamesExecuteAndFetchAreUnknown) {
  EXPECT_EQ(described("EXECUTE q").verb, Verb::unknown);
  EXPECT_EQ(described("FETCH c").verb, Verb::unknown);
}

TEST(Describe, TheSameVectorHasTheSameDigestHoweverItComes) {
  const auto literal = described("SELECT id FROM docs ORDER BY embedding <-> '[1,2,3,4]' LIMIT 1");
  const auto function =
      described("SELECT id FROM docs ORDER BY l2_distance('[1,2,3,4]'::vector, embedding) LIMIT 1");
  const auto other = described("SELECT id FROM docs ORDER BY embedding <-> '[1,2,3,5]' LIMIT 1");
  ASSERT_EQ(literal.searches.size(), 1U);
  ASSERT_EQ(function.searches.size(), 1U);
  EXPECT_EQ(literal.searches[0].query_digest, function.searches[0].query_digest);
  EXPECT_NE(literal.searches[0].query_digest, other.searches[0].query_digest);
}

// --- verbs

TEST(Verbs, TheMostConsequentialLeadsAndWeakerReadsAreLeftOut) {
  Verbs verbs;
  EXPECT_EQ(verbs.main(), Verb::unknown);
  for (auto verb : {Verb::session, Verb::metadata, Verb::count, Verb::fetch, Verb::write, Verb::remove})
    verbs.add(verb);
  EXPECT_EQ(verbs.main(), Verb::remove);
  EXPECT_THAT(verbs.beside(), ElementsAre(Verb::write, Verb::fetch));
  verbs.add(Verb::export_);
  EXPECT_EQ(verbs.main(), Verb::export_);
  EXPECT_THAT(verbs.beside(), ElementsAre(Verb::remove, Verb::write));
}

TEST(Verbs, OneReadHasNothingBeside) {
  Verbs verbs;
  verbs.add(Verb::scroll);
  verbs.add(Verb::count);
  verbs.add(Verb::metadata);
  EXPECT_EQ(verbs.main(), Verb::scroll);
  EXPECT_THAT(verbs.beside(), IsEmpty());
}

// --- limits

TEST(Describe, TooManyRelationsAreNotUnderstood) {
  std::string sql = "SELECT 1 FROM docs d0";
  for (std::size_t i = 1; i < kMaxRelationMentions; ++i) sql += fmt::format(", docs d{}", i);
  EXPECT_EQ(described(sql).verb, Verb::scroll);
  const auto operation = described(sql + ", docs d");
  EXPECT_EQ(operation.verb, Verb::unknown);
  EXPECT_THAT(operation.unknown_reason, HasSubstr("more than 1000 relations"));
}

TEST(Describe, WhenThereAreTooManyColumnsToLookUpEveryRelationIsReadWhole) {
  std::string sql = "SELECT coalesce(1";
  for (int i = 0; i < 2000; ++i) sql += fmt::format(", c{}", i);
  sql += ") FROM docs d0";
  for (int i = 1; i < 600; ++i) sql += fmt::format(", sink d{}", i);
  const auto operation = described(sql);
  ASSERT_EQ(operation.collections.size(), 2U);
  EXPECT_TRUE(operation.collections[0].all_fields);
  EXPECT_TRUE(operation.collections[1].all_fields);
}

TEST(Describe, EstimatesFromStatisticsWhereNothingBoundsARead) {
  auto contents = testing::sample_catalogue()->contents();
  for (auto& relation : contents.relations) {
    if (relation.name == "docs") relation.row_estimate = 5000;
    if (relation.name == "sink") relation.row_estimate = 70;
  }
  const auto catalogue = Catalogue::make(std::move(contents));
  const std::vector<std::string> path{"public"};
  const auto estimate = [&](std::string_view sql) {
    const auto parsed = sql::parse(sql);
    EXPECT_TRUE(parsed) << sql;
    return describe(parsed->statements().front(), {.catalogue = *catalogue, .search_path = path})
        .records.estimate;
  };
  EXPECT_EQ(estimate("SELECT * FROM docs"), 5000u);
  EXPECT_EQ(estimate("SELECT * FROM docs WHERE title = 'x'"), 5000u) << "conditions are not looked at";
  EXPECT_EQ(estimate("SELECT * FROM docs, sink"), 5070u);
  EXPECT_EQ(estimate("SELECT * FROM docs LIMIT $1"), 5000u);
  EXPECT_EQ(estimate("COPY docs TO STDOUT"), 5000u);
  EXPECT_EQ(estimate("SELECT * FROM docs LIMIT 10"), std::nullopt) << "a bound says more";
  EXPECT_EQ(estimate("SELECT * FROM docs_v"), std::nullopt) << "views have no statistics";
  EXPECT_EQ(estimate("SELECT * FROM docs, pgbench_branches"), std::nullopt) << "never analysed";
  EXPECT_EQ(estimate("SELECT 1"), std::nullopt);
  EXPECT_EQ(estimate("EXPLAIN SELECT * FROM docs"), std::nullopt) << "a plan is no record";
}

TEST(Describe, BoundsThatDoNotFitANumberAreNone) {
  // 2^31-1 rows of 3 records fit; seven levels of LATERAL over them do not.
  std::string sql = "SELECT 1 FROM (SELECT id FROM docs LIMIT 2147483647) q0";
  EXPECT_EQ(described(sql).records.max, 2147483647U);
  for (int i = 1; i < 4; ++i)
    sql += fmt::format(", LATERAL (SELECT id FROM docs OFFSET q0.id LIMIT 2147483647) q{}", i);
  EXPECT_EQ(described(sql).records.max, std::nullopt);
}

TEST(Describe, DeepNestingIsDescribedAsFarAsItParses) {
  std::string sql = "SELECT email FROM docs LIMIT 3";
  for (int i = 0; i < 100; ++i) sql = fmt::format("SELECT * FROM ({}) q", sql);
  const auto operation = described(sql);
  EXPECT_EQ(operation.verb, Verb::scroll);
  EXPECT_EQ(operation.records.max, 3U);
}

// --- the recorded text

TEST(RecordedText, KeepsWhatIsNoSecret) {
  for (std::string_view sql :
       {"SELECT 'a', E'b\\'c', $$d$$ FROM docs -- x", "SELECT '[1,2]'", "SELECT '[a,b,c]'",
        "SELECT ARRAY[1,2,3]", "SELECT ARRAY[1,2,3]::int[]", "SELECT 'no password here'", ""}) {
    EXPECT_EQ(recorded_text(sql), sql);
  }
}

TEST(RecordedText, VectorsBecomeDimensionAndDigest) {
  const auto plain = recorded_text("SELECT id FROM docs ORDER BY embedding <-> '[0.1,-2e-3,3]' LIMIT 1");
  EXPECT_THAT(plain, StartsWith("SELECT id FROM docs ORDER BY embedding <-> '[vector 3 sha256:"));
  EXPECT_THAT(plain, Not(HasSubstr("0.1")));
  EXPECT_THAT(plain, ::testing::EndsWith("]' LIMIT 1"));
}

TEST(RecordedText, InEveryWayOfWritingThem) {
  for (std::string_view sql :
       {"SELECT E'[0.125,2,3]'", "SELECT $$[0.125,2,3]$$", "SELECT $v$[0.125,2,3]$v$",
        "SELECT N'[0.125,2,3]'", "SELECT ' [0.125, 2,\n3] '", "SELECT '{1:0.125,7:2}/9'",
        "SELECT '[0.125,'\n'2,3]'", "SELECT ARRAY[0.125,2,3]::vector",
        "SELECT ARRAY[0.125,-2,3]::public.vector(3)", "SELECT array[0.125,2,3]::real[]",
        "INSERT INTO docs (embedding) VALUES ('[0.125,2,3]')"}) {
    const auto text = recorded_text(sql);
    EXPECT_THAT(text, Not(HasSubstr("0.125"))) << sql;
    EXPECT_THAT(text, HasSubstr("[vector ")) << sql;
  }
}

TEST(RecordedText, PasswordsAreGone) {
  for (std::string_view sql : {"CREATE ROLE x PASSWORD 'geheim'", "ALTER ROLE x ENCRYPTED PASSWORD E'geheim'",
                               "ALTER ROLE x password $$geheim$$",
                               "CREATE USER MAPPING FOR x SERVER s OPTIONS (user 'a', password 'geheim')",
                               "SELECT dblink('host=h password=geheim', 'SELECT 1')",
                               "CREATE SUBSCRIPTION s CONNECTION 'PASSWORD = geheim' PUBLICATION p"}) {
    const auto text = recorded_text(sql);
    EXPECT_THAT(text, Not(HasSubstr("geheim"))) << sql;
    EXPECT_THAT(text, HasSubstr("'[password]'")) << sql;
  }
}

TEST(RecordedText, LiteralsCanBeHidden) {
  const auto text = recorded_text(
      "SELECT id FROM docs WHERE email = 'a@b' AND salary > 5e4 LIMIT 10 OFFSET 20", Literals::hidden);
  EXPECT_THAT(text, StartsWith("SELECT id FROM docs WHERE email = '[literal "));
  EXPECT_THAT(text, Not(HasSubstr("a@b")));
  EXPECT_THAT(text, Not(HasSubstr("5e4")));
  EXPECT_THAT(text, ::testing::EndsWith(" LIMIT 10 OFFSET 20"));
  EXPECT_EQ(recorded_text("SELECT 'x'", Literals::hidden), recorded_text("SELECT $$x$$", Literals::hidden));
}

// An approval holds for one text; only the vector of a search may be another.
TEST(TextWithoutVectors, DiffersWhereAnythingElseDoes) {
  const auto search = [](std::string_view vector, std::string_view rest = "") {
    return text_without_vectors(
        fmt::format("SELECT id FROM docs ORDER BY embedding <-> '{}' LIMIT 5 {}", vector, rest));
  };
  EXPECT_EQ(search("[1,2,3]"), search("[4,5,6]"));
  EXPECT_NE(search("[1,2,3]"), search("[1,2,3,4]"));
  EXPECT_NE(search("[1,2,3]"), search("[vector 3]"));
  EXPECT_NE(search("[1,2,3]", "/* a sha256:1 ] */"), search("[1,2,3]", "/* a sha256:2 ] */"));
  const std::string padding(2 * kMaxRecordedText, ' ');
  EXPECT_NE(search("[1,2,3]", padding + "OFFSET 1"), search("[1,2,3]", padding + "OFFSET 2"));
}

TEST(RecordedText, IsBoundedAndStaysUtf8) {
  std::string sql = "SELECT '";
  while (sql.size() <= kMaxRecordedText) sql += "ü";
  sql += "'";
  const auto text = recorded_text(sql);
  EXPECT_LE(text.size(), kMaxRecordedText);
  EXPECT_GE(text.size(), kMaxRecordedText - 1);
  EXPECT_EQ(text, sql.substr(0, text.size()));
  EXPECT_NE(static_cast<unsigned char>(sql[text.size()]) & 0xC0, 0x80);
}

TEST(RecordedText, AVectorBeyondTheBoundIsNotCutIntoView) {
  std::string vector = "[0.125";
  while (vector.size() <= 2 * kMaxRecordedText) vector += ",0.125";
  const auto text = recorded_text("SELECT '" + vector + "]'");
  EXPECT_THAT(text, Not(HasSubstr("0.125")));
}

TEST(VectorText, HasTheDimensionOfTheTextForm) {
  EXPECT_EQ(vector_text_dimension("[1,2,3]"), 3U);
  EXPECT_EQ(vector_text_dimension(" [1] "), 1U);
  EXPECT_EQ(vector_text_dimension("{1:0.5,3:2}/1000"), 1000U);
  EXPECT_EQ(vector_text_dimension("{1,2,3}"), std::nullopt);
  EXPECT_EQ(vector_text_dimension("[1,x]"), std::nullopt);
  EXPECT_EQ(vector_text_dimension("0101"), std::nullopt);
  EXPECT_EQ(vector_text_dimension(""), std::nullopt);
}

}  // namespace
}  // namespace sluice::postgres
