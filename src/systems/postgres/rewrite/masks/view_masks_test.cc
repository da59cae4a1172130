#include "systems/postgres/rewrite/masks/view_masks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "systems/postgres/rewrite/testing.h"

namespace sluice::postgres::rewrite {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// docs(id, tenant, email, salary, meta, embedding) with a view on it.
constexpr const char* kDocs =
    "public.docs(id int4 pk, tenant text, email text, salary int4, meta jsonb, embedding vector(4))\n"
    "public.other(id int4 pk, mail text)\n";

testing::Session session(const std::string& views, const char* masks = "public.docs email redact") {
  return {postgres::testing::catalogue(kDocs + views), testing::masks(masks)};
}
const Relation& named(const testing::Session& it, std::string_view name) {
  return *it.catalogue->find_relation(it.path, "", name);
}
std::vector<std::string> masked(const testing::Session& it, std::string_view name) {
  std::vector<std::string> columns;
  const RelationMask* mask = it.plan->find(named(it, name).oid);
  if (mask == nullptr) return {"(none)"};
  for (const ColumnMask& column : mask->columns) columns.push_back(column.name);
  return columns;
}
std::string refusal(const testing::Session& it, std::string_view name) {
  const std::string* why = it.plan->carries(named(it, name).oid);
  return why == nullptr ? "" : *why;
}

TEST(ViewMasks, AColumnThatIsHandedOnKeepsItsMask) {
  auto it = session(
      "view public.v(i int4, contact text) reads public.docs\n"
      "lineage public.v i=public.docs.id contact=public.docs.email\n",
      "public.docs email constant nobody");
  EXPECT_THAT(masked(it, "v"), ElementsAre("contact"));
  EXPECT_EQ(it.text("SELECT contact FROM v"),
            "SELECT \"contact\" AS \"contact\" FROM (SELECT CAST('nobody' AS \"pg_catalog\".\"text\") AS "
            "\"contact\" FROM \"public\".\"v\" AS \"slc_0\") AS \"v\"");
}

TEST(ViewMasks, WhatIsComputedIsRedacted) {
  auto it = session(
      "view public.v(l text, e vector(4)) reads public.docs\n"
      "lineage public.v l~public.docs.email e~public.docs.embedding\n",
      "public.docs email constant nobody\npublic.docs vectors keep");
  const RelationMask& mask = *it.plan->find(named(it, "v").oid);
  EXPECT_EQ(mask.columns[0].mask, Mask::redact);
  EXPECT_EQ(mask.columns[1].scores, Scores::remove);
  EXPECT_TRUE(it.denies("SELECT 1 FROM v ORDER BY e <=> '[1,2,3,4]' LIMIT 3"));
}

TEST(ViewMasks, AMaskedVectorIsSearchedThroughTheView) {
  auto it = session(
      "view public.v(i int4, e vector(4)) reads public.docs\n"
      "lineage public.v i=public.docs.id e=public.docs.embedding\n",
      "public.docs vectors rank");
  EXPECT_THAT(it.text("SELECT i FROM v ORDER BY e <=> '[1,2,3,4]' LIMIT 3"),
              HasSubstr("FROM \"public\".\"v\" AS"));
  EXPECT_TRUE(it.denies("SELECT e <=> '[1,2,3,4]' FROM v"));
}

TEST(ViewMasks, TheStrongestMaskOfAllOriginsWins) {
  auto it = session(
      "view public.v(m text) reads public.docs public.other\n"
      "lineage public.v m=public.docs.email,public.other.mail\n",
      "public.docs email redact\npublic.other mail remove");
  EXPECT_EQ(it.plan->find(named(it, "v").oid)->columns[0].mask, Mask::remove);
}

TEST(ViewMasks, WhatThePolicySaysOfTheViewAddsUp) {
  auto it = session(
      "view public.v(t text, contact text) reads public.docs\n"
      "lineage public.v t=public.docs.tenant contact=public.docs.email\n",
      "public.docs email redact\npublic.v contact remove\npublic.v t redact");
  EXPECT_THAT(masked(it, "v"), ElementsAre("t", "contact"));
  EXPECT_EQ(it.plan->find(named(it, "v").oid)->columns[1].mask, Mask::remove);
}

TEST(ViewMasks, JsonKeysAreRemovedWhereTheDocumentIsHandedOn) {
  auto it = session(
      "view public.v(m jsonb, n jsonb) reads public.docs\n"
      "lineage public.v m=public.docs.meta n~public.docs.meta\n");
  const RelationMask& mask = *it.plan->find(named(it, "v").oid);
  EXPECT_TRUE(mask.columns[0].reads_column());
  EXPECT_FALSE(mask.columns[1].reads_column());
}

TEST(ViewMasks, ViewsOfViewsInherit) {
  auto it = session(
      "view public.w(c text) reads public.docs\n"
      "view public.v(c text) reads public.docs\n"
      "lineage public.v c=public.docs.email\n"
      "view public.x(c text, t text) reads public.v\n"
      "lineage public.x c=public.v.c t~public.v.c\n");
  EXPECT_THAT(masked(it, "x"), ElementsAre("c", "t"));
  EXPECT_THAT(refusal(it, "w"), HasSubstr("its definition is not known"));
}

TEST(ViewMasks, AViewWithoutMaskedColumnsIsStillWrapped) {
  auto it = session(
      "view public.v(i int4) reads public.docs\n"
      "lineage public.v i=public.docs.id rows public.docs.tenant\n"
      "index public.docs btree(id, email)\n");
  EXPECT_THAT(masked(it, "v"), IsEmpty());
  EXPECT_EQ(refusal(it, "v"), "");
  EXPECT_THAT(it.text("SELECT i FROM v"), HasSubstr("ORDER BY \"slc_0\".\"i\""))
      << "an index scan tells an order";
  EXPECT_TRUE(it.denies("DELETE FROM v"));
}

TEST(ViewMasks, RowsThatDependOnMaskedColumnsAreRefused) {
  auto it = session(
      "view public.v(i int4) reads public.docs\n"
      "lineage public.v i=public.docs.id rows public.docs.email\n"
      "view public.w(i int4) reads public.v\n"
      "lineage public.w i=public.v.i\n"
      "matview public.m(i int4) reads public.docs\n"
      "lineage public.m i=public.docs.id rows public.docs.email\n");
  EXPECT_EQ(
      refusal(it, "v"),
      "which rows public.v has, or their order, depends on public.docs.email, which is masked, through a "
      "condition");
  EXPECT_THAT(refusal(it, "w"), HasSubstr("view of public.v, which cannot be read"));
  EXPECT_THAT(refusal(it, "m"), HasSubstr("through a condition"));
  EXPECT_THAT(it.text("SELECT i FROM v"), HasSubstr("denied: which rows public.v has"));
}

TEST(ViewMasks, WhatMayBeComputedUnasked) {
  const std::string always =
      "public.v(i int4, l int4) reads public.docs\n"
      "lineage public.v i=public.docs.id l~public.docs.salary always public.docs.salary\n";
  EXPECT_THAT(refusal(session("view " + always, "public.docs salary redact"), "v"),
              HasSubstr("whatever is read"));
  EXPECT_EQ(refusal(session("matview " + always, "public.docs salary redact"), "v"), "") << "it is stored";
  EXPECT_EQ(refusal(session("view " + always, "public.docs email redact"), "v"), "");
}

TEST(ViewMasks, VolatileFunctionsOverMaskedColumnsAreRefused) {
  auto it = session(
      "view public.v(l int4) reads public.docs\n"
      "lineage public.v l~public.docs.salary\n",
      "public.docs salary redact");
  auto contents = it.catalogue->contents();
  auto& view = *std::ranges::find(contents.relations, "v", &Relation::name);
  contents.builtin_routines = {{1598, "random"}, {177, "int4pl"}};
  contents.volatile_builtins = {1598};
  const auto with = [&](Oid function) {
    view.view.columns[0].functions = {function};
    const testing::Session changed(Catalogue::make(contents), testing::masks("public.docs salary redact"));
    return refusal(changed, "v");
  };
  EXPECT_EQ(with(177), "");
  EXPECT_THAT(with(1598), HasSubstr("volatile"));
  EXPECT_THAT(with(99999), HasSubstr("volatile")) << "not known";
}

TEST(ViewMasks, CirclesAreRefused) {
  auto it = session("view public.v(i int4) reads public.docs\nview public.w(i int4) reads public.docs\n");
  auto contents = it.catalogue->contents();
  auto& v = *std::ranges::find(contents.relations, "v", &Relation::name);
  auto& w = *std::ranges::find(contents.relations, "w", &Relation::name);
  v.reads = {w.oid};
  w.reads = {v.oid};
  for (Relation* each : {&v, &w}) each->view.problem.clear();
  const testing::Session changed(Catalogue::make(contents), testing::masks("public.docs email redact"));
  EXPECT_NE(refusal(changed, "v"), "");
  EXPECT_NE(refusal(changed, "w"), "");
}

TEST(ViewMasks, WhatIsStoredMayBeRefreshed) {
  auto it = session(
      "matview public.m(c text) reads public.docs\n"
      "lineage public.m c=public.docs.email\n");
  EXPECT_THAT(masked(it, "m"), ElementsAre("c"));
  EXPECT_EQ(it.text("REFRESH MATERIALIZED VIEW m"), "REFRESH MATERIALIZED VIEW m");
  EXPECT_FALSE(it.denies("DROP MATERIALIZED VIEW m"));
  EXPECT_TRUE(it.denies("CREATE UNIQUE INDEX ON m(c)"));
}

}  // namespace
}  // namespace sluice::postgres::rewrite
