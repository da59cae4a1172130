#include "proxy/pg/exchange/written_back.h"

#include <gtest/gtest.h>

#include "systems/postgres/sql/parse.h"

namespace sluice::proxy::pg {
namespace {

using postgres::rewrite::OwnOutput;
using postgres::rewrite::WrittenParameter;
using wire::pg::Format;
using namespace std::string_view_literals;

// $1 goes into a redacted number, $3 into a removed vector.
std::vector<WrittenParameter> written(bool update) {
  return {{1, OwnOutput{OwnOutput::Form::number, "0"}, update, "public.docs.salary", "r1", false},
          {3, OwnOutput{OwnOutput::Form::text, std::nullopt}, update, "public.docs.embedding", "r2", false}};
}

BoundValue text(std::string_view value) {
  return {0, Format::text, as_bytes(value)};
}
BoundValue binary(std::string_view value) {
  return {0, Format::binary, as_bytes(value)};
}
BoundValue null() {
  return {0, Format::text, std::nullopt};
}

bool refuses(bool update, std::vector<BoundValue> values) {
  return refuse_written_back(written(update), values).has_value();
}

TEST(WrittenBack, WhatAMaskYieldsIsRefusedInEitherForm) {
  EXPECT_TRUE(refuses(true, {text("0"), null(), text("[1]")}));
  EXPECT_TRUE(refuses(true, {text("0.0"), null(), text("[1]")}));
  EXPECT_TRUE(refuses(true, {binary("\0\0\0\0"sv), null(), text("[1]")}));
  EXPECT_FALSE(refuses(true, {text("7"), text("0"), text("[1]")}));
  EXPECT_FALSE(refuses(true, {binary("\0\0\0\7"sv), null(), text("[1]")}));
  EXPECT_FALSE(refuses(true, {})) << "the server says that there are too few";
  const std::vector<BoundValue> values{text("0")};
  const auto denial = refuse_written_back(written(true), values);
  ASSERT_TRUE(denial);
  EXPECT_EQ(
      denial->message,
      "the value for public.docs.salary is what its mask (rule r1) yields: it would replace what is stored");
}

TEST(WrittenBack, NullIsWhatARemovedColumnYieldsWhereItReplacesSomething) {
  EXPECT_TRUE(refuses(true, {text("7"), null(), null()}));
  EXPECT_FALSE(refuses(false, {text("7"), null(), null()}));
  EXPECT_FALSE(refuses(true, {null(), null(), text("[1]")})) << "the first one yields 0";
}

TEST(WrittenBack, AColumnThatMayNotBeWrittenStaysEmpty) {
  const std::vector<WrittenParameter> empty{{.number = 1, .column = "public.docs.ssn", .must_be_null = true}};
  EXPECT_FALSE(refuse_written_back(empty, std::vector<BoundValue>{null()}));
  const auto denial = refuse_written_back(empty, std::vector<BoundValue>{text("x")});
  ASSERT_TRUE(denial);
  EXPECT_EQ(denial->message, "public.docs.ssn is masked (rule ): it cannot be written");
}

TEST(WrittenBack, ArgumentsOfExecuteCountAsTheyAreWritten) {
  auto refuses_execute = [](std::string_view sql) {
    const auto parsed = postgres::sql::parse(sql);
    const auto* execute = postgres::sql::as<postgres::sql::ExecuteStatement>(parsed->statements()[0].body);
    return refuse_written_back(written(true), execute->arguments).has_value();
  };
  EXPECT_TRUE(refuses_execute("EXECUTE p(0, 1, '[1]')"));
  EXPECT_TRUE(refuses_execute("EXECUTE p('00'::int, 1, '[1]')"));
  EXPECT_TRUE(refuses_execute("EXECUTE p(1, 1, NULL::vector)"));
  EXPECT_FALSE(refuses_execute("EXECUTE p(1, 0, '[1]')"));
  EXPECT_FALSE(refuses_execute("EXECUTE p(NULL, 0, '[1]')"));
}

}  // namespace
}  // namespace sluice::proxy::pg
