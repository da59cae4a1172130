#include "model/pattern.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice {
namespace {

TEST(Glob, WholeTextAndCase) {
  EXPECT_TRUE(glob_matches("public.docs", "public.docs"));
  EXPECT_FALSE(glob_matches("public.docs", "public.docs2"));
  EXPECT_FALSE(glob_matches("public.docs", "Public.docs"));
  EXPECT_TRUE(glob_matches_folded("public.DOCS", "Public.docs"));
  EXPECT_TRUE(glob_matches("", ""));
  EXPECT_FALSE(glob_matches("", "x"));
}

TEST(Glob, StarsQuestionMarksAndEscapes) {
  EXPECT_TRUE(glob_matches("*", ""));
  EXPECT_TRUE(glob_matches("public.*", "public.a.b"));
  EXPECT_FALSE(glob_matches("public.*", "publicx"));
  EXPECT_TRUE(glob_matches("*a*b*c", "xxaybzbc"));
  EXPECT_FALSE(glob_matches("*a*b*c", "xxaybzb"));
  EXPECT_TRUE(glob_matches("d?cs", "docs"));
  EXPECT_TRUE(glob_matches("caf?", "caf\xC3\xA9"));
  EXPECT_FALSE(glob_matches("caf??", "caf\xC3\xA9"));
  EXPECT_TRUE(glob_matches("a\\*b", "a*b"));
  EXPECT_FALSE(glob_matches("a\\*b", "axb"));
  EXPECT_TRUE(glob_matches("a\\", "a\\"));
}

TEST(Glob, ManyStarsStayPolynomial) {
  std::string pattern, text(4000, 'a');
  for (int i = 0; i < 100; ++i) pattern += "*a";
  EXPECT_FALSE(glob_matches(pattern + "*b", text));
  EXPECT_TRUE(glob_matches(pattern + "*", text));
}

TEST(Covers, NameWithoutDotStandsForEverySchema) {
  EXPECT_TRUE(covers_name("docs", "public.docs"));
  EXPECT_TRUE(covers_name("DOCS", "public.docs"));
  EXPECT_TRUE(covers_name("docs", "docs"));
  EXPECT_TRUE(covers_name("do*", "public.docs"));
  EXPECT_FALSE(covers_name("docs", "public.docs2"));
  EXPECT_FALSE(covers_name("other.docs", "public.docs"));
  EXPECT_TRUE(covers_name("docs", "a.b.docs"));
}

TEST(Covers, PathsAtAnyDepthAndBelow) {
  EXPECT_TRUE(covers_path("email", "email"));
  EXPECT_TRUE(covers_path("email", "metadata.email"));
  EXPECT_TRUE(covers_path("email", "metadata.email.home"));
  EXPECT_TRUE(covers_path("Email", "metadata.EMAIL"));
  EXPECT_FALSE(covers_path("email", "metadata.emails"));
  EXPECT_TRUE(covers_path("metadata.email", "metadata.email"));
  EXPECT_TRUE(covers_path("metadata.email", "metadata.email.home"));
  EXPECT_FALSE(covers_path("metadata.email", "email"));
  EXPECT_FALSE(covers_path("metadata.email", "x.metadata.email"));
  EXPECT_TRUE(covers_path("metadata.*", "metadata.a.b"));
}

}  // namespace
}  // namespace sluice
