#include "net/tls_selfsigned.h"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "core/crypto.h"

namespace sluice::net {
namespace {

X509* read(const std::string& pem) {
  BIO* memory = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  X509* certificate = PEM_read_bio_X509(memory, nullptr, nullptr, nullptr);
  BIO_free(memory);
  return certificate;
}

TEST(SelfSigned, NamesTimesAndItsOwnSignature) {
  initialise_crypto();
  const SystemClock clock;
  auto made = make_self_signed({"localhost", "127.0.0.1", "db.example"}, clock.now(), std::chrono::days{10});
  ASSERT_TRUE(made) << made.error().message();
  X509* certificate = read(made->certificate_pem);
  ASSERT_NE(certificate, nullptr);
  EXPECT_EQ(X509_check_host(certificate, "db.example", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_host(certificate, "evil.example", 0, 0, nullptr), 0);
  EXPECT_EQ(X509_check_ip_asc(certificate, "127.0.0.1", 0), 1);
  EXPECT_EQ(X509_verify(certificate, X509_get0_pubkey(certificate)), 1);
  EXPECT_EQ(X509_cmp_current_time(X509_get0_notBefore(certificate)), -1);
  EXPECT_EQ(X509_cmp_current_time(X509_get0_notAfter(certificate)), 1);
  X509_free(certificate);
}

TEST(SelfSigned, NamesCannotSmuggleOthers) {
  const SystemClock clock;
  for (const char* name : {"", "a,DNS:evil.example", "a b", "a\nb", "a=b"}) {
    EXPECT_FALSE(make_self_signed({name}, clock.now(), std::chrono::days{1})) << name;
  }
  EXPECT_FALSE(make_self_signed({}, clock.now(), std::chrono::days{1}));
}

}  // namespace
}  // namespace sluice::net
