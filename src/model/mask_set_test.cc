#include <gtest/gtest.h>

#include "model/decision.h"

namespace sluice {
namespace {

MaskSet two_rules() {
  MaskSet set;
  set.fields.push_back({.collection = "*",
                        .field = "email",
                        .mask = Mask::partial,
                        .write_allowed = true,
                        .filters = Filters::equality,
                        .rule = "a"});
  set.fields.push_back({.collection = "docs",
                        .field = "email",
                        .mask = Mask::redact,
                        .write_allowed = false,
                        .keep_order = true,
                        .filters = Filters::none,
                        .rule = "b"});
  return set;
}

TEST(MaskSet, StrongestMaskWinsAndPermissionsNeedAll) {
  auto mask = two_rules().field_mask("public.docs", "email");
  ASSERT_TRUE(mask);
  EXPECT_EQ(mask->mask, Mask::redact);
  EXPECT_EQ(mask->rule, "b");
  EXPECT_FALSE(mask->write_allowed);
  EXPECT_FALSE(mask->keep_order);
  EXPECT_EQ(mask->filters, Filters::none);

  auto elsewhere = two_rules().field_mask("public.other", "Email");
  ASSERT_TRUE(elsewhere);
  EXPECT_EQ(elsewhere->rule, "a");
  EXPECT_TRUE(elsewhere->write_allowed);
  EXPECT_EQ(elsewhere->filters, Filters::equality);
}

TEST(MaskSet, WeakerMaskAfterStrongerChangesNothingButPermissions) {
  MaskSet set;
  set.fields.push_back(
      {.collection = "*", .field = "*", .mask = Mask::remove, .write_allowed = true, .rule = "a"});
  set.fields.push_back({.collection = "*", .field = "ssn", .mask = Mask::hash, .rule = "b"});
  auto mask = set.field_mask("t", "ssn");
  ASSERT_TRUE(mask);
  EXPECT_EQ(mask->rule, "a");
  EXPECT_FALSE(mask->write_allowed);
}

TEST(MaskSet, ExceptCollectionsAreReadNarrowly) {
  MaskSet set;
  set.fields.push_back(
      {.collection = "*", .field = "email", .except_collections = {"public.free"}, .rule = "a"});
  EXPECT_FALSE(set.field_mask("public.free", "email"));
  EXPECT_TRUE(set.field_mask("public.FREE", "email"));
  EXPECT_TRUE(set.field_mask("other.free", "email"));
  EXPECT_FALSE(set.touches("public.free"));
  EXPECT_TRUE(set.touches("public.docs"));
}

TEST(MaskSet, VectorsCombineScores) {
  MaskSet set;
  set.vectors.push_back({.collection = "*", .scores = Scores::keep, .rule = "a"});
  set.vectors.push_back({.collection = "docs", .scores = Scores::remove, .rule = "b"});
  EXPECT_EQ(set.vector_mask("public.docs")->scores, Scores::remove);
  EXPECT_EQ(set.vector_mask("public.kb")->scores, Scores::keep);
  set.vectors.clear();
  EXPECT_FALSE(set.vector_mask("public.kb"));
}

TEST(MaskSet, TheFewestProbesHold) {
  MaskSet set;
  EXPECT_EQ(set.probes_per_day("public.docs"), kProbesPerDay);
  set.vectors.push_back({.collection = "docs", .probes = 200, .rule = "a"});
  EXPECT_EQ(set.probes_per_day("public.docs"), 200u);
  EXPECT_EQ(set.probes_per_day("public.a_view_of_docs"), kProbesPerDay);
  set.vectors.push_back({.collection = "docs", .scores = Scores::keep, .probes = 0, .rule = "b"});
  EXPECT_EQ(set.probes_per_day("public.docs"), 0u);
  EXPECT_EQ(set.probes_per_day("public.a_view_of_docs"), 0u);
}

TEST(MaskSet, VectorsAreWrittenOnlyWhereEveryMaskAllowsIt) {
  MaskSet set;
  set.vectors.push_back({.collection = "*", .rule = "a", .write_allowed = true});
  EXPECT_TRUE(set.vector_mask("public.docs")->write_allowed);
  set.vectors.push_back({.collection = "docs", .rule = "b"});
  EXPECT_FALSE(set.vector_mask("public.docs")->write_allowed);
  EXPECT_TRUE(set.vector_mask("public.kb")->write_allowed);
}

TEST(MaskSet, DetectorsAreListedPerRule) {
  MaskSet set;
  set.detects.push_back({.collection = "docs", .detectors = {"email"}, .rule = "a"});
  set.detects.push_back({.collection = "kb", .detectors = {"phone"}, .rule = "b"});
  auto found = set.detect_masks("public.docs");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0]->rule, "a");
}

}  // namespace
}  // namespace sluice
