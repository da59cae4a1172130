#include "systems/postgres/rewrite/masks/mask_plan.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "systems/postgres/rewrite/masks/mask_json.h"
#include "systems/postgres/rewrite/testing.h"

namespace sluice::postgres::rewrite {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Compiled {
  std::shared_ptr<const Catalogue> catalogue;
  std::shared_ptr<const MaskPlan> plan;

  Compiled(const char* description, const char* lines)
      : catalogue(postgres::testing::catalogue(description)),
        plan(MaskPlan::compile(*catalogue, testing::masks(lines))) {}
  Compiled(std::shared_ptr<const Catalogue> with, const MaskSet& masks)
      : catalogue(std::move(with)), plan(MaskPlan::compile(*catalogue, masks)) {}
  Oid oid(std::string_view name) const {
    std::vector<std::string> path{"public"};
    return catalogue->find_relation(path, "", name)->oid;
  }
  std::vector<std::string> masked(std::string_view name) const {
    std::vector<std::string> columns;
    if (const RelationMask* mask = plan->find(oid(name))) {
      for (const ColumnMask& column : mask->columns) columns.push_back(column.name);
    }
    return columns;
  }
};

TEST(MaskPlan, NoMasksMeanNothingIsInForce) {
  Compiled none("public.docs(id int4 pk, email text)", "");
  EXPECT_FALSE(none.plan->in_force());
  Compiled elsewhere("public.docs(id int4 pk, email text)", "public.people email redact");
  EXPECT_FALSE(elsewhere.plan->in_force());
  EXPECT_THAT(elsewhere.plan->problems(), IsEmpty());
}

TEST(MaskPlan, PatternsAreReadBroadly) {
  Compiled it(
      "public.Docs(id int4 pk, Email text)\nother.docs(id int4, EMAIL text)\npublic.people(email_hash text)",
      "docs email redact");
  EXPECT_THAT(it.masked("Docs"), ElementsAre("Email"));
  EXPECT_TRUE(it.plan->is_sensitive_name("docs"));
  EXPECT_TRUE(it.plan->is_sensitive_schema("other"));
  EXPECT_FALSE(it.plan->is_sensitive_name("people"));
}

TEST(MaskPlan, TheStrongestMaskWins) {
  Compiled it("public.docs(id int4 pk, email text, city text)",
              "public.docs * constant x\npublic.docs email redact\n* email remove");
  EXPECT_EQ(it.plan->find(it.oid("docs"))->column(2)->mask, Mask::remove);
  EXPECT_EQ(it.plan->find(it.oid("docs"))->column(3)->mask, Mask::constant);
  EXPECT_THAT(it.plan->problems(), Contains(HasSubstr("public.docs.id is redacted"))) << "x is no number";
}

TEST(MaskPlan, PartsAreComputedAndHashesLeftToTheReply) {
  Compiled it("public.docs(id int4 pk, email text, phone text)",
              "public.docs email partial\npublic.docs phone hash");
  const auto* email = it.plan->find(it.oid("docs"))->column(2);
  EXPECT_TRUE(email->reads_column());
  EXPECT_THAT(email->unread, HasSubstr("'***'"));
  const auto* phone = it.plan->find(it.oid("docs"))->column(3);
  EXPECT_FALSE(phone->reads_column());
  ASSERT_NE(phone->cell, nullptr);
  EXPECT_EQ(phone->cell->mask, Mask::hash);
  EXPECT_EQ(phone->cell->rule, "r2");
  EXPECT_THAT(it.plan->problems(), IsEmpty());
}

TEST(MaskPlan, WhatATypeCannotHoldHidesMoreAndSaysSo) {
  Compiled it("public.docs(id int4 pk, age int4, born date, short varchar(10))",
              "public.docs id hash\npublic.docs age partial\npublic.docs born hash\npublic.docs short hash");
  for (int attnum : {1, 2, 3, 4}) {
    const auto* column = it.plan->find(it.oid("docs"))->column(static_cast<std::int16_t>(attnum));
    EXPECT_EQ(column->mask, Mask::redact) << column->name;
    EXPECT_EQ(column->cell, nullptr);
    EXPECT_FALSE(column->reads_column());
  }
  EXPECT_THAT(it.plan->problems(),
              ElementsAre(HasSubstr("cannot hold a hash"), HasSubstr("has no part to show"),
                          HasSubstr("cannot hold a hash"), HasSubstr("16 characters at least")));
}

TEST(MaskPlan, WhatMayBeWrittenIsNotHashed) {
  MaskSet set = testing::masks("public.docs email hash");
  set.fields[0].write_allowed = true;
  const auto catalogue = postgres::testing::catalogue("public.docs(id int4 pk, email text)");
  const auto plan = MaskPlan::compile(*catalogue, set);
  EXPECT_EQ(plan->find(catalogue->relations_named("docs")[0]->oid)->column(2)->cell, nullptr);
  EXPECT_THAT(plan->problems(), ElementsAre(HasSubstr("would let values be tried out")));
}

TEST(MaskPlan, NorIsWhatIsMadeOfIt) {
  MaskSet set = testing::masks("public.docs email redact\npublic.docs folded hash\npublic.docs detect");
  set.fields[0].write_allowed = true;
  set.detects[0].mask = Mask::hash;
  const auto catalogue =
      postgres::testing::catalogue("public.docs(id int4 pk, email text, folded text from email, note text)");
  const auto plan = MaskPlan::compile(*catalogue, set);
  const auto* docs = plan->find(catalogue->relations_named("docs")[0]->oid);
  EXPECT_EQ(docs->column(3)->cell, nullptr) << "a guess that is written to email has its hash there";
  EXPECT_FALSE(docs->column(4)->write_allowed) << "or a guess within a text";
}

// The scope of a column's hashes, as "docs.email"; empty: it is not hashed.
std::string scope(const Compiled& it, std::string_view relation, std::string_view column) {
  const Relation* of = it.catalogue->relations_named(relation)[0];
  const ColumnMask* mask = it.plan->find(of->oid)->column(of->column(column)->attnum);
  if (mask == nullptr || mask->cell == nullptr || mask->cell->hash_scope.empty()) return "";
  for (const Relation& each : it.catalogue->contents().relations) {
    for (const Column& stored : each.columns) {
      if (mask->cell->hash_scope == fmt::format("{}/{}/app", each.oid, stored.attnum))
        return each.name + "." + stored.name;
    }
  }
  return mask->cell->hash_scope;
}

TEST(MaskPlan, HashesAreOfOneStoredColumn) {
  const Compiled it(R"(
    public.docs(id int4 pk, mail text, note text)
    public.mine(id int4 pk, x text, mail text)
    child public.docs_1 of public.docs
    child public.docs_11 of public.docs_1
    view public.v(mail text) reads public.docs
    lineage public.v mail=public.docs.mail
    view public.w(id int4, mail text) reads public.v
    lineage public.w mail=public.v.mail
    matview public.m(mail text) reads public.docs_1
    lineage public.m mail=public.docs_1.mail
    view public.both(mail text) reads public.docs public.mine
    lineage public.both mail=public.docs.mail,public.mine.mail
    view public.literal(mail text) reads public.docs
    lineage public.literal mail~
    view public.upper(mail text) reads public.docs
    lineage public.upper mail~public.docs.mail
    view public.open(mail text) reads public.mine
    lineage public.open mail=public.mine.x
    view public.unknown(mail text) reads public.mine
  )",
                    "* mail hash");
  EXPECT_EQ(scope(it, "docs", "mail"), "docs.mail");
  EXPECT_EQ(scope(it, "mine", "mail"), "mine.mail") << "which its maker has filled";
  EXPECT_EQ(scope(it, "docs_1", "mail"), "docs.mail");
  EXPECT_EQ(scope(it, "docs_11", "mail"), "docs.mail");
  EXPECT_EQ(scope(it, "v", "mail"), "docs.mail");
  EXPECT_EQ(scope(it, "w", "mail"), "docs.mail");
  EXPECT_EQ(scope(it, "m", "mail"), "docs.mail");
  for (std::string_view view : {"both", "literal", "upper", "open", "unknown"})
    EXPECT_EQ(scope(it, view, "mail"), "") << view;
  EXPECT_THAT(it.plan->problems(),
              Contains(HasSubstr("public.both.mail is redacted: it does not come from one")));
  EXPECT_THAT(it.plan->problems(), Contains(HasSubstr("comes from a column that is not masked")));
}

