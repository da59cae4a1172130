// A segment: one file of a shard's log, a header and then frames. Layout in docs/record.md.
//
// A frame is a commit word, the entry's leaf hash and its canonical bytes:
//
//   0   u32  commit word: length of the canonical bytes; 0: nothing here; 0xFFFFFFFF: the log goes on in the
//   next one 4   32   leaf hash 36  4    zero; the last of these is RFC 6962's leaf prefix, so that hash
//   input is one run of memory 40  n    canonical bytes, then zeros to a multiple of 8
//
// The commit word is stored last, with release order, through the mapping.
#pragma once

#include <array>
#include <filesystem>

#include "record/codec.h"
#include "record/disk.h"
#include "record/merkle.h"

namespace sluice::record {

inline constexpr std::size_t kSegmentHeaderBytes = 4096;
inline constexpr std::size_t kFrameHeaderBytes = 40;
inline constexpr std::size_t kCommitBytes = 4;
inline constexpr std::uint32_t kContinues = 0xFFFFFFFF;  // commit word of a finished segment's end
inline constexpr std::size_t kEndBytes = 8;              // always left free at the end, for that word

using LogId = std::array<std::uint8_t, 16>;

constexpr std::size_t frame_bytes(std::size_t canonical) {
  return (kFrameHeaderBytes + canonical + 7) & ~std::size_t{7};
}

struct SegmentHeader {
  std::uint16_t shard = 0;
  LogId log_id{};
  std::uint64_t number = 1;    // of the segment in its shard, from 1
  std::uint64_t capacity = 0;  // bytes of the file when it was made
  Frontier before;  // over all entries of the segments before; its size is the first seq of this one

  std::uint64_t first_seq() const { return before.size(); }
};

std::array<std::uint8_t, kSegmentHeaderBytes> encode_segment_header(const SegmentHeader& header);
Result<SegmentHeader> decode_segment_header(Bytes bytes);  // checks its own hash

// "00000001.segment". A number has one name: others are not of the record.
std::string segment_name(std::uint64_t number);
std::optional<std::uint64_t> segment_number(std::string_view name);
std::string shard_name(std::uint16_t shard);  // "shard-0001"
std::optional<std::uint16_t> shard_number(std::string_view name);

// Numbers of the segments in a shard's folder, ascending.
Result<std::vector<std::uint64_t>> list_segments(const std::filesystem::path& folder);
// Shards in a record's folder, ascending.
Result<std::vector<std::uint16_t>> list_shards(const std::filesystem::path& folder);

// One frame as found in memory.
enum class FrameState : std::uint8_t {
  entry,      // whole, and the hash fits
  end,        // nothing more yet
  continues,  // the log goes on in the next segment
  broken,     // a length that cannot be, or a hash that does not fit
};
struct Frame {
  FrameState state = FrameState::end;
  Digest leaf{};         // for entry
  Bytes canonical;       // for entry
  std::size_t size = 0;  // of the frame, for entry
};
// `bytes` begins at a frame and ends with the segment.
Frame read_frame(Bytes bytes);

}  // namespace sluice::record
