#include "record/reader.h"

namespace sluice::record {
namespace {

constexpr std::size_t kWindow = 256 * 1024;  // read at a time: several of the largest frames
constexpr std::size_t kLargestFrame = frame_bytes(kMaxEntryBytes);

}  // namespace

// ---------------------------------------------------------------- one segment

Result<SegmentCursor> SegmentCursor::open(const std::filesystem::path& path) {
  SegmentCursor cursor;
  TRY(cursor.file_, open_for_reading(path));
  std::array<std::uint8_t, kSegmentHeaderBytes> header{};
  TRY(auto n, read_at(cursor.file_, 0, header));
  TRY(cursor.header_, decode_segment_header(Bytes{header}.first(n)));
  return cursor;
}

// The bytes from offset() on, at least a whole frame of them unless the file ends before.
Result<Bytes> SegmentCursor::window(bool fresh) {
  bool inside = offset_ >= buffer_at_ && offset_ + kLargestFrame <= buffer_at_ + buffered_;
  if (fresh || !inside) {
    buffer_.resize(kWindow);
    TRY(buffered_, read_at(file_, offset_, buffer_));
    buffer_at_ = offset_;
  }
  return Bytes{buffer_}.first(buffered_).subspan(offset_ - buffer_at_);
}

Result<Frame> SegmentCursor::peek() {
  TRY(auto bytes, window(false));
  auto frame = read_frame(bytes);
  if (frame.state == FrameState::end || frame.state == FrameState::broken) {
    // A writer may have been in the middle of this one when it was read.
    TRY(bytes, window(true));
    frame = read_frame(bytes);
  }
  return frame;
}

Result<Frame> SegmentCursor::next() {
  TRY(auto frame, peek());
  offset_ += frame.size;
  return frame;
}

// ---------------------------------------------------------------- one shard

Result<ShardReader> ShardReader::open(std::filesystem::path shard_folder) {
  TRY(auto numbers, list_segments(shard_folder));
  if (numbers.empty()) return fail(Errc::not_found, "{} has no segments", shard_folder.native());
  return open_at(std::move(shard_folder), numbers.front());
}

Result<ShardReader> ShardReader::open_at(std::filesystem::path shard_folder, std::uint64_t segment) {
  ShardReader reader;
  reader.folder_ = std::move(shard_folder);
  auto shard = shard_number(reader.folder_.filename().native());
  if (!shard) return fail(Errc::invalid_argument, "{} is not a shard of a record", reader.folder_.native());
  reader.shard_ = *shard;
  TRY(auto found, reader.enter(segment));
  if (!found) return fail(Errc::not_found, "there is no segment {} in {}", segment, reader.folder_.native());
  return reader;
}

Result<bool> ShardReader::enter(std::uint64_t number) {
  auto cursor = SegmentCursor::open(folder_ / segment_name(number));
  if (!cursor && cursor.error().code == Errc::not_found) return false;
  if (!cursor) return std::unexpected(std::move(cursor).error());
  const auto& header = cursor->header();
  if (header.number != number || header.shard != shard_ ||
      (cursor_ && header.log_id != cursor_->header().log_id)) {
    return fail(Errc::malformed, "{} in {} does not belong where it is", segment_name(number),
                folder_.native());
  }
  if (cursor_ && header.first_seq() != position_.seq) {
    return fail(Errc::malformed, "segment {} of {} begins with entry {} instead of {}", number,
                folder_.native(), header.first_seq(), position_.seq);
  }
  position_ = {.segment = number, .offset = kSegmentHeaderBytes, .seq = header.first_seq()};
  cursor_.emplace(std::move(*cursor));
  return true;
}

Result<std::optional<Entry>> ShardReader::next() {
  for (;;) {
    TRY(auto frame, cursor_->next());
    if (frame.state == FrameState::entry) {
      TRY(auto entry, parse_entry(frame.canonical));
      if (entry.header.seq != position_.seq || entry.header.shard != shard_) {
        return fail(Errc::malformed, "segment {} of {} has entry {} where {} belongs, at byte {}",
                    position_.segment, folder_.native(), entry.header.seq, position_.seq, position_.offset);
      }
      leaf_ = frame.leaf;
      position_.offset = cursor_->offset();
      ++position_.seq;
      return std::optional{entry};
    }
    if (frame.state == FrameState::broken) {
      return fail(Errc::malformed, "entry {} in segment {} of {} is altered or torn, at byte {}",
                  position_.seq, position_.segment, folder_.native(), position_.offset);
    }
    // At the end. A writer killed while it changed segments left no mark, but the next one may be there.
    // While we looked, a live writer may have filled this segment and gone over to the next: nothing is added
    // here once that one has its name, so what this one says after that name was seen is final.
    const auto number = position_.segment + 1;
    if (frame.state == FrameState::end) {
      std::error_code error;
      if (!std::filesystem::exists(folder_ / segment_name(number), error)) return std::optional<Entry>{};
      TRY(frame, cursor_->peek());
      if (frame.state == FrameState::entry || frame.state == FrameState::broken) continue;
    }
    TRY(auto entered, enter(number));
    if (!entered && frame.state == FrameState::continues) {
      return fail(Errc::malformed, "segment {} of {} is missing", number, folder_.native());
    }
    if (!entered) return std::optional<Entry>{};
  }
}

}  // namespace sluice::record
