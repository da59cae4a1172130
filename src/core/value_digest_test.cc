#include "core/value_digest.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(ValueDigest, IsThatOfTheBytesWhateverCameBefore) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kMinRemembered - 1, kMinRemembered,
                                 kMaxRemembered, kMaxRemembered + 1}) {
    std::string value(size, 'a');
    for (int i = 0; i < 2; ++i) EXPECT_EQ(value_digest(as_bytes(value)), sha256(as_bytes(value))) << size;
    if (value.empty()) continue;
    value.back() = 'b';  // of the same length, in the same place
    EXPECT_EQ(value_digest(as_bytes(value)), sha256(as_bytes(value))) << size;
    value.pop_back();
    EXPECT_EQ(value_digest(as_bytes(value)), sha256(as_bytes(value))) << size;
  }
}

}  // namespace
}  // namespace sluice
