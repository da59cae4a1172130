#include "systems/postgres/catalogue/loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "systems/postgres/catalogue/queries.h"
#include "systems/postgres/catalogue/vouched.h"

namespace sluice::postgres {
namespace {

namespace q = catalogue_queries;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Fields = std::vector<std::optional<std::string>>;
using Script = std::map<std::string_view, std::vector<Fields>>;

// A server with public.docs(id, email, low generated from email), a partition, a view of it that calls
// f_email, and a domain with a check.
Script small_server() {
  return {
      {q::kStaleness, {{"1:2|3:4"}}},
      {q::kServer, {{"150020", "app", "svc", "ext"}}},
      {q::kSchemas, {{"path", "public"}, {"schema", "public"}, {"schema", "ext"}}},
      {q::kRelations,
       {{"16400", "public", "docs", "p", "12", "false", "false", "false"},
        {"16401", "public", "docs_1", "r", "-1", "false", "false", "false"},
        {"16402", "public", "docs_v", "v", "-1", "false", "false", "false"}}},
      {q::kColumns,
       {{"16400", "1", "id", "23", "-1", "true", "false", "false", "false", "true", std::nullopt, "true"},
        {"16400", "3", "email", "25", "-1", "false", "false", "false", "false", "false", std::nullopt,
         "false"},
        {"16400", "4", "low", "25", "-1", "false", "true", "false", "true", "true", "3", "false"}}},
      {q::kIndexes,
       {{"16400", "16410", "docs_pkey", "btree", "true", "true", "1", "1"},
        {"16400", "16411", "docs_low", "btree", "false", "false", "0", "0 3 3"}}},
      {q::kInheritance, {{"16401", "16400"}}},
      {q::kViews, {{"16402", "relid", "16400"}, {"16402", "relid", "16402"}, {"16402", "funcid", "16420"}}},
      {q::kTypes,
       {{"23", "pg_catalog", "int4", "b", "N", "0", "-1", "0", "0", "false", std::nullopt, std::nullopt,
         std::nullopt},
        {"25", "pg_catalog", "text", "b", "S", "0", "-1", "0", "0", "false", std::nullopt, std::nullopt,
         std::nullopt},
        {"16430", "ext", "vector", "b", "U", "0", "-1", "0", "0", "false", "vector", std::nullopt,
         std::nullopt},
        {"16431", "public", "odd", "b", "U", "0", "-1", "0", "0", "false", std::nullopt, std::nullopt,
         std::nullopt},
        {"16432", "public", "dd", "d", "S", "25", "-1", "0", "0", "false", std::nullopt, std::nullopt,
         std::nullopt},
        {"16433", "public", "mood", "e", "E", "0", "-1", "0", "0", "false", std::nullopt, std::nullopt,
         "sad"},
        {"16434", "public", "cc", "e", "E", "0", "-1", "0", "0", "false", std::nullopt, "16420", "x"},
        {"16435", "public", "short", "d", "S", "25", "-1", "0", "0", "false", std::nullopt, std::nullopt,
         std::nullopt},
        {"16436", "public", "odd_check", "d", "S", "25", "-1", "0", "0", "false", std::nullopt, std::nullopt,
         std::nullopt},
        {"16437", "public", "through", "d", "S", "25", "-1", "0", "0", "false", std::nullopt, std::nullopt,
         std::nullopt}}},
      {q::kChecks,
       {{"16432", "{FUNCEXPR :funcid 16420 :args ({COERCETODOMAINVALUE :typeId 25})}"},
        {"16435",
         "{OPEXPR :opno 96 :opfuncid 65 :args ({FUNCEXPR :funcid 870} {CONST :constvalue 4 [ 1 0 0 0 ]})}"},
        {"16436", std::nullopt},
        {"16437",
         "{NULLTEST :arg {COERCETODOMAIN :resulttype 16432 :arg {COERCETODOMAINVALUE :typeId 25}}}"}}},
      {q::kFunctions,
       {{"16420", "public", "f_email", std::nullopt, "false", "false", "true", "23 16433", "plpgsql",
         std::nullopt, "aa11"},
        {"16421", "public", "total", std::nullopt, "true", "false", "false", "25", "internal", "16420 0",
         std::nullopt},
        {"16422", "public", "lowest", std::nullopt, "true", "false", "false", "25", "internal", "870 0 0",
         std::nullopt}}},
      {q::kBuiltinRoutines,
       {{"870", "lower", "false"},
        {"65", "int4eq", "false"},
        {"1598", "random", "true"},
        {"3752", "tsvector_update_trigger", "true"}}},
      {q::kOperators,
       {{"16440", "ext", "<=>", "vector", "true", "16499"},
        {"16441", "public", "=~=", std::nullopt, "false", "16420"},
        {"16442", "public", "=~~=", std::nullopt, "false", "0"},
        {"16443", "public", "<=>", std::nullopt, "false", "16420"},
        {"16444", "public", "@>", std::nullopt, "false", "16420"}}},
      {q::kConstraints,
       {{"16400", "docs_check", "c", "1 3", std::nullopt, "false", "0", std::nullopt, " ", " ", "false"},
        {"16400", "docs_owner", "f", "1 3", std::nullopt, "false", "16401", "2 1", "c", "a", "true"},
        {"16400", "docs_ratio", "x", "1 3", std::nullopt, "false", "0", std::nullopt, "a", "a", "true"},
        {"16400", "docs_low", "k", "0 3", "1", "true", "0", std::nullopt, "a", "a", "true"},
        {"99", "of_nobody", "c", "1", std::nullopt, "false", "0", std::nullopt, " ", " ", "true"}}},
      {q::kTriggers,
       {{"16400", "stamp", "16420", "23", "true", "false", ""},
        {"16400", "words", "3752", "23", "false", "true", "6c6f77006162006964006d6100"},
        {"16400", "unread", "3752", "23", "true", "true", "6c6f7700616200656d61696c00"},
        {"99", "of_nobody", "1", "4", "true", "true", ""}}},
      {q::kExpressions,
       {{"16400", "c", "docs_check", "1 3", "65 16420", "true"},
        {"16400", "t", "words", "3", "65", "true"},
        {"16400", "t", "gone", "3", "65", "true"},
        {"99", "c", "of_nobody", "1", std::nullopt, "true"}}},
  };
}

Result<std::shared_ptr<const Catalogue>> load(const Script& script,
                                              Loader::Transaction transaction = Loader::Transaction::own) {
  Loader loader(transaction);
  while (auto query = loader.next_query()) {
    if (auto rows = script.find(*query); rows != script.end()) {
      for (const Fields& row : rows->second) CHECK_OK(loader.add_row(row));
    }
    CHECK_OK(loader.end_reply());
  }
  TRY(auto contents, loader.finish());
  return Catalogue::make(std::move(contents));
}

TEST(Loader, BuildsTheCatalogueOfWhatTheServerAnswers) {
  auto loaded = load(small_server());
  ASSERT_TRUE(loaded) << loaded.error().message();
  const Catalogue& catalogue = **loaded;
  EXPECT_EQ(catalogue.server_version(), 150020);
  EXPECT_EQ(catalogue.fingerprint(), "1:2|3:4");
  EXPECT_EQ(catalogue.vector_schema(), "ext");
  const Relation* docs = catalogue.find_relation(catalogue.contents().default_search_path, "", "docs");
  ASSERT_NE(docs, nullptr);
  EXPECT_EQ(docs->kind, RelationKind::partitioned_table);
  EXPECT_THAT(docs->primary_key, ElementsAre(1));
  EXPECT_FALSE(docs->column("email")->readable);
  EXPECT_THAT(docs->column("low")->computed_from, ElementsAre(1, 3)) << "generated, and made by a trigger";
  EXPECT_TRUE(docs->column("id")->default_moves);
  EXPECT_FALSE(docs->column("email")->default_moves);
  ASSERT_EQ(docs->indexes.size(), 2u);
  EXPECT_TRUE(docs->indexes[0].primary);
  EXPECT_THAT(docs->indexes[1].key, ElementsAre(0));
  EXPECT_THAT(docs->indexes[1].columns, ElementsAre(3));
  EXPECT_THAT(docs->children, ElementsAre(16401));
  const Relation* view = catalogue.relation(16402);
  EXPECT_THAT(view->reads, ElementsAre(16400));
  EXPECT_THAT(view->calls, ElementsAre(16420));
  EXPECT_EQ(catalogue.function_facts(16420).cls, FunctionClass::unvouched);
  EXPECT_EQ(catalogue.function_facts(65).cls, FunctionClass::plain);
  EXPECT_EQ(catalogue.function_facts(999).cls, FunctionClass::unvouched);
}

TEST(Loader, KnowsWhatTiesValuesToEachOtherAndWhatRunsOnWrites) {
  auto loaded = load(small_server());
  ASSERT_TRUE(loaded) << loaded.error().message();
  const Relation* docs = (*loaded)->relation(16400);
  ASSERT_EQ(docs->constraints.size(), 4u);
  EXPECT_EQ(docs->constraints[0].kind, ConstraintKind::check);
  EXPECT_THAT(docs->constraints[0].columns, ElementsAre(1, 3));
  EXPECT_FALSE(docs->constraints[0].validated);
  EXPECT_TRUE(docs->constraints[1].validated);
  EXPECT_EQ(docs->constraints[1].referenced, 16401u);
  EXPECT_THAT(docs->constraints[1].referenced_columns, ElementsAre(2, 1));
  EXPECT_EQ(docs->constraints[1].on_delete, ForeignKeyAction::cascade);
  EXPECT_EQ(docs->constraints[2].kind, ConstraintKind::computed);
  EXPECT_THAT(docs->constraints[3].columns, ElementsAre(3));
  EXPECT_THAT(docs->constraints[3].plain, ElementsAre(1));
  EXPECT_TRUE(docs->constraints[3].nulls_are_equal);
  EXPECT_TRUE(docs->constraints[0].foreseeable);
  EXPECT_THAT(docs->constraints[0].calls, ElementsAre(16420));
  ASSERT_EQ(docs->triggers.size(), 3u);
  EXPECT_EQ(docs->triggers[0].function, 16420u);
  EXPECT_EQ(docs->triggers[0].events, 23);
  EXPECT_THAT(docs->triggers[0].arguments, IsEmpty());
  EXPECT_FALSE(docs->triggers[1].enabled);
  EXPECT_THAT(docs->triggers[1].arguments, ElementsAre("low", "ab", "id", "ma"));
  EXPECT_THAT(docs->triggers[1].condition_columns, ElementsAre(3));
  EXPECT_THAT(docs->triggers[1].condition_calls, ElementsAre(65));
  EXPECT_THAT(docs->triggers[2].condition_columns, ElementsAre(0))
      << "it has a WHEN that nothing is known of";
  EXPECT_THAT(docs->triggers[2].condition_calls, ElementsAre(0));

  Script unread = small_server();
  unread[q::kExpressions] = {{"16400", "t", "words", "3", "65", "false"}};
  auto careful = load(unread);
  ASSERT_TRUE(careful);
  EXPECT_FALSE((*careful)->relation(16400)->constraints[0].foreseeable);
  EXPECT_THAT((*careful)->relation(16400)->triggers[1].condition_calls, ElementsAre(65, 0));
  for (std::string_view hex : {"6", "6x00", "zz00"}) {
    Script broken = small_server();
    broken[q::kTriggers] = {{"16400", "words", "3752", "23", "true", "false", std::string(hex)}};
    EXPECT_FALSE(load(broken)) << hex;
  }

  Script other = small_server();
  other[q::kTriggers] = {};
  auto without = load(other);
  ASSERT_TRUE(without);
  EXPECT_NE((*loaded)->version(), (*without)->version());
}

TEST(Loader, TypesThatBringCodeAreNotVouched) {
  auto loaded = load(small_server());
  ASSERT_TRUE(loaded);
  EXPECT_TRUE((*loaded)->type(16430)->vouched) << "pgvector's";
  EXPECT_TRUE((*loaded)->type(16435)->vouched) << "a domain whose check calls built-in functions";
  EXPECT_FALSE((*loaded)->type(16436)->vouched) << "a check that is too long";
  EXPECT_FALSE((*loaded)->type(16437)->vouched) << "a check that converts to a domain with one";
  EXPECT_FALSE((*loaded)->type(16431)->vouched) << "a base type of nobody knows whom";
  EXPECT_FALSE((*loaded)->type(16432)->vouched) << "a domain with a check that calls somebody's function";
  EXPECT_TRUE((*loaded)->type(16433)->vouched) << "an enumeration";
  EXPECT_FALSE((*loaded)->type(16434)->vouched) << "a type with a cast of its own";
}

// What somebody vouches for passes, and what is built on it: no more, and in this definition only.
TEST(Loader, VouchingForADefinitionVouchesForWhatIsBuiltOnIt) {
  auto loaded = load(small_server());
  ASSERT_TRUE(loaded) << loaded.error().message();
  const Catalogue& base = **loaded;
  const auto harmless = [](const Catalogue& catalogue, Oid oid) {
    return catalogue.function_facts(oid).is_harmless();
  };
  EXPECT_EQ(base.signature(base.contents().functions[0]), "public.f_email(int4, public.mood)");
  EXPECT_FALSE(harmless(base, 16420));
  EXPECT_FALSE(harmless(base, 16421));
  EXPECT_TRUE(harmless(base, 16422)) << "an aggregate of built-in functions";
  const std::vector<std::string> path{"public"};
  EXPECT_FALSE(base.find_operator(path, "", "=~=").vouched);

  const auto vouched =
      with_vouches(*loaded, std::vector<std::string>{"public.f_email(int4, public.mood)#aa11"});
  EXPECT_NE(vouched->version(), base.version());
  EXPECT_TRUE(harmless(*vouched, 16420));
  EXPECT_EQ(vouched->function_facts(16420).cls, FunctionClass::unvouched) << "nothing else is known about it";
  EXPECT_TRUE(harmless(*vouched, 16421)) << "an aggregate";
  EXPECT_TRUE(vouched->find_operator(path, "", "=~=").vouched);
  EXPECT_FALSE(vouched->find_operator(path, "", "=~~=").vouched) << "it brings an estimator";
  EXPECT_FALSE(vouched->find_operator(path, "", "<=>").vouched) << "it would get what searches get";
  EXPECT_FALSE(vouched->find_operator(path, "", "@>").vouched)
      << "it hides under a symbol that means another";
  EXPECT_TRUE(vouched->type(16432)->vouched) << "a domain";
  EXPECT_TRUE(vouched->type(16434)->vouched) << "a cast";
  EXPECT_TRUE(vouched->type(16437)->vouched);
  EXPECT_FALSE(vouched->type(16431)->vouched);
  EXPECT_FALSE(vouched->type(16436)->vouched);

  for (const char* other :
       {"public.f_email(int4, public.mood)#aa12", "public.f_email(int4)#aa11", "public.f_email"}) {
    const auto same = with_vouches(*loaded, std::vector<std::string>{other});
    EXPECT_FALSE(harmless(*same, 16420)) << other;
    EXPECT_EQ(same->version(), base.version()) << other;
  }
}

TEST(Loader, OpensATransactionOnlyWhereThereIsNone) {
  Loader own(Loader::Transaction::own);
  EXPECT_EQ(own.next_query(), q::kBegin);
  Loader surrounding(Loader::Transaction::surrounding);
  EXPECT_EQ(surrounding.next_query(), q::kStaleness);
  EXPECT_TRUE(load(small_server(), Loader::Transaction::surrounding));
}

TEST(Loader, RefusesWhatIsNotACatalogue) {
  auto broken = [](std::string_view query, Fields row) {
    Script script = small_server();
    script[query] = {std::move(row)};
    auto loaded = load(script);
    return loaded ? std::string() : loaded.error().detail;
  };
  EXPECT_THAT(broken(q::kServer, {"150020", "app", "svc"}), HasSubstr("3 columns instead of 4"));
  EXPECT_THAT(broken(q::kServer, {"15devel", "app", "svc", std::nullopt}), HasSubstr("bad number"));
  EXPECT_THAT(broken(q::kInheritance, {std::nullopt, "1"}), HasSubstr("null where a number"));
  EXPECT_THAT(broken(q::kIndexes, {"16400", "1", "i", "btree", "yes", "f", "1", "1"}),
              HasSubstr("bad boolean"));
  EXPECT_THAT(broken(q::kIndexes, {"16400", "1", "i", "btree", "t", "f", "1,2", "1"}), HasSubstr("bad list"));
  EXPECT_THAT(
      broken(q::kServer, {"150020", std::string(Loader::kMaxFieldBytes + 1, 'x'), "svc", std::nullopt}),
      HasSubstr("endless"));
  Script without_server = small_server();
  without_server.erase(q::kServer);
  EXPECT_FALSE(load(without_server));
}

TEST(Loader, EndsWhatDoesNotEnd) {
  const auto refused = [](std::string_view query, const std::function<Fields(std::size_t)>& row,
                          std::size_t rows) -> std::string {
    Loader loader;
    const Script script = small_server();
    for (auto asked = loader.next_query(); asked; asked = loader.next_query()) {
      if (*asked == query) {
        for (std::size_t i = 0; i < rows; ++i) {
          if (auto added = loader.add_row(row(i)); !added) return added.error().detail;
        }
        return "taken";
      }
      if (auto known = script.find(*asked); known != script.end()) {
        for (const Fields& each : known->second) EXPECT_TRUE(loader.add_row(each));
      }
      EXPECT_TRUE(loader.end_reply());
    }
    return "not asked";
  };
  const auto column = [](std::size_t i) -> Fields {
    return {"16400", std::to_string(i % 30'000), "c", "25", "-1", "f", "f", "f", "f", "t", std::nullopt, "f"};
  };
  EXPECT_EQ(refused(q::kColumns, column, Loader::kMaxColumns), "taken");
  EXPECT_THAT(refused(q::kColumns, column, Loader::kMaxColumns + 1), HasSubstr("columns in a relation"));
  std::string numbers = "1";
  for (std::size_t i = 1; i < Loader::kMaxColumns; ++i) numbers += " 1";
  const auto index = [&](std::size_t) -> Fields {
    return {"16400", "7", "i", "btree", "f", "f", "1", numbers};
  };
  EXPECT_EQ(refused(q::kIndexes, index, 1), "taken");
  numbers += " 1";
  EXPECT_THAT(refused(q::kIndexes, index, 1), HasSubstr("endless list"));
  const std::string name(Loader::kMaxFieldBytes, 'x');
  // Of a relation that is not there: nothing of it is kept.
  const auto stray = [&](std::size_t) -> Fields {
    return {"9", "1", name, "25", "-1", "f", "f", "f", "f", "t", std::nullopt, "f"};
  };
  EXPECT_EQ(refused(q::kColumns, stray, 1), "taken");
  EXPECT_THAT(refused(q::kColumns, stray, Loader::kMaxBytes / Loader::kMaxFieldBytes + 1),
              HasSubstr("bytes"));
}

TEST(Loader, CannotFinishEarly) {
  Loader loader;
  EXPECT_FALSE(loader.finish());
  EXPECT_FALSE(loader.add_row(Fields{"x"})) << "BEGIN has no rows";
}

}  // namespace
}  // namespace sluice::postgres
