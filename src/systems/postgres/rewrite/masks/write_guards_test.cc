#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "systems/postgres/rewrite/testing.h"

namespace sluice::postgres::rewrite {
namespace {

using ::testing::HasSubstr;
using testing::Session;

Session session_of(std::string_view catalogue, std::string_view masks) {
  return Session(postgres::testing::catalogue(catalogue), testing::masks(masks));
}

TEST(WriteGuards, AnErrorOfACheckTells) {
  Session session = session_of(R"(
    public.staff(id int4 pk, floor int4, salary int4, bonus int4, total int4 from bonus)
    check public.staff staff_floor(floor, salary)
    check public.staff staff_id(id)
  )",
                               "* salary redact");
  EXPECT_THAT(
      session.text("UPDATE staff SET floor = 5"),
      HasSubstr("a write to public.staff.floor could tell about masked values: constraint staff_floor looks "
                "at it together with public.staff.salary, which is masked (rule r1)"));
  EXPECT_TRUE(session.denies("UPDATE staff SET (id, floor) = (1, 2)"));
  EXPECT_TRUE(session.denies(
      "INSERT INTO staff(id) VALUES (1) ON CONFLICT (id) DO UPDATE SET floor = excluded.floor"));
  EXPECT_TRUE(session.denies(
      "MERGE INTO staff s USING staff t ON s.id = t.id WHEN MATCHED THEN UPDATE SET floor = 1"));
  EXPECT_FALSE(session.denies("UPDATE staff SET id = 7, bonus = 2"));
  EXPECT_FALSE(session.denies("INSERT INTO staff(id, floor) VALUES (1, 2)")) << "about its own row only";
  Session allowed = session_of(R"(
    public.staff(id int4 pk, floor int4, salary int4)
    check public.staff staff_floor(floor, salary)
  )",
                               "* salary redact write");
  EXPECT_FALSE(allowed.denies("UPDATE staff SET floor = 5"));
}

TEST(WriteGuards, AUniqueIndexTellsOfStoredRows) {
  Session session = session_of(R"(
    public.staff(id int4 pk, name text, salary int4)
    key public.staff staff_key(name, salary)
    public.one(id int4 pk, email text unique)
    public.part(id int4 pk, name text, email text)
    key public.part part_key(name) where(email)
  )",
                               "* salary redact\n* email redact");
  EXPECT_TRUE(session.denies("UPDATE staff SET name = 'x'"));
  EXPECT_FALSE(session.denies("INSERT INTO staff(name) VALUES ('x')")) << "with a NULL it meets no other row";
  EXPECT_FALSE(session.denies("INSERT INTO one(id) VALUES (1)"));
  EXPECT_FALSE(session.denies("UPDATE one SET id = 2"));
  EXPECT_TRUE(session.denies("INSERT INTO part(name) VALUES ('x')")) << "a row where the predicate holds";
  EXPECT_TRUE(session.denies("UPDATE part SET name = 'x'"));
}

TEST(WriteGuards, AForeignKeyTellsOnBothSides) {
  constexpr std::string_view kCatalogue = R"(
    public.people(id int4 pk, email text unique)
    public.orders(id int4 pk, buyer text, note text)
    reference public.orders(buyer) public.people(email)
    public.codes(code text pk)
    public.secrets(id int4 pk, code text)
    reference public.secrets(code) public.codes(code)
  )";
  Session session = session_of(kCatalogue, "public.people email redact\npublic.secrets code redact");
  EXPECT_THAT(session.text("INSERT INTO orders(id, buyer) VALUES (1, 'guess')"),
              HasSubstr("looks it up in public.people.email, which is masked"));
  EXPECT_TRUE(session.denies("UPDATE orders SET buyer = 'guess'"));
  EXPECT_TRUE(session.denies("COPY orders FROM STDIN"));
  EXPECT_FALSE(session.denies("INSERT INTO orders(id, note) VALUES (1, 'x')"));
  EXPECT_FALSE(session.denies("DELETE FROM orders"));
  EXPECT_THAT(session.text("DELETE FROM people WHERE id = 1"),
              HasSubstr("finds the rows that refer to it by public.people.email"));
  EXPECT_TRUE(session.denies("DELETE FROM codes WHERE code = 'guess'"));
  EXPECT_TRUE(session.denies("UPDATE codes SET code = 'x'"));
  EXPECT_FALSE(session.denies("INSERT INTO codes(code) VALUES ('x')"));
}

TEST(WriteGuards, WhatAForeignKeySetsIsAWriteToo) {
  Session session = session_of(R"(
    public.teams(id int4 pk, name text)
    public.staff(id int4 pk, team int4, salary int4)
    check public.staff staff_team(team, salary)
    reference public.staff(team) public.teams(id) set_null
  )",
                               "* salary redact");
  EXPECT_TRUE(session.denies("DELETE FROM teams WHERE id = 1"));
  EXPECT_FALSE(session.denies("UPDATE teams SET name = 'x'"));
}

TEST(WriteGuards, PartitionsAndGeneratedColumnsCount) {
  Session session = session_of(R"(
    partitioned public.log(id int4 pk, part text, salary int4, factor int4)
    child public.log_1 of public.log
    check public.log_1 log_1_check(part, salary)
  )",
                               "* salary redact");
  EXPECT_TRUE(session.denies("UPDATE log SET part = 'x'"));
  EXPECT_TRUE(session.denies("UPDATE log_1 SET part = 'x'"));
  EXPECT_FALSE(session.denies("UPDATE log SET factor = 1"));
}

