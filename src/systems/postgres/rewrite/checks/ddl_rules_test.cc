#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "systems/postgres/rewrite/testing.h"

namespace sluice::postgres::rewrite {
namespace {

using testing::corpus_session;
using ::testing::HasSubstr;
using testing::Session;

TEST(DdlRules, WhatIsHarmlessPassesAsItIs) {
  Session session = corpus_session();
  for (auto sql :
       {"LOCK TABLE docs", "TRUNCATE docs, sink", "GRANT SELECT ON docs TO PUBLIC",
        "CREATE INDEX ON docs (title)",
        "CREATE UNIQUE INDEX ON public.docs (tenant, lower(title)) INCLUDE (id) WHERE title IS NOT NULL",
        "ALTER TABLE docs ADD COLUMN extra text DEFAULT 'x'", "ALTER TABLE docs DROP COLUMN title",
        "ALTER TABLE docs ALTER COLUMN title TYPE varchar USING lower(title)",
        "ALTER TABLE docs ALTER COLUMN title SET DEFAULT 'x'", "ALTER TABLE docs ALTER title SET NOT NULL",
        "ALTER TABLE docs ADD COLUMN low text GENERATED ALWAYS AS (lower(title)) STORED",
        "ALTER TABLE docs DROP CONSTRAINT c"}) {
    EXPECT_EQ(session.text(sql), sql);
    auto result = session.run(sql);
    ASSERT_TRUE(std::holds_alternative<Rewritten>(result)) << sql;
    EXPECT_FALSE(std::get<Rewritten>(result).masked.empty()) << sql << ": its errors quote rows";
  }
  for (auto sql : {"DROP TABLE docs", "COMMENT ON TABLE docs IS 'x'", "VACUUM docs", "ANALYZE docs (title)"})
    EXPECT_EQ(session.text(sql), "unchanged") << sql;
}

TEST(DdlRules, WhatTellsMovesOrPlantsIsRefused) {
  Session session = corpus_session();
  for (auto sql : {"ALTER TYPE address RENAME ATTRIBUTE street TO lane CASCADE",
                   "CREATE INDEX ON docs (email)",
                   "CREATE INDEX ON docs (lower(email))",
                   "CREATE INDEX ON docs ((docs::text))",
                   "CREATE INDEX ON docs (title) WHERE salary > 5",
                   "CREATE INDEX ON docs (title) INCLUDE (ssn)",
                   "CREATE INDEX ON docs USING hnsw (embedding vector_l2_ops)",
                   "CREATE UNIQUE INDEX ON docs_mv (contact)",
                   "ALTER TABLE docs RENAME TO x",
                   "ALTER TABLE docs RENAME COLUMN email TO x",
                   "ALTER TABLE docs RENAME COLUMN title TO x",
                   "ALTER TABLE docs SET SCHEMA other",
                   "ALTER TABLE docs DROP COLUMN email",
                   "ALTER TABLE docs ALTER COLUMN email TYPE int USING 1",
                   "ALTER TABLE docs ALTER COLUMN title TYPE text USING email",
                   "ALTER TABLE docs ALTER COLUMN title TYPE text USING (docs).email",
                   "ALTER TABLE docs ALTER COLUMN email SET DEFAULT 'x'",
                   "ALTER TABLE docs ALTER COLUMN email SET NOT NULL",
                   "ALTER TABLE docs ADD COLUMN g text GENERATED ALWAYS AS (lower(email)) STORED",
                   "ALTER TABLE docs ADD COLUMN c int CHECK (salary > 5)",
                   "ALTER TABLE docs ADD CONSTRAINT c CHECK (salary > 5)",
                   "ALTER TABLE docs ADD UNIQUE (email)",
                   "ALTER TABLE docs ADD COLUMN r int REFERENCES sink(id)",
                   "ALTER TABLE docs ADD FOREIGN KEY (email) REFERENCES sink(data)",
                   "ALTER TABLE docs VALIDATE CONSTRAINT c",
                   "ALTER TABLE docs ATTACH PARTITION sink DEFAULT",
                   "ALTER TABLE sink ATTACH PARTITION docs DEFAULT",
                   "ALTER TABLE docs DETACH PARTITION sink",
                   "ALTER TABLE docs INHERIT sink",
                   "ALTER TABLE sink INHERIT docs",
                   "ALTER TABLE docs OWNER TO x",
                   "ALTER TABLE docs ENABLE ROW LEVEL SECURITY",
                   "ALTER TABLE docs DISABLE TRIGGER ALL",
                   "ALTER TABLE docs REPLICA IDENTITY FULL",
                   "CLUSTER docs USING i",
                   "CREATE POLICY p ON docs USING (salary > 5)",
                   "CREATE RULE r AS ON INSERT TO docs DO NOTHING",
                   "CREATE TRIGGER t BEFORE UPDATE ON docs FOR EACH ROW EXECUTE FUNCTION f()",
                   "DROP TRIGGER t ON docs",
                   "CREATE STATISTICS s ON email, ssn FROM docs",
                   "ALTER VIEW docs_v RENAME TO x",
                   "REFRESH MATERIALIZED VIEW docs_mv",  // its definition is not understood here
                   "REINDEX TABLE docs",
                   "REINDEX SCHEMA public",
                   "REINDEX DATABASE app",
                   "DROP SCHEMA public"}) {
    EXPECT_TRUE(session.denies(sql)) << sql << ": " << session.text(sql);
  }
}

// What is an UPDATE of all rows, or tests them.
TEST(DdlRules, OpenColumnsThatAreTiedToMaskedOnes) {
  const Session session(postgres::testing::catalogue(R"(
      public.pay(id int4 pk, salary int4, level int4, ratio int4, part int4, free int4)
      check public.pay pay_check(salary, level)
      computed public.pay pay_ratio(salary, ratio)
      key public.pay pay_key(part, salary)
      public.owners(id int4 pk, mail text unique)
      public.things(id int4 pk, owner text, size int4)
      reference public.things(owner) public.owners(mail)
      public.other(id int4 pk, size int4)
    )"),
                        testing::masks("* salary redact\n* mail redact"));
  for (std::string_view column : {"level", "ratio", "part"}) {
    EXPECT_THAT(session.text(fmt::format("ALTER TABLE pay ALTER {} TYPE int USING 5", column)),
                HasSubstr("all rows, and"));
    EXPECT_TRUE(session.denies(fmt::format("UPDATE pay SET {} = 5", column))) << "as it is";
  }
  EXPECT_FALSE(session.denies("ALTER TABLE pay ALTER free TYPE int USING 5"));
  EXPECT_FALSE(session.denies("INSERT INTO pay (id, ratio) VALUES (1, 2)")) << "its salary is known";
  EXPECT_TRUE(session.denies("ALTER TABLE things ALTER owner TYPE text USING 'guess'"));
  EXPECT_TRUE(session.denies("ALTER TABLE things VALIDATE CONSTRAINT things_fkey"));
  EXPECT_TRUE(session.denies("ALTER TABLE things ATTACH PARTITION other DEFAULT"));
  EXPECT_FALSE(session.denies("ALTER TABLE things ALTER size TYPE text"));
  EXPECT_FALSE(session.denies("ALTER TABLE other VALIDATE CONSTRAINT c"));
  EXPECT_TRUE(session.denies("REINDEX INDEX pay_key"));
  EXPECT_TRUE(session.denies("REINDEX INDEX CONCURRENTLY public.pay_key"));
  EXPECT_FALSE(session.denies("REINDEX INDEX other.pay_key"));
  EXPECT_FALSE(session.denies("REINDEX INDEX pay_pkey"));
}

TEST(DdlRules, RefreshComputesAnew) {
  const Session session(postgres::testing::catalogue(R"(
      public.pay(id int4 pk, salary int4, level int4)
      matview public.bare(id int4 pk, salary int4) reads public.pay
      lineage public.bare id=public.pay.id salary=public.pay.salary
      matview public.open(level int4) reads public.pay
      lineage public.open level~public.pay.level
      matview public.ratio(ratio int4) reads public.pay
      lineage public.ratio ratio~public.pay.salary,public.pay.level
      matview public.unused(id int4) reads public.pay
      lineage public.unused id=public.pay.id always public.pay.salary
      matview public.rows(id int4) reads public.pay
      lineage public.rows id=public.pay.id rows public.pay.salary
      matview public.uniq(salary int4) reads public.pay
      lineage public.uniq salary=public.pay.salary
      key public.uniq u(salary)
    )"),
                        testing::masks("* salary redact"));
  for (std::string_view view : {"bare", "open"})
    EXPECT_FALSE(session.denies(fmt::format("REFRESH MATERIALIZED VIEW {}", view))) << view;
  for (std::string_view view : {"ratio", "unused", "rows", "uniq", "CONCURRENTLY bare"})
    EXPECT_TRUE(session.denies(fmt::format("REFRESH MATERIALIZED VIEW {}", view))) << view;
  EXPECT_FALSE(session.denies("REFRESH MATERIALIZED VIEW CONCURRENTLY open"));
}

TEST(DdlRules, TruncateGoesOnToWhatRefers) {
  const Session session(postgres::testing::catalogue(R"(
      public.docs(id int4 pk, email text)
      public.parts(id int4 pk, salary int4)
      reference public.parts(id) public.docs(id)
      function public.f
      trigger public.parts t truncate calls public.f
    )"),
                        testing::masks("* salary redact"));
  EXPECT_FALSE(session.denies("TRUNCATE docs"));
  EXPECT_TRUE(session.denies("TRUNCATE docs CASCADE"));
}

}  // namespace
}  // namespace sluice::postgres::rewrite
