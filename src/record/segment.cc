#include "record/segment.h"

#include <algorithm>
#include <bit>
#include <charconv>

#include "core/byte_reader.h"

namespace sluice::record {
namespace {

constexpr std::string_view kMagic = "SLUICESG";
constexpr std::uint16_t kSegmentFormat = 1;
constexpr std::size_t kHashAt = kSegmentHeaderBytes - 32;  // of all bytes before it

constexpr std::string_view kSegmentSuffix = ".segment";
constexpr std::string_view kShardPrefix = "shard-";

template <class Number>
std::optional<Number> parse_digits(std::string_view text) {
  Number value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Names in a folder that `parse` understands, as numbers in order.
template <class Number, class Parse>
Result<std::vector<Number>> list_numbers(const std::filesystem::path& folder, Parse parse) {
  std::error_code error;
  std::filesystem::directory_iterator it{folder, error};
  if (error == std::errc::no_such_file_or_directory)
    return fail(Errc::not_found, "there is no {}", folder.native());
  if (error) return fail(Errc::storage_failed, "cannot list {}: {}", folder.native(), error.message());
  std::vector<Number> out;
  for (; it != std::filesystem::directory_iterator{}; it.increment(error)) {
    if (error) return fail(Errc::storage_failed, "cannot list {}: {}", folder.native(), error.message());
    if (std::optional<Number> number = parse(it->path().filename().native())) out.push_back(*number);
  }
  std::ranges::sort(out);
  return out;
}

}  // namespace

std::array<std::uint8_t, kSegmentHeaderBytes> encode_segment_header(const SegmentHeader& header) {
  std::array<std::uint8_t, kSegmentHeaderBytes> out{};
  FixedWriter w{out.data(), out.data() + out.size()};
  w.raw(kMagic.data(), kMagic.size());
  w.u16(kSegmentFormat);
  w.u16(header.shard);
  w.u32(kSegmentHeaderBytes);
  w.raw(header.log_id.data(), header.log_id.size());
  w.u64(header.number);
  w.u64(header.first_seq());
  w.u64(header.capacity);
  w.u64(header.before.peaks().size());
  for (const auto& peak : header.before.peaks()) w.raw(peak.data(), peak.size());
  auto hash = sha256(Bytes{out}.first(kHashAt));
  std::ranges::copy(hash, out.begin() + kHashAt);
  return out;
}

Result<SegmentHeader> decode_segment_header(Bytes bytes) {
  if (bytes.size() < kSegmentHeaderBytes)
    return fail(Errc::malformed, "the segment is shorter than its header");
  ByteReader in{bytes.first(kSegmentHeaderBytes)};
  if (in.text(kMagic.size()) != kMagic) return fail(Errc::malformed, "not a segment of a record");
  if (auto format = in.u16le(); format != kSegmentFormat) {
    return fail(Errc::unsupported, "segment format {}, this version reads {}", format, kSegmentFormat);
  }
  SegmentHeader header;
  header.shard = in.u16le();
  auto header_bytes = in.u32le();
  auto id = in.bytes(header.log_id.size());
  std::ranges::copy(id, header.log_id.begin());
  header.number = in.u64le();
  auto first_seq = in.u64le();
  header.capacity = in.u64le();
  auto count = in.u64le();
  if (count != static_cast<std::uint64_t>(std::popcount(first_seq)) || header_bytes != kSegmentHeaderBytes ||
      header.number == 0) {
    return fail(Errc::malformed, "the segment's header contradicts itself");
  }
  std::vector<Digest> peaks(count);
  for (auto& peak : peaks) std::ranges::copy(in.bytes(peak.size()), peak.begin());
  auto hash = sha256(bytes.first(kHashAt));
  if (!std::ranges::equal(hash, bytes.subspan(kHashAt, 32))) {
    return fail(Errc::malformed, "the segment's header does not fit its hash");
  }
  header.before = Frontier::from(first_seq, std::move(peaks));
  return header;
}

std::string segment_name(std::uint64_t number) {
  return fmt::format("{:08}{}", number, kSegmentSuffix);
}

std::optional<std::uint64_t> segment_number(std::string_view name) {
  if (!name.ends_with(kSegmentSuffix)) return std::nullopt;
  const auto number = parse_digits<std::uint64_t>(name.substr(0, name.size() - kSegmentSuffix.size()));
  return number && segment_name(*number) == name ? number : std::nullopt;
}

std::string shard_name(std::uint16_t shard) {
  return fmt::format("{}{:04}", kShardPrefix, shard);
}

std::optional<std::uint16_t> shard_number(std::string_view name) {
  if (!name.starts_with(kShardPrefix)) return std::nullopt;
  const auto number = parse_digits<std::uint16_t>(name.substr(kShardPrefix.size()));
  return number && shard_name(*number) == name ? number : std::nullopt;
}

Result<std::vector<std::uint64_t>> list_segments(const std::filesystem::path& folder) {
  return list_numbers<std::uint64_t>(folder, segment_number);
}

Result<std::vector<std::uint16_t>> list_shards(const std::filesystem::path& folder) {
  return list_numbers<std::uint16_t>(folder, shard_number);
}

Frame read_frame(Bytes bytes) {
  ByteReader in{bytes};
  auto commit = in.u32le();
  if (!in.ok() || commit == 0) return {.state = FrameState::end};
  if (commit == kContinues) return {.state = FrameState::continues};
  Frame frame{.state = FrameState::broken};
  auto leaf = in.bytes(32);
  auto zeros = in.u32le();
  auto canonical = in.bytes(commit);
  if (!in.ok() || zeros != 0 || commit < kHeaderBytes || commit > kMaxEntryBytes ||
      frame_bytes(commit) > bytes.size()) {
    return frame;
  }
  auto padding = bytes.subspan(kFrameHeaderBytes + commit, frame_bytes(commit) - kFrameHeaderBytes - commit);
  if (std::ranges::any_of(padding, [](auto b) { return b != 0; })) return frame;
  std::ranges::copy(leaf, frame.leaf.begin());
  if (sha256(bytes.subspan(kFrameHeaderBytes - 1, commit + 1)) != frame.leaf) return frame;
  frame.state = FrameState::entry;
  frame.canonical = canonical;
  frame.size = frame_bytes(commit);
  return frame;
}

}  // namespace sluice::record
