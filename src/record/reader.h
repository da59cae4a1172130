// Reading a record: strictly, from a folder, also while it is being written.
//
//   TRY(auto shard, ShardReader::open(folder / "shard-0001"));
//   while (true) { TRY(auto entry, shard.next()); if (!entry) break; ... }   // views: until the next call
//
// Every entry's hash, number and shard are checked on the way; whatever does not fit is an Error that names
// segment, offset and entry. Signatures, chain and head are the verifier's (record/verifier.h). Files are
// read, not mapped, so that a file cut under the reader is an error and not a signal. Not thread-safe; any
// number of readers may run beside the writer.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "record/segment.h"

namespace sluice::record {

// Goes through the frames of one segment, good or bad.
class SegmentCursor {
 public:
  static Result<SegmentCursor> open(const std::filesystem::path& path);

  const SegmentHeader& header() const { return header_; }
  // The frame at offset(); an entry's frame is stepped over. A broken or absent one is looked at again each
  // time, so a tail that grows is seen. The views live until the next call.
  Result<Frame> next();
  Result<Frame> peek();  // the same without the step
  std::uint64_t offset() const { return offset_; }
  void seek(std::uint64_t offset) { offset_ = offset; }

 private:
  Result<Bytes> window(bool fresh);

  File file_;
  SegmentHeader header_;
  ByteVector buffer_;
  std::uint64_t buffer_at_ = 0;  // file offset of the buffer
  std::size_t buffered_ = 0;
  std::uint64_t offset_ = kSegmentHeaderBytes;
};

// Where a reader stands: enough to go on later.
struct Position {
  std::uint64_t segment = 0;  // number; 0: before the first
  std::uint64_t offset = 0;
  std::uint64_t seq = 0;  // of the next entry
  bool operator==(const Position&) const = default;
};

class ShardReader {
 public:
  // Errc::not_found when the shard has no segments.
  static Result<ShardReader> open(std::filesystem::path shard_folder);
  // From the start of that segment.
  static Result<ShardReader> open_at(std::filesystem::path shard_folder, std::uint64_t segment);

  // nullopt: the end, for now.
  Result<std::optional<Entry>> next();
  Position position() const { return position_; }
  // Number of the segment that the last entry came from; references by seq do not leave it.
  std::uint64_t segment() const { return position_.segment; }
  // Leaf hash and frontier before the present segment, for proofs.
  const Digest& leaf() const { return leaf_; }
  const SegmentHeader& header() const { return cursor_->header(); }

 private:
  Result<bool> enter(std::uint64_t number);  // false: there is no such segment (yet)

  std::filesystem::path folder_;
  std::uint16_t shard_ = 0;
  std::optional<SegmentCursor> cursor_;
  Position position_;
  Digest leaf_{};
};

}  // namespace sluice::record
