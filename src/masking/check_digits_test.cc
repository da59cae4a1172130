#include "masking/check_digits.h"

#include <gtest/gtest.h>

namespace sluice::masking {
namespace {

// Numbers that authorities and card schemes publish as examples.
TEST(CheckDigits, CardsNeedLuhnAndAnIssuer) {
  EXPECT_TRUE(is_card_number("4111111111111111"));
  EXPECT_TRUE(is_card_number("378282246310005"));
  EXPECT_TRUE(is_card_number("5555555555554444"));
  EXPECT_TRUE(is_card_number("6011111111111117"));
  EXPECT_FALSE(is_card_number("4111111111111112"));
  EXPECT_FALSE(is_card_number("0000000000000000"));
  EXPECT_FALSE(is_card_number("9111111111111119"));
  EXPECT_FALSE(is_card_number("411111111111"));
}

TEST(CheckDigits, IbansNeedTheirCountrysLengthAndChecks) {
  EXPECT_TRUE(is_iban("DE89370400440532013000"));
  EXPECT_TRUE(is_iban("gb29nwbk60161331926819"));
  EXPECT_TRUE(is_iban("NO9386011117947"));
  EXPECT_FALSE(is_iban("DE88370400440532013000"));
  EXPECT_FALSE(is_iban("DE8937040044053201300"));
  EXPECT_FALSE(is_iban("ZZ89370400440532013000"));
}

TEST(CheckDigits, SocialSecurityNumbers) {
  EXPECT_TRUE(is_social_security_number("078051120"));
  EXPECT_FALSE(is_social_security_number("000051120"));
  EXPECT_FALSE(is_social_security_number("666051120"));
  EXPECT_FALSE(is_social_security_number("078001120"));
  EXPECT_FALSE(is_social_security_number("078050000"));
}

TEST(CheckDigits, NationalNumbers) {
  EXPECT_TRUE(is_german_tax_id("86095742719"));
  EXPECT_FALSE(is_german_tax_id("86095742718"));
  EXPECT_FALSE(is_german_tax_id("11111111111"));
  EXPECT_TRUE(is_french_social_security("255081416802538"));
  EXPECT_FALSE(is_french_social_security("255081416802539"));
  EXPECT_TRUE(is_spanish_id("12345678Z"));
  EXPECT_TRUE(is_spanish_id("X1234567L"));
  EXPECT_FALSE(is_spanish_id("12345678A"));
  EXPECT_TRUE(is_italian_tax_code("RSSMRA85T10A562S"));
  EXPECT_FALSE(is_italian_tax_code("RSSMRA85T10A562T"));
  EXPECT_TRUE(is_brazilian_tax_id("52998224725"));
  EXPECT_FALSE(is_brazilian_tax_id("52998224726"));
  EXPECT_FALSE(is_brazilian_tax_id("11111111111"));
  EXPECT_TRUE(is_indian_id("999941057058"));
  EXPECT_FALSE(is_indian_id("999941057059"));
  EXPECT_TRUE(is_polish_id("44051401359"));
  EXPECT_FALSE(is_polish_id("44051401358"));
  EXPECT_FALSE(is_polish_id("44991401359"));
}

TEST(CheckDigits, WhatIsNoNumberIsNone) {
  for (const char* text : {"", "1", "abcdefghijk", "1234567890a", "------------"}) {
    EXPECT_FALSE(is_card_number(text));
    EXPECT_FALSE(is_iban(text));
    EXPECT_FALSE(is_german_tax_id(text));
    EXPECT_FALSE(is_french_social_security(text));
    EXPECT_FALSE(is_spanish_id(text));
    EXPECT_FALSE(is_italian_tax_code(text));
    EXPECT_FALSE(is_brazilian_tax_id(text));
    EXPECT_FALSE(is_indian_id(text));
    EXPECT_FALSE(is_polish_id(text));
  }
}

}  // namespace
}  // namespace sluice::masking
