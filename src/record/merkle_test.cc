#include "record/merkle.h"

#include <gtest/gtest.h>

#include <string>

#include "core/encoding.h"
#include "record/testing.h"

namespace sluice::record {
namespace {

// The test data of the Certificate Transparency reference implementation: eight leaves and the roots of the
// first 1, 2, ... 8 of them.
const std::vector<std::string> kLeaves = {
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
const std::vector<std::string> kRoots = {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                                         "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                                         "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                                         "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                                         "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                                         "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                                         "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                                         "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

Digest known_leaf(std::size_t i) {
  return leaf_hash(*from_hex(kLeaves[i]));
}
Digest numbered_leaf(std::uint64_t i) {
  return leaf_hash(as_bytes(std::to_string(i)));
}

TEST(Merkle, KnownRoots) {
  initialise_crypto();
  Frontier tree;
  EXPECT_EQ(to_hex(tree.root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  for (std::size_t i = 0; i < kLeaves.size(); ++i) {
    tree.add(known_leaf(i));
    EXPECT_EQ(to_hex(tree.root()), kRoots[i]) << i;
  }
}

TEST(Merkle, AFrontierGoesOnWhereItWasLeft) {
  Frontier whole;
  for (std::uint64_t i = 0; i < 100; ++i) {
    auto copy = Frontier::from(whole.size(), {whole.peaks().begin(), whole.peaks().end()});
    EXPECT_EQ(copy.root(), whole.root());
    copy.add(numbered_leaf(i));
    whole.add(numbered_leaf(i));
    EXPECT_EQ(copy.root(), whole.root());
  }
}

TEST(Merkle, PathsProveTheirLeafAndNoOther) {
  for (std::uint64_t size : {1, 2, 3, 4, 5, 7, 8, 9, 31, 64, 65}) {
    ProofBuilder builder;
    for (std::uint64_t i = 0; i < size; ++i) builder.add(numbered_leaf(i), true);
    auto root = builder.finish();
    ASSERT_EQ(builder.paths().size(), size);
    for (const auto& [index, path] : builder.paths()) {
      EXPECT_TRUE(verify_inclusion(numbered_leaf(index), index, size, path, root)) << index << "/" << size;
      EXPECT_FALSE(verify_inclusion(numbered_leaf(index + 1), index, size, path, root));
      EXPECT_FALSE(verify_inclusion(numbered_leaf(index), index, size, path, numbered_leaf(0)) && size > 1);
      if (size > 1)
        EXPECT_FALSE(verify_inclusion(numbered_leaf(index), (index + 1) % size, size, path, root));
      EXPECT_FALSE(verify_inclusion(numbered_leaf(index), size, size, path, root));
      if (path.empty()) continue;
      auto broken = path;
      broken.back()[0] ^= 1;
      EXPECT_FALSE(verify_inclusion(numbered_leaf(index), index, size, broken, root));
      broken = path;
      broken.pop_back();
      EXPECT_FALSE(verify_inclusion(numbered_leaf(index), index, size, broken, root));
      broken = path;
      broken.push_back(root);
      EXPECT_FALSE(verify_inclusion(numbered_leaf(index), index, size, broken, root));
    }
  }
}

TEST(Merkle, PathsAfterAKnownBeginning) {
  Frontier before;
  for (std::uint64_t i = 0; i < 21; ++i) before.add(numbered_leaf(i));
  ProofBuilder builder{before};
  Frontier whole = before;
  for (std::uint64_t i = 21; i < 50; ++i) {
    builder.add(numbered_leaf(i), i % 5 == 0);
    whole.add(numbered_leaf(i));
  }
  EXPECT_EQ(builder.finish(), whole.root());
  EXPECT_EQ(builder.paths().size(), 5u);
  for (const auto& [index, path] : builder.paths()) {
    EXPECT_TRUE(verify_inclusion(numbered_leaf(index), index, 50, path, whole.root())) << index;
  }
}

}  // namespace
}  // namespace sluice::record
