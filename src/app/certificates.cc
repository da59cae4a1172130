#include "app/certificates.h"

#include "core/log.h"

namespace sluice::app {

Result<std::unique_ptr<Certificate>> Certificate::load(std::filesystem::path certificate,
                                                       std::filesystem::path key,
                                                       std::vector<std::string> alpn) {
  std::unique_ptr<Certificate> made{new Certificate(std::move(certificate), std::move(key), std::move(alpn))};
  made->seen_ = made->stamp();
  TRY(made->context_,
      net::TlsServerContext::load(made->certificate_.string(), made->key_.string(), made->alpn_));
  return made;
}

std::shared_ptr<net::TlsServerContext> Certificate::current() const {
  std::lock_guard lock(mutex_);
  return context_;
}

void Certificate::look() {
  const auto now = stamp();
  {
    std::lock_guard lock(mutex_);
    if (now == seen_) return;
    seen_ = now;
  }
  auto loaded = net::TlsServerContext::load(certificate_.string(), key_.string(), alpn_);
  if (!loaded) {
    log::error("certificate not reloaded; the older one stays", {{"error", loaded.error().message()}});
    return;
  }
  std::lock_guard lock(mutex_);
  context_ = std::move(*loaded);
  log::info("certificate reloaded", {{"file", certificate_.string()}});
}

Certificate::Stamp Certificate::stamp() const {
  std::error_code missing;
  return {std::filesystem::last_write_time(certificate_, missing),
          std::filesystem::last_write_time(key_, missing)};
}

}  // namespace sluice::app
