// Disk: what the record asks of a file system. One implementation for real files; tests wrap it to fail on
// purpose.
//
// Files are made with all their blocks allocated, because a write through a mapping that finds no space is a
// signal (SIGBUS) and not an error. On copy-on-write file systems (btrfs, ZFS) allocation is no promise: see
// docs/record.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"

namespace sluice::record {

// An open file descriptor, closed when it goes.
class File {
 public:
  File() = default;
  explicit File(int fd) : fd_(fd) {}
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  ~File();
  int fd() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// A shared, writable mapping of a whole file, unmapped when it goes.
class Mapping {
 public:
  Mapping() = default;
  static Result<Mapping> map(const File& file, std::size_t size);
  Mapping(Mapping&& other) noexcept;
  Mapping& operator=(Mapping&& other) noexcept;
  ~Mapping();
  std::uint8_t* data() const { return data_; }
  std::size_t size() const { return size_; }
  // Brings `bytes` from `offset` on into memory, writable, so that a writer does not meet their page faults.
  // Best effort.
  void populate(std::size_t offset, std::size_t bytes) const;

 private:
  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

class Disk {
 public:
  virtual ~Disk() = default;

  // Opens or makes `path` for reading and writing, with all blocks up to `size` allocated; new bytes are
  // zero.
  virtual Result<File> open_allocated(const std::filesystem::path& path, std::uint64_t size);
  virtual Result<void> rename(const std::filesystem::path& from, const std::filesystem::path& to);
  virtual Result<void> truncate(const File& file, std::uint64_t size);
  virtual Result<void> sync(const File& file);                            // fdatasync
  virtual Result<void> sync_folder(const std::filesystem::path& folder);  // makes names durable
  // Writes all of `text` at `offset` and makes it durable.
  virtual Result<void> write_at(const File& file, std::uint64_t offset, std::string_view text);
};

Disk& posix_disk();

// Reading, used by everything that looks at a record without writing it.
Result<File> open_for_reading(const std::filesystem::path& path);
Result<std::uint64_t> file_size(const File& file);
// Reads up to out.size() bytes; fewer only at the end of the file.
Result<std::size_t> read_at(const File& file, std::uint64_t offset, MutableBytes out);
Result<std::string> read_file(const std::filesystem::path& path, std::uint64_t limit);

// Takes an exclusive lock that the kernel drops when the process dies. nullopt: somebody else has it.
Result<std::optional<File>> lock_file(const std::filesystem::path& path);

// True when the file behind the descriptor still has a name and at least `size` bytes.
bool is_intact(const File& file, std::uint64_t size);

}  // namespace sluice::record
