#include "proxy/pg/planning/mask_plans.h"

#include <gtest/gtest.h>

#include "systems/postgres/catalogue/testing.h"

namespace sluice::proxy::pg {
namespace {

MaskSet masks_of(std::string field, std::uint64_t id) {
  MaskSet masks;
  masks.fields.push_back({.collection = "*", .field = std::move(field), .rule = "hide"});
  masks.id = id;
  return masks;
}

class MaskPlansTest : public ::testing::Test {
 protected:
  std::shared_ptr<const postgres::Catalogue> people =
      postgres::testing::catalogue("public.people(id int4 pk, email text, salary int4)");
  std::shared_ptr<const postgres::Catalogue> grown =
      postgres::testing::catalogue("public.people(id int4 pk, email text, salary int4, note text)");
  MaskPlans plans;
};

TEST_F(MaskPlansTest, OnePlanForEqualMasksAndCatalogues) {
  const auto first = plans.find_or_compile(*people, masks_of("email", 1));
  EXPECT_EQ(first, plans.find_or_compile(*people, masks_of("email", 1)));
  EXPECT_TRUE(first->in_force());
}

TEST_F(MaskPlansTest, AnotherMaskSetOrCatalogueHasItsOwn) {
  const auto first = plans.find_or_compile(*people, masks_of("email", 1));
  const auto other = plans.find_or_compile(*people, masks_of("salary", 2));
  const auto newer = plans.find_or_compile(*grown, masks_of("email", 1));
  EXPECT_NE(first, other);
  EXPECT_NE(first, newer);
  EXPECT_EQ(other->mask_set_id(), 2u);
  EXPECT_EQ(newer->catalogue_version(), grown->version());
}

TEST_F(MaskPlansTest, ForgetsTheOneNotUsedForLongest) {
  const auto first = plans.find_or_compile(*people, masks_of("email", 1));
  const auto second = plans.find_or_compile(*people, masks_of("email", 2));
  for (std::uint64_t id = 3; id <= MaskPlans::kKept; ++id) {
    (void)plans.find_or_compile(*people, masks_of("email", id));
  }
  EXPECT_EQ(first, plans.find_or_compile(*people, masks_of("email", 1)));
  (void)plans.find_or_compile(*people, masks_of("email", 100));  // takes the place of number 2
  EXPECT_EQ(first, plans.find_or_compile(*people, masks_of("email", 1)));
  EXPECT_NE(second, plans.find_or_compile(*people, masks_of("email", 2)));
}

}  // namespace
}  // namespace sluice::proxy::pg
