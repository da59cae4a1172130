#include "record/disk.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace sluice::record {
namespace {

std::unexpected<Error> io_failure(std::string_view what, std::string_view where, int error) {
  return fail(Errc::storage_failed, "{} {}: {}", what, where, std::generic_category().message(error));
}

}  // namespace

File::File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
File& File::operator=(File&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}
File::~File() {
  if (fd_ >= 0) ::close(fd_);
}

Result<Mapping> Mapping::map(const File& file, std::size_t size) {
  void* at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file.fd(), 0);
  if (at == MAP_FAILED) return io_failure("cannot map", "a segment", errno);
  Mapping mapping;
  mapping.data_ = static_cast<std::uint8_t*>(at);
  mapping.size_ = size;
  return mapping;
}
Mapping::Mapping(Mapping&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
Mapping& Mapping::operator=(Mapping&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}
Mapping::~Mapping() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

void Mapping::populate([[maybe_unused]] std::size_t offset, [[maybe_unused]] std::size_t bytes) const {
#ifdef MADV_POPULATE_WRITE
  constexpr std::size_t kPage = 4096;
  offset = std::min(offset, size_) / kPage * kPage;
  (void)::madvise(data_ + offset, std::min(bytes, size_ - offset), MADV_POPULATE_WRITE);
#endif
}

Result<File> Disk::open_allocated(const std::filesystem::path& path, std::uint64_t size) {
  File file{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (!file) return io_failure("cannot open", path.native(), errno);
  int error = 0;
  do {
    error = ::posix_fallocate(file.fd(), 0, static_cast<off_t>(size));
  } while (error == EINTR);
  if (error != 0) return io_failure("cannot allocate", path.native(), error);
  return file;
}

Result<void> Disk::rename(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return io_failure("cannot rename to", to.native(), errno);
  return {};
}

Result<void> Disk::truncate(const File& file, std::uint64_t size) {
  if (::ftruncate(file.fd(), static_cast<off_t>(size)) != 0)
    return io_failure("cannot trim", "a segment", errno);
  return {};
}

Result<void> Disk::sync(const File& file) {
  if (::fdatasync(file.fd()) != 0) return io_failure("cannot sync", "a file of the record", errno);
  return {};
}

Result<void> Disk::sync_folder(const std::filesystem::path& folder) {
  File file{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!file) return io_failure("cannot open", folder.native(), errno);
  if (::fsync(file.fd()) != 0) return io_failure("cannot sync", folder.native(), errno);
  return {};
}

Result<void> Disk::write_at(const File& file, std::uint64_t offset, std::string_view text) {
  while (!text.empty()) {
    auto n = ::pwrite(file.fd(), text.data(), text.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return io_failure("cannot write", "a file of the record", errno);
    offset += static_cast<std::uint64_t>(n);
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return sync(file);
}

Disk& posix_disk() {
  static Disk disk;
  return disk;
}

Result<File> open_for_reading(const std::filesystem::path& path) {
  // Without waiting: a pipe in the place of a file would hold the reader until somebody writes to it.
  File file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)};
  if (!file) {
    if (errno == ENOENT) return fail(Errc::not_found, "there is no {}", path.native());
    return io_failure("cannot open", path.native(), errno);
  }
  struct stat status{};
  if (::fstat(file.fd(), &status) != 0) return io_failure("cannot look at", path.native(), errno);
  if (!S_ISREG(status.st_mode)) return fail(Errc::storage_failed, "{} is not a file", path.native());
  return file;
}

Result<std::uint64_t> file_size(const File& file) {
  struct stat status{};
  if (::fstat(file.fd(), &status) != 0) return io_failure("cannot look at", "a file of the record", errno);
  return static_cast<std::uint64_t>(status.st_size);
}

Result<std::size_t> read_at(const File& file, std::uint64_t offset, MutableBytes out) {
  std::size_t done = 0;
  while (done < out.size()) {
    auto n = ::pread(file.fd(), out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return io_failure("cannot read", "a file of the record", errno);
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

Result<std::string> read_file(const std::filesystem::path& path, std::uint64_t limit) {
  TRY(auto file, open_for_reading(path));
  TRY(auto size, file_size(file));
  if (size > limit) return fail(Errc::too_large, "{} has {} bytes, more than {}", path.native(), size, limit);
  std::string text(size, '\0');
  TRY(auto n, read_at(file, 0, {reinterpret_cast<std::uint8_t*>(text.data()), text.size()}));
  text.resize(n);
  return text;
}

Result<std::optional<File>> lock_file(const std::filesystem::path& path) {
  File file{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (!file) return io_failure("cannot open", path.native(), errno);
  if (::flock(file.fd(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return std::optional<File>{};
    return io_failure("cannot lock", path.native(), errno);
  }
  return std::optional<File>{std::move(file)};
}

bool is_intact(const File& file, std::uint64_t size) {
  struct stat status{};
  return ::fstat(file.fd(), &status) == 0 && status.st_nlink > 0 &&
         static_cast<std::uint64_t>(status.st_size) >= size;
}

}  // namespace sluice::record
