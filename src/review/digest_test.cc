#include "review/digest.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "core/encoding.h"

namespace sluice::review {
namespace {

class DigestTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { initialise_crypto(); }

  static ReviewedOperation operation() {
    ReviewedOperation o;
    o.principal = "eve";
    o.connection = "docs";
    o.role = "reader";
    o.database = "app";
    o.search_path = "public";
    o.fingerprint = 7;
    o.statement.fill(1);
    o.parameters = digest_parameters({}, false);
    o.objects = {"public.docs#1", "public.people#2"};
    o.rules = {"bulk"};
    o.policy.fill(2);
    o.max_records = 1000;
    return o;
  }
};

TEST_F(DigestTest, EveryInputCounts) {
  const std::vector<std::function<void(ReviewedOperation&)>> changes = {
      [](auto& o) { o.principal = "ana"; },
      [](auto& o) { o.connection = "kb"; },
      [](auto& o) { o.role = "writer"; },
      [](auto& o) { o.database = "other"; },
      [](auto& o) { o.search_path = "evil, public"; },
      [](auto& o) { o.fingerprint = 8; },
      [](auto& o) { o.statement[0] = 9; },
      [](auto& o) { o.literal_vectors.push_back({"public.docs", "embedding", 3}); },
      [](auto& o) { o.parameters[31] ^= 1; },
      [](auto& o) { o.objects[0] = "public.docs#3"; },
      [](auto& o) { o.rules.push_back("more"); },
      [](auto& o) { o.policy[0] = 3; },
      [](auto& o) { o.max_records = 1001; },
      [](auto& o) { o.max_records.reset(); },
      [](auto& o) { o.max_records = 0; },
      // the same characters, divided differently
      [](auto& o) { o.principal = "ev", o.connection = "edocs"; },
      [](auto& o) { o.rules = {"bu", "lk"}; },
  };
  std::set<Digest> seen{digest_operation(operation())};
  for (std::size_t i = 0; i < changes.size(); ++i) {
    auto changed = operation();
    changes[i](changed);
    EXPECT_TRUE(seen.insert(digest_operation(changed)).second) << i;
  }
}

TEST_F(DigestTest, OrderOfObjectsDoesNotCount) {
  auto other = operation();
  std::swap(other.objects[0], other.objects[1]);
  EXPECT_EQ(digest_operation(other), digest_operation(operation()));
}

TEST_F(DigestTest, VectorsByShapeOrByValue) {
  const std::string first = "[1,2,3]", second = "[4,5,6]";
  auto with = [](const std::string& value, std::uint32_t dimension) {
    return std::vector<BoundParameter>{
        {.type = 99, .value = as_bytes(value), .vector = VectorShape{"public.docs", "embedding", dimension}}};
  };
  EXPECT_EQ(digest_parameters(with(first, 3), false), digest_parameters(with(second, 3), false));
  EXPECT_NE(digest_parameters(with(first, 3), true), digest_parameters(with(second, 3), true));
  EXPECT_NE(digest_parameters(with(first, 3), false), digest_parameters(with(first, 4), false));
}

TEST_F(DigestTest, OtherParametersByValue) {
  const std::string one = "1", empty;
  auto of = [](std::optional<Bytes> value, std::uint32_t type = 25, std::uint16_t format = 0) {
    return digest_parameters({{.type = type, .format = format, .value = value}}, false);
  };
  std::set<Digest> all{of(as_bytes(one)),     of(as_bytes(empty)),      of(std::nullopt),
                       of(as_bytes(one), 26), of(as_bytes(one), 25, 1), digest_parameters({}, false)};
  EXPECT_EQ(all.size(), 6u);
}

// Frozen: an approval given before an upgrade is found after it.
TEST_F(DigestTest, IsStable) {
  EXPECT_EQ(to_hex(digest_operation(operation())),
            "3b4f5fdb2af215eb7be5258b45bd32e9ff28cb2f3af0c53b2ecc9941aaa7d002");
}

}  // namespace
}  // namespace sluice::review
