#include "masking/detect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::masking {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

DetectorSet only(std::initializer_list<Detector> detectors) {
  DetectorSet set;
  for (Detector detector : detectors) set.add(detector);
  return set;
}

DetectorSet all() {
  DetectorSet set;
  for (std::size_t i = 0; i < kDetectorNames.size(); ++i) set.add(static_cast<Detector>(i));
  return set;
}

std::vector<std::string> found(std::string_view text, DetectorSet wanted) {
  std::vector<Finding> findings;
  detect(text, wanted, findings);
  std::vector<std::string> parts;
  for (const Finding& each : findings) parts.emplace_back(text.substr(each.begin, each.end - each.begin));
  return parts;
}

TEST(Detect, PatternsCompile) {
  const auto ready = prepare_detectors();
  ASSERT_TRUE(ready) << ready.error().message();
}

TEST(Detect, MailAddresses) {
  const auto mail = only({Detector::email});
  EXPECT_THAT(found("write to ana.lee+x@mail.example.org, or not", mail),
              ElementsAre("ana.lee+x@mail.example.org"));
  EXPECT_THAT(found("<bea@example.com>;cy@example.com", mail),
              ElementsAre("bea@example.com", "cy@example.com"));
  EXPECT_THAT(found("m\xc3\xbcller@b\xc3\xbc"
                    "cher.example",
                    mail),
              ElementsAre("m\xc3\xbcller@b\xc3\xbc"
                          "cher.example"));
  EXPECT_THAT(found("user@host, @mention, a@b", mail), IsEmpty());
}

TEST(Detect, PhoneNumbers) {
  const auto phone = only({Detector::phone});
  EXPECT_THAT(found("call +49 (30) 901820-0 now", phone), ElementsAre("+49 (30) 901820-0"));
  EXPECT_THAT(found("0043 1 58858", phone), ElementsAre("0043 1 58858"));
  EXPECT_THAT(found("(212) 555-0147 or 212-555-0147", phone), ElementsAre("(212) 555-0147", "212-555-0147"));
  EXPECT_THAT(found("030/90182000", phone), ElementsAre("030/90182000"));
  EXPECT_THAT(found("order 1234567890, on 2024-01-15 at 10:30, 3.14159265", phone), IsEmpty());
}

TEST(Detect, CardNumbersAlsoBehindOtherNumbers) {
  const auto card = only({Detector::credit_card});
  EXPECT_THAT(found("paid with 4111 1111 1111 1111.", card), ElementsAre("4111 1111 1111 1111"));
  EXPECT_THAT(found("12 4111-1111-1111-1111", card), ElementsAre("4111-1111-1111-1111"));
  EXPECT_THAT(found("378282246310005", card), ElementsAre("378282246310005"));
  EXPECT_THAT(found("4111 1111 1111 1112", card), IsEmpty());
}

TEST(Detect, BankAccountsAndNationalNumbers) {
  EXPECT_THAT(found("IBAN DE89 3704 0044 0532 0130 00 please", only({Detector::iban})),
              ElementsAre("DE89 3704 0044 0532 0130 00"));
  EXPECT_THAT(found("ssn 078-05-1120", only({Detector::ssn})), ElementsAre("078-05-1120"));
  EXPECT_THAT(found("000-05-1120", only({Detector::ssn})), IsEmpty());
  EXPECT_THAT(found("CPF 529.982.247-25, DNI 12345678Z, NINO QQ 12 34 56 C", only({Detector::national_id})),
              ElementsAre("529.982.247-25", "12345678Z"));
  EXPECT_THAT(found("AB 12 34 56 C", only({Detector::national_id})), ElementsAre("AB 12 34 56 C"));
}

TEST(Detect, Addresses) {
  const auto ip = only({Detector::ip_address});
  EXPECT_THAT(found("from 192.0.2.17 and 2001:db8::1.", ip), ElementsAre("192.0.2.17", "2001:db8::1"));
  EXPECT_THAT(found("version 1.2.3.400, at 10:30:15", ip), IsEmpty());
}

TEST(Detect, Secrets) {
  const auto secret = only({Detector::secret});
  EXPECT_THAT(found("key=AKIAIOSFODNN7EXAMPLE;", secret), ElementsAre("AKIAIOSFODNN7EXAMPLE"));
  EXPECT_THAT(found("token ghp_" + std::string(36, 'a') + " end", secret),
              ElementsAre("ghp_" + std::string(36, 'a')));
  EXPECT_THAT(found("postgres://app:hunter2@db.internal/x", secret), ElementsAre("postgres://app:hunter2@"));
  const std::string pem = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----";
  EXPECT_THAT(found("a " + pem + " b", secret), ElementsAre(pem));
  EXPECT_THAT(found("sk-proj-" + std::string(40, 'x'), secret),
              ElementsAre("sk-proj-" + std::string(40, 'x')));
  EXPECT_THAT(found("a risk-based approach, see task-list", secret), IsEmpty());
}

TEST(Detect, OnlyWhatWasAskedFor) {
  EXPECT_THAT(found("ana@example.com 192.0.2.1", only({Detector::ip_address})), ElementsAre("192.0.2.1"));
  EXPECT_THAT(found("ana@example.com", DetectorSet{}), IsEmpty());
}

TEST(Detect, OverlapsBecomeOne) {
  std::vector<Finding> findings;
  detect("https://ana:secret@example.com", all(), findings);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].begin, 0U);
  EXPECT_EQ(findings[0].end, 30U);
}

TEST(Detect, WhatIsTooLongToBeLookedAtIsFoundWhole) {
  std::string text(kMaxScanned + 100, 'x');
  std::vector<Finding> findings;
  detect(text, all(), findings);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_LE(findings[0].begin, kMaxScanned);
  EXPECT_EQ(findings[0].end, text.size());
  text.replace(kMaxScanned - 10, 20, " ana@example.com aaa");
  detect(text, all(), findings);
  ASSERT_FALSE(findings.empty());
  EXPECT_LE(findings.back().begin, kMaxScanned - 9);
  EXPECT_EQ(findings.back().end, text.size());
}

TEST(Detect, TooManyAreFoundUpToTheEnd) {
  std::string text;
  for (std::size_t i = 0; i < kMaxFindings + 10; ++i) text += "a@example.com ";
  std::vector<Finding> findings;
  detect(text, all(), findings);
  ASSERT_FALSE(findings.empty());
  EXPECT_LE(findings.size(), kMaxFindings + 1);
  EXPECT_EQ(findings.back().end, text.size());
}

TEST(Partly, KeepsWhatHelpsAndNoMore) {
  EXPECT_EQ(partly(Detector::email, "ana@example.com"), "a***@example.com");
  EXPECT_EQ(partly(Detector::email, "\xc3\xa4na@example.com"), "\xc3\xa4***@example.com");
  EXPECT_EQ(partly(Detector::credit_card, "4111 1111 1111 1234"), "***1234");
  EXPECT_EQ(partly(Detector::iban, "DE89 3704 0044 0532 0130 00"), "DE***3000");
  EXPECT_EQ(partly(Detector::ip_address, "192.0.2.17"), "192.***");
  EXPECT_EQ(partly(Detector::phone, "+49 30 901820"), "***20");
  EXPECT_EQ(partly(Detector::secret, "AKIA..."), "***");
}

}  // namespace
}  // namespace sluice::masking
