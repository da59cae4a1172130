#include "record/recovery.h"

#include <algorithm>

#include "core/random.h"
#include "record/note.h"
#include "record/note_reader.h"
#include "record/reader.h"
#include "record/unsigned_span.h"

namespace sluice::record {
namespace {

namespace fs = std::filesystem;

class Recovery {
 public:
  Recovery(const LogOptions& options, const fs::path& folder, Disk& disk)
      : options_(options), folder_(folder), disk_(disk) {}

  Result<RecoveredShard> run() {
    CHECK_OK(discard_prepared());
    CHECK_OK(read_head_file());
    CHECK_OK(read_checkpoints());
    TRY(auto numbers, list_segments(folder_));
    if (numbers.empty()) {
      CHECK_OK(begin_new());
      return std::move(out_);
    }
    CHECK_OK(refuse_unsigned());
    CHECK_OK(open_last(numbers));
    if (!out_.segment) return std::move(out_);
    CHECK_OK(scan());
    CHECK_OK(compare_with_checkpoint());
    CHECK_OK(find_open_work());
    if (out_.tree.size() < head_.entries) out_.lost_entries = head_.entries - out_.tree.size();
    out_.after_crash = last_kind_ != Kind::closed;
    return std::move(out_);
  }

 private:
  // A prepared segment may hold a header already; it was not in use, so nothing is in it.
  Result<void> discard_prepared() {
    std::error_code error;
    fs::remove(folder_ / kNextName, error);
    if (error) return fail(Errc::storage_failed, "cannot remove the prepared segment: {}", error.message());
    return {};
  }

  Result<void> read_head_file() {
    auto head = read_head(folder_);
    if (head) {
      head_ = *head;
    } else if (head.error().code != Errc::not_found) {
      // Not readable: it is rewritten, and the checkpoints still say how long the log must be.
      if (head.error().code != Errc::malformed) return std::unexpected(head.error());
    }
    out_.epoch = head_.epoch + 1;
    return {};
  }

  Result<void> read_checkpoints() {
    auto key = verifier_key(options_.name, options_.key.public_key);
    // The last one that this key signed: after a change of keys, the ones before are the old key's.
    auto last = find_last_note(folder_ / kCheckpointsName,
                               [&](std::string_view note) { return open_checkpoint(note, key).has_value(); });
    if (!last) {
      if (last.error().code == Errc::not_found) return {};
      return std::unexpected(last.error());
    }
    out_.checkpoint_bytes = last->whole_bytes;
    if (!last->note) {
      // Perhaps another key's, which the verifier will ask for.
      TRY(const auto any, find_last_note(folder_ / kCheckpointsName, [](std::string_view) { return true; }));
      if (any.note) {
        if (const auto says = parse_checkpoint(*any.note)) foreign_ = *says;
      }
      return {};
    }
    TRY(checkpoint_, open_checkpoint(*last->note, key));
    out_.checkpointed = checkpoint_->size;
    out_.checkpoint_root = checkpoint_->root;
    return {};
  }

  // What nobody has signed would be signed now, as if this gateway had written it.
  Result<void> refuse_unsigned() {
    const auto& last = checkpoint_ ? checkpoint_ : foreign_;
    auto reader = ShardReader::open_at(folder_, last ? std::max<std::uint64_t>(last->segment, 1) : 1);
    if (!reader) return {};  // the steps that follow say what is wrong with it
    UnsignedSpan behind;
    for (auto entry = reader->next(); entry && *entry; entry = reader->next()) {
      if (last && (*entry)->header.seq < last->size) continue;
      behind.take((*entry)->header);
      if (behind.too_long()) {
        return fail(
            Errc::malformed,
            "entries of {} over {} seconds are under no signed checkpoint: run `sluice record verify`",
            folder_.native(), behind.span().count());
      }
    }
    return {};
  }

  Result<void> begin_new() {
    if (head_.entries > 0 || checkpoint_) {
      return fail(Errc::malformed, "{} has no segments, but its head or checkpoints say that it had entries",
                  folder_.native());
    }
    fill_random(out_.log_id);
    return {};
  }

  Result<std::shared_ptr<LiveSegment>> open_segment(std::uint64_t number) {
    auto path = folder_ / segment_name(number);
    TRY(auto reading, open_for_reading(path));
    std::array<std::uint8_t, kSegmentHeaderBytes> bytes{};
    TRY(auto n, read_at(reading, 0, bytes));
    auto live = std::make_shared<LiveSegment>();
    TRY(live->header, decode_segment_header(Bytes{bytes}.first(n)));
    if (live->header.shard != options_.shard || live->header.number != number ||
        live->header.capacity < kMinSegmentBytes || live->header.capacity > kMaxSegmentBytes) {
      return fail(Errc::malformed, "{} does not belong where it is", path.native());
    }
    // Also gives a trimmed segment its full length back, so that it can be written again.
    TRY(live->file, disk_.open_allocated(path, live->header.capacity));
    TRY(live->map, Mapping::map(live->file, live->header.capacity));
    return live;
  }

  Result<void> open_last(const std::vector<std::uint64_t>& numbers) {
    auto number = numbers.back();
    auto live = open_segment(number);
    bool covered = checkpoint_ && checkpoint_->segment >= number;
    if (!live && live.error().code == Errc::malformed && !covered) {
      // A host that crashed between making the name durable and making the header so. Nothing signed is in
      // it.
      CHECK_OK(disk_.rename(folder_ / segment_name(number),
                            folder_ / fmt::format("cut-{}-{}", out_.epoch, segment_name(number))));
      out_.after_crash = true;
      if (number == 1) {
        out_.lost_entries = head_.entries;
        fill_random(out_.log_id);
        return {};
      }
      live = open_segment(--number);
    }
    if (!live) return std::unexpected(live.error());
    out_.segment = *live;
    out_.last_segment = number;
    out_.log_id = out_.segment->header.log_id;
    if (head_.epoch > 0 && head_.log_id != out_.log_id) {
      return fail(Errc::malformed, "{} holds segments of another log", folder_.native());
    }
    return {};
  }