TEST(WriteGuards, CodeThatRunsOnAWriteIsRefused) {
  Session session = session_of(R"(
    function public.stamp
    public.docs(id int4 pk, title text, email text)
    trigger public.docs stamp update,truncate calls public.stamp
  )",
                               "* email redact");
  EXPECT_THAT(session.text("UPDATE docs SET title = 'x'"),
              HasSubstr("trigger stamp of public.docs runs a function that is not vouched for"));
  EXPECT_TRUE(session.denies("TRUNCATE docs"));
  EXPECT_TRUE(session.denies("INSERT INTO docs(id) VALUES (1) ON CONFLICT (id) DO UPDATE SET title = 'x'"));
  EXPECT_FALSE(session.denies("INSERT INTO docs(id) VALUES (1) ON CONFLICT (id) DO NOTHING"));
  EXPECT_FALSE(session.denies("DELETE FROM docs"));
}

TEST(WriteGuards, ACheckThatMayAnswerSomethingElseLaterTells) {
  Session session = session_of(R"(
    function public.small
    public.staff(id int4 pk, floor int4, salary int4)
    check public.staff in_time(salary) changes
    public.pay(id int4 pk, floor int4, salary int4)
    check public.pay is_small(salary) calls public.small
    public.plain(id int4 pk, floor int4, salary int4)
    check public.plain in_time(floor) changes
    check public.plain is_small(salary)
  )",
                               "* salary redact");
  EXPECT_THAT(session.text("UPDATE staff SET floor = 5"),
              HasSubstr("constraint in_time depends on the clock, the user, a setting"));
  EXPECT_TRUE(session.denies("UPDATE pay SET floor = 5"));
  EXPECT_FALSE(session.denies("UPDATE plain SET floor = 5"));
  EXPECT_FALSE(session.denies("INSERT INTO staff(id) VALUES (1)"));
  EXPECT_FALSE(session.denies("DELETE FROM staff"));
}

TEST(WriteGuards, WhatATriggerMakesOfAMaskedColumnIsMasked) {
  constexpr std::string_view kDocs = R"(
    public.docs(id int4 pk, title text, body text, email text, words tsvector, more tsvector)
  )";
  const auto with = [&](std::string_view trigger, std::string_view masks = "* email redact") {
    return session_of(std::string(kDocs) + std::string(trigger), masks);
  };
  const auto shows = [](const Session& session, std::string_view column) {
    const Relation* docs = session.catalogue->find_relation(session.path, "", "docs");
    return session.plan->find(docs->oid)->column(docs->column(column)->attnum) == nullptr;
  };
  Session made = with(
      "trigger public.docs t insert,update calls "
      "pg_catalog.tsvector_update_trigger(words,pg_catalog.simple,title,email)");
  EXPECT_FALSE(shows(made, "words"));
  EXPECT_TRUE(shows(made, "more"));
  EXPECT_TRUE(made.denies("UPDATE docs SET words = to_tsvector('x')"));
  EXPECT_THAT(made.text("UPDATE docs SET title = 'x'"), HasSubstr("column words is computed from it and"));
  EXPECT_FALSE(made.denies("UPDATE docs SET body = 'x'"));
  EXPECT_FALSE(made.denies("INSERT INTO docs(id, title) VALUES (1, 'x')"));

  Session open = with(
      "trigger public.docs t insert,update calls "
      "pg_catalog.tsvector_update_trigger(words,pg_catalog.simple,title,body)");
  EXPECT_TRUE(shows(open, "words"));
  EXPECT_FALSE(open.denies("UPDATE docs SET title = 'x'"));

  Session of_column = with(
      "trigger public.docs t insert calls "
      "pg_catalog.tsvector_update_trigger_column(words,title,email)");
  EXPECT_FALSE(shows(of_column, "words"));
  Session source_renamed = with(
      "trigger public.docs t insert calls "
      "pg_catalog.tsvector_update_trigger(words,simple,title,was_renamed)");
  EXPECT_FALSE(shows(source_renamed, "words"));
  EXPECT_TRUE(shows(source_renamed, "more"));
  Session target_renamed = with(
      "trigger public.docs t insert calls "
      "pg_catalog.tsvector_update_trigger(was_renamed,simple,email)");
  EXPECT_FALSE(shows(target_renamed, "words"));
  EXPECT_FALSE(shows(target_renamed, "more"));
  Session writable = with(
      "trigger public.docs t insert,update calls "
      "pg_catalog.tsvector_update_trigger(words,pg_catalog.simple,title,email)",
      "* email redact write");
  EXPECT_FALSE(shows(writable, "words"));
  EXPECT_FALSE(writable.denies("UPDATE docs SET title = 'x'"));
}

TEST(WriteGuards, TriggersThatComeWithPostgresqlAreKnownOneByOne) {
  constexpr std::string_view kDocs = R"(
    function public.moddatetime extension moddatetime
    function public.autoinc extension autoinc
    function public.lo_manage extension lo
    public.docs(id int4 pk, title text, email text, changed timestamptz)
  )";
  const auto with = [&](std::string_view more) {
    return session_of(std::string(kDocs) + std::string(more), "* email redact");
  };
  EXPECT_FALSE(with("trigger public.docs t update calls public.moddatetime(changed)")
                   .denies("UPDATE docs SET title = 'x'"));
  EXPECT_THAT(with("trigger public.docs t update calls public.moddatetime(changed)\n"
                   "check public.docs late(changed, email)")
                  .text("UPDATE docs SET title = 'x'"),
              HasSubstr("trigger t writes changed, and constraint late looks at it together with"));
  for (std::string_view function : {"pg_catalog.suppress_redundant_updates_trigger",
                                    "public.autoinc(id,counter)", "public.lo_manage(id)"}) {
    EXPECT_TRUE(with("trigger public.docs t update calls " + std::string(function))
                    .denies("UPDATE docs SET title = 'x'"))
        << function;
  }
}

}  // namespace
}  // namespace sluice::postgres::rewrite
