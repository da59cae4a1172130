#include "app/certificates.h"

#include <sys/stat.h>

#include "core/log.h"

namespace sluice::app {
namespace {

// A group may read the key, as for PostgreSQL: on many systems one keeps those of all services. What is not
// there is left to whoever reads it.
Result<void> require_private(const std::filesystem::path& key) {
  constexpr mode_t kTooOpen = S_IRWXO | S_IWGRP | S_IXGRP;
  struct stat status{};
  if (::stat(key.c_str(), &status) != 0 || (status.st_mode & kTooOpen) == 0) return {};
  return fail(Errc::forbidden, "key {} can be read by others: chmod 600 {}", key.string(), key.string());
}

Result<std::shared_ptr<net::TlsServerContext>> load_context(const std::filesystem::path& certificate,
                                                            const std::filesystem::path& key,
                                                            const std::vector<std::string>& alpn) {
  CHECK_OK(require_private(key));
  return net::TlsServerContext::load(certificate.string(), key.string(), alpn);
}

}  // namespace

Result<std::unique_ptr<Certificate>> Certificate::load(std::filesystem::path certificate,
                                                       std::filesystem::path key,
                                                       std::vector<std::string> alpn) {
  std::unique_ptr<Certificate> made{new Certificate(std::move(certificate), std::move(key), std::move(alpn))};
  made->seen_ = made->stamp();
  TRY(made->context_, load_context(made->certificate_, made->key_, made->alpn_));
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
  auto loaded = load_context(certificate_, key_, alpn_);
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
