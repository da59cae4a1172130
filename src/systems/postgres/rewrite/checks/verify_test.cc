#include "systems/postgres/rewrite/checks/verify.h"

#include <gtest/gtest.h>

#include "systems/postgres/rewrite/testing.h"
#include "systems/postgres/sql/names.h"

namespace sluice::postgres::rewrite {
namespace {

// A text that the deparser could have made of "SELECT 1 FROM docs", with `literal` in it.
std::string wrapped(std::string_view literal, std::string_view behind = "") {
  return fmt::format(
      "SELECT {} FROM (SELECT \"slc_0\".\"id\" AS \"id\" FROM \"public\".\"docs\" AS \"slc_0\") AS \"docs\" "
      "{}",
      literal, behind);
}

class Verify : public ::testing::Test {
 protected:
  bool passes(std::string_view text) const {
    const auto parsed = sql::parse("SELECT 1 FROM docs");
    const RewriteInput input{.statement = parsed->statements().front(),
                             .catalogue = *session.catalogue,
                             .search_path = session.path,
                             .plan = *session.plan,
                             .clamp = std::nullopt,
                             .keys = {},
                             .vouch = {}};
    return verify(text, "slc_", input).has_value();
  }

  testing::Session session = testing::corpus_session();
  const std::string kMany = std::string(5000, 'x');
};

constexpr std::string_view kInTheOpen = "UNION SELECT \"email\" FROM \"public\".\"docs\"";

TEST_F(Verify, AMaskedRelationStandsWithinItsDerivedTableOnly) {
  EXPECT_TRUE(passes(wrapped("1")));
  EXPECT_FALSE(passes(wrapped("1", kInTheOpen)));
  EXPECT_FALSE(passes(wrapped("1", "; SELECT 2")));
  EXPECT_FALSE(passes(wrapped("1", "WHERE")));
}

// What is not looked into again must not hide what stands behind it, whatever is in it.
TEST_F(Verify, ALongLiteralHidesNothing) {
  const std::string comment = "/*";
  for (const std::string& content : {kMany, kMany + "'", "'" + kMany, kMany + "''", kMany + "\\",
                                     "\\'" + kMany, kMany + "\"", kMany + "--", kMany + comment, kMany + "$$",
                                     kMany + "' || '" + kMany, "--\n" + kMany, kMany + "\xC3\xA4"}) {
    const auto literal = sql::quote_literal(content);
    EXPECT_TRUE(passes(wrapped(literal))) << content.substr(0, 4);
    EXPECT_FALSE(passes(wrapped(literal, kInTheOpen))) << content.substr(0, 4);
    EXPECT_FALSE(passes(wrapped(literal + ", " + literal, kInTheOpen))) << content.substr(0, 4);
  }
}

TEST_F(Verify, SoDoesAnIdentifier) {
  for (const std::string name : {"a'b", "'", "''", "a\"'", "--", "$$"}) {
    const auto as_name = "1 AS " + sql::quote_identifier(name) + ", '" + kMany + "'";
    EXPECT_TRUE(passes(wrapped(as_name))) << name;
    EXPECT_FALSE(passes(wrapped(as_name, kInTheOpen))) << name;
  }
}

// Texts that the deparser does not write: they are parsed as they are.
TEST_F(Verify, WhatCouldBeReadInTwoWaysIsParsedWhole) {
  const auto long_literal = "'" + kMany + "'";
  EXPECT_FALSE(passes(wrapped("E'\\'', " + long_literal, kInTheOpen)));
  EXPECT_FALSE(passes(wrapped("E'\\'' " + std::string(kInTheOpen) + " --', " + long_literal)));
  EXPECT_FALSE(passes(wrapped("$$'$$, " + long_literal, kInTheOpen)));
  EXPECT_FALSE(passes(wrapped("$a$'$a$, " + long_literal + ", '", kInTheOpen)));
  EXPECT_FALSE(passes(wrapped("1 /*'*/, " + long_literal, kInTheOpen)));
  EXPECT_FALSE(passes(wrapped("1 --'\n, " + long_literal, kInTheOpen)));
  EXPECT_TRUE(passes(wrapped("1 /*'*/, " + long_literal)));
  EXPECT_FALSE(passes(wrapped("'" + kMany)));
  EXPECT_FALSE(passes(wrapped("\"" + kMany)));
}

}  // namespace
}  // namespace sluice::postgres::rewrite