TEST(MaskPlan, AChildOfTwoIsItsOwnPlace) {
  auto contents =
      postgres::testing::catalogue("public.a(mail text)\npublic.b(mail text)\nchild public.c of public.a")
          ->contents();
  auto& b = *std::ranges::find(contents.relations, "b", &Relation::name);
  auto& c = *std::ranges::find(contents.relations, "c", &Relation::name);
  c.parents.push_back(b.oid);
  b.children.push_back(c.oid);
  const Compiled it(Catalogue::make(contents), testing::masks("* mail hash"));
  EXPECT_EQ(scope(it, "a", "mail"), "a.mail");
  EXPECT_EQ(scope(it, "c", "mail"), "c.mail");
}

TEST(MaskPlan, WhatSomebodyCanBringAboutIsNotHashed) {
  const Compiled it(R"(
    public.docs(id int4 pk, mail text, x text, number int8 moves, of_mail text from mail, of_x text from x)
  )",
                    "* mail hash\n* number hash\n* of_* hash");
  EXPECT_EQ(scope(it, "docs", "mail"), "docs.mail");
  EXPECT_EQ(scope(it, "docs", "number"), "") << "the next one of a sequence that can be set";
  EXPECT_EQ(scope(it, "docs", "of_mail"), "docs.of_mail");
  EXPECT_EQ(scope(it, "docs", "of_x"), "") << "who writes x could try values out";

  auto contents = postgres::testing::catalogue(
                      "public.root(n int8)\nchild public.one of public.root\nchild public.two of public.root")
                      ->contents();
  std::ranges::find(contents.relations, "one", &Relation::name)->columns[0].default_moves = true;
  const Compiled family(Catalogue::make(contents), testing::masks("public.root n hash"));
  for (std::string_view each : {"root", "one", "two"})
    EXPECT_EQ(scope(family, each, "n"), "") << each << ", which shows rows of one";
}

