#include "app/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace sluice::app {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

Result<std::string> read_open(int fd, const std::filesystem::path& path, std::size_t max_bytes) {
  std::string out;
  char chunk[4096];
  while (true) {
    const auto n = ::read(fd, chunk, sizeof chunk);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(Errc::unavailable, "cannot read {}: {}", path.string(), std::strerror(errno));
    if (n == 0) return out;
    out.append(chunk, static_cast<std::size_t>(n));
    if (out.size() > max_bytes)
      return fail(Errc::too_large, "{} is longer than {} bytes", path.string(), max_bytes);
  }
}

// O_NONBLOCK: opening a pipe must not wait for its writer; it is refused below.
Result<int> open_regular(const std::filesystem::path& path, struct stat& info) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    return fail(errno == ENOENT ? Errc::not_found : Errc::unavailable, "cannot read {}: {}", path.string(),
                std::strerror(errno));
  }
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(fd);
    return fail(Errc::unavailable, "{} is not a regular file", path.string());
  }
  return fd;
}

}  // namespace

Result<std::string> read_file(const std::filesystem::path& path, std::size_t max_bytes) {
  struct stat info{};
  TRY(const int fd, open_regular(path, info));
  const Descriptor owner{fd};
  return read_open(fd, path, max_bytes);
}

Result<Secret> read_private_file(const std::filesystem::path& path, std::size_t max_bytes) {
  struct stat info{};
  TRY(const int fd, open_regular(path, info));
  const Descriptor owner{fd};
  if (info.st_uid != ::geteuid() && info.st_uid != 0) {
    return fail(Errc::forbidden, "{} belongs to another user", path.string());
  }
  if ((info.st_mode & 077) != 0) {
    return fail(Errc::forbidden, "{} can be read by others: chmod 600 {}", path.string(), path.string());
  }
  TRY(auto text, read_open(fd, path, max_bytes));
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  if (text.empty()) return fail(Errc::malformed, "{} is empty", path.string());
  return Secret{std::move(text)};
}

Result<void> create_file(const std::filesystem::path& path, std::string_view content, mode_t mode) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) {
    return fail(errno == EEXIST ? Errc::conflict : Errc::storage_failed, "cannot create {}: {}",
                path.string(), std::strerror(errno));
  }
  const Descriptor owner{fd};
  const auto failed = [&] {
    const int why = errno;
    ::unlink(path.c_str());
    return fail(Errc::storage_failed, "cannot write {}: {}", path.string(), std::strerror(why));
  };
  if (::fchmod(fd, mode) != 0) return failed();  // the umask may have taken bits away
  while (!content.empty()) {
    const auto n = ::write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return failed();
    content.remove_prefix(static_cast<std::size_t>(n));
  }
  if (::fsync(fd) != 0) return failed();
  return {};
}

Result<void> require_own_folder(const std::filesystem::path& path, bool group_may_write) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) {
    return fail(Errc::not_found, "cannot read {}: {}", path.string(), std::strerror(errno));
  }
  if (info.st_uid != ::geteuid() && info.st_uid != 0) {
    return fail(Errc::forbidden, "{} belongs to another user", path.string());
  }
  const mode_t too_open = S_IWOTH | (group_may_write ? 0 : S_IWGRP);
  if ((info.st_mode & too_open) != 0) {
    return fail(Errc::forbidden, "{} can be written by others: chmod {} {}", path.string(),
                group_may_write ? "o-w" : "go-w", path.string());
  }
  return {};
}

Result<void> create_private_folder(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!error) std::filesystem::permissions(path, std::filesystem::perms::owner_all, error);
  if (error) return fail(Errc::storage_failed, "cannot make {}: {}", path.string(), error.message());
  return {};
}

}  // namespace sluice::app