  Result<void> scan() {
    const auto& header = out_.segment->header;
    Bytes bytes{out_.segment->map.data(), out_.segment->map.size()};
    out_.tree = header.before;
    out_.used = kSegmentHeaderBytes;
    for (;;) {
      note_checkpoint_root();
      auto frame = read_frame(bytes.subspan(out_.used));
      if (frame.state == FrameState::continues) {
        out_.finished = true;
        return {};
      }
      if (frame.state != FrameState::entry) return cut_tail();
      auto entry = parse_entry(frame.canonical);
      if (!entry || entry->header.seq != out_.tree.size() || entry->header.shard != options_.shard)
        return cut_tail();
      out_.tree.add(frame.leaf);
      out_.last_time = entry->header.time;
      last_kind_ = entry->header.kind;
      out_.used += frame.size;
    }
  }

  void note_checkpoint_root() {
    if (checkpoint_ && out_.tree.size() == checkpoint_->size) root_at_checkpoint_ = out_.tree.root();
  }

  // From here on nothing is an entry. What is not zero is kept aside and cut away.
  Result<void> cut_tail() {
    if (checkpoint_ && out_.tree.size() < checkpoint_->size) {
      return fail(
          Errc::malformed,
          "entry {} of {} is missing or altered, and a signed checkpoint covers {} entries: run `sluice "
          "record verify`",
          out_.tree.size(), folder_.native(), checkpoint_->size);
    }
    MutableBytes rest{out_.segment->map.data() + out_.used, out_.segment->map.size() - out_.used};
    auto last = std::find_if(rest.rbegin(), rest.rend(), [](auto b) { return b != 0; });
    auto torn = rest.first(static_cast<std::size_t>(rest.rend() - last));
    if (torn.empty()) return {};
    auto name = fmt::format("cut-{}-{}", out_.epoch, segment_name(out_.last_segment));
    TRY(auto aside, disk_.open_allocated(folder_ / name, torn.size()));
    CHECK_OK(disk_.write_at(aside, 0, as_text(torn)));
    std::ranges::fill(torn, std::uint8_t{0});
    out_.torn_bytes = torn.size();
    return {};
  }

  Result<void> compare_with_checkpoint() {
    if (!checkpoint_) return {};
    auto origin = format_origin(options_.name, out_.log_id, options_.shard);
    bool too_short = out_.tree.size() < checkpoint_->size;
    bool other_root = root_at_checkpoint_ && *root_at_checkpoint_ != checkpoint_->root;
    if (too_short || other_root || checkpoint_->origin != origin) {
      return fail(Errc::malformed,
                  "{} is not the log that its checkpoint at {} entries was signed for: run `sluice "
                  "record verify`",
                  folder_.native(), checkpoint_->size);
    }
    return {};
  }

  // Each segment after the first says at its start what is open. A writer killed before it had said so leaves
  // that to the segment before.
  Result<void> find_open_work() {
    std::vector<std::string> earlier;  // latest first
    Bytes last{out_.segment->map.data(), out_.segment->map.size()};
    auto number = out_.last_segment;
    bool complete = number == 1 || has_last_carried(last);
    while (!complete) {
      --number;
      TRY(auto bytes, read_file(folder_ / segment_name(number), kMaxSegmentBytes));
      earlier.push_back(std::move(bytes));
      complete = number == 1 || has_last_carried(as_bytes(earlier.back()));
    }
    for (auto segment = earlier.rbegin(); segment != earlier.rend(); ++segment)
      apply_entries(as_bytes(*segment));
    apply_entries(last);
    return {};
  }

  template <class Each>
  static void for_entries(Bytes segment, Each each) {
    if (segment.size() < kSegmentHeaderBytes) return;
    auto rest = segment.subspan(kSegmentHeaderBytes);
    for (auto frame = read_frame(rest); frame.state == FrameState::entry; frame = read_frame(rest)) {
      auto entry = parse_entry(frame.canonical);
      if (!entry || !each(*entry)) return;
      rest = rest.subspan(frame.size);
    }
  }

  // They come before everything else in a segment, except that the clock may step.
  static bool has_last_carried(Bytes segment) {
    bool found = false;
    for_entries(segment, [&](const Entry& entry) {
      if (entry.header.kind == Kind::clock_stepped) return true;
      if (entry.header.kind != Kind::carried) return false;
      auto payload = decode(entry);
      found = payload && std::get<CarriedEntry>(*payload).last;
      return payload && !found;
    });
    return found;
  }

  void apply_entries(Bytes segment) {
    for_entries(segment, [&](const Entry& entry) {
      if (entry.header.kind == Kind::carried) {
        if (auto payload = decode(entry)) out_.open.apply(std::get<CarriedEntry>(*payload).carried);
      } else {
        out_.open.apply(entry.header);
      }
      return true;
    });
  }

  const LogOptions& options_;
  const fs::path& folder_;
  Disk& disk_;
  HeadFacts head_;
  std::optional<Checkpoint> checkpoint_;  // the last one that this key signed
  std::optional<Checkpoint> foreign_;     // without one: what the last note says, whoever signed it
  std::optional<Digest> root_at_checkpoint_;
  std::optional<Kind> last_kind_;
  RecoveredShard out_;
};

}  // namespace

Result<RecoveredShard> recover(const LogOptions& options, const fs::path& shard_folder, Disk& disk) {
  return Recovery{options, shard_folder, disk}.run();
}

}  // namespace sluice::record