TEST(MaskPlan, DetectorsHashWithinOneColumnToo) {
  MaskSet set = testing::masks("* detect");
  set.detects[0].mask = Mask::hash;
  const auto catalogue = postgres::testing::catalogue(R"(
    public.docs(id int4 pk, body text)
    view public.v(body text) reads public.docs
    lineage public.v body=public.docs.body
    view public.w(body text) reads public.docs
    lineage public.w body~public.docs.body
  )");
  const Compiled it(catalogue, set);
  EXPECT_EQ(scope(it, "v", "body"), scope(it, "docs", "body"));
  EXPECT_EQ(scope(it, "w", "body"), "");
}

TEST(MaskPlan, DetectorsReadTextsAndAddUp) {
  Compiled it("public.docs(id int4 pk, a text, b jsonb, c json, d bytea, e text[], n int4)",
              "public.docs detect\npublic.* detect\npublic.docs a redact");
  const auto* docs = it.plan->find(it.oid("docs"));
  EXPECT_EQ(docs->column(2)->cell, nullptr) << "a field's own mask covers all of it";
  ASSERT_NE(docs->column(3)->cell, nullptr);
  EXPECT_EQ(docs->column(3)->cell->kind, CellKind::json);
  EXPECT_EQ(docs->column(3)->cell->detectors.size(), 2U);
  EXPECT_EQ(docs->column(4)->cell, nullptr);
  EXPECT_EQ(docs->column(5)->cell, nullptr);
  ASSERT_NE(docs->column(6)->cell, nullptr);
  EXPECT_EQ(docs->column(6)->cell->kind, CellKind::text_array);
  EXPECT_EQ(docs->column(7), nullptr);
  EXPECT_THAT(it.plan->problems(),
              ElementsAre(HasSubstr("docs.c is redacted whole"), HasSubstr("docs.d is redacted whole")));
}

TEST(MaskPlan, VectorsAreMaskedByTypeAndKeepTheStrictestScores) {
  Compiled it("public.docs(id int4 pk, a vector(3), b halfvec(3), c text)",
              "public.docs vectors keep\n* vectors rank");
  EXPECT_THAT(it.masked("docs"), ElementsAre("a", "b"));
  EXPECT_EQ(it.plan->find(it.oid("docs"))->column(2)->scores, Scores::rank);
  EXPECT_TRUE(it.plan->find(it.oid("docs"))->column(2)->vector);
}

TEST(MaskPlan, PartitionsShareMasksInBothDirections) {
  Compiled it(R"(
    partitioned public.docs(id int4, email text, t text)
    child public.docs_1 of public.docs
    child public.docs_1a of public.docs_1
  )",
              "public.docs_1 email redact");
  EXPECT_THAT(it.masked("docs"), ElementsAre("email"));
  EXPECT_THAT(it.masked("docs_1a"), ElementsAre("email"));
}

