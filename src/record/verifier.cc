#include "record/verifier.h"

#include <algorithm>
#include <map>

#include "core/encoding.h"
#include "record/codec.h"
#include "record/note_reader.h"
#include "record/open_work.h"
#include "record/reader.h"
#include "record/recovery.h"
#include "record/unsigned_span.h"

namespace sluice::record {
namespace {

namespace fs = std::filesystem;

struct NamedVerdict {
  Verdict verdict;
  std::string_view name;
};
constexpr NamedVerdict kVerdicts[] = {
    {Verdict::intact, "intact"},
    {Verdict::altered, "altered"},
    {Verdict::out_of_order, "out_of_order"},
    {Verdict::missing_segment, "missing_segment"},
    {Verdict::truncated, "truncated"},
    {Verdict::bad_checkpoint, "bad_checkpoint"},
    {Verdict::forked, "forked"},
    {Verdict::unsettled, "unsettled"},
    {Verdict::missing_shard, "missing_shard"},
    {Verdict::unreadable, "unreadable"},
};

// A shard has one log for ever: a second one means that the first was taken away.
using AddedShards = std::map<std::uint16_t, std::vector<LogId>>;

// Shard 0 is opened first at a start, so no other shard is older, but for a clock that is set in between.
constexpr std::chrono::minutes kSameStart{1};

// One shard, first entry to last. Each step returns false when it has made a finding.
class ShardCheck {
 public:
  ShardCheck(const fs::path& record, std::uint16_t shard, std::span<const VerifierKey> keys,
             std::span<const std::string> known, std::vector<bool>& known_used)
      : folder_(record / shard_name(shard)), keys_(keys), known_(known), known_used_(known_used) {
    report_.shard = shard;
  }

  void run() {
    report_.whole = read_head_before() && read_notes() && walk_segments() && check_end();
    report_.entries = tree_.size();
    report_.root = tree_.root();
    report_.origin = origin_;
    report_.open_operations = open_.operations();
    report_.closed = last_kind_ == Kind::closed;
  }

  const ShardReport& report() const { return report_; }
  bool whole() const { return report_.whole; }
  const std::optional<Finding>& finding() const { return finding_; }
  const AddedShards& added() const { return added_; }
  const std::optional<LogId>& log_id() const { return log_id_; }
  const std::optional<WallTime>& began() const { return began_; }
  bool has_work() const { return has_work_; }  // entries that are not the log's own

 private:
  template <class... Args>
  bool found(Verdict verdict, fmt::format_string<Args...> format, Args&&... args) {
    finding_ = Finding{.verdict = verdict,
                       .shard = report_.shard,
                       .segment = segment_,
                       .offset = offset_,
                       .entry = tree_.size(),
                       .detail = fmt::format(format, std::forward<Args>(args)...)};
    return false;
  }
  bool failed(const Error& error) {
    return found(error.code == Errc::storage_failed ? Verdict::unreadable : Verdict::altered, "{}",
                 error.detail);
  }

  // The head is read before and after the entries, so that a record in use can be verified.
  bool read_head_before() {
    auto head = read_head(folder_);
    if (head) {
      head_before_ = *head;
      return true;
    }
    if (head.error().code == Errc::storage_failed) return failed(head.error());
    return found(Verdict::unsettled, "the head is missing or not one: {}", head.error().detail);
  }

  bool read_notes() {
    if (!read_own_notes()) return false;
    auto origins = possible_origins();
    for (std::size_t i = 0; i < known_.size(); ++i) {
      if (!std::ranges::count(origins, std::string_view{known_[i]}.substr(0, known_[i].find('\n')))) continue;
      known_used_[i] = true;
      if (!take_note(known_[i], false)) return false;
    }
    return true;
  }

  bool read_own_notes() {
    const auto written = head_before_->checkpoint_bytes;
    auto notes = NoteReader::open(folder_ / kCheckpointsName);
    if (!notes && notes.error().code != Errc::not_found) return failed(notes.error());
    const auto there = notes ? notes->file_bytes() : 0;
    if (there < written) {
      return found(Verdict::truncated, "{} bytes of checkpoints were written, {} are there", written, there);
    }
    if (!notes) return true;
    for (;;) {
      auto note = notes->next();
      if (!note) return failed(note.error());
      if (!*note) break;
      if (!take_note(**note, true)) return false;
    }
    if (notes->bytes() < written) {
      return found(Verdict::bad_checkpoint, "checkpoint {} is not a signed note", report_.checkpoints);
    }
    return true;
  }

