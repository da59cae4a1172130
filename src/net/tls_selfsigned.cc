#include "net/tls_selfsigned.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>

#include "core/random.h"
#include "net/tls.h"

namespace sluice::net {
namespace {

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using Memory = std::unique_ptr<BIO, Freer<BIO_free_all>>;

std::unexpected<Error> failed() {
  return fail(Errc::internal, "cannot make a certificate: {}", take_tls_error());
}

bool is_ip(const std::string& name) {
  in6_addr scratch{};
  return inet_pton(AF_INET, name.c_str(), &scratch) == 1 || inet_pton(AF_INET6, name.c_str(), &scratch) == 1;
}

bool add_extension(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  if (extension == nullptr) return false;
  const bool added = X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

std::string contents(BIO* memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  return {data, static_cast<std::size_t>(size)};
}

}  // namespace

Result<SelfSigned> make_self_signed(const std::vector<std::string>& names, WallTime now,
                                    std::chrono::days valid_for) {
  if (names.empty()) return fail(Errc::invalid_argument, "a certificate needs a name");
  std::string alternatives;
  for (const auto& name : names) {
    // A comma would begin another entry of OpenSSL's own syntax.
    const bool plain = !name.empty() && name.find_first_of(", \t\r\n=\\\"") == std::string::npos;
    if (!plain || name.size() > 253) return fail(Errc::invalid_argument, "\"{}\" is not a host name", name);
    alternatives += fmt::format("{}{}:{}", alternatives.empty() ? "" : ",", is_ip(name) ? "IP" : "DNS", name);
  }
  const Key key{EVP_EC_gen("P-256")};
  const Certificate certificate{X509_new()};
  if (!key || !certificate) return failed();

  const auto begin = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  const auto end = begin + std::chrono::duration_cast<std::chrono::seconds>(valid_for).count();
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  const std::string common = names.front().substr(0, 64);  // the longest that X.509 allows
  const bool built =
      X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
      ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), random_u64() >> 1) == 1 &&
      // A minute back: other machines' clocks differ.
      ASN1_TIME_set(X509_getm_notBefore(certificate.get()), begin - 60) != nullptr &&
      ASN1_TIME_set(X509_getm_notAfter(certificate.get()), end) != nullptr &&
      X509_set_pubkey(certificate.get(), key.get()) == 1 &&
      X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(common.data()),
                                 static_cast<int>(common.size()), -1, 0) == 1 &&
      X509_set_issuer_name(certificate.get(), subject) == 1 &&
      // Its own authority, so that clients can name this very file as their root.
      add_extension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
      add_extension(certificate.get(), NID_key_usage, "critical,digitalSignature,keyCertSign") &&
      add_extension(certificate.get(), NID_ext_key_usage, "serverAuth") &&
      add_extension(certificate.get(), NID_subject_key_identifier, "hash") &&
      add_extension(certificate.get(), NID_subject_alt_name, alternatives) &&
      X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0;
  if (!built) return failed();

  const Memory certificate_text{BIO_new(BIO_s_mem())};
  const Memory key_text{BIO_new(BIO_s_secmem())};
  if (!certificate_text || !key_text || PEM_write_bio_X509(certificate_text.get(), certificate.get()) != 1 ||
      PEM_write_bio_PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return failed();
  }
  return SelfSigned{contents(certificate_text.get()), Secret{contents(key_text.get())}};
}

}  // namespace sluice::net