TEST(MaskPlan, WhatIsGeneratedInOneRelativeIsMaskedInAll) {
  Compiled it(R"(
    public.docs(id int4 pk, email text, low text generated from email, lower text)
    child public.docs_1 of public.docs
    public.other(id int4, low text)
  )",
              "public.docs_1 email redact");
  EXPECT_THAT(it.masked("docs"), ElementsAre("email", "low"));
  EXPECT_THAT(it.masked("docs_1"), ElementsAre("email", "low"));
  EXPECT_THAT(it.masked("other"), IsEmpty());
}

TEST(MaskPlan, ManyPartitionsAreOneFamily) {
  std::string tables = "partitioned public.docs(id int4 pk, email text, ssn text)\n";
  for (int i = 0; i < 3000; ++i) tables += fmt::format("child public.docs_{} of public.docs\n", i);
  tables += "index public.docs_7 btree(id, ssn)\n";
  Compiled it(tables.c_str(), "* email redact\npublic.docs_2999 ssn redact");
  for (const char* name : {"docs", "docs_0", "docs_2999"}) {
    EXPECT_THAT(it.masked(name), ElementsAre("email", "ssn")) << name;
    EXPECT_TRUE(it.plan->find(it.oid(name))->order_leaks) << "a scan goes over docs_7's index: " << name;
  }
}

TEST(MaskPlan, GeneratedColumnsOfMaskedOnesAreMasked) {
  Compiled it("public.docs(id int4 pk, email text, low text generated from email, t text generated from id)",
              "public.docs email redact");
  EXPECT_THAT(it.masked("docs"), ElementsAre("email", "low"));
}

TEST(MaskPlan, ViewsThatAreNotUnderstoodCarry) {
  Compiled it(R"(
    public.docs(id int4 pk, email text)
    public.plain(id int4)
    view public.v(c text) reads public.docs
    view public.w(c text) reads public.v
    view public.ok(id int4) reads public.plain
    view public.stats(x text) reads pg_catalog.pg_stats
    foreign public.far(id int4, email text)
  )",
              "public.docs email redact");
  EXPECT_NE(it.plan->carries(it.oid("v")), nullptr);
  EXPECT_THAT(*it.plan->carries(it.oid("w")), HasSubstr("view of public.v, which cannot be read"));
  EXPECT_NE(it.plan->carries(it.oid("stats")), nullptr);
  EXPECT_THAT(*it.plan->carries(it.oid("far")), HasSubstr("foreign table"));
  EXPECT_EQ(it.plan->carries(it.oid("ok")), nullptr);
  EXPECT_EQ(it.plan->carries(it.oid("plain")), nullptr);
  EXPECT_TRUE(it.plan->is_sensitive_name("w"));
}

TEST(MaskPlan, JsonColumnsLoseKeysOrAreMaskedWhole) {
  Compiled keys("public.docs(id int4 pk, meta jsonb, raw json)",
                "public.docs email redact\npublic.docs user_* redact");
  const ColumnMask* meta = keys.plan->find(keys.oid("docs"))->column(2);
  ASSERT_NE(meta, nullptr);
  EXPECT_TRUE(meta->reads_column());
  EXPECT_THAT(meta->value("m"),
              HasSubstr("m OPERATOR(pg_catalog.-) ARRAY['email', '_node_content']::pg_catalog.text[]"));
  EXPECT_THAT(meta->value("m"), HasSubstr("(email|user_.*)"));
  EXPECT_THAT(keys.plan->find(keys.oid("docs"))->column(3)->value("m"), HasSubstr("::pg_catalog.json END"));

  Compiled arrays("public.docs(id int4 pk, metas jsonb[], raws json[], tags text[])",
                  "public.docs email redact");
  for (std::int16_t column : {std::int16_t{2}, std::int16_t{3}}) {
    const ColumnMask* whole = arrays.plan->find(arrays.oid("docs"))->column(column);
    ASSERT_NE(whole, nullptr) << column;
    EXPECT_FALSE(whole->reads_column()) << "elements keep no keys: the array is masked whole";
  }
  EXPECT_EQ(arrays.plan->find(arrays.oid("docs"))->column(4), nullptr);

  Compiled path("public.docs(id int4 pk, meta jsonb, other jsonb)", "public.docs meta.address.city redact");
  EXPECT_THAT(path.masked("docs"), ElementsAre("meta"));
  EXPECT_TRUE(path.plan->find(path.oid("docs"))->columns[0].reads_column());
  for (const char* pattern : {"meta.*.city", "meta.a.b.c.d.e.f", "*.address.city", "meta..city"}) {
    const std::string line = fmt::format("public.docs {} redact", pattern);
    Compiled whole("public.docs(id int4 pk, meta jsonb)", line.c_str());
    EXPECT_FALSE(whole.plan->find(whole.oid("docs"))->columns[0].reads_column()) << pattern;
  }
}