  // What checkpoints of this shard may call it.
  std::vector<std::string> possible_origins() const {
    std::vector<std::string> out;
    auto first = SegmentCursor::open(folder_ / segment_name(1));
    if (!first) return out;
    for (const auto& key : keys_)
      out.push_back(format_origin(key.name, first->header().log_id, report_.shard));
    return out;
  }

  bool take_note(std::string_view note, bool ours) {
    std::optional<Checkpoint> checkpoint;
    for (const auto& key : keys_) {
      if (auto opened = open_checkpoint(note, key)) checkpoint = *opened;
    }
    if (!checkpoint) {
      return found(Verdict::bad_checkpoint, "checkpoint {} is malformed or not signed by a given key",
                   report_.checkpoints);
    }
    if (ours) {
      if (!origin_.empty() && checkpoint->origin != origin_) {
        return found(Verdict::out_of_order, "a checkpoint of another log, {}", checkpoint->origin);
      }
      if (checkpoint->size < report_.checkpointed) {
        return found(Verdict::out_of_order, "the checkpoint at {} entries comes after the one at {}",
                     checkpoint->size, report_.checkpointed);
      }
      origin_ = checkpoint->origin;
      ++report_.checkpoints;
      report_.checkpointed = checkpoint->size;
      report_.checkpoint_time = checkpoint->time;
    }
    auto [at, fresh] = roots_.try_emplace(checkpoint->size, checkpoint->root);
    if (!fresh && at->second != checkpoint->root) {
      return found(Verdict::forked, "two signed checkpoints at {} entries have different roots",
                   checkpoint->size);
    }
    return true;
  }

  bool walk_segments() {
    auto numbers = list_segments(folder_);
    if (!numbers) return failed(numbers.error());
    std::uint64_t expected = 1;
    for (auto number : *numbers) {
      if (number != expected) return missing(expected, "");
      if (!walk_segment(number)) return false;
      ++expected;
    }
    // A record in use may have gone on in segments that were not there when the folder was listed.
    for (; continues_; ++expected) {
      std::error_code error;
      if (!fs::exists(folder_ / segment_name(expected), error)) {
        return missing(expected, ": the log goes on in it");
      }
      if (!walk_segment(expected)) return false;
    }
    return true;
  }

  bool missing(std::uint64_t number, std::string_view why) {
    segment_ = number;
    offset_ = 0;
    return found(Verdict::missing_segment, "segment {} is missing{}", number, why);
  }

  bool walk_segment(std::uint64_t number) {
    segment_ = number;
    offset_ = 0;
    ++report_.segments;
    auto cursor = SegmentCursor::open(folder_ / segment_name(number));
    if (!cursor) return failed(cursor.error());
    if (!check_header(cursor->header())) return false;
    continues_ = false;
    for (;;) {
      if (!check_root()) return false;
      offset_ = cursor->offset();
      auto frame = cursor->next();
      if (!frame) return failed(frame.error());
      switch (frame->state) {
        case FrameState::entry:
          if (!check_entry(*frame)) return false;
          break;
        case FrameState::broken:
          return found(Verdict::altered, "entry {} does not fit its hash", tree_.size());
        case FrameState::continues: continues_ = true; return true;
        case FrameState::end: return true;
      }
    }
  }

  bool check_header(const SegmentHeader& header) {
    if (!log_id_) log_id_ = header.log_id;
    if (header.number != segment_ || header.shard != report_.shard || header.log_id != *log_id_) {
      return found(Verdict::out_of_order, "this is segment {} of shard {} of log {}", header.number,
                   header.shard, to_hex(header.log_id));
    }
    if (header.first_seq() > tree_.size()) {
      return found(Verdict::truncated, "entries {} to {} are missing at the end of segment {}", tree_.size(),
                   header.first_seq() - 1, segment_ - 1);
    }
    if (header.first_seq() != tree_.size() || !std::ranges::equal(header.before.peaks(), tree_.peaks())) {
      return found(Verdict::out_of_order, "this segment does not follow on the one before it");
    }
    return true;
  }

