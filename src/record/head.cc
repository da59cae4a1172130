#include "record/head.h"

#include <algorithm>
#include <atomic>
#include <bit>

#include "core/byte_reader.h"

namespace sluice::record {
namespace {

constexpr std::string_view kMagic = "SLUICEHD";
constexpr std::uint16_t kHeadFormat = 1;
constexpr std::size_t kHeadBytes = 4096;  // a page; the fields are its first 64 bytes
constexpr std::size_t kFieldBytes = 64;

}  // namespace

Result<HeadFacts> read_head(const std::filesystem::path& shard_folder) {
  TRY(auto file, open_for_reading(shard_folder / kHeadName));
  std::array<std::uint8_t, kFieldBytes> bytes{};
  TRY(auto n, read_at(file, 0, bytes));
  ByteReader in{Bytes{bytes}.first(n)};
  HeadFacts head;
  bool known = in.text(kMagic.size()) == kMagic;
  known = in.u16le() == kHeadFormat && known;
  head.shard = in.u16le();
  head.pid = in.u32le();
  auto id = in.bytes(head.log_id.size());
  head.epoch = in.u64le();
  head.entries = in.u64le();
  head.checkpoint_bytes = in.u64le();
  auto closed = in.u64le();
  if (!in.ok() || !known || closed > 1)
    return fail(Errc::malformed, "{} is not the head of a shard", kHeadName);
  std::ranges::copy(id, head.log_id.begin());
  head.closed = closed == 1;
  return head;
}

Result<Head> Head::create(const std::filesystem::path& shard_folder, const HeadFacts& facts, Disk& disk) {
  Head head;
  TRY(head.file_, disk.open_allocated(shard_folder / kHeadName, kHeadBytes));
  TRY(head.map_, Mapping::map(head.file_, kHeadBytes));
  FixedWriter out{head.map_.data(), head.map_.data() + kHeadBytes};
  out.raw(kMagic.data(), kMagic.size());
  out.u16(kHeadFormat);
  out.u16(facts.shard);
  out.u32(facts.pid);
  out.raw(facts.log_id.data(), facts.log_id.size());
  out.u64(facts.epoch);
  out.u64(facts.entries);
  out.u64(facts.checkpoint_bytes);
  out.u64(facts.closed ? 1 : 0);
  return head;
}

void Head::store(std::size_t at, std::uint64_t value) {
  if constexpr (std::endian::native == std::endian::big) value = __builtin_bswap64(value);
  std::atomic_ref<std::uint64_t>{*reinterpret_cast<std::uint64_t*>(map_.data() + at)}.store(
      value, std::memory_order_release);
}

}  // namespace sluice::record
