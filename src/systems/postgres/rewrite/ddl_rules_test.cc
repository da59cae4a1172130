#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "systems/postgres/rewrite/test_support.h"

namespace sluice::postgres::rewrite {
namespace {

using testing::corpus_session;
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
        "ALTER TABLE docs DROP CONSTRAINT c", "REFRESH MATERIALIZED VIEW docs_mv"}) {
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
                   "DROP SCHEMA public"}) {
    EXPECT_TRUE(session.denies(sql)) << sql << ": " << session.text(sql);
  }
}

}  // namespace
}  // namespace sluice::postgres::rewrite