  bool check_entry(const Frame& frame) {
    auto entry = parse_entry(frame.canonical);
    if (!entry) return failed(entry.error());
    const auto& header = entry->header;
    if (header.seq != tree_.size() || header.shard != report_.shard) {
      return found(Verdict::out_of_order, "entry {} of shard {} stands where entry {} belongs", header.seq,
                   header.shard, tree_.size());
    }
    if (header.time < last_time_ && header.kind != Kind::clock_stepped) {
      return found(Verdict::out_of_order, "entry {} is older than the one before it", header.seq);
    }
    auto payload = decode(*entry);
    if (!payload) return failed(payload.error());
    note(header, *payload);
    // What a live writer added after the checkpoints were read is signed by later ones.
    if (header.seq >= covered() && header.seq < head_before_->entries) unsigned_.take(header);
    if (!began_) began_ = header.time;
    last_time_ = header.time;
    last_kind_ = header.kind;
    tree_.add(frame.leaf);
    return true;
  }

  void note(const Header& header, const Payload& payload) {
    open_.apply(header);
    has_work_ = has_work_ || header.kind >= Kind::session_start;
    if (const auto* opened = std::get_if<Opened>(&payload)) {
      if (opened->after_crash) ++report_.crashes;
      report_.lost_entries += opened->lost_entries;
    }
    if (const auto* shard = std::get_if<ShardAdded>(&payload)) {
      LogId id;
      std::ranges::copy(shard->log_id, id.begin());
      auto& logs = added_[shard->shard];
      if (std::ranges::find(logs, id) == logs.end()) logs.push_back(id);
    }
  }

  bool check_root() {
    auto checkpoint = roots_.find(tree_.size());
    if (checkpoint == roots_.end() || checkpoint->second == tree_.root()) return true;
    auto before = checkpoint == roots_.begin() ? 0 : std::prev(checkpoint)->first;
    return found(Verdict::altered, "entries {} to {} are not those that were signed", before,
                 tree_.size() - 1);
  }

  bool check_end() {
    segment_ = report_.segments;
    if (log_id_ && !origin_.empty() && !std::ranges::count(possible_origins(), origin_)) {
      return found(Verdict::out_of_order, "the checkpoints are those of another log, {}", origin_);
    }
    if (!roots_.empty() && tree_.size() < roots_.rbegin()->first) {
      return found(Verdict::truncated, "{} entries were signed, {} are there", roots_.rbegin()->first,
                   tree_.size());
    }
    if (tree_.size() < head_before_->entries) {
      return found(Verdict::truncated, "{} entries were committed, {} are there", head_before_->entries,
                   tree_.size());
    }
    auto head = read_head(folder_);
    if (!head) return failed(head.error());
    if (log_id_ && head->log_id != *log_id_)
      return found(Verdict::out_of_order, "the head is that of another log");
    // One may have been committed and not yet counted when the writer was killed.
    if (tree_.size() > head->entries + 1) {
      return found(Verdict::unsettled, "{} entries are there, the head knows {}", tree_.size(),
                   head->entries);
    }
    const bool closed_all_along = head_before_->closed && head->closed && head->epoch == head_before_->epoch;
    if (unsigned_.too_long() || (closed_all_along && covered() < tree_.size())) {
      return found(Verdict::bad_checkpoint,
                   "entries {} to {}, over {} seconds, are under no signed checkpoint", covered(),
                   tree_.size() - 1, unsigned_.span().count());
    }
    return true;
  }

  // Entries under a signed checkpoint.
  std::uint64_t covered() const { return roots_.empty() ? 0 : roots_.rbegin()->first; }

  fs::path folder_;
  std::span<const VerifierKey> keys_;
  std::span<const std::string> known_;
  std::vector<bool>& known_used_;
  ShardReport report_;
  std::optional<Finding> finding_;
  AddedShards added_;

