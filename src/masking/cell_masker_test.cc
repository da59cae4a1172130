#include "masking/cell_masker.h"

#include <gtest/gtest.h>

#include "core/encoding.h"

namespace sluice::masking {
namespace {

class CellMaskerTest : public ::testing::Test {
 protected:
  std::string masked(const CellMask& mask, std::string_view cell, bool binary = false) {
    std::string out = "<";
    const auto done = masker_.mask(mask, cell, binary, out);
    return done ? out.substr(1) : "error: " + done.error().detail;
  }
  static CellMask hashing(CellKind kind, std::uint32_t characters = 0) {
    CellMask mask;
    mask.kind = kind;
    mask.mask = Mask::hash;
    mask.hash_scope = "docs.email";
    mask.max_characters = characters;
    return mask;
  }
  static CellMask detecting(CellKind kind, Mask what,
                            std::initializer_list<Detector> detectors = {Detector::email,
                                                                         Detector::credit_card}) {
    CellMask mask;
    mask.kind = kind;
    DetectorMask one;
    one.mask = what;
    for (Detector each : detectors) one.detectors.add(each);
    mask.detectors.push_back(one);
    mask.hash_scope = "docs.email";
    return mask;
  }

  HashKey key_{1, 2, 3};
  CellMasker masker_{key_, "docs"};
};

TEST_F(CellMaskerTest, EqualValuesHaveEqualHashes) {
  const auto mask = hashing(CellKind::text);
  const auto ana = masked(mask, "ana@example.com");
  EXPECT_EQ(ana.size(), 32U);
  EXPECT_EQ(ana, masked(mask, "ana@example.com", true));
  EXPECT_NE(ana, masked(mask, "bea@example.com"));
  EXPECT_EQ(masked(hashing(CellKind::text, 20), "ana@example.com"), ana.substr(0, 20));
}

TEST_F(CellMaskerTest, AnotherKeyOrConnectionHashesOtherwise) {
  const auto mask = hashing(CellKind::text);
  const HashKey other{9};
  std::string by_key;
  std::string by_connection;
  ASSERT_TRUE(CellMasker(other, "docs").mask(mask, "ana", false, by_key));
  ASSERT_TRUE(CellMasker(key_, "other").mask(mask, "ana", false, by_connection));
  EXPECT_NE(masked(mask, "ana"), by_key);
  EXPECT_NE(masked(mask, "ana"), by_connection);
}

TEST_F(CellMaskerTest, EachColumnHashesOtherwise) {
  const auto mine = hashing(CellKind::text);
  auto other = mine;
  other.hash_scope = "guesses.email";
  EXPECT_NE(masked(mine, "ana"), masked(other, "ana"));
  EXPECT_EQ(masked(mine, "ana"), masked(mine, "ana"));
  auto text = detecting(CellKind::text, Mask::hash);
  const auto found = masked(text, "ana@example.com");
  text.hash_scope = "guesses.email";
  EXPECT_NE(masked(text, "ana@example.com"), found);

  text.hash_scope.clear();
  other.hash_scope.clear();
  EXPECT_EQ(masked(text, "ana@example.com"), "***");
  EXPECT_TRUE(masked(other, "ana").starts_with("error"));
}

TEST_F(CellMaskerTest, KeysAreNotKeptWithoutEnd) {
  auto mask = hashing(CellKind::text);
  const auto before = masked(mask, "ana");
  for (int column = 0; column < 3000; ++column) {
    mask.hash_scope = std::to_string(column);
    masked(mask, "ana");
  }
  EXPECT_EQ(masked(hashing(CellKind::text), "ana"), before);
}

TEST_F(CellMaskerTest, HashesKeepTheirType) {
  const auto uuid = masked(hashing(CellKind::uuid), "0189f7e2-3c4d-7a6b-8c9d-0e1f2a3b4c5d");
  ASSERT_EQ(uuid.size(), 36U);
  EXPECT_EQ(uuid[14], '8');
  std::string raw;
  const auto bytes = from_hex("0189f7e23c4d7a6b8c9d0e1f2a3b4c5d");
  for (auto byte : *bytes) raw.push_back(static_cast<char>(byte));
  const auto binary = masked(hashing(CellKind::uuid), raw, true);
  std::string hex = uuid;
  std::erase(hex, '-');
  EXPECT_EQ(to_hex(as_bytes(binary)), hex);

  const auto number = masked(hashing(CellKind::bigint), "-7");
  const auto number_binary = masked(hashing(CellKind::bigint), std::string(7, '\xff') + '\xf9', true);
  std::uint64_t value = 0;
  for (unsigned char c : number_binary) value = value << 8 | c;
  EXPECT_EQ(number, std::to_string(value));
  EXPECT_LT(value, std::uint64_t{1} << 63);
}

TEST_F(CellMaskerTest, ValuesOfAnotherTypeAreErrors) {
  EXPECT_TRUE(masked(hashing(CellKind::uuid), "no uuid").starts_with("error"));
  EXPECT_TRUE(masked(hashing(CellKind::uuid), "short", true).starts_with("error"));
  EXPECT_TRUE(masked(hashing(CellKind::bigint), "12x").starts_with("error"));
  EXPECT_TRUE(masked(hashing(CellKind::json), "{}").starts_with("error"));
  EXPECT_TRUE(masked(detecting(CellKind::json, Mask::redact), "{}", true).starts_with("error"));
}

TEST_F(CellMaskerTest, FindingsAreReplacedWhereTheyStand) {
  EXPECT_EQ(masked(detecting(CellKind::text, Mask::redact), "to ana@example.com, soon"), "to ***, soon");
  EXPECT_EQ(masked(detecting(CellKind::text, Mask::partial), "to ana@example.com, soon"),
            "to a***@example.com, soon");
  const auto hashed = masked(detecting(CellKind::text, Mask::hash), "to ana@example.com, soon");
  EXPECT_TRUE(hashed.starts_with("to email_")) << hashed;
  EXPECT_EQ(masked(detecting(CellKind::text, Mask::redact), "nothing here"), "nothing here");
}

TEST_F(CellMaskerTest, TheStrongerMaskWins) {
  auto mask = detecting(CellKind::text, Mask::partial, {Detector::email});
  DetectorMask second;
  second.mask = Mask::redact;
  second.detectors.add(Detector::email);
  second.detectors.add(Detector::ip_address);
  mask.detectors.push_back(second);
  EXPECT_EQ(masked(mask, "ana@example.com 192.0.2.1"), "*** ***");
}

TEST_F(CellMaskerTest, ColumnsOfALengthKeepIt) {
  auto mask = detecting(CellKind::text, Mask::partial);
  mask.max_characters = 15;
  EXPECT_EQ(masked(mask, "\xc3\xa4@bc.example aa"), "\xc3\xa4***@bc.example");
}

TEST_F(CellMaskerTest, JsonStaysJson) {
  const auto mask = detecting(CellKind::json, Mask::redact);
  EXPECT_EQ(masked(mask, R"({"to": "ana@example.com", "n": 1})"), R"({"to": "***", "n": 1})");
  EXPECT_EQ(masked(mask, R"({"ana@example.com": [true]})"), R"({"***": [true]})");
  EXPECT_EQ(masked(mask, R"({"card": 4111111111111111, "x": 2})"), R"({"card": 0, "x": 2})");
  EXPECT_EQ(masked(mask, R"(["a\nbea@example.com"])"), R"(["a\n***"])");
  EXPECT_EQ(masked(mask, R"("\"ana@example.com\"")"), R"("\"***\"")");
  EXPECT_EQ(masked(mask, R"("ana@example.com")"), R"("***")");
  EXPECT_EQ(masked(mask, "4111111111111111"), "0");
  const auto binary = masked(mask,
                             "\x01"
                             R"({"to": "ana@example.com"})",
                             true);
  EXPECT_EQ(binary,
            "\x01"
            R"({"to": "***"})");
}

TEST_F(CellMaskerTest, JsonThatIsTooLongBecomesEmpty) {
  const std::string text = R"({"a": ")" + std::string(kMaxScanned, 'x') + R"("})";
  EXPECT_EQ(masked(detecting(CellKind::json, Mask::redact), text), "{}");
}

TEST_F(CellMaskerTest, ArraysInBothForms) {
  const auto mask = detecting(CellKind::text_array, Mask::redact);
  EXPECT_EQ(masked(mask, R"({ana@example.com,"x y",NULL})"), R"({***,"x y",NULL})");
  const std::string header("\0\0\0\1\0\0\0\1\0\0\0\x19\0\0\0\2\0\0\0\1", 20);
  const std::string before = header + std::string("\0\0\0\x0f", 4) + "ana@example.com" + "\xff\xff\xff\xff";
  const std::string after = header + std::string("\0\0\0\3", 4) + "***" + "\xff\xff\xff\xff";
  EXPECT_EQ(masked(mask, before, true), after);
  EXPECT_TRUE(masked(mask, before.substr(0, 30), true).starts_with("error"));
  EXPECT_TRUE(masked(mask, before.substr(0, 10), true).starts_with("error"));
}

}  // namespace
}  // namespace sluice::masking
