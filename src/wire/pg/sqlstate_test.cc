#include "wire/pg/sqlstate.h"

#include <gtest/gtest.h>

namespace sluice::wire::pg {
namespace {

TEST(Sqlstate, NamesConditionsAsPostgresDoes) {
  EXPECT_EQ(condition_name("00000"), "successful_completion");
  EXPECT_EQ(condition_name("23505"), "unique_violation");
  EXPECT_EQ(condition_name("2202E"), "array_subscript_error");
  EXPECT_EQ(condition_name("25P04"), "transaction_timeout");
  EXPECT_EQ(condition_name("42501"), "insufficient_privilege");
  EXPECT_EQ(condition_name("XX002"), "index_corrupted");
  EXPECT_EQ(condition_text("22P02"), "invalid text representation");
}

TEST(Sqlstate, FallsBackToTheClass) {
  EXPECT_EQ(condition_name("23ZZZ"), "integrity_constraint_violation");
  EXPECT_EQ(condition_name("ZZ001"), "");
  EXPECT_EQ(condition_text("ZZ001"), "error");
}

TEST(Sqlstate, KnowsItsForm) {
  EXPECT_TRUE(is_sqlstate("42P01"));
  for (auto text : {"", "42P0", "42P011", "42p01", "42 01", "42-01"}) {
    EXPECT_FALSE(is_sqlstate(text)) << text;
    EXPECT_EQ(condition_name(text), "") << text;
  }
}

TEST(Sqlstate, OurOwnAreDefined) {
  using namespace sqlstate;
  for (auto code : {kConnectionFailure,
                    kUnableToConnect,
                    kConnectionRejected,
                    kProtocolViolation,
                    kFeatureNotSupported,
                    kCharacterNotInRepertoire,
                    kInvalidParameterValue,
                    kActiveTransaction,
                    kInFailedTransaction,
                    kInvalidStatementName,
                    kInvalidAuthorization,
                    kInvalidPassword,
                    kInvalidCursorName,
                    kInvalidCatalogName,
                    kInsufficientPrivilege,
                    kSyntaxError,
                    kUndefinedTable,
                    kDuplicateCursor,
                    kDuplicatePreparedStatement,
                    kDiskFull,
                    kOutOfMemory,
                    kTooManyConnections,
                    kConfigurationLimitExceeded,
                    kStatementTooComplex,
                    kQueryCanceled,
                    kAdminShutdown,
                    kCannotConnectNow,
                    kIdleSessionTimeout,
                    kIoError}) {
    EXPECT_FALSE(condition_name(code).empty()) << code;
    if (code.ends_with("000")) continue;
    EXPECT_NE(condition_name(code), condition_name(std::string{code.substr(0, 2)} + "ZZZ"))
        << code << " fell back";
  }
}

}  // namespace
}  // namespace sluice::wire::pg
