#include "systems/postgres/sql/names.h"

#include <gtest/gtest.h>

#include "systems/postgres/sql/parse.h"

namespace sluice::postgres::sql {
namespace {

// What PostgreSQL's grammar reads back.
std::string read_identifier(const std::string& quoted) {
  auto sql = parse("SELECT 1 AS " + quoted);
  return sql ? std::string(as<SelectStatement>(sql->statements()[0].body)->targets[0].name) : "";
}
std::string read_literal(const std::string& quoted) {
  auto sql = parse("SELECT " + quoted);
  const auto* constant =
      sql ? as<Constant>(as<SelectStatement>(sql->statements()[0].body)->targets[0].value) : nullptr;
  return constant == nullptr ? "?" : std::string(constant->text);
}

TEST(Names, WhatIsQuotedReadsBack) {
  for (std::string name : {"docs", "Docs", "a b", "a\"b", "\"", "select", "é\\u", "$$", "--", "a.b"}) {
    EXPECT_EQ(read_identifier(quote_identifier(name)), name);
  }
  for (std::string text : {"", "a", "it's", "\\", "a\\'b", "''", "E'x'", "é", "\n"}) {
    EXPECT_EQ(read_literal(quote_literal(text)), text);
  }
}

TEST(Names, Qualified) {
  EXPECT_EQ(quote_qualified("s", "t"), "\"s\".\"t\"");
  EXPECT_EQ(quote_qualified("", "t"), "\"t\"");
  EXPECT_EQ(qualified_operator("public", "<->"), "OPERATOR(\"public\".<->)");
}

}  // namespace
}  // namespace sluice::postgres::sql
