// Certificate: a TLS server context from two files, made again when either changes. A pair that cannot be
// read keeps the older one. Thread-safe: `current` is read by workers, `look` is called by the upkeep thread
// and on SIGHUP.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/result.h"
#include "net/tls.h"

namespace sluice::app {

class Certificate {
 public:
  static Result<std::unique_ptr<Certificate>> load(std::filesystem::path certificate,
                                                   std::filesystem::path key, std::vector<std::string> alpn);
  std::shared_ptr<net::TlsServerContext> current() const;
  void look();

 private:
  using Stamp = std::pair<std::filesystem::file_time_type, std::filesystem::file_time_type>;
  Certificate(std::filesystem::path certificate, std::filesystem::path key, std::vector<std::string> alpn)
      : certificate_(std::move(certificate)), key_(std::move(key)), alpn_(std::move(alpn)) {}
  Stamp stamp() const;

  std::filesystem::path certificate_;
  std::filesystem::path key_;
  std::vector<std::string> alpn_;
  mutable std::mutex mutex_;
  std::shared_ptr<net::TlsServerContext> context_;
  Stamp seen_;
};

}  // namespace sluice::app