// Children have columns of their own: of one name, and of any type.
TEST(MaskPlan, AColumnThatIsJsonOnlyInARelativeIsMaskedWhole) {
  Compiled it(R"(
    public.base(id int4 pk)
    public.one(id int4, meta jsonb)
    public.two(id int4, meta text)
    child public.one_child of public.one
  )",
              "public.one email redact");
  auto contents = it.catalogue->contents();
  auto of = [&](const char* name) -> Relation& {
    return *std::ranges::find(contents.relations, name, &Relation::name);
  };
  for (const char* child : {"one", "two"}) {
    of(child).parents = {of("base").oid};
    of("base").children.push_back(of(child).oid);
  }
  of("one_child").columns.back().type = 4'000'000'000;  // of which the server has said nothing
  it.catalogue = Catalogue::make(contents);
  it.plan = MaskPlan::compile(*it.catalogue, testing::masks("public.one email redact"));
  const auto meta = [&](const char* name) { return it.plan->find(it.oid(name))->columns.front(); };
  EXPECT_TRUE(meta("one").reads_column());
  EXPECT_EQ(meta("two").value("m"), R"(CAST('***' AS "pg_catalog"."text"))");
  EXPECT_FALSE(meta("one_child").reads_column());
}

TEST(MaskPlan, JsonKeyPathsEscapeWhatAPatternHolds) {
  EXPECT_EQ(
      json_key_path({"a.b", "c\\*", "d\"e", "f-?"}),
      R"path(lax $.** ? (@.type() == "object").keyvalue() ? (@.key like_regex "(^|\\.)(_node_content|a|c\\*|d\"e|f-.)(\\.|$)" flag "is"))path");
}

TEST(MaskPlan, DetectCoversTextColumns) {
  Compiled it("public.docs(id int4 pk, body text, tags text[], meta jsonb, n int4)", "public.docs detect");
  EXPECT_THAT(it.masked("docs"), ElementsAre("body", "tags", "meta"));
  EXPECT_THAT(it.plan->problems(), IsEmpty());
}

TEST(MaskPlan, CompositesWithACoveredAttributeAreMaskedWhole) {
  Compiled it(
      "public.address(street text, email text)\npublic.size(w int4)\n"
      "public.docs(id int4 pk, a public.address, b public.size)",
      "public.docs email redact");
  EXPECT_THAT(it.masked("docs"), ElementsAre("a"));
}

TEST(MaskPlan, OrderLeaksWhereAnIndexMixesMaskedAndOpenColumns) {
  const char* table = "public.docs(id int4 pk, tenant text, salary int4, email text)\n";
  auto leaks = [&](std::string index, const char* lines = "public.docs salary redact") {
    Compiled it((table + index).c_str(), lines);
    return it.plan->find(it.oid("docs"))->order_leaks;
  };
  EXPECT_TRUE(leaks("index public.docs btree(tenant, salary)"));
  EXPECT_FALSE(leaks("index public.docs btree(salary)"));
  EXPECT_FALSE(leaks("index public.docs btree(tenant)"));
  EXPECT_FALSE(leaks("index public.docs btree(tenant, salary)", "public.docs salary redact keep_order"));
}

TEST(MaskPlan, OrderKeyIsAnOpenPrimaryKey) {
  Compiled open("public.docs(id int4 pk, email text)", "public.docs email redact");
  EXPECT_THAT(open.plan->find(open.oid("docs"))->order_key, ElementsAre("id"));
  Compiled masked("public.docs(email text pk, id int4)", "public.docs email redact");
  EXPECT_THAT(masked.plan->find(masked.oid("docs"))->order_key, IsEmpty());
}

}  // namespace
}  // namespace sluice::postgres::rewrite
