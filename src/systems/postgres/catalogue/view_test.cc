#include "systems/postgres/catalogue/view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "systems/postgres/catalogue/testing.h"

namespace sluice::postgres {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

const std::vector<std::string> kPublic{"public"};

TEST(Catalogue, FindsRelationsOverTheSearchPathInOrder) {
  auto catalogue = testing::catalogue(R"(
    public.docs(id int4 pk)
    evil.docs(id int4)
    evil.pg_class(id int4)
  )");
  std::vector<std::string> path{"", "pg_temp", "evil", "public"};
  EXPECT_EQ(catalogue->find_relation(path, "", "docs")->schema, "evil");
  EXPECT_EQ(catalogue->find_relation(kPublic, "", "docs")->schema, "public");
  EXPECT_EQ(catalogue->find_relation(path, "public", "docs")->schema, "public");
  EXPECT_EQ(catalogue->find_relation({}, "", "docs"), nullptr);
  EXPECT_EQ(catalogue->find_relation(path, "pg_temp", "docs"), nullptr);
  EXPECT_THAT(catalogue->relations_named("docs"), SizeIs(2));
}

TEST(Catalogue, SystemCatalogueComesFirstUnlessItIsNamedLater) {
  auto catalogue = testing::catalogue("evil.pg_class(id int4)");
  std::vector<std::string> implicit{"evil"};
  std::vector<std::string> named{"evil", "pg_catalog"};
  EXPECT_EQ(catalogue->find_relation(implicit, "", "pg_class")->schema, "pg_catalog");
  EXPECT_EQ(catalogue->find_relation(named, "", "pg_class")->schema, "evil");
}

TEST(Catalogue, NamesAreCaseSensitive) {
  auto catalogue = testing::sample_catalogue();
  EXPECT_NE(catalogue->find_relation(kPublic, "", "docs"), nullptr);
  EXPECT_EQ(catalogue->find_relation(kPublic, "", "Docs"), nullptr);
}

TEST(Catalogue, BuiltInFunctionsResolveToTheSystemSchema) {
  auto catalogue = testing::sample_catalogue();
  auto lower = catalogue->find_function(kPublic, "", "lower");
  EXPECT_EQ(lower.schema, "pg_catalog");
  EXPECT_EQ(lower.facts.cls, FunctionClass::plain);
  EXPECT_FALSE(lower.ambiguous);
  EXPECT_EQ(catalogue->find_function(kPublic, "public", "lower").facts.cls, FunctionClass::unvouched);
  EXPECT_EQ(catalogue->find_function(kPublic, "", "f_email").facts.cls, FunctionClass::unvouched);
  EXPECT_EQ(catalogue->find_function(kPublic, "", "query_to_xml").facts.danger, Danger::runs_sql);
}

TEST(Catalogue, AnOverloadInTheSearchPathMakesANameAmbiguous) {
  auto catalogue = testing::catalogue("function evil.lower");
  std::vector<std::string> path{"evil", "public"};
  auto both = catalogue->find_function(path, "", "lower");
  EXPECT_TRUE(both.ambiguous);
  EXPECT_EQ(both.facts.cls, FunctionClass::unvouched);
  EXPECT_EQ(catalogue->find_function(path, "pg_catalog", "lower").facts.cls, FunctionClass::plain);
  EXPECT_EQ(catalogue->find_function(kPublic, "", "lower").facts.cls, FunctionClass::plain);
}

TEST(Catalogue, VectorAndBuiltInOperatorsOfOneNameAreBothVouched) {
  auto catalogue = testing::sample_catalogue();
  auto distance = catalogue->find_operator(kPublic, "", "<->");
  EXPECT_TRUE(distance.vouched);
  EXPECT_TRUE(distance.ambiguous);
  EXPECT_TRUE(distance.vector);
  auto cosine = catalogue->find_operator(kPublic, "", "<=>");
  EXPECT_EQ(cosine.schema, "public");
  EXPECT_FALSE(cosine.ambiguous);
  EXPECT_EQ(catalogue->find_operator(kPublic, "", "||").vouched, true);
  EXPECT_FALSE(catalogue->find_operator(kPublic, "", "===").vouched);
}

TEST(Catalogue, OneUserOperatorSpoilsTheName) {
  auto catalogue = testing::catalogue("operator evil.=");
  std::vector<std::string> path{"evil"};
  EXPECT_FALSE(catalogue->find_operator(path, "", "=").vouched);
  EXPECT_TRUE(catalogue->find_operator(path, "pg_catalog", "=").vouched);
  EXPECT_TRUE(catalogue->find_operator({}, "", "=").vouched);
}

TEST(Catalogue, DistrustSpreadsFromDomainsToWhatIsMadeOfThem) {
  auto catalogue = testing::catalogue(R"(
    domain public.mail text check
    domain public.free text
    public.people(id int4, address public.mail)
    public.notes(id int4, line public.free)
  )");
  EXPECT_FALSE(catalogue->find_type(kPublic, "", "mail")->vouched);
  EXPECT_FALSE(catalogue->find_type(kPublic, "", "_mail")->vouched);
  EXPECT_FALSE(catalogue->find_type(kPublic, "", "people")->vouched);
  EXPECT_TRUE(catalogue->find_type(kPublic, "", "notes")->vouched);
  EXPECT_EQ(catalogue->base_type(catalogue->find_type(kPublic, "", "mail")->oid)->name, "text");
}

// In any order, over any distance, in circles too: of 20,000 domains each on the next one, the last has a
// check.
TEST(Catalogue, DistrustSpreadsAlongChains) {
  constexpr Oid kFirst = 20'000;
  constexpr Oid kCount = 20'000;
  CatalogueContents contents;
  for (Oid i = 0; i < kCount; ++i) {
    Type type;
    type.oid = kFirst + i;
    type.name = "d" + std::to_string(i);
    type.kind = TypeKind::domain;
    type.base = i + 1 < kCount ? kFirst + i + 1 : 0;
    type.vouched = i + 1 < kCount;
    contents.types.push_back(type);
  }
  contents.types.push_back({.oid = 10, .name = "a", .element = 11, .vouched = true});
  contents.types.push_back({.oid = 11, .name = "b", .element = 10, .vouched = true});
  contents.types.push_back({.oid = 12, .name = "c", .element = 12, .vouched = false});
  const auto catalogue = Catalogue::make(std::move(contents));
  EXPECT_FALSE(catalogue->type(kFirst)->vouched);
  EXPECT_FALSE(catalogue->type(kFirst + kCount / 2)->vouched);
  EXPECT_TRUE(catalogue->type(10)->vouched) << "a circle that nothing bad is in";
  EXPECT_FALSE(catalogue->type(12)->vouched);
}

TEST(Catalogue, FamilyAndLineageGoAllTheWay) {
  auto catalogue = testing::catalogue(R"(
    partitioned public.docs(id int4)
    child public.docs_1 of public.docs
    child public.docs_1a of public.docs_1
    public.other(id int4)
    view public.v(id int4) reads public.docs_1a
    view public.w(id int4) reads public.v public.other
  )");
  auto oid = [&](const char* name) { return catalogue->find_relation(kPublic, "", name)->oid; };
  EXPECT_THAT(catalogue->family(oid("docs_1a")),
              UnorderedElementsAre(oid("docs"), oid("docs_1"), oid("docs_1a")));
  EXPECT_THAT(catalogue->family(oid("other")), ElementsAre(oid("other")));
  EXPECT_THAT(catalogue->lineage(oid("w")),
              UnorderedElementsAre(oid("w"), oid("v"), oid("docs_1a"), oid("other")));
}

TEST(Catalogue, VersionFollowsContentAndNotTheTimeItWasRead) {
  const char* text = "public.docs(id int4 pk, email text)";
  auto first = testing::catalogue(text);
  EXPECT_EQ(first->version(), testing::catalogue(text)->version());
  EXPECT_NE(first->version(), testing::catalogue("public.docs(id int4 pk, email varchar(9))")->version());
  EXPECT_NE(first->version(), testing::catalogue("public.docs(id int4, email text)")->version());
  EXPECT_NE(first->version(), 0u);
}

TEST(Catalogue, TheInformationSchemasArrayFunctionIsKnownUnderItsSchemaOnly) {
  auto catalogue = testing::catalogue("public.docs(id int4)");
  EXPECT_EQ(catalogue->find_function({}, "information_schema", "_pg_expandarray").facts.cls,
            FunctionClass::set_returning);
  EXPECT_EQ(catalogue->find_function({}, "", "_pg_expandarray").facts.cls, FunctionClass::unvouched);
  EXPECT_EQ(catalogue->find_function({}, "information_schema", "_pg_other").facts.cls,
            FunctionClass::unvouched);
}

TEST(Catalogue, RowFunctionsAreFoundByName) {
  auto catalogue = testing::catalogue("function public.leak row\nfunction public.other");
  EXPECT_TRUE(catalogue->names_unvouched_row_function("leak"));
  EXPECT_FALSE(catalogue->names_unvouched_row_function("other"));
  EXPECT_FALSE(catalogue->names_unvouched_row_function("absent"));
}

TEST(Catalogue, ATemporaryRelationComesFirstUnlessThePathSaysWhere) {
  auto catalogue = testing::catalogue("public.docs(id int4)\npg_temp.docs(id int4)\npg_temp.own(id int4)");
  EXPECT_TRUE(catalogue->has_temporary());
  const auto schema = [&](std::vector<std::string> path, std::string_view name) {
    const Relation* found = catalogue->find_relation(path, "", name);
    return found == nullptr ? "" : found->schema;
  };
  EXPECT_EQ(schema({"public"}, "docs"), "pg_temp");
  EXPECT_EQ(schema({"public", "pg_temp_3"}, "docs"), "public");
  EXPECT_EQ(schema({"pg_temp_3", "public"}, "docs"), "pg_temp");
  EXPECT_EQ(schema({"public", "pg_temp_3"}, "own"), "pg_temp");
  EXPECT_EQ(catalogue->find_relation({}, "pg_temp", "docs")->schema, "pg_temp");

  std::vector<std::string> path{"public"};
  EXPECT_EQ(catalogue->shadowed(path, "docs")->schema, "public");
  EXPECT_EQ(catalogue->shadowed(path, "own"), nullptr);
  EXPECT_EQ(catalogue->shadowed({}, "docs"), nullptr);
  std::vector<std::string> last{"public", "pg_temp_3"};
  EXPECT_EQ(catalogue->shadowed(last, "docs"), nullptr);
  EXPECT_FALSE(testing::catalogue("public.docs(id int4)")->has_temporary());
}

}  // namespace
}  // namespace sluice::postgres
