// The head of a shard: a small mapped file beside the segments that says how far the log got. It shows when
// the tail is cut (the log would be shorter than the head), and tells a new writer what the one before it
// knew.
//
//   0   8   "SLUICEHD"          32  u64  epoch of the writer
//   8   u16 format              40  u64  entries committed
//   10  u16 shard               48  u64  bytes of `checkpoints` that were completely written
//   12  u32 process id          56  u64  1: the writer closed the log in good order
//   16  16  log id
//
// It is not signed: whoever can write the folder can write it. Signed checkpoints and a witness answer that.
#pragma once

#include <filesystem>
#include <optional>

#include "record/segment.h"

namespace sluice::record {

struct HeadFacts {
  std::uint16_t shard = 0;
  std::uint32_t pid = 0;
  LogId log_id{};
  std::uint64_t epoch = 0;
  std::uint64_t entries = 0;
  std::uint64_t checkpoint_bytes = 0;
  bool closed = false;
};

inline constexpr std::string_view kHeadName = "head";

// Errc::not_found when there is none, Errc::malformed when it is not one.
Result<HeadFacts> read_head(const std::filesystem::path& shard_folder);

// The writer's side. `set_*` may be called from different threads for different fields.
class Head {
 public:
  static Result<Head> create(const std::filesystem::path& shard_folder, const HeadFacts& facts, Disk& disk);

  void set_entries(std::uint64_t n) { store(40, n); }
  void set_checkpoint_bytes(std::uint64_t n) { store(48, n); }
  void set_closed(bool closed) { store(56, closed ? 1 : 0); }
  Result<void> sync(Disk& disk) { return disk.sync(file_); }

 private:
  void store(std::size_t at, std::uint64_t value);
  File file_;
  Mapping map_;
};

}  // namespace sluice::record
