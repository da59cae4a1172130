// TLS contexts for both sides (OpenSSL 3). A context is made once, shared by all threads, and replaced whole
// when the certificate files change; live streams keep the one they began with.
//
// Towards clients: TLS 1.2 and later, ALPN "postgresql" for direct TLS (PostgreSQL 17's
// sslnegotiation=direct). Towards upstreams: as the connection says; verify_full is the default.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"

struct ssl_ctx_st;
struct ssl_st;

namespace sluice::net {

class TlsServerContext {
 public:
  // PEM files. The key must be readable by the owner only.
  static Result<std::shared_ptr<TlsServerContext>> load(const std::string& certificate_file,
                                                        const std::string& key_file,
                                                        const std::vector<std::string>& alpn);
  ~TlsServerContext();
  TlsServerContext(const TlsServerContext&) = delete;
  TlsServerContext& operator=(const TlsServerContext&) = delete;

  ssl_ctx_st* native() const { return context_; }
  const std::string& alpn_wire() const { return alpn_; }  // length-prefixed list

 private:
  TlsServerContext() = default;
  ssl_ctx_st* context_ = nullptr;
  std::string alpn_;
};

enum class TlsVerify { none, ca, full };

class TlsClientContext {
 public:
  // An empty ca_file means the system's trust store.
  static Result<std::shared_ptr<TlsClientContext>> make(TlsVerify verify, const std::string& ca_file);
  ~TlsClientContext();
  TlsClientContext(const TlsClientContext&) = delete;
  TlsClientContext& operator=(const TlsClientContext&) = delete;

  ssl_ctx_st* native() const { return context_; }
  TlsVerify verify() const { return verify_; }

 private:
  TlsClientContext() = default;
  ssl_ctx_st* context_ = nullptr;
  TlsVerify verify_ = TlsVerify::full;
};

// The tls-server-end-point channel binding (RFC 5929) of the peer's certificate: the hash SCRAM-SHA-256-PLUS
// binds to. Empty when the stream has no TLS or the peer no certificate.
ByteVector server_end_point(ssl_st* ssl);

// The text of OpenSSL's oldest queued error, and clears the queue.
std::string take_tls_error();

}  // namespace sluice::net
