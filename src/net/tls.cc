#include "net/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace sluice::net {
namespace {

int choose_alpn(SSL*, const unsigned char** out, unsigned char* out_length, const unsigned char* in,
                unsigned in_length, void* argument) {
  const auto& ours = static_cast<TlsServerContext*>(argument)->alpn_wire();
  if (SSL_select_next_proto(const_cast<unsigned char**>(out), out_length,
                            reinterpret_cast<const unsigned char*>(ours.data()),
                            static_cast<unsigned>(ours.size()), in, in_length) == OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;  // a client that speaks of another protocol is not ours (ALPACA)
}

void set_common_options(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  // Renegotiation is an attack surface that PostgreSQL dropped too; partial writes let the writer follow the
  // socket.
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
}

}  // namespace

std::string take_tls_error() {
  const auto code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "unknown TLS error";
  char text[256];
  ERR_error_string_n(code, text, sizeof text);
  return text;
}

Result<std::shared_ptr<TlsServerContext>> TlsServerContext::load(const std::string& certificate_file,
                                                                 const std::string& key_file,
                                                                 const std::vector<std::string>& alpn) {
  std::shared_ptr<TlsServerContext> made{new TlsServerContext};
  made->context_ = SSL_CTX_new(TLS_server_method());
  if (made->context_ == nullptr) return fail(Errc::internal, "{}", take_tls_error());
  set_common_options(made->context_);
  SSL_CTX_set_options(made->context_, SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(made->context_, SSL_SESS_CACHE_OFF);
  if (SSL_CTX_use_certificate_chain_file(made->context_, certificate_file.c_str()) != 1) {
    return fail(Errc::invalid_argument, "certificate {}: {}", certificate_file, take_tls_error());
  }
  if (SSL_CTX_use_PrivateKey_file(made->context_, key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(made->context_) != 1) {
    return fail(Errc::invalid_argument, "key {}: {}", key_file, take_tls_error());
  }
  for (const auto& name : alpn) {
    made->alpn_.push_back(static_cast<char>(name.size()));
    made->alpn_.append(name);
  }
  if (!alpn.empty()) SSL_CTX_set_alpn_select_cb(made->context_, choose_alpn, made.get());
  return made;
}

TlsServerContext::~TlsServerContext() {
  SSL_CTX_free(context_);
}

Result<std::shared_ptr<TlsClientContext>> TlsClientContext::make(TlsVerify verify,
                                                                 const std::string& ca_file) {
  std::shared_ptr<TlsClientContext> made{new TlsClientContext};
  made->verify_ = verify;
  made->context_ = SSL_CTX_new(TLS_client_method());
  if (made->context_ == nullptr) return fail(Errc::internal, "{}", take_tls_error());
  set_common_options(made->context_);
  if (verify == TlsVerify::none) {
    SSL_CTX_set_verify(made->context_, SSL_VERIFY_NONE, nullptr);
    return made;
  }
  SSL_CTX_set_verify(made->context_, SSL_VERIFY_PEER, nullptr);
  const bool loaded = ca_file.empty() ? SSL_CTX_set_default_verify_paths(made->context_) == 1
                                      : SSL_CTX_load_verify_file(made->context_, ca_file.c_str()) == 1;
  if (!loaded) return fail(Errc::invalid_argument, "CA file {}: {}", ca_file, take_tls_error());
  return made;
}

TlsClientContext::~TlsClientContext() {
  SSL_CTX_free(context_);
}

ByteVector server_end_point(ssl_st* ssl) {
  X509* certificate = ssl == nullptr ? nullptr : SSL_get1_peer_certificate(ssl);
  if (certificate == nullptr) return {};
  // RFC 5929 §4.1: the certificate's own signature hash, MD5 and SHA-1 replaced by SHA-256.
  int hash_nid = NID_undef;
  const EVP_MD* method = EVP_sha256();
  if (X509_get_signature_info(certificate, &hash_nid, nullptr, nullptr, nullptr) == 1 &&
      hash_nid != NID_md5 && hash_nid != NID_sha1) {
    if (const EVP_MD* named = EVP_get_digestbynid(hash_nid)) method = named;
  }
  ByteVector out(EVP_MAX_MD_SIZE);
  unsigned length = 0;
  if (X509_digest(certificate, method, out.data(), &length) != 1) length = 0;
  out.resize(length);
  X509_free(certificate);
  return out;
}

}  // namespace sluice::net
