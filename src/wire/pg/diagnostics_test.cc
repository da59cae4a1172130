#include "wire/pg/diagnostics.h"

#include <gtest/gtest.h>

#include <set>

#include "wire/pg/samples.h"
#include "wire/pg/sqlstate.h"

namespace sluice::wire::pg {
namespace {

using enum DiagnosticLevel;

// Not-null violation as PostgreSQL 15 words it, with every other field that the manual names and one that it
// does not.
const std::string kBody = literal(
    "SFEHLER\0VERROR\0C23502\0Mnull value in column \"id\" of relation \"docs\"\0"
    "DFailing row contains (null, alice@example.com, 123-45-6789).\0Htry alice@example.com\0P17\0p3\0"
    "qSELECT 'alice@example.com'::int\0WPL/pgSQL function f(alice@example.com)\0sshop\0tdocs\0cemail\0dmood\0"
    "ndocs_email_check\0Fexecmain.c\0L1988\0RExecConstraints\0Zalice@example.com\0\0");

Diagnostics parsed(const std::string& body) {
  auto diagnostics = Diagnostics::parse(as_bytes(body));
  EXPECT_TRUE(diagnostics);
  return *diagnostics;
}

std::string encoded(const ErrorFields& fields) {
  std::string out;
  encode_error_response(out, fields);
  return out.substr(kHeaderSize);
}

TEST(Diagnostics, VerbatimDropsOnlyUnknownFields) {
  auto expected = kBody;
  expected.erase(expected.find(literal("Zalice")), literal("Zalice@example.com\0").size());
  EXPECT_EQ(encoded(reduce(parsed(kBody), verbatim)), expected);
}

TEST(Diagnostics, ReducedKeepsNothingThatCanCarryAValue) {
  EXPECT_EQ(encoded(reduce(parsed(kBody), reduced)),
            literal("SERROR\0VERROR\0C23502\0Mnot null violation\0\0"));
}

TEST(Diagnostics, ReducedKeepsNamesThatTheCallerKnows) {
  std::set<std::pair<DiagnosticName, std::string>> asked;
  auto known = [&](DiagnosticName kind, std::string_view name) {
    asked.emplace(kind, name);
    return name != "mood";
  };
  EXPECT_EQ(
      encoded(reduce(parsed(kBody), reduced, known)),
      literal("SERROR\0VERROR\0C23502\0Mnot null violation\0sshop\0tdocs\0cemail\0ndocs_email_check\0\0"));
  using enum DiagnosticName;
  EXPECT_EQ(asked, (std::set<std::pair<DiagnosticName, std::string>>{{schema, "shop"},
                                                                     {table, "docs"},
                                                                     {column, "email"},
                                                                     {data_type, "mood"},
                                                                     {constraint, "docs_email_check"}}));
}

TEST(Diagnostics, MissingAndForeignFieldsHaveDefaults) {
  for (auto level : {verbatim, reduced}) {
    auto bare = reduce(parsed(literal("\0")), level);
    EXPECT_EQ(bare.severity, Severity::error);
    EXPECT_EQ(bare.sqlstate, "XX000");
    auto odd = reduce(parsed(literal("Valice\0Calice@example.com\0\0")), level);
    EXPECT_EQ(odd.severity, Severity::error);
    EXPECT_EQ(odd.sqlstate, "XX000");
    EXPECT_EQ(encoded(odd).find("alice"), std::string::npos);
  }
  EXPECT_EQ(reduce(parsed(literal("SWARNING\0\0")), reduced).severity, Severity::warning)
      << "servers without V";
  EXPECT_EQ(reduce(parsed(literal("SFATAL\0VNOTICE\0\0")), reduced).severity, Severity::notice);
}

TEST(Diagnostics, UnknownSqlstatesGetTheTextOfTheirClass) {
  EXPECT_EQ(reduce(parsed(literal("C22Z99\0Malice\0\0")), reduced).message, "data exception");
  EXPECT_EQ(reduce(parsed(literal("CZZZZZ\0Malice\0\0")), reduced).message, "error");
}

TEST(Diagnostics, ReadsThePosition) {
  EXPECT_EQ(position_of(parsed(kBody)), 17U);
  EXPECT_EQ(position_of(parsed(literal("\0"))), std::nullopt);
  EXPECT_EQ(position_of(parsed(literal("P0\0\0"))), std::nullopt);
  EXPECT_EQ(position_of(parsed(literal("P12x\0\0"))), std::nullopt);
  EXPECT_EQ(position_of(parsed(literal("P99999999999\0\0"))), std::nullopt);
}

}  // namespace
}  // namespace sluice::wire::pg