  std::optional<HeadFacts> head_before_;
  std::optional<LogId> log_id_;
  std::string origin_;
  std::map<std::uint64_t, Digest> roots_;  // signed, by size
  Frontier tree_;
  OpenWork open_;
  UnsignedSpan unsigned_;
  std::optional<WallTime> began_;
  bool has_work_ = false;
  WallTime last_time_{Nanoseconds{INT64_MIN}};
  std::optional<Kind> last_kind_;
  std::uint64_t segment_ = 0;
  std::uint64_t offset_ = 0;
  bool continues_ = false;
};

// The shards that are there with those that shard 0 names.
void compare_shards(std::span<const ShardCheck> there, const ShardCheck& control, VerifyReport& report) {
  const auto missing = [&](std::uint16_t shard, std::string detail) {
    report.findings.push_back(
        {.verdict = Verdict::missing_shard, .shard = shard, .detail = std::move(detail)});
  };
  for (const auto& [shard, logs] : control.added()) {
    const auto check = std::ranges::find(there, shard, [](const auto& c) { return c.report().shard; });
    for (const auto& log : logs) {
      if (check == there.end() || !check->log_id()) {
        missing(shard, fmt::format("shard {} (log {}) is missing", shard, to_hex(log)));
      } else if (*check->log_id() != log) {
        missing(shard, fmt::format("shard {} (log {}) is another log", shard, to_hex(log)));
      }
    }
  }
  for (const auto& check : there.subspan(1)) {
    const auto shard = check.report().shard;
    if (check.has_work() && control.whole() && !control.added().contains(shard)) {
      report.findings.push_back({.verdict = Verdict::out_of_order,
                                 .shard = shard,
                                 .detail = fmt::format("shard 0 does not name a shard {}", shard)});
    } else if (check.began() && control.began() && *check.began() + kSameStart < *control.began()) {
      missing(0,
              fmt::format("shard {} is older than shard 0: the control plane's first log is missing", shard));
    }
  }
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  for (const auto& known : kVerdicts) {
    if (known.verdict == verdict) return known.name;
  }
  return {};
}

VerifyReport verify_record(const fs::path& folder, std::span<const VerifierKey> keys,
                           std::span<const std::string> known) {
  VerifyReport report;
  auto shards = list_shards(folder);
  if (!shards || shards->empty()) {
    report.findings.push_back(
        {.verdict = Verdict::unreadable,
         .detail = shards ? fmt::format("{} holds no record", folder.native()) : shards.error().detail});
    return report;
  }
  std::vector<bool> known_used(known.size(), false);
  std::vector<ShardCheck> checks;
  for (auto shard : *shards) {
    auto& check = checks.emplace_back(folder, shard, keys, known, known_used);
    check.run();
    report.shards.push_back(check.report());
    if (check.finding()) report.findings.push_back(*check.finding());
  }
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (known_used[i]) continue;
    auto origin = known[i].substr(0, known[i].find('\n'));
    report.findings.push_back({.verdict = Verdict::missing_shard,
                               .detail = fmt::format("there is no log {}, which was signed", origin)});
  }
  if (shards->front() != 0) {
    report.findings.push_back(
        {.verdict = Verdict::missing_shard, .detail = "shard 0, the control plane's, is missing"});
    return report;
  }
  // A gateway that was started meanwhile has named its shards before it wrote anything else to them.
  std::vector<bool> ignored(known.size(), false);
  ShardCheck control{folder, 0, keys, known, ignored};
  control.run();
  compare_shards(checks, control, report);
  return report;
}

std::string format_report(const VerifyReport& report) {
  std::string out;
  for (const auto& s : report.shards) {
    const auto last = s.checkpoint_time.empty() ? "" : fmt::format(", the last of {}", s.checkpoint_time);
    if (s.whole) {
      out += fmt::format("shard {}: {} entries in {} segments, {} of them under {} signed checkpoints{}{}\n",
                         s.shard, s.entries, s.segments, s.checkpointed, s.checkpoints, last,
                         s.closed ? "" : ", not closed");
    } else {
      out += fmt::format(
          "shard {}: not in order; checked up to entry {} in segment {}; {} entries were signed{}\n", s.shard,
          s.entries, s.segments, s.checkpointed, last);
    }
    if (s.crashes > 0) {
      out += fmt::format("  {} runs ended without closing; {} entries are known to be lost\n", s.crashes,
                         s.lost_entries);
    }
  }
  for (const auto& f : report.findings) {
    out += fmt::format("{}: shard {}", to_string(f.verdict), f.shard);
    if (f.segment > 0) out += fmt::format(", segment {}, byte {}, entry {}", f.segment, f.offset, f.entry);
    out += fmt::format(": {}\n", f.detail);
  }
  out += fmt::format("{}\n", to_string(report.verdict()));
  return out;
}

}  // namespace sluice::record
